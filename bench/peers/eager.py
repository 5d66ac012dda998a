"""Plain PyTorch: a DataLoader, torch.optim.Adam and a loop. What others are measured against."""

from typing import Any

import numpy as np
import torch
from contest.data import opened
from contest.folds import Fold, accuracy, folds_of
from contest.worker import Job, Plain, enter
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from peers.torch_networks import network


def train(job: Job, fold: Fold) -> nn.Module:
    """Train on one fold."""
    model = network(job)
    for _ in epochs(job, model, fold):
        pass
    return model


def epochs(job: Job, model: nn.Module, fold: Fold) -> Any:
    """Train epoch by epoch."""
    data = TensorDataset(torch.from_numpy(fold.x), torch.from_numpy(fold.y))
    loader = DataLoader(data, job["batch"], shuffle=True, drop_last=True)
    optimizer = torch.optim.Adam(model.parameters(), job["lr"])
    for epoch in range(job["epochs"]):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        yield epoch


@torch.inference_mode()
def answers(model: nn.Module, x: np.ndarray) -> np.ndarray:
    """Return the scores of rows."""
    model.eval()
    return torch.cat([model(part) for part in torch.from_numpy(x).split(512)]).numpy()


def prepare(job: Job) -> Plain:
    """Train all folds one after the other, or answer as often as the job says."""
    if "answers" in job:
        return _answering(job)
    folds = folds_of(job)

    def score(models: list[nn.Module]) -> float:
        pairs = zip(models, folds, strict=True)
        return float(np.mean([accuracy(answers(m, f.x_held), f.y_held) for m, f in pairs]))

    def warm() -> None:
        train(job | {"epochs": 1}, folds[0])

    return Plain(lambda: [train(job, fold) for fold in folds], score, warm)


def _answering(job: Job) -> Plain:
    model, x = network(job).eval(), torch.from_numpy(opened(job)["x"]).float() / 255

    def fit() -> Tensor:
        with torch.inference_mode():
            for at in range(job["answers"]):
                start = at * job["batch"] % len(x)
                said = model(x[start : start + job["batch"]])
        return said

    return Plain(fit, lambda said: float(said.isfinite().all()))


def reach(job: Job) -> dict[str, Any]:
    """Train until the accuracy is reached."""
    fold, model = folds_of(job)[0], network(job)
    for epoch in epochs(job, model, fold):
        score = accuracy(answers(model, fold.x_held), fold.y_held)
        found = {"score": score, "epochs": epoch + 1}
        if score >= job["accuracy"]:
            break
    return found


if __name__ == "__main__":
    enter(prepare, reach)

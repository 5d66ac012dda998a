"""skorch: PyTorch networks behind scikit-learn's interface."""

from typing import Any

import numpy as np
import torch
from contest.folds import accuracy, folds_of
from contest.worker import Job, Plain, enter
from skorch import NeuralNetClassifier
from torch import nn

from peers.torch_networks import network


def net(job: Job) -> NeuralNetClassifier:
    """Return an unfitted classifier."""
    return NeuralNetClassifier(
        network(job),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=job["lr"],
        max_epochs=job["epochs"],
        batch_size=job["batch"],
        iterator_train__shuffle=True,
        iterator_train__drop_last=True,
        train_split=None,
        verbose=0,
    )


def prepare(job: Job) -> Plain:
    """Train all folds one after the other."""
    folds = folds_of(job)

    def score(nets: list[NeuralNetClassifier]) -> float:
        pairs = zip(nets, folds, strict=True)
        return float(np.mean([accuracy(n.predict_proba(f.x_held), f.y_held) for n, f in pairs]))

    def warm() -> None:
        net(job | {"epochs": 1}).fit(folds[0].x, folds[0].y)

    return Plain(lambda: [net(job).fit(fold.x, fold.y) for fold in folds], score, warm)


def reach(job: Job) -> dict[str, Any]:
    """Train until the accuracy is reached."""
    fold, learner = folds_of(job)[0], net(job).initialize()
    for epoch in range(job["epochs"]):
        learner.fit_loop(fold.x, fold.y, epochs=1)
        score = accuracy(learner.predict_proba(fold.x_held), fold.y_held)
        found = {"score": score, "epochs": epoch + 1}
        if score >= job["accuracy"]:
            break
    return found


if __name__ == "__main__":
    enter(prepare, reach)

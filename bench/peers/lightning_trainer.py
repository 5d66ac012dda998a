"""Lightning: a LightningModule and a Trainer without loggers, checkpoints and progress bars."""

import logging
import warnings
from typing import Any

import lightning
import numpy as np
import torch
from contest.folds import Fold, accuracy, folds_of
from contest.worker import Job, Plain, enter
from lightning.pytorch.callbacks import EarlyStopping
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from peers.eager import answers
from peers.torch_networks import network

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")


class Classifier(lightning.LightningModule):
    """Cross-entropy and Adam."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.network, self.rate = network(job), job["lr"]

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        x, y = batch
        return F.cross_entropy(self.network(x), y)

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        x, y = batch
        right = (self.network(x).argmax(1) == y).float().mean()
        self.log("accuracy", right, batch_size=len(y))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), self.rate)


def _trainer(job: Job, **options: Any) -> lightning.Trainer:
    return lightning.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=job["epochs"],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )


def _loader(x: np.ndarray, y: np.ndarray, size: int, **options: Any) -> DataLoader:
    return DataLoader(TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), size, **options)


def train(job: Job, fold: Fold) -> nn.Module:
    """Train on one fold."""
    model = Classifier(job)
    loader = _loader(fold.x, fold.y, job["batch"], shuffle=True, drop_last=True)
    _trainer(job).fit(model, loader)
    return model.network


def prepare(job: Job) -> Plain:
    """Train all folds one after the other."""
    folds = folds_of(job)

    def score(models: list[nn.Module]) -> float:
        pairs = zip(models, folds, strict=True)
        return float(np.mean([accuracy(answers(m, f.x_held), f.y_held) for m, f in pairs]))

    def warm() -> None:
        train(job | {"epochs": 1}, folds[0])

    return Plain(lambda: [train(job, fold) for fold in folds], score, warm)


def reach(job: Job) -> dict[str, Any]:
    """Train until the accuracy is reached."""
    fold, model = folds_of(job)[0], Classifier(job)
    stopping = EarlyStopping(
        "accuracy", mode="max", patience=job["epochs"], stopping_threshold=job["accuracy"]
    )
    trainer = _trainer(job, callbacks=[stopping], num_sanity_val_steps=0)
    loader = _loader(fold.x, fold.y, job["batch"], shuffle=True, drop_last=True)
    trainer.fit(model, loader, _loader(fold.x_held, fold.y_held, 512))
    score = accuracy(answers(model.network, fold.x_held), fold.y_held)
    return {"score": score, "epochs": trainer.current_epoch}


if __name__ == "__main__":
    enter(prepare, reach)

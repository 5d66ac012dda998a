"""What the stories share: data in memory, and a network fitted by the project's own loop."""

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn

from gradatim.core.recipe import OptimizerChoice, Recipe, Schedule
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Signature, Table
from gradatim.models.mlp import Mlp
from gradatim.ops.folds import holdout
from gradatim.tasks.classify import Classify
from gradatim.train.fitting import Fitting

__all__ = ["accuracy", "digits", "fitted", "linear_layers", "recipe", "table"]


def table(columns: int, classes: int) -> Signature:
    """Return the signature of numbers in columns, and classes."""
    names = tuple(f"x{k + 1}" for k in range(columns))
    return Signature(
        input=Table(columns=tuple(Column(name=name, kind="numeric") for name in names)),
        output=Category(names=tuple(f"class {k}" for k in range(classes))),
    )


@cache
def digits() -> tuple[Samples, Samples]:
    """Return the bundled digits as 64 columns: 1437 rows to learn from, 360 to check with."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    targets = np.asarray(loaded.target, dtype=np.int64)
    samples = Samples(torch.from_numpy(loaded.data.astype(np.float64)), torch.from_numpy(targets))
    train, held = holdout(len(samples), 0.2, 0, strata=targets)
    return samples.take(train), samples.take(held)


def recipe(seed: int, epochs: int, batch: int, lr: float, **changes: Any) -> Recipe:
    """Return plain descent with momentum: no decay, no clipping, no held-out rows."""
    return Recipe(
        optimizer=OptimizerChoice(name="momentum", lr=lr, weight_decay=0.0),
        schedule=Schedule(name="constant", warmup=0.0),
        epochs=epochs,
        batch=batch,
        validation=0.0,
        clip=0.0,
        seed=seed,
        **changes,
    )


def fitted(rung: Mlp, samples: Samples, signature: Signature, plan: Recipe) -> Fitting:
    """Return a fitting of the rung, ready to be iterated."""
    return Fitting(rung, Classify(), samples, signature, plan)


@torch.no_grad()
def accuracy(fitting: Fitting, samples: Samples) -> float:
    """Return the share of rows whose class the network names."""
    model = fitting.model.eval()
    said = model(samples.inputs).argmax(1)
    return float((said == samples.targets).double().mean())


def linear_layers(network: nn.Module) -> list[nn.Linear]:
    """Return the fully connected layers, from the input on."""
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear)]

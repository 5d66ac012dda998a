"""Symmetry: units that begin equal stay equal, so a layer of them is one unit."""

from typing import Any, Literal

import torch
from torch import Tensor

from gradatim.explain.stories._fits import accuracy, digits, fitted, linear_layers, recipe, table
from gradatim.models.mlp import Mlp
from gradatim.train.fitting import Fitting

__all__ = ["STORY", "tell"]

WIDTH, DEPTH, EPOCHS, BATCH, RATE = 16, 2, 20, 32, 0.01
RUNS: tuple[tuple[str, Literal["constant", "xavier"], float], ...] = (
    ("equal weights", "constant", 0.0),
    ("Xavier", "xavier", 0.0),
    ("equal weights, dropout", "constant", 0.2),
)


def tell(seed: int) -> dict[str, Any]:
    """Train one network on the bundled digits from equal and from random weights.

    Two units of a layer with equal weights in and out get equal gradients; descent keeps them
    equal. No weight is shared here, so the course's reason, weight sharing, cannot be the reason.
    Dropout treats equal units differently, and that alone parts them.

    Returns:
        For each of `runs` the number of different units in the first hidden layer, the rank of its
        weights and the largest difference of two units, before training and after each epoch; the
        training loss by epoch; the accuracy on rows that were held back.

    Source: course 000, "initialization of neural networks" (which names weight sharing; it is
        symmetry); Rumelhart, Hinton & Williams 1986; Goodfellow et al. 2016, section 8.4.
    """
    runs = [_run(*run, seed) for run in RUNS]
    return {"runs": runs, "width": WIDTH, "depth": DEPTH, "epochs": EPOCHS}


def _run(
    name: str, start: Literal["constant", "xavier"], dropout: float, seed: int
) -> dict[str, Any]:
    train, held = digits()
    rung = Mlp(width=WIDTH, depth=DEPTH, dropout=dropout, activation="tanh")
    plan = recipe(seed, EPOCHS, BATCH, RATE, initialisation=start)
    fitting = fitted(rung, train, table(64, 10), plan)
    looks, losses = [_look(fitting)], []
    for record in fitting:
        looks.append(_look(fitting))
        losses.append(record.values["loss"])
    return {
        "name": name,
        "initialisation": start,
        "dropout": dropout,
        "units": [units for units, _, _ in looks],
        "rank": [rank for _, rank, _ in looks],
        "spread": [spread for _, _, spread in looks],
        "losses": losses,
        "accuracy": accuracy(fitting, held),
    }


@torch.no_grad()
def _look(fitting: Fitting) -> tuple[int, int, float]:
    """Return different units, the rank of their weights and how far apart two units are."""
    layer = linear_layers(fitting.model.network)[0]
    units: Tensor = torch.cat([layer.weight, layer.bias[:, None]], 1).double()
    rank = int(torch.linalg.matrix_rank(layer.weight.double()))
    spread = float((units[:, None] - units).abs().max())
    return len(torch.unique(units, dim=0)), rank, spread


STORY = tell

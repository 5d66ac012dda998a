"""XOR: what one neuron cannot learn, and two hidden ones can."""

from typing import Any

import torch
from torch import Tensor

from gradatim.core.samples import Samples
from gradatim.explain.stories._fits import accuracy, fitted, recipe, table
from gradatim.models.mlp import Mlp
from gradatim.ops.perceptron import linearly_separable, perceptron
from gradatim.train.fitting import Fitting

__all__ = ["STORY", "tell"]

POINTS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
TARGETS = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "XOR": [0, 1, 1, 0]}
WIDTHS = (2, 3, 4)
TRIES, EPOCHS, RATE = 6, 200, 0.2
LOW, HIGH, GRID = -0.5, 1.5, 100


def tell(seed: int) -> dict[str, Any]:
    """Let a perceptron learn AND, OR and XOR, and networks with 2 to 4 hidden units XOR.

    Returns:
        `panels`: who learnt what, the rows it got wrong and its decisions on a grid, from the
        bottom row up; `separable` by a linear programme; `widths`: how many tries solved XOR;
        `hidden`: where the hidden units of the network that is shown put the four points.

    Source: course 000, "Perceptron algorithm"; Minsky & Papert 1969; Rumelhart, Hinton & Williams
        1986 for the network.
    """
    panels = [_perceptron(name, seed) for name in TARGETS]
    fits = {width: [_network(width, seed + k) for k in range(TRIES)] for width in WIDTHS}
    samples = _samples("XOR")
    solved = {w: [f for f in tries if accuracy(f, samples) == 1] for w, tries in fits.items()}
    width = next((w for w in WIDTHS if solved[w]), WIDTHS[-1])
    shown = (solved[width] or fits[width])[0]
    hidden = _hidden(shown)
    targets = torch.tensor(TARGETS["XOR"])
    return {
        "points": POINTS.tolist(),
        "panels": [*panels, _panel("XOR", f"{width} hidden units", shown)],
        "separable": {
            n: linearly_separable(POINTS, torch.tensor(t), 2) for n, t in TARGETS.items()
        },
        "widths": [{"hidden": w, "solved": len(solved[w]), "tries": TRIES} for w in WIDTHS],
        "epochs": EPOCHS,
        "hidden": hidden.tolist(),
        "hidden_separable": linearly_separable(hidden, targets, 2),
    }


def _samples(name: str) -> Samples:
    return Samples(POINTS, torch.tensor(TARGETS[name]))


def _perceptron(name: str, seed: int) -> dict[str, Any]:
    targets = torch.tensor(TARGETS[name])
    fit = perceptron(POINTS, targets, 2, 100, seed)
    said = (_grid() @ fit.weights + fit.bias).argmax(1)
    return {
        "problem": name,
        "learner": "perceptron",
        "targets": TARGETS[name],
        "wrong": fit.left,
        "epochs": len(fit.mistakes),
        "regions": said.reshape(GRID, GRID).tolist(),
    }


def _network(width: int, seed: int) -> Fitting:
    rung = Mlp(width=width, depth=1, dropout=0.0, activation="tanh")
    plan = recipe(seed, EPOCHS, 4, RATE, initialisation="xavier")
    fitting = fitted(rung, _samples("XOR"), table(2, 2), plan)
    list(fitting)
    return fitting


@torch.no_grad()
def _panel(name: str, learner: str, fitting: Fitting) -> dict[str, Any]:
    said = fitting.model(_grid()).argmax(1)
    return {
        "problem": name,
        "learner": learner,
        "targets": TARGETS[name],
        "wrong": round(4 * (1 - accuracy(fitting, _samples(name)))),
        "epochs": EPOCHS,
        "regions": said.reshape(GRID, GRID).tolist(),
    }


@torch.no_grad()
def _hidden(fitting: Fitting) -> Tensor:
    """Return what the hidden units say of the four points."""
    network = fitting.model.network
    assert isinstance(network, torch.nn.Sequential)
    return network[:2](fitting.model.preprocess(POINTS)).double()


def _grid() -> Tensor:
    """Return the middles of the squares of a grid, row by row from the bottom."""
    step = (HIGH - LOW) / GRID
    axis = LOW + step * (torch.arange(GRID, dtype=torch.float64) + 0.5)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], 1)


STORY = tell

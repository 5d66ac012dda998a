"""Vanishing gradients: ten sigmoid layers learn nothing, ten of ReLU do."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from gradatim.explain.stories._fits import accuracy, digits, fitted, linear_layers, recipe, table
from gradatim.models.mlp import Mlp
from gradatim.train.fitting import Fitting

__all__ = ["STORY", "tell"]

WIDTH, EPOCHS, BATCH, RATE = 32, 20, 32, 0.01
RUNS: tuple[tuple[str, Literal["sigmoid", "relu"], int, Literal["xavier", "he"]], ...] = (
    ("10 sigmoid layers", "sigmoid", 10, "xavier"),
    ("10 ReLU layers", "relu", 10, "he"),
    ("1 sigmoid layer", "sigmoid", 1, "xavier"),
)


def tell(seed: int) -> dict[str, Any]:
    """Train deep and shallow networks on the bundled digits, everything else being equal.

    Returns:
        For each of `runs` the norm of the loss's gradient by the weights of each layer before the
        first step, the training loss by epoch, and the accuracy on rows that were held back;
        `chance`: the share of the largest class; `steepest`: the largest slope of a sigmoid that
        was met; `bound`: 1/4 to the power of the layers.

    Source: course 000, "Vanishing gradients" (bounds hold for absolute values; the slope of ReLU
        is 0 or 1); Hochreiter 1991; Glorot & Bengio 2010; He et al. 2015.
    """
    runs = [_run(*run, seed) for run in RUNS]
    steepest = max(run["steepest"] for run in runs)
    held = digits()[1].targets
    return {
        "runs": runs,
        "chance": float(held.bincount().max() / len(held)),
        "steepest": steepest,
        "bound": 0.25 ** RUNS[0][2],
        "epochs": EPOCHS,
        "rate": RATE,
    }


def _run(
    name: str,
    activation: Literal["sigmoid", "relu"],
    depth: int,
    start: Literal["xavier", "he"],
    seed: int,
) -> dict[str, Any]:
    train, held = digits()
    rung = Mlp(width=WIDTH, depth=depth, dropout=0.0, activation=activation)
    plan = recipe(seed, EPOCHS, BATCH, RATE, initialisation=start)
    fitting = fitted(rung, train, table(64, 10), plan)
    gradients, steepest = _first_gradients(fitting)
    losses = [record.values["loss"] for record in fitting]
    return {
        "name": name,
        "activation": activation,
        "initialisation": start,
        "gradients": gradients,
        "steepest": steepest,
        "losses": losses,
        "accuracy": accuracy(fitting, held),
    }


def _first_gradients(fitting: Fitting) -> tuple[list[float], float]:
    """Return the norm of the gradient by each weight matrix, and the steepest sigmoid met."""
    network, batch = fitting.model.network, fitting.draw(0)
    steep: list[float] = []

    def watch(layer: nn.Module, inputs: object, output: Tensor) -> None:
        said = output.detach()
        steep.append(float((said * (1 - said)).max()))

    hooks = [m.register_forward_hook(watch) for m in network.modules() if isinstance(m, nn.Sigmoid)]
    weights = [layer.weight for layer in linear_layers(network)]
    loss = fitting.supervisor.loss(network(batch.inputs), batch.targets)
    gradients = torch.autograd.grad(loss, weights)
    for hook in hooks:
        hook.remove()
    return [float(g.norm()) for g in gradients], max(steep, default=0.0)


STORY = tell

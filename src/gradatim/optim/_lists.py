"""Parameters, gradients and state as lists for torch's kernels on lists, or as one vector."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gradatim.core.learner import Evaluate, Optimizer

__all__ = ["chosen", "decay", "flat", "gradient", "move", "parts"]


def chosen(optimizer: Optimizer) -> list[int]:
    """Return the places of the parameters that have a gradient: the others stay."""
    return [i for i, p in enumerate(optimizer.parameters) if p.grad is not None]


def parts(optimizer: Optimizer, *names: str) -> tuple[list[Tensor], ...]:
    """Return parameters, their gradients, and lists of the state, of those with a gradient.

    Args:
        optimizer: whose lists.
        names: of the state.
    """
    places = chosen(optimizer)
    parameters: list[Tensor] = [optimizer.parameters[i] for i in places]
    gradients = [p.grad for p in parameters if p.grad is not None]
    return parameters, gradients, *([optimizer.state[n][i] for i in places] for n in names)


def decay(parameters: Sequence[Tensor], gradients: Sequence[Tensor], share: float) -> list[Tensor]:
    """Return g + share w; for biases and gains, which have one dimension, g."""
    pairs = zip(parameters, gradients, strict=True)
    if not share:
        return list(gradients)
    return [g.add(p, alpha=share) if p.dim() > 1 else g for p, g in pairs]


def flat(tensors: Sequence[Tensor]) -> Float[Tensor, " numbers"]:
    """Return tensors as one vector."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


@torch.no_grad()
def move(parameters: Sequence[Tensor], vector: Float[Tensor, " numbers"], by: float) -> None:
    """Add `by` times a vector, in the order of `flat`, to the parameters."""
    pieces = vector.split([p.numel() for p in parameters])
    for parameter, piece in zip(parameters, pieces, strict=True):
        parameter.add_(piece.view_as(parameter), alpha=by)


def gradient(
    evaluate: Evaluate, parameters: Sequence[nn.Parameter], *, again: bool = False
) -> tuple[Tensor, list[Tensor]]:
    """Return the loss and its gradient at the parameters as they are.

    Args:
        evaluate: the loss.
        parameters: what to differentiate by; one that the loss does not use has gradient 0.
        again: whether the gradient will be differentiated once more.
    """
    with torch.enable_grad():
        loss = evaluate()
        slopes = torch.autograd.grad(
            loss, parameters, create_graph=again, allow_unused=True, materialize_grads=True
        )
    return loss.detach(), list(slopes)

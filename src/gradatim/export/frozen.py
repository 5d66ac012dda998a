"""`frozen`: a fitted model that only answers, as fast as this machine can.

It is traced once; batch normalisation, activations and the scaling of pixels are folded into the
layers beside them; kernels are packed in the order that the library wants; linear layers in turn
and the first layers of small networks run in machine code. What cannot be traced stays as it is.
"""

from copy import deepcopy
from typing import Any

from torch import Tensor, nn

from gradatim.core.chunks import evaluating
from gradatim.export.folding import folded
from gradatim.export.parity import disagreement, tolerance

__all__ = ["Frozen", "frozen"]


class Frozen(nn.Module):
    """The answers of a fitted model, up to rounding, without gradients.

    It has no parameters, and does not change when the model does.

    Args:
        answer: what is done to raw inputs.
        obstacle: why that is all that the model does, one call after the other; None where it is
            not.
    """

    def __init__(self, answer: nn.Module, obstacle: str | None = None) -> None:
        super().__init__()
        self.answer, self.obstacle = answer.eval(), obstacle
        # Nobody listens to what was just made: there are no hooks to look for.
        self._call = answer.forward

    def forward(self, inputs: Tensor) -> Any:
        """Return the answers to raw inputs."""
        return self._call(inputs)


def frozen(model: nn.Module, example: Tensor) -> Frozen:
    """Return a model that answers as this one does in evaluation mode, and faster where it can.

    Both are asked with the example. Where their answers differ by more than rounding, or the model
    cannot be traced, a plain copy of it answers, and `obstacle` says why.

    Args:
        model: fitted; it is not changed.
        example: a few raw inputs, rows first.

    Source: docs/decisions/0009-products-stacks-and-frozen-networks.md.

    >>> import torch
    >>> model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
    >>> quick, x = frozen(model, torch.rand(2, 1, 9, 9)), torch.rand(4, 1, 9, 9)
    >>> torch.allclose(quick(x), model.eval()(x), atol=1e-5)
    True
    """
    with evaluating(model):
        copy = deepcopy(model).requires_grad_(False)
        try:
            quick = Frozen(folded(copy, example))
            obstacle = disagreement(model, quick, example, tolerance(model))
        except Exception as error:  # noqa: BLE001  whatever a layer makes of it, the model answers
            obstacle = f"{type(error).__name__}: {error}".partition("\n")[0]
        if obstacle is None:
            return quick
        return Frozen(deepcopy(model).requires_grad_(False), obstacle)

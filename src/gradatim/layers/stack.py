"""Networks of one shape as one network with a leading dimension: many small products become one."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Stack", "stackable"]

BENDS = (nn.ReLU, nn.Sigmoid, nn.Tanh, nn.GELU, nn.Identity)
DENSE = (nn.Linear, nn.Dropout, nn.LayerNorm, nn.BatchNorm1d, *BENDS)


def stackable(network: nn.Module) -> bool:
    """Tell whether a network is a chain of dense layers on rows of features."""
    return isinstance(network, nn.Sequential) and all(type(m) in DENSE for m in network)


class Stack(nn.Module):
    """z = a(x W' + b) for all members at once, as batched matrix products.

    The members' parameters and buffers become views of the stack's: whatever moves the stack moves
    its members, each of which still answers and saves for itself.

    Args:
        networks: stackable, of one shape.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        first = networks[0]
        assert isinstance(first, nn.Sequential)
        self.layers = list(enumerate(first))
        self.members = len(networks)
        self.numbers = {
            name: _united([network.get_parameter(name) for network in networks]).requires_grad_()
            for name, _ in first.named_parameters()
        }
        self.states = {
            name: _united([network.get_buffer(name) for network in networks])
            for name, _ in first.named_buffers()
        }

    def forward(
        self,
        inputs: Float[Tensor, "members rows features"],
        masks: Sequence[Float[Tensor, "... rows width"]],
    ) -> Float[Tensor, "members rows outputs"]:
        """Return the answers of all members in training mode.

        Args:
            inputs: rows of every member.
            masks: what each dropout layer multiplies by, for every member, or one for all.
        """
        drawn = iter(masks)
        z = inputs
        for place, layer in self.layers:
            if isinstance(layer, nn.Linear):
                z = self._linear(z, place)
            elif isinstance(layer, nn.Dropout):
                z = z * next(drawn)
            elif isinstance(layer, nn.LayerNorm):
                z = self._layer_norm(z, layer, place)
            elif isinstance(layer, nn.BatchNorm1d):
                z = self._batch_norm(z, layer, place)
            else:
                z = layer(z)
        return z

    def dropouts(self) -> list[tuple[float, int]]:
        """Return the probability and the width of every dropout layer."""
        found, width = [], 0
        for _, layer in self.layers:
            width = layer.out_features if isinstance(layer, nn.Linear) else width
            if isinstance(layer, nn.Dropout):
                found.append((layer.p, width))
        return found

    def _linear(self, z: Tensor, place: int) -> Tensor:
        bias = self.numbers[f"{place}.bias"].view(self.members, 1, -1)
        out: Tensor = _Linear.apply(z, self.numbers[f"{place}.weight"], bias)  # type: ignore[no-untyped-call]
        return out

    def _layer_norm(self, z: Tensor, layer: nn.LayerNorm, place: int) -> Tensor:
        gain, shift = (
            self.numbers[f"{place}.{name}"].view(self.members, 1, -1) for name in ("weight", "bias")
        )
        return F.layer_norm(z, layer.normalized_shape, eps=layer.eps) * gain + shift

    def _batch_norm(self, z: Tensor, layer: nn.BatchNorm1d, place: int) -> Tensor:
        """Normalise every feature of every member over its rows, and note the running mean."""
        assert layer.momentum is not None
        self.states[f"{place}.num_batches_tracked"] += 1
        rows = z.transpose(0, 1).flatten(1)
        normal = F.batch_norm(
            rows,
            self.states[f"{place}.running_mean"],
            self.states[f"{place}.running_var"],
            self.numbers[f"{place}.weight"],
            self.numbers[f"{place}.bias"],
            training=True,
            momentum=layer.momentum,
            eps=layer.eps,
        )
        return normal.view(len(rows), self.members, -1).transpose(0, 1)


class _Linear(torch.autograd.Function):
    """x W' + b for every member.

    Deviations: autograd's own gradient of a transposed weight has another order in memory, and
        copying it took as long as the products.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return torch.baddbmm(bias, x, weight.transpose(1, 2))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        slope = gradients[0]
        below = torch.bmm(slope, weight) if ctx.needs_input_grad[0] else None
        return below, torch.bmm(slope.transpose(1, 2), x), slope.sum(1, keepdim=True)


@torch.no_grad()
def _united(tensors: Sequence[Tensor]) -> Tensor:
    """Return tensors one after the other in memory, and make each a view of its part.

    Vectors (biases, gains) become one vector: an optimizer tells them from matrices by that.
    """
    whole = torch.stack([tensor.detach() for tensor in tensors])
    for tensor, part in zip(tensors, whole, strict=True):
        tensor.data = part
    return whole.flatten() if whole.dim() == 2 else whole

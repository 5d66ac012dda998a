"""`PictureChain`: convolutions with ReLU and pooling, then a `Chain`, of all members of a stack."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gradatim.layers.chain import Chain, Link, applies, links
from gradatim.layers.fused import halves, slides
from gradatim.ops.compiled.fused_convolution import SIDES, Pass, obstacle
from gradatim.ops.fused_convolution import MOST_CHANNELS

__all__ = ["PictureChain", "Pictured", "pictured"]

PASS = (nn.Conv2d, nn.ReLU, nn.MaxPool2d)


class Pictured(NamedTuple):
    """Places and paddings of the convolutions of a network, and the linear layers behind them."""

    convolutions: tuple[tuple[int, int], ...]
    linked: tuple[Link, ...]


def pictured(layers: Sequence[tuple[int, nn.Module]]) -> Pictured | None:
    """Return what a network on pictures consists of, where machine code computes all of it.

    Args:
        layers: with their places: convolution, ReLU and max-pooling once or more, `nn.Flatten`,
            then linear layers, ReLU and dropout.
    """
    found, at = list[tuple[int, int]](), 0
    while tuple(type(layer) for _, layer in layers[at : at + 3]) == PASS:
        place, convolution = layers[at]
        if not _taken(convolution) or not halves(layers[at + 2][1]):
            return None
        found.append((place, int(convolution.padding[0])))  # type: ignore[index]
        at += 3
    if not found or at == len(layers) or not _flattens(layers[at][1]):
        return None
    linked = links(layers[at + 1 :])
    if any(isinstance(layer, nn.Linear) and layer.bias is None for _, layer in layers):
        return None
    numbers = [parameter for _, layer in layers for parameter in layer.parameters()]
    usable = linked and applies(linked, numbers) and obstacle() is None
    return Pictured(tuple(found), tuple(linked)) if usable else None


class PictureChain:
    """For every member: max(0, W x + b), the largest of 2x2, once or more; then linear layers.

    As in a `Chain`, what autograd would do is written out and nothing is dispatched between layers.

    Args:
        parts: of the network.
        numbers: weights and biases of every member, by place and name.
        slopes: room for their gradients, laid out alike.
    """

    def __init__(
        self, parts: Pictured, numbers: Mapping[str, Tensor], slopes: Mapping[str, Tensor]
    ) -> None:
        self.parts, self.numbers, self.slopes = parts, numbers, slopes
        self.chain = Chain(parts.linked, numbers, slopes)
        names = [f"{place}.{n}" for place, _ in parts.convolutions for n in ("weight", "bias")]
        self.own = [slopes[name] for name in names]
        self.shape = torch.Size()
        self.passes: list[list[Pass]] = []
        self.rows = self.below = torch.empty(0)

    def forward(
        self,
        inputs: Float[Tensor, "members rows channels height width"],
        masks: Sequence[Float[Tensor, "... rows _"] | None],
    ) -> Float[Tensor, "members rows outputs"]:
        """Return the answers of all members, in room that the next call writes to.

        Args:
            inputs: pictures of every member.
            masks: what each dropout layer multiplies by, for every member, or one for all.
        """
        if inputs.shape != self.shape:
            self._describe(inputs)
        for passes, x in zip(self.passes, inputs, strict=True):
            for one in passes:
                x = one.forward(x)
        return self.chain.forward(self.rows, masks)

    def backward(self, slope: Float[Tensor, "members rows outputs"]) -> Float[Tensor, " members"]:
        """Write the gradients of all numbers, given those by the last answers.

        Returns:
            The norm of every member's gradient.
        """
        norms = [self.chain.backward(slope)]
        for passes in self.passes:
            for one in reversed(passes):
                one.backward()
        norms += [torch.linalg.vector_norm(part.flatten(1), dim=1) for part in self.own]
        return torch.stack(norms).norm(dim=0)

    def _describe(self, inputs: Tensor) -> None:
        """Make room for maps and their gradients: each pass writes where the next one reads."""
        self.shape, self.passes = inputs.shape, [[] for _ in inputs]
        whole, by_whole = inputs, None
        for place, padding in self.parts.convolutions:
            weights, biases = (self.numbers[f"{place}.{name}"] for name in ("weight", "bias"))
            high, wide = ((n + 2 * padding - weights.shape[3] + 1) // 2 for n in whole.shape[3:])
            out = inputs.new_empty((*inputs.shape[:2], weights.shape[1], high, wide))
            above = torch.empty_like(out)
            for member, passes in enumerate(self.passes):
                passes.append(
                    Pass(
                        (whole[member], weights[member].detach(), biases[member].detach(), padding),
                        (out[member], above[member]),
                        None if by_whole is None else by_whole[member],
                        tuple(self.slopes[f"{place}.{n}"][member] for n in ("weight", "bias")),
                    )
                )
            whole, by_whole = out, above
        assert by_whole is not None, "there is a convolution"
        self.rows, self.chain.below = whole.flatten(2), by_whole.flatten(2)


def _taken(layer: nn.Module) -> bool:
    """Tell whether the machine code has such kernels."""
    return (
        isinstance(layer, nn.Conv2d)
        and slides(layer)
        and layer.bias is not None
        and layer.kernel_size[0] in SIDES
        and layer.padding[0] in (0, 1, 2)
        and layer.in_channels <= MOST_CHANNELS
    )


def _flattens(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Flatten) and (layer.start_dim, layer.end_dim) == (1, -1)

"""`Chain`: linear layers, ReLU and dropout of a stack, answers and gradients by machine code."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gradatim.ops.compiled.dense import MOST_LAYERS, backward, described, forward, obstacle, panels

__all__ = ["Chain", "applies", "links"]


class Link(NamedTuple):
    """Place of a linear layer, and what follows it."""

    place: int
    bends: bool = False
    drops: bool = False


class Chain:
    """z = keep max(0, x W' + b), layer after layer, for all members in one call.

    What autograd would do is written out: the gradient of each layer goes to where the caller
    wants it, and no operation is dispatched between layers.

    Args:
        linked: of the layers.
        numbers: weights and biases of every member, by place and name.
        slopes: room for their gradients, laid out alike.
    """

    def __init__(
        self, linked: Sequence[Link], numbers: Mapping[str, Tensor], slopes: Mapping[str, Tensor]
    ) -> None:
        self.links, self.numbers, self.slopes = linked, numbers, slopes
        self.outs: list[Tensor] = []
        self.belows: list[Tensor] = []
        self.below: Tensor | None = None
        """Room for the gradient by the inputs, where it is wanted; set before the first call."""
        self.given: tuple[int, ...] = ()
        self.held: tuple[Tensor, ...] = ()
        self.layers = b""

    def forward(
        self,
        inputs: Float[Tensor, "members rows features"],
        masks: Sequence[Float[Tensor, "... rows _"] | None],
    ) -> Float[Tensor, "members rows outputs"]:
        """Return the answers of all members, in room that the next call writes to.

        Args:
            inputs: rows of every member.
            masks: what each dropout layer multiplies by, for every member, or one for all.
        """
        given = tuple(0 if tensor is None else tensor.data_ptr() for tensor in (inputs, *masks))
        if given != self.given or not self.outs or self.outs[0].shape[:2] != inputs.shape[:2]:
            self._describe(inputs.contiguous(), masks)
            self.given = given if inputs.is_contiguous() else ()
        forward(self.layers, self.work)
        return self.outs[-1]

    def backward(self, slope: Float[Tensor, "members rows outputs"]) -> Float[Tensor, " members"]:
        """Write the gradients of all numbers, given those by the last answers.

        Returns:
            The norm of every member's gradient.
        """
        self.belows[-1].copy_(slope)
        backward(self.layers, 2 * self.work)
        return self.squares.sum(1).sqrt_().float()

    def _describe(self, inputs: Tensor, masks: Sequence[Tensor | None]) -> None:
        """Say what is where: the same at every step but for masks."""
        weights = [self.numbers[f"{place}.weight"] for place, _, _ in self.links]
        if not self.outs or self.outs[0].shape[:2] != inputs.shape[:2]:
            rooms = [inputs.new_empty((*inputs.shape[:2], w.shape[1])) for w in weights]
            self.outs, self.belows = rooms, [torch.empty_like(room) for room in rooms]
            widest = sum(panels(width) for w in weights for width in w.shape[1:])
            self.squares = inputs.new_empty((len(inputs), widest), dtype=torch.float64)
            self.work = sum(w.numel() for w in weights) * inputs.shape[1]
        drawn, parts, x, below = iter(masks), list[bytes](), inputs, self.below
        kept = [next(drawn) if drops else None for _, _, drops in self.links]
        # The machine code holds no tensors: they live here until the gradients are there.
        self.held = (inputs, *(keep for keep in kept if keep is not None))
        room = self.squares.split([sum(map(panels, w.shape[1:])) for w in weights], 1)
        layers = zip(self.links, weights, kept, self.outs, self.belows, room, strict=True)
        for link, weight, keep, out, above, squares in layers:
            bias, by_weight = (
                self.numbers[f"{link.place}.bias"],
                self.slopes[f"{link.place}.weight"],
            )
            gradients = (above, above, below, by_weight, self.slopes[f"{link.place}.bias"])
            parts.append(described(x, weight, bias, link.bends, out, keep, gradients, squares))
            x, below = out, above
        self.layers = b"".join(parts)


def links(layers: Iterable[tuple[int, nn.Module]]) -> list[Link]:
    """Return the links of layers and their places; none where they are not a chain of such."""
    found: list[Link] = []
    for place, layer in layers:
        last = found[-1] if found else None
        if isinstance(layer, nn.Linear):
            found.append(Link(place))
        elif isinstance(layer, nn.Dropout) and last and not last.drops:
            found[-1] = last._replace(drops=True)
        elif isinstance(layer, nn.ReLU) and last and not last.bends and not last.drops:
            found[-1] = last._replace(bends=True)
        elif not isinstance(layer, nn.Identity):
            return []
    return found


def applies(linked: Sequence[Link], numbers: Iterable[Tensor]) -> bool:
    """Tell whether machine code computes such a chain here."""
    usual = all(n.dtype == torch.float32 and n.device.type == "cpu" for n in numbers)
    return 0 < len(linked) <= MOST_LAYERS and usual and obstacle() is None

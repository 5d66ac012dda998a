"""Dense layers in turn whose numbers stay, in one call of the machine code of `gradatim.ops.dense`.

Describing a layer takes as long as multiplying one row by it. Here that is done once for a number
of rows; a call fills in where its inputs and its results lie.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from gradatim.ops.compiled.dense import LAYER, MOST_LAYERS, described, forward

__all__ = ["Chain"]

NUMBER = struct.calcsize("P")
"""Bytes of each number of a described layer, be it a size or a place in memory."""


@dataclass(frozen=True)
class _Told:
    """A chain as the machine code reads it, for some number of rows.

    `input` and `output` say where in a layer it stands where its rows lie and its results go.
    """

    rows: int
    layers: bytes
    input: int
    output: int


class Chain:
    """x -> bend(W_n ... bend(W_1 x + b_1) ... + b_n), where each bend is ReLU or nothing.

    Args:
        layers: weight, bias, and whether ReLU follows.
    """

    def __init__(self, layers: Sequence[tuple[Tensor, Tensor, bool]]) -> None:
        assert 0 < len(layers) <= MOST_LAYERS, "as many as the machine code has room for"
        self.layers = [(w.contiguous(), b.contiguous(), bend) for w, b, bend in layers]
        self.widths = [len(bias) for _, bias, _ in layers]
        self.between = sum(self.widths[:-1])
        self.work = sum(weight.numel() for weight, _, _ in layers)
        self._told: _Told | None = None

    def multiply(self, x: Float[Tensor, "*rows before"]) -> Float[Tensor, "*rows after"]:
        """Return the results of the last layer, float32."""
        flat = x if x.dim() == 2 else x.reshape(-1, x.shape[-1])
        flat, rows = flat.contiguous(), len(flat)
        if not rows:
            return x.new_empty(*x.shape[:-1], self.widths[-1])
        told = self._told  # one name for it: others may be asking at the same time
        if told is None or told.rows != rows:
            told = self._told = self._tell(flat)
        between, out = flat.new_empty(rows * self.between), flat.new_empty(rows, self.widths[-1])
        forward(self._placed(told, flat, between, out), rows * self.work)
        return out if x.dim() == 2 else out.view(*x.shape[:-1], self.widths[-1])

    def _placed(self, told: _Told, x: Tensor, between: Tensor, out: Tensor) -> bytes:
        """Return the chain with its places: each layer's results lie where the next one reads."""
        chain, place, ahead = bytearray(told.layers), x.data_ptr(), between.data_ptr()
        for layer, width in enumerate(self.widths):
            at, last = layer * LAYER.size, layer + 1 == len(self.widths)
            to = out.data_ptr() if last else ahead
            struct.pack_into("P", chain, at + told.input, place)
            struct.pack_into("P", chain, at + told.output, to)
            place, ahead = to, ahead + 4 * told.rows * width
        return bytes(chain)

    def _tell(self, x: Tensor) -> _Told:
        rows, made = x, []
        for weight, bias, bend in self.layers:
            out = x.new_empty(len(x), len(bias))
            made.append((rows, out, described(rows, weight, bias, bend, out)))
            rows = out
        first, out, layer = made[0]
        numbers = LAYER.unpack(layer)
        assert LAYER.size == NUMBER * len(numbers), "all numbers of a layer have one size"
        places = (NUMBER * numbers.index(tensor.data_ptr()) for tensor in (first, out))
        return _Told(len(x), b"".join(layer for _, _, layer in made), *places)

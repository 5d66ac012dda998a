"""The machine code behind `gradatim.ops.dense`: layers of one or more networks, in a chain."""

import ctypes
import struct
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gradatim.ops.compiled.library import WRONG, MachineCode

__all__ = ["MOST_LAYERS", "backward", "described", "forward", "obstacle", "panels"]

SOURCE = Path(__file__).with_name("dense.c")
MOST_LAYERS = 64
WORTH_A_THREAD = 4_000_000
"""Multiply-adds: starting a thread takes about as long as this many."""
SHORT = 4
"""Numbers in a register with which torch's own products are faster."""


LAYER = struct.Struct("@5q8q11P")
"""One layer of all members as dense.c reads it: sizes, strides and places in memory."""


def obstacle() -> str | None:
    """Return why the machine code is not used, or None; the first call compiles it."""
    return CODE.obstacle()


def described(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    bend: bool,
    out: Tensor,
    keep: Tensor | None = None,
    gradients: tuple[Tensor, Tensor, Tensor | None, Tensor, Tensor] | None = None,
    squares: Tensor | None = None,
) -> bytes:
    """Return a layer of members, or of one network when `weight` has two dimensions.

    Args:
        x: inputs, whose last dimension has no gaps.
        weight: every member's without gaps.
        bias: every member's without gaps.
        bend: whether ReLU follows.
        out: the result, without gaps.
        keep: what the result is multiplied by (dropout), every member's without gaps.
        gradients: for `backward`: the gradient by the result; room for that before ReLU, which may
            be the same; those by x, where it is wanted, weight and bias.
        squares: float64, (members, panels of `before` + panels of `after`): for `backward`, room
            for sums of squares of the gradients by weight and bias.
    """
    above, slope, by_x, by_weight, by_bias = gradients or (None,) * 5
    return LAYER.pack(
        *(1 if weight.dim() == 2 else len(weight), x.shape[-2], *weight.shape[:-3:-1], bend),
        *(_apart(x, 2), x.stride(-2), _apart(weight, 2), _apart(bias, 1)),
        *(_apart(keep, 2), _apart(by_weight, 2), _apart(by_bias, 1), _apart(squares, 1)),
        *map(_place, (x, weight, bias, keep, out, above, slope, by_x, by_weight, by_bias, squares)),
    )


def forward(layers: bytes, work: int) -> None:
    """Write the results of a chain of layers.

    Args:
        layers: `described`, one after the other.
        work: multiply-adds of all of them.
    """
    _run(CODE.code.forward, layers, work)


def backward(layers: bytes, work: int) -> None:
    """Write the gradients of a chain of layers, from the last to the first."""
    _run(CODE.code.backward, layers, work)


def panels(columns: int) -> int:
    """Return into how many panels the machine code cuts so many columns."""
    return -(-columns // int(CODE.code.panel()))


def _run(door: Any, layers: bytes, work: int) -> None:
    threads = min(torch.get_num_threads(), 1 + work // WORTH_A_THREAD)
    if door(layers, len(layers) // LAYER.size, threads):
        raise MemoryError("no memory to multiply in")


def _apart(tensor: Tensor | None, own: int) -> int:
    """Return how far members are apart; `own` dimensions belong to one."""
    return tensor.stride(0) if tensor is not None and tensor.dim() > own else 0


def _place(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


def _declare(code: ctypes.CDLL) -> None:
    code.forward.argtypes = code.backward.argtypes = [ctypes.c_char_p, *[ctypes.c_int64] * 2]


def _fault(code: ctypes.CDLL) -> str | None:
    if code.lanes() <= SHORT:
        return "this processor's registers are short"
    return None if _agrees(code) else WRONG


def _agrees(code: ctypes.CDLL) -> bool:
    """Compare with torch, on small whole numbers: a compiler may have its faults."""
    for rows, before, after in ((3, 40, 21), (13, 70, 43)):
        x = (torch.arange(2 * rows * before) * 7 % 11 - 5.0).view(2, rows, before)
        weight = (torch.arange(2 * after * before) * 3 % 7 - 3.0).view(2, after, before)
        bias, above = torch.arange(2.0 * after).view(2, -1) - 30, torch.ones(2, rows, after)
        out, by_x, by_weight = map(torch.empty_like, (above, x, weight))
        by_bias, slope = torch.empty_like(bias), torch.empty_like(above)
        gradients = (above, slope, by_x, by_weight, by_bias)
        for door in (code.forward, code.backward):
            door(described(x, weight, bias, True, out, None, gradients), 1, 1)
        right = torch.baddbmm(bias[:, None], x, weight.mT).clamp_min(0)
        open_ = (right > 0).float()
        wanted = (right, open_ @ weight, open_.mT @ x, open_.sum(1))
        if not all(map(torch.equal, (out, by_x, by_weight, by_bias), wanted)):
            return False
    return True


CODE = MachineCode(SOURCE, _declare, _fault)

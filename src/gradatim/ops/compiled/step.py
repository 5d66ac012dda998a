"""What a training step needs beside products, by machine code: rows, cross-entropy, updates."""

import ctypes
import struct
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from gradatim.ops.compiled.library import WRONG, MachineCode

__all__ = ["cross_entropy", "look_up", "move", "obstacle"]

SOURCE = Path(__file__).with_name("step.c")
LOOKUP, MOMENTS = struct.Struct("@3q3P"), struct.Struct("@q6d4P")
"""Rows of all members, and moments of a gradient, as step.c reads them."""
WORTH_A_THREAD = 250_000
"""Numbers to copy or to move: starting a thread takes about as long as this many."""


def obstacle() -> str | None:
    """Return why the machine code is not used, or None; the first call compiles it."""
    return CODE.obstacle()


def look_up(sources: Sequence[Tensor], index: Tensor, to: Tensor) -> None:
    """Copy rows of several tensors.

    Args:
        sources: one a member, without gaps.
        index: int64, (members, rows), without gaps: which rows of each.
        to: room for them, (members, rows, ...), without gaps.
    """
    size = to.element_size() * (to.numel() // index.numel())
    places = (ctypes.c_void_p * len(sources))(*(source.data_ptr() for source in sources))
    numbers = (*index.shape, size, ctypes.addressof(places), index.data_ptr(), to.data_ptr())
    if CODE.code.look_up(LOOKUP.pack(*numbers), _threads(to)):
        raise MemoryError("no memory to look up rows in")


def cross_entropy(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return -log p of the target of each row and its gradient; None where one is no class.

    Args:
        outputs: float32, (rows, classes), without gaps.
        targets: int64, (rows,), without gaps.
    """
    losses, slopes = outputs.new_empty(len(outputs)), torch.empty_like(outputs)
    places = (tensor.data_ptr() for tensor in (outputs, targets, losses, slopes))
    failed = CODE.code.cross_entropy(*places, *outputs.shape)
    if failed == 1:
        raise MemoryError("no memory for one row of classes")
    return None if failed else (losses, slopes)


def move(
    number: Tensor,
    gradient: Tensor,
    mean: Tensor,
    square: Tensor,
    *,
    count: float,
    rate: float,
    betas: tuple[float, float],
    decay: float,
    tiny: float,
) -> None:
    """Move a tensor by Adam, and its moments; all of float32 without gaps.

    Args:
        number: w.
        gradient: g.
        mean: m.
        square: v.
        count: updates up to this one, from 1.
        rate: the learning rate.
        betas: b1 and b2.
        decay: of w, apart from the gradient.
        tiny: what keeps the divisor from 0.
    """
    first, second = betas
    numbers = (number.numel(), 1 - rate * decay, first, second, rate / (1 - first**count))
    places = (tensor.data_ptr() for tensor in (gradient, number, mean, square))
    scale = (1 - second**count) ** -0.5
    if CODE.code.move(MOMENTS.pack(*numbers, scale, tiny, *places), _threads(number)):
        raise MemoryError("no memory for an update")


def _threads(numbers: Tensor) -> int:
    return min(torch.get_num_threads(), 1 + numbers.numel() // WORTH_A_THREAD)


def _declare(code: ctypes.CDLL) -> None:
    number = ctypes.c_int64
    code.look_up.argtypes = code.move.argtypes = [ctypes.c_char_p, number]
    code.cross_entropy.argtypes = [*[ctypes.c_void_p] * 4, number, number]


def _fault(code: ctypes.CDLL) -> str | None:
    return None if _agrees(code) else WRONG


def _agrees(code: ctypes.CDLL) -> bool:
    """Compare with torch: a compiler may have its faults."""
    outputs, targets = torch.linspace(-9, 9, 3 * 21).view(3, 21), torch.tensor([0, 20, 7])
    losses, slopes = torch.empty(3), torch.empty(3, 21)
    places = (tensor.data_ptr() for tensor in (outputs, targets, losses, slopes))
    code.cross_entropy(*places, 3, 21)
    logs = outputs.log_softmax(1)
    right = logs.exp() - torch.nn.functional.one_hot(targets, 21)
    wanted = -logs.gather(1, targets[:, None])[:, 0]
    close = torch.allclose(losses, wanted, atol=1e-6) and torch.allclose(slopes, right, atol=1e-6)
    w, g, mean, square = (torch.linspace(-1, 2, 37) for _ in range(4))
    square = square.abs()
    scaled = (0.9 * mean + 0.1 * g) / ((0.5 * square + 0.5 * g * g).sqrt() * 2 + 0.25)
    wanted = 0.75 * w - 3 * scaled
    places = (tensor.data_ptr() for tensor in (g, w, mean, square))
    code.move(MOMENTS.pack(37, 0.75, 0.9, 0.5, 3.0, 2.0, 0.25, *places), 1)
    return close and torch.allclose(w, wanted, atol=1e-5)


CODE = MachineCode(SOURCE, _declare, _fault)

"""The machine code behind `gradatim.ops.winograd` and its gradients."""

import ctypes
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gradatim.ops.compiled.library import WRONG, MachineCode

__all__ = ["Winograd", "obstacle"]

SOURCE = Path(__file__).with_name("winograd.c")
LAST = torch.channels_last
PLACES = ([1, 1], [1, 1], [1, 1], False, [0, 0], 1)
"""Stride, padding, dilation, not transposed, nothing added to the result, one group."""


def obstacle() -> str | None:
    """Return why the machine code is not used, or None; the first call compiles it."""
    return CODE.obstacle()


def _declare(code: ctypes.CDLL) -> None:
    code.convolve.argtypes = code.learn.argtypes = [ctypes.c_void_p] * 4


def _fault(code: ctypes.CDLL) -> str | None:
    if not code.suits():
        return "the processor has no registers of 512 bits"
    return None if _agrees() else WRONG


CODE = MachineCode(SOURCE, _declare, _fault)


def _agrees() -> bool:
    """Compare with torch, on small whole numbers: a compiler may have its faults."""
    x = (torch.arange(2 * 32 * 70) % 7 - 3.0).view(2, 32, 7, 10).contiguous(memory_format=LAST)
    weight = (torch.arange(64 * 32 * 9) % 5 - 2.0).view(64, 32, 3, 3)
    right = torch.nn.functional.conv2d(x, weight, padding=1)
    slope = (right % 5 - 2).contiguous(memory_format=LAST)
    found = (_convolved(x, weight), *_both(slope, x, weight))
    wanted = (right, *_smooth(slope, x, weight))
    pairs = zip(found, wanted, strict=True)
    return all(a is not None and b is not None and _near(a, b) for a, b in pairs)


def _near(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-3, atol=1e-1)


def _convolved(x: Tensor, weight: Tensor) -> Tensor:
    return _applied(x, weight, weight.data_ptr(), len(weight), weight.stride())


def _spread(slope: Tensor, weight: Tensor) -> Tensor:
    """Return the gradient by the inputs: slopes convolved with kernels turned around."""
    after, before, line, place = weight.stride()
    last = weight.data_ptr() + 4 * (2 * line + 2 * place)
    return _applied(slope, weight, last, weight.shape[1], (before, after, -line, -place))


def _applied(x: Tensor, weight: Tensor, start: int, after: int, strides: tuple[int, ...]) -> Tensor:
    rows, _, height, width = x.shape
    out = torch.empty((rows, after, height, width), memory_format=LAST)
    _checked(CODE.code.convolve(x.data_ptr(), start, out.data_ptr(), _sizes(x, after, strides)), x)
    return out


def _learnt(slope: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """Return the gradient by the kernels."""
    out = torch.empty_like(weight)
    sizes = _sizes(x, len(weight), out.stride())
    _checked(CODE.code.learn(x.data_ptr(), slope.data_ptr(), out.data_ptr(), sizes), x)
    return out


def _sizes(x: Tensor, after: int, strides: tuple[int, ...]) -> Any:
    rows, before, height, width = x.shape
    numbers = (rows, height, width, before, after, torch.get_num_threads(), *strides)
    return (ctypes.c_int64 * len(numbers))(*numbers)


def _checked(failed: int, x: Tensor) -> None:
    if failed:
        raise MemoryError(f"no memory to convolve maps of {tuple(x.shape)}")


class Winograd(torch.autograd.Function):
    """The convolution with its gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _convolved(x, weight)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        slope = slopes[0].contiguous(memory_format=LAST)
        # While gradients are recorded they are going to be differentiated once more.
        way = _smooth if torch.is_grad_enabled() else _both
        return way(slope, x, weight, *ctx.needs_input_grad)


def _both(
    slope: Tensor, x: Tensor, weight: Tensor, to_x: bool = True, to_weight: bool = True
) -> tuple[Tensor | None, ...]:
    by_x = _spread(slope, weight) if to_x else None
    return by_x, _learnt(slope, x, weight) if to_weight else None


def _smooth(
    slope: Tensor, x: Tensor, weight: Tensor, to_x: bool = True, to_weight: bool = True
) -> tuple[Tensor | None, ...]:
    """Return the gradients by torch's operation, which has derivatives itself."""
    asked = [to_x, to_weight, False]
    return torch.ops.aten.convolution_backward.default(slope, x, weight, None, *PLACES, asked)[:2]

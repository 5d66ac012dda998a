"""The torch operator behind `gradatim.ops.fused_convolution`: its machine code and its gradient."""

import ctypes
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gradatim.ops.compiled.library import WRONG, MachineCode

__all__ = ["PADDINGS", "SIDES", "Pass", "Prepared", "obstacle"]

SOURCE = Path(__file__).with_name("fused_convolution.c")
SIDES, PADDINGS = (3, 5), (0, 1, 2)
CLOSED = 4
"""The winner of a window with no value above 0; the others are 0 to 3, line by line."""
WORTH_A_THREAD = 2_000_000
"""Multiply-adds: starting a thread takes about as long as this many."""


def obstacle() -> str | None:
    """Return why the machine code is not used, or None; the first call compiles it."""
    return CODE.obstacle()


def _declare(code: ctypes.CDLL) -> None:
    code.forward.argtypes = [ctypes.c_void_p] * 6
    code.backward.argtypes = [ctypes.c_void_p] * 8


def _fault(code: ctypes.CDLL) -> str | None:
    return None if _agrees(code) else WRONG


def _agrees(code: ctypes.CDLL) -> bool:
    """Compare with torch, on small whole numbers: a compiler may have its faults."""
    for before, after, side in ((1, 7, 5), (3, 20, 3)):
        x = (torch.arange(2 * before * 130) * 7 % 11 - 5.0).view(2, before, 10, 13)
        weight = (torch.arange(after * before * side**2) % 5 - 2.0).view(after, before, side, side)
        bias = torch.arange(after) - 3.0
        out, winner = _forward(code, x, weight, bias, 1)
        right = F.max_pool2d(F.relu(F.conv2d(x, weight, bias, padding=1)), 2)
        pairs = [(out, right)]
        arguments = (out % 5 - 2, winner, x, weight, 1, True)
        pairs += zip(_backward(code, *arguments), _smooth(*arguments), strict=True)
        if not all(torch.allclose(a, b, atol=1e-3) for a, b in pairs):
            return False
    return True


CODE = MachineCode(SOURCE, _declare, _fault)


def _forward(
    code: ctypes.CDLL, x: Tensor, weight: Tensor, bias: Tensor, padding: int
) -> tuple[Tensor, Tensor]:
    weight = _whole(weight)
    out, winner = _results(x, weight, bias, padding)
    _call(code.forward, (x, weight, bias.contiguous(), out, winner), x, weight, out, padding)
    return out, winner


class Prepared:
    """The forward pass alone, for kernels that stay: all but the places of x is told once.

    Args:
        weight: kernels.
        bias: one a kernel.
        padding: zeros at each border.
    """

    def __init__(self, weight: Tensor, bias: Tensor, padding: int) -> None:
        self.weight, self.bias, self.padding = weight.contiguous(), bias.contiguous(), padding
        self._door = CODE.code.forward
        self._told: tuple[Any, ...] = (None,)

    def convolve_relu_pool(self, x: Tensor) -> Tensor:
        """Return the pooled maps of pictures that the machine code takes."""
        x = x.contiguous()
        told = self._told  # one name for all of it: others may be asking at the same time
        if told[0] != (x.shape, torch.get_num_threads()):
            told = self._told = self._tell(x)
        out = x.new_empty(told[1])
        if self._door(x.data_ptr(), *told[2], out.data_ptr(), *told[3]):
            raise MemoryError(f"no memory to convolve pictures of {tuple(x.shape)}")
        return out

    def _tell(self, x: Tensor) -> tuple[Any, ...]:
        out, winner = _results(x, self.weight, self.bias, self.padding)
        numbers = _numbers(x, self.weight, out, self.padding)
        places = (self.weight.data_ptr(), self.bias.data_ptr())
        # Winners are written and never read, so all calls may write them to the same room.
        about = (x.shape, torch.get_num_threads())
        return about, out.shape, places, (winner.data_ptr(), numbers), winner


class Pass:
    """Both passes between places that stay: all but where x lies is told once.

    Args:
        given: pictures like those to come, kernels, biases, and zeros at each border.
        above: room for the pooled maps, and for the gradient by them, without gaps.
        below: room for the gradient by x, without gaps, where it is wanted.
        slopes: room for the gradients by kernels, laid out like them, and biases.
    """

    def __init__(
        self,
        given: tuple[Tensor, Tensor, Tensor, int],
        above: tuple[Tensor, Tensor],
        below: Tensor | None,
        slopes: tuple[Tensor, ...],
    ) -> None:
        x, weight, bias, padding = given
        self.out, slope = above
        self.winner = torch.empty_like(self.out, dtype=torch.uint8)
        self._code, self._padding, self._weight = CODE.code, padding, weight
        self._held = (bias, slope, below, slopes)  # the machine code holds no tensors
        places = (t.data_ptr() for t in (weight, bias, self.out, self.winner))
        self._places, self._above = tuple(places), (slope.data_ptr(), self.winner.data_ptr())
        by_x = 0 if below is None else below.data_ptr()
        self._below = (weight.data_ptr(), by_x, *(t.data_ptr() for t in slopes))
        self._x, self._place = x, x.data_ptr()
        self._numbers = _numbers(x, weight, self.out, padding)

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled maps, in their room."""
        if x.stride() != self._x.stride():
            self._numbers = _numbers(x, self._weight, self.out, self._padding)
        self._x, self._place = x, x.data_ptr()
        if self._code.forward(self._place, *self._places, self._numbers):
            raise MemoryError(f"no memory to convolve pictures of {tuple(x.shape)}")
        return self.out

    def backward(self) -> None:
        """Write the gradients, given that by the pooled maps in its room."""
        if self._code.backward(*self._above, self._place, *self._below, self._numbers):
            raise MemoryError(f"no memory to convolve pictures of {tuple(self._x.shape)}")


def _backward(
    code: ctypes.CDLL,
    slope: Tensor,
    winner: Tensor,
    x: Tensor,
    weight: Tensor,
    padding: int,
    to_x: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    slope, weight = slope.contiguous(), _whole(weight)
    gradients = _gradients(slope, winner, x, weight, padding, to_x)
    _call(code.backward, (slope, winner, x, weight, *gradients), x, weight, slope, padding)
    return gradients


def _whole(weight: Tensor) -> Tensor:
    """Return kernels without gaps between their numbers, so that a gradient can lie as they do."""
    last = torch.channels_last
    whole = weight.is_contiguous() or weight.is_contiguous(memory_format=last)
    return weight if whole else weight.contiguous()


def _results(x: Tensor, weight: Tensor, bias: Tensor, padding: int) -> tuple[Tensor, Tensor]:
    """Return room for the pooled maps and their winners."""
    high, wide = ((n + 2 * padding - weight.shape[2] + 1) // 2 for n in x.shape[2:])
    shape = (x.shape[0], weight.shape[0], high, wide)
    return x.new_empty(shape), x.new_empty(shape, dtype=torch.uint8)


def _gradients(
    slope: Tensor, winner: Tensor, x: Tensor, weight: Tensor, padding: int, to_x: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return room for the gradients by x (nothing when it is not asked for), kernels and biases."""
    below = x.new_empty(x.shape if to_x else (0,))
    return below, torch.empty_like(weight), weight.new_empty(weight.shape[0])


def _call(
    door: Any,
    tensors: tuple[Tensor, ...],
    x: Tensor,
    weight: Tensor,
    out: Tensor,
    padding: int,
) -> None:
    numbers = _numbers(x, weight, out, padding)
    if door(*(tensor.data_ptr() for tensor in tensors), numbers):
        raise MemoryError(f"no memory to convolve pictures of {tuple(x.shape)}")


def _numbers(x: Tensor, weight: Tensor, out: Tensor, padding: int) -> ctypes.Array[ctypes.c_int64]:
    """Return sizes, threads and strides as the machine code reads them."""
    after, _, side, _ = weight.shape
    work = 4 * out.numel() * weight.numel() // after
    threads = min(torch.get_num_threads(), 1 + work // WORTH_A_THREAD)
    numbers = (*x.shape, after, side, padding, threads, *x.stride(), *weight.stride())
    return (ctypes.c_int64 * len(numbers))(*numbers)


# --- what torch knows of it ---
# torch.library.custom_op defines the same, but its first call imports torch._dynamo (1.7 s), and
# each of its calls takes longer.


class _Differentiable(torch.autograd.Function):
    """The operator with its gradient."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, padding: int
    ) -> tuple[Tensor, Tensor]:
        with torch._C._AutoDispatchBelowAutograd():
            out, winner = torch.ops.gradatim.convolve_relu_pool.default(x, weight, bias, padding)
        ctx.mark_non_differentiable(winner)
        ctx.save_for_backward(x, weight, winner)
        ctx.padding = padding
        return out, winner

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, winner = ctx.saved_tensors
        # While gradients are recorded they are going to be differentiated once more.
        fast = torch.ops.gradatim.convolve_relu_pool_backward.default
        way = _smooth if torch.is_grad_enabled() else fast
        to_x = ctx.needs_input_grad[0]
        by_x, *others = way(slopes[0], winner, x, weight, ctx.padding, to_x)
        return by_x if to_x else None, *others, None


def _smooth(
    slope: Tensor, winner: Tensor, x: Tensor, weight: Tensor, padding: int, to_x: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients by operations of torch, which have derivatives themselves."""
    nothing = slope.new_zeros(())
    each = torch.stack([torch.where(winner == i, slope, nothing) for i in range(CLOSED)], 2)
    spread = F.pixel_shuffle(each.flatten(1, 2), 2)
    high, wide = (n + 2 * padding - weight.shape[2] + 1 for n in x.shape[2:])
    # A line or column that fills no window has no gradient.
    spread = F.pad(spread, [0, wide - spread.shape[3], 0, high - spread.shape[2]])
    places = ([1, 1], [padding, padding], [1, 1], False, [0, 0], 1)
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward.default(
        spread, x, weight, [weight.shape[0]], *places, [to_x, True, True]
    )
    return found


_LIBRARY = torch.library.Library("gradatim", "FRAGMENT")
_LIBRARY.define(
    "convolve_relu_pool(Tensor x, Tensor weight, Tensor bias, int padding) -> (Tensor, Tensor)"
)
_LIBRARY.define(
    "convolve_relu_pool_backward(Tensor slope, Tensor winner, Tensor x, Tensor weight,"
    " int padding, bool to_x) -> (Tensor, Tensor, Tensor)"
)
_LIBRARY.impl("convolve_relu_pool", lambda *given: _forward(CODE.code, *given), "CPU")
_LIBRARY.impl("convolve_relu_pool", _Differentiable.apply, "Autograd")
_LIBRARY.impl("convolve_relu_pool_backward", lambda *given: _backward(CODE.code, *given), "CPU")
torch.library.register_fake("gradatim::convolve_relu_pool", _results, lib=_LIBRARY)
torch.library.register_fake("gradatim::convolve_relu_pool_backward", _gradients, lib=_LIBRARY)

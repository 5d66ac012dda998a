"""The machine code behind `gradatim.ops.batch_norm` and its gradient."""

import ctypes
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gradatim.ops.compiled.library import WRONG, MachineCode

__all__ = ["BatchNorm", "Pass", "obstacle"]

SOURCE = Path(__file__).with_name("batch_norm.c")
WORTH_A_THREAD = 2**18
"""Numbers of a map: starting a thread takes about as long as reading this many."""
LAST = torch.channels_last


class Pass(NamedTuple):
    """What is done in one pass over the maps."""

    relu: bool
    eps: float


class Kept(NamedTuple):
    """What the gradient needs of the forward pass: out = relu(scale x + shift + added)."""

    scale: Tensor
    shift: Tensor
    mean: Tensor
    variance: Tensor


def obstacle() -> str | None:
    """Return why the machine code is not used, or None; the first call compiles it."""
    return CODE.obstacle()


def _declare(code: ctypes.CDLL) -> None:
    pointer = ctypes.c_void_p
    code.forward.argtypes = [*[pointer] * 7, ctypes.c_double, pointer]
    code.backward.argtypes = [*[pointer] * 12, ctypes.c_double, pointer]


def _fault(code: ctypes.CDLL) -> str | None:
    return None if _agrees() else WRONG


CODE = MachineCode(SOURCE, _declare, _fault)


def _agrees() -> bool:
    """Compare with torch's operations, on small numbers: a compiler may have its faults."""
    numbers = (torch.arange(2100) * 7 % 23 - 11.0).view(3, 20, 5, 7)
    x, add = (n.contiguous(memory_format=LAST) for n in (numbers, numbers.flip(0)))
    gamma, beta = torch.arange(20) / 8 - 1, torch.arange(20) / 4 - 3
    for added, relu in ((add, True), (None, True), (None, False)):
        how = Pass(relu, 1e-5)
        out, kept = _forward(x, gamma, beta, added, how)
        found = _backward(add, x, out, kept, added is not None, how)
        right = _smooth(add, x, out, gamma, added is not None, how)
        if not all(torch.allclose(a, b, atol=1e-3) for a, b in zip(found, right, strict=True)):
            return False
    return True


def _forward(
    x: Tensor, gamma: Tensor, beta: Tensor, added: Tensor | None, how: Pass
) -> tuple[Tensor, Kept]:
    out, moments = torch.empty_like(x), gamma.new_empty(2, len(gamma))
    kept = Kept(gamma.clone(), beta.clone(), *moments)
    other = added.data_ptr() if added is not None else None
    given = [t.data_ptr() for t in (*kept, out)]
    _checked(CODE.code.forward(x.data_ptr(), other, *given, how.eps, _sizes(x, other, how)), x)
    return out, kept


def _backward(
    slope: Tensor, x: Tensor, out: Tensor, kept: Kept, added: bool, how: Pass
) -> tuple[Tensor, ...]:
    """Return the gradients by x, gamma, beta and, where ReLU is in its way, by what was added."""
    by_x, numbers = torch.empty_like(x), x.new_empty(4, x.shape[1])
    passed = [torch.empty_like(x)] if added and how.relu else []
    results = (by_x, *passed, *numbers) if passed else (by_x, None, *numbers)
    pointers = [t.data_ptr() if t is not None else None for t in (slope, x, out, *kept, *results)]
    _checked(CODE.code.backward(*pointers[:-1], how.eps, _sizes(x, added, how)), x)
    return by_x, numbers[0], numbers[1], *passed


def _sizes(x: Tensor, added: object, how: Pass) -> Any:
    threads = min(torch.get_num_threads(), 1 + x.numel() // WORTH_A_THREAD)
    numbers = (x.numel() // x.shape[1], x.shape[1], how.relu, bool(added), threads)
    return (ctypes.c_int64 * len(numbers))(*numbers)


def _checked(failed: int, x: Tensor) -> None:
    if failed:
        raise MemoryError(f"no memory to normalise maps of {tuple(x.shape)}")


class BatchNorm(torch.autograd.Function):
    """The normalised maps, and the mean and the variance (divided by the count) of each channel."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, gamma: Tensor, beta: Tensor, added: Tensor | None, how: Pass
    ) -> tuple[Tensor, Tensor, Tensor]:
        out, kept = _forward(x, gamma, beta, added, how)
        ctx.how, ctx.added = how, added is not None
        ctx.mark_non_differentiable(kept.mean, kept.variance)
        ctx.save_for_backward(x, gamma, out, *kept)
        return out, kept.mean, kept.variance

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        x, gamma, out, *kept = ctx.saved_tensors
        slope = slopes[0].contiguous(memory_format=LAST)
        if torch.is_grad_enabled():  # they are going to be differentiated once more
            found = _smooth(slope, x, out, gamma, ctx.added, ctx.how)
        else:
            found = _backward(slope, x, out, Kept(*kept), ctx.added, ctx.how)
        by_added = None if not ctx.added else found[3] if ctx.how.relu else slopes[0]
        return *found[:3], by_added, None


def _smooth(
    slope: Tensor, x: Tensor, out: Tensor, gamma: Tensor, added: bool, how: Pass
) -> tuple[Tensor, ...]:
    """Return the gradients by operations of torch, which have derivatives themselves."""
    over, count = (0, 2, 3), x.numel() // x.shape[1]
    slope = torch.where(out <= 0, 0, slope) if how.relu else slope
    away = x - x.mean(over, keepdim=True)
    rate = (away.square().mean(over, keepdim=True) + how.eps).rsqrt()
    standard = away * rate
    by_gamma, by_beta = (slope * standard).sum(over, keepdim=True), slope.sum(over, keepdim=True)
    by_x = gamma[:, None, None] * rate * (slope - (by_beta + standard * by_gamma) / count)
    passed = [slope] if added and how.relu else []
    return by_x, by_gamma.flatten(), by_beta.flatten(), *passed

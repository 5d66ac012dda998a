"""A dense layer with its ReLU, of one network or of several, by machine code where it can be had.

`dense.c` keeps sums of whole tiles in registers; it reaches 200 to 240 billion operations a second
on a core of Zen 5, where torch's product of the same small matrices reaches 20 to 105, and takes
bias, ReLU and the sum of the bias's gradient in the same call.

Where the machine code cannot be had, or does not take what it is given, `dense` calls torch's
operations; the results differ by rounding. GRADATIM_FUSED=0 in the environment makes it call those
always.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from gradatim.ops.compiled.dense import backward, described, forward, obstacle
from gradatim.ops.shortcuts import usual, watched

__all__ = ["applies", "dense", "plain"]

WORTH_A_CALL = 2**18
"""Multiply-adds: below, torch's shorter way to an operation is worth more than the rate."""


def dense(
    x: Float[Tensor, "*members rows before"],
    weight: Float[Tensor, "*members after before"],
    bias: Float[Tensor, "*members after"],
    *,
    relu: bool = False,
) -> Float[Tensor, "*members rows after"]:
    """Return x W' + b, or max(0, x W' + b), with first and second derivatives.

    NaN stays NaN. Where the result is 0 for ReLU, no gradient passes.

    Args:
        x: rows, of every member where there is that dimension.
        weight: as `torch.nn.Linear` keeps it.
        bias: one a result.
        relu: whether what is below 0 becomes 0.

    Source: docs/decisions/0009-products-stacks-and-frozen-networks.md.

    >>> x, weight = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [-5.0, 0.0]])
    >>> dense(x, weight, torch.ones(2), relu=True)
    tensor([[12.,  0.]])
    """
    if not applies(x, weight, bias):
        return plain(x, weight, bias, relu=relu)
    if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad or bias.requires_grad):
        out: Tensor = _Dense.apply(x, weight, bias, relu)  # type: ignore[no-untyped-call]
        return out
    return _forward(x, weight, bias, relu)


def plain(
    x: Float[Tensor, "*members rows before"],
    weight: Float[Tensor, "*members after before"],
    bias: Float[Tensor, "*members after"],
    *,
    relu: bool = False,
) -> Float[Tensor, "*members rows after"]:
    """Return the same by operations of torch."""
    if weight.dim() == 2:
        out = F.linear(x, weight, bias)
    else:
        out = torch.baddbmm(bias.unsqueeze(1), x, weight.mT)
    return F.relu(out) if relu else out


def applies(x: Tensor, weight: Tensor, bias: Tensor) -> bool:
    """Tell whether the machine code takes these arguments, here and now."""
    return (
        _fits(x, weight, bias)
        and usual(x)
        and usual(weight)
        and usual(bias)
        and not watched()
        and obstacle() is None
    )


def _fits(x: Tensor, weight: Tensor, bias: Tensor) -> bool:
    dims = weight.dim()
    return (
        dims in (2, 3)
        and x.dim() == dims
        and bias.dim() == dims - 1
        and x.shape[-1] == weight.shape[-1]
        and x.shape[:-2] == weight.shape[:-2] == bias.shape[:-1]
        and bias.shape[-1] == weight.shape[-2]
        and x.numel() * weight.shape[-2] >= WORTH_A_CALL
    )


def _forward(x: Tensor, weight: Tensor, bias: Tensor, relu: bool) -> Tensor:
    out = x.new_empty((*x.shape[:-1], weight.shape[-2]))
    held = _whole(x, weight, bias)  # the machine code holds no tensors
    forward(described(*held, relu, out), x.numel() * out.shape[-1])
    return out


def _backward(
    above: Tensor, x: Tensor, weight: Tensor, bias: Tensor, out: Tensor | None, to_x: bool
) -> tuple[Tensor | None, Tensor, Tensor]:
    x, weight, bias = _whole(x, weight, bias)
    above = above.contiguous()
    slope = above if out is None else torch.empty_like(above)
    by_x = x.new_empty(x.shape) if to_x else None
    by_weight, by_bias = weight.new_empty(weight.shape), bias.new_empty(bias.shape)
    gradients = (above, slope, by_x, by_weight, by_bias)
    bent = out is not None
    layer = described(x, weight, bias, bent, above if out is None else out, None, gradients)
    backward(layer, (1 + to_x) * x.numel() * above.shape[-1])
    return by_x, by_weight, by_bias


def _whole(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the same without gaps where the machine code wants none."""
    tight = weight.stride(-1) == 1 and weight.stride(-2) == weight.shape[-1]
    return (
        x if x.stride(-1) == 1 else x.contiguous(),
        weight if tight else weight.contiguous(),
        bias if bias.stride(-1) == 1 else bias.contiguous(),
    )


class _Dense(torch.autograd.Function):
    """The layer with its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, relu: bool) -> Tensor:
        out = _forward(x, weight, bias, relu)
        ctx.save_for_backward(x, weight, bias, *([out] if relu else []))
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, bias, *outs = ctx.saved_tensors
        out = outs[0] if outs else None
        # While gradients are recorded they are going to be differentiated once more.
        if torch.is_grad_enabled() or watched():
            return *_smooth(gradients[0], x, weight, out), None
        by_x, *others = _backward(gradients[0], x, weight, bias, out, ctx.needs_input_grad[0])
        return by_x, *others, None


def _smooth(
    above: Tensor, x: Tensor, weight: Tensor, out: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients by operations of torch, which have derivatives themselves."""
    slope = above if out is None else torch.where(out <= 0, above.new_zeros(()), above)
    return slope @ weight, slope.mT @ x, slope.sum(-2)

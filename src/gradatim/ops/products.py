"""Matrix products by the library that is faster on this processor.

torch gives products of matrices to MKL, which uses half the width of an AMD processor's registers:
105 of 265 billion operations a second on a core of Zen 5. oneDNN, which torch carries for
convolutions, asks what the processor can do and reaches 225. It takes longer to call, so small
products stay where they are. Elsewhere, and where a shortcut is not wanted, this is torch.
"""

from functools import cache
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from gradatim.ops.shortcuts import closed, usual, watched

__all__ = ["elsewhere", "linear", "product"]

WORTH_A_CALL = 2**21
"""Multiply-adds from which the longer call pays: 20 microseconds of MKL's time."""


def linear(
    x: Float[Tensor, "*rows before"],
    weight: Float[Tensor, "after before"],
    bias: Float[Tensor, " after"] | None = None,
) -> Float[Tensor, "*rows after"]:
    """Return x W' + b, as `torch.nn.functional.linear` does up to rounding, with its gradients.

    Source: docs/decisions/0009-products-stacks-and-frozen-networks.md.

    >>> linear(torch.ones(1, 2), torch.tensor([[3.0, 4.0]]), torch.tensor([0.5]))
    tensor([[7.5000]])
    """
    given = (x, weight) if bias is None else (x, weight, bias)
    if x.numel() * len(weight) < WORTH_A_CALL or not _applies(given):
        return F.linear(x, weight, bias)
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in given):
        out: Tensor = _Linear.apply(x, weight, bias)  # type: ignore[no-untyped-call]
        return out
    return _by_onednn(x, weight, bias)


def product(
    a: Float[Tensor, "rows inner"], b: Float[Tensor, "inner columns"]
) -> Float[Tensor, "rows columns"]:
    """Return a b, without a gradient.

    >>> product(torch.ones(1, 2), torch.ones(2, 1))
    tensor([[2.]])
    """
    if a.numel() * b.shape[1] < WORTH_A_CALL or not _applies((a, b)):
        return a.detach() @ b.detach()
    return _by_onednn(a.detach(), b.detach().T, None)


@cache
def elsewhere() -> bool:
    """Tell whether this machine's products are better made by oneDNN than where torch sends them.

    So it is on an AMD processor with registers of 512 bits. Told from the processor, not from a
    measurement: the same machine must always round alike.
    """
    about = Path("/proc/cpuinfo")
    told = about.read_text() if about.exists() else ""
    wide = "AuthenticAMD" in told and "avx512f" in told
    return wide and torch.backends.mkldnn.is_available() and torch.backends.mkl.is_available()


def _applies(tensors: tuple[Tensor, ...]) -> bool:
    return (
        elsewhere()
        and not closed()
        and not watched()
        and bool(torch.backends.mkldnn.enabled)
        and all(usual(tensor) and tensor.dim() > 1 for tensor in tensors[:2])
        and all(map(usual, tensors[2:]))
    )


def _by_onednn(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if not (weight.is_contiguous() or weight.T.is_contiguous()):
        # For columns of a larger matrix oneDNN has a plain loop only, a thousand times as slow.
        weight = weight.contiguous()
    out: Tensor = torch.ops.mkldnn._linear_pointwise.default(x, weight, bias, "none", [], "")
    return out


class _Linear(torch.autograd.Function):
    """x W' + b, whose gradients are products by oneDNN too."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _by_onednn(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        slope, (to_x, to_weight, to_bias) = gradients[0], ctx.needs_input_grad
        # While gradients are recorded they are going to be differentiated once more.
        way = F.linear if torch.is_grad_enabled() else _by_onednn
        rows = slope.flatten(0, -2)
        return (
            way(slope, weight.T, None) if to_x else None,
            way(rows.T, x.flatten(0, -2).T, None) if to_weight else None,
            rows.sum(0) if to_bias else None,
        )

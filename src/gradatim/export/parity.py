"""Whether two modules give the same answers, up to rounding."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["difference", "disagreement", "tolerance"]

FLOAT32, FLOAT64 = 1e-4, 1e-9


def tolerance(model: nn.Module) -> float:
    """Return by how much answers may differ, as a share of their largest, for rounding alone.

    Sums are taken in another order. The contract that a row gets the same answer alone and in
    company allows as much.
    """
    network = getattr(model, "network", model)
    single = any(tensor.dtype == torch.float32 for tensor in network.state_dict().values())
    return FLOAT32 if single else FLOAT64


def disagreement(
    plain: Callable[[Tensor], Any],
    other: Callable[[Tensor], Any],
    example: Tensor,
    tolerance: float = FLOAT32,
) -> str | None:
    """Return how the answers of two modules to the same rows differ, or None.

    Both are asked with all rows and with the first alone, since rows may be told apart by mistake.

    Args:
        plain: whose answers are right.
        other: whose answers are checked.
        example: raw inputs of a model, rows first.
        tolerance: how much is rounding, as a share of the largest number.
    """
    with torch.no_grad():
        for rows in (example, example[:1]):
            found = difference(plain(rows), other(rows), tolerance)
            if found:
                return f"{found}, {len(rows)} rows"
    return None


def difference(right: Any, answer: Any, tolerance: float = FLOAT32) -> str | None:
    """Return how an answer differs from the right one, in form or by more than rounding, or None.

    >>> difference(torch.ones(2), torch.ones(2) + 1e-6)
    >>> difference(torch.ones(2), torch.zeros(2))
    'off by 1 where the largest number is 1'
    """
    if not isinstance(right, Tensor) or not isinstance(answer, Tensor):
        return "an answer is no tensor"
    if (right.shape, right.dtype) != (answer.shape, answer.dtype):
        forms = [f"{each.dtype} {tuple(each.shape)}" for each in (answer, right)]
        return " instead of ".join(forms)
    known = right.isfinite()
    if not torch.equal(right[~known].nan_to_num(), answer[~known].nan_to_num()):
        return "other numbers are infinite or none"
    if not known.any():
        return None
    right, answer = right[known].double(), answer[known].double()
    largest, off = right.abs().max().item(), (right - answer).abs().max().item()
    wrong = not off <= tolerance * max(largest, 1e-30)
    return f"off by {off:.3g} where the largest number is {largest:.3g}" if wrong else None

"""Mixup: rows between rows, with targets between theirs."""

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

__all__ = ["beta", "mixed"]


def mixed(
    values: Float[Tensor, "rows ..."],
    share: Float[Tensor, " rows"],
    partners: Int64[Tensor, " rows"],
) -> Float[Tensor, "rows ..."]:
    """Return lambda v_i + (1 - lambda) v_j, of inputs or of targets alike.

    Args:
        values: one entry a row; classes as their shares.
        share: lambda of each row, in [0, 1].
        partners: j of each row.

    Source: Zhang, Cisse, Dauphin & Lopez-Paz 2018, equation (1).
    """
    weight = share.to(values.dtype).reshape(-1, *[1] * (values.dim() - 1))
    return weight * values + (1 - weight) * values[partners]


def beta(alpha: float, rows: int, chance: torch.Generator) -> Float[Tensor, " rows"]:
    """Return draws of Beta(alpha, alpha), float64 in [0, 1].

    The inverse of the distribution function at uniform numbers: torch draws from Beta with its
    global generator alone.

    Args:
        alpha: > 0; the smaller, the nearer to 0 or 1.
        rows: how many.
        chance: the generator of this step.
    """
    from scipy.special import betaincinv

    uniform = torch.rand(rows, generator=chance, dtype=torch.float64).numpy()
    return torch.from_numpy(np.asarray(betaincinv(alpha, alpha, uniform)).clip(0, 1))

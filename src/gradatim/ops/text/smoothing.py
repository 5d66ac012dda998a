"""Probabilities of what follows a context, from counts and from what a shorter context says.

In all of these, `counts` c(h, w) says how often the word w followed the context h, and `lower`
is the distribution after a shorter context. A context that was never seen answers with `lower`.
"""

from jaxtyping import Float64, Int
from torch import Tensor

__all__ = ["discount", "kneser_ney", "witten_bell"]


def witten_bell(
    counts: Float64[Tensor, "contexts words"], lower: Float64[Tensor, "contexts words"]
) -> Float64[Tensor, "contexts words"]:
    """Give the shorter context as many votes as there are different words after this one.

    p(w | h) = (c(h, w) + k(h) p(w | h')) / (c(h) + k(h)),   k(h) = |{w: c(h, w) > 0}|.

    Source: Witten & Bell 1991, method C; Chen & Goodman 1999, section 2.7.

    >>> import torch
    >>> counts = torch.tensor([[3.0, 1.0, 0.0]], dtype=torch.float64)
    >>> (witten_bell(counts, torch.full_like(counts, 1 / 3)) * 18).round()
    tensor([[11.,  5.,  2.]], dtype=torch.float64)
    """
    kinds = (counts > 0).sum(1, keepdim=True)
    votes = counts.sum(1, keepdim=True) + kinds
    return (counts + kinds * lower + (votes == 0) * lower) / votes.clamp_min(1)


def kneser_ney(
    counts: Float64[Tensor, "contexts words"],
    lower: Float64[Tensor, "contexts words"],
    less: float,
) -> Float64[Tensor, "contexts words"]:
    """Take a constant off every count and give it to the shorter context.

    p(w | h) = (max(c(h, w) - D, 0) + D k(h) p(w | h')) / c(h); k(h) as for Witten and Bell.

    Args:
        counts: of the longest contexts how often, of shorter ones after how many different words
            h w was seen.
        lower: what the shorter context says.
        less: D, between 0 and 1.

    Source: Kneser & Ney 1995; Chen & Goodman 1999, section 2.8, interpolated.
    """
    seen = counts.sum(1, keepdim=True)
    kept = (counts - less).clamp_min(0)
    given = less * (counts > 0).sum(1, keepdim=True)
    return (kept + given * lower + (seen == 0) * lower) / seen.where(seen > 0, 1)


def discount(counts: Int[Tensor, " pairs"]) -> float:
    """Return D = n_1 / (n_1 + 2 n_2), where n_r pairs have the count r; 1/2 when n_1 or n_2 is 0.

    Source: Ney, Essen & Kneser 1994, equation (17).
    """
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return once / (once + 2 * twice) if once and twice else 0.5

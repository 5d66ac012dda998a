"""Terms of the evidence lower bound."""

from jaxtyping import Float
from torch import Tensor

__all__ = ["divergence_from_standard"]


def divergence_from_standard(
    mean: Float[Tensor, "rows code"], log_variance: Float[Tensor, "rows code"]
) -> Float[Tensor, " rows"]:
    """Return KL(N(m, s^2) || N(0, 1)) = 1/2 sum over the code of (m^2 + s^2 - 1 - log s^2).

    A sum over the code, for its numbers are independent and belong to one row: a mean over them
    would weigh the divergence less, the longer the code is.

    Args:
        mean: m.
        log_variance: log s^2.

    Returns:
        Nats a row, 0 or more.

    Source: Kingma & Welling 2014, appendix B.

    >>> import torch
    >>> divergence_from_standard(torch.tensor([[1.0, 2.0]]), torch.zeros(1, 2))
    tensor([2.5000])
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)

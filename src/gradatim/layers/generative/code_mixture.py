"""`CodeMixture`: where the codes of an autoencoder lie, learnt while it learns."""

import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

__all__ = ["CodeMixture"]

RESTARTS = 256
"""Until this update the components begin anew at every power of two: codes still move far."""
FLOOR = 0.01
"""Of the step size: codes move as long as their encoder learns."""
RIDGE = 1e-4
"""Added to variances, beside the mean variance of the first codes seen after a restart."""


class CodeMixture(nn.Module):
    """A mixture of Gaussians with full covariances, by stepwise expectation-maximisation.

    With responsibilities r of a batch of codes c, the sums s = (sum r, sum r c, sum r c c') / rows
    move by s <- s + g (s_batch - s), g = max((t + 2)^-0.6, 0.01) with t updates since the last
    restart, and the parameters are what EM makes of s. All of it lives in buffers. One component
    is the running mean and covariance.

    Args:
        size: numbers of a code.
        components: Gaussians.

    Source: Cappe & Moulines 2009, "On-line expectation-maximization algorithm"; Liang & Klein
    2009, section 2.3 (the power 0.6).

    Deviations: g has a floor; early restarts, for the codes themselves still change.
    """

    updates: Tensor
    shares: Tensor
    sums: Tensor
    products: Tensor
    ridge: Tensor

    def __init__(self, size: int, components: int) -> None:
        super().__init__()
        double = torch.float64
        eyes = torch.eye(size, dtype=double).repeat(components, 1, 1)
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        self.register_buffer("shares", torch.full((components,), 1 / components, dtype=double))
        self.register_buffer("sums", torch.zeros(components, size, dtype=double))
        self.register_buffer("products", eyes / components)
        self.register_buffer("ridge", torch.full((), RIDGE, dtype=double))

    @property
    def moments(self) -> tuple[Float64[Tensor, "k size"], Float64[Tensor, "k size size"]]:
        """The means and the covariances."""
        shares = self.shares.clamp_min(1e-9)[:, None]
        means = self.sums / shares
        products = self.products / shares[:, None]
        return means, products - means[:, :, None] * means[:, None] + self._floor(means)

    @torch.no_grad()
    def update(self, codes: Float[Tensor, "rows size"]) -> None:
        """Learn from the codes of one batch."""
        codes = codes.double()
        count = int(self.updates)
        if count <= RESTARTS and count & (count - 1) == 0:
            self._restart(codes)
        given = self.log_joint(codes).softmax(1)
        since = count - 2 ** (min(count, RESTARTS).bit_length() - 1) if count else 0
        rate = max((since + 2) ** -0.6, FLOOR)
        self.shares.lerp_(given.mean(0), rate)
        self.sums.lerp_(given.T @ codes / len(codes), rate)
        products = torch.einsum("rk,ri,rj->kij", given, codes, codes) / len(codes)
        self.products.lerp_(products, rate)
        self.updates += 1

    def log_joint(self, codes: Float64[Tensor, "rows size"]) -> Float64[Tensor, "rows k"]:
        """Return log(share of k) + log N(code; mean and covariance of k)."""
        means, covariances = self.moments
        roots = torch.linalg.cholesky(covariances)
        apart = (codes[None] - means[:, None]).mT  # k size rows
        squares = torch.linalg.solve_triangular(roots, apart, upper=False).square().sum(1).T
        log_det = roots.diagonal(dim1=1, dim2=2).log().sum(1)
        # log(2 pi) is the same for all components, and only their odds are asked for.
        return self.shares.clamp_min(1e-12).log() - log_det - squares / 2

    def sample(self, count: int, chance: torch.Generator) -> Float[Tensor, "count size"]:
        """Return new codes."""
        means, covariances = self.moments
        roots = torch.linalg.cholesky(covariances)
        which = torch.multinomial(self.shares, count, replacement=True, generator=chance)
        noise = torch.randn(count, means.shape[1], generator=chance, dtype=torch.float64)
        moved = torch.einsum("rij,rj->ri", roots[which], noise)
        return (means[which] + moved).float()

    def _restart(self, codes: Float64[Tensor, "rows size"]) -> None:
        """Put the components on some of these codes, all with the covariance of them all."""
        components, rows = len(self.shares), len(codes)
        centred = codes - codes.mean(0)
        spread = centred.T @ centred / rows
        self.ridge.copy_(RIDGE * spread.diagonal().mean().clamp_min(1e-9))
        means = codes[torch.arange(components) % rows] if components > 1 else codes.mean(0)[None]
        self.shares.fill_(1 / components)
        self.sums.copy_(means / components)
        self.products.copy_((spread + means[:, :, None] * means[:, None]) / components)

    def _floor(self, means: Float64[Tensor, "k size"]) -> Float64[Tensor, "size size"]:
        return self.ridge * torch.eye(means.shape[1], dtype=means.dtype)

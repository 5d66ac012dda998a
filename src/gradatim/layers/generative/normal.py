"""Normal distributions: with a full covariance, with few directions, and mixtures of them."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from gradatim.layers.generative.generative import Asked, Generative

__all__ = ["FewDirections", "Mixture", "Normal"]

LOG_TWO_PI = math.log(2 * math.pi)


def _normal(*shape: int, chance: torch.Generator) -> Tensor:
    return torch.randn(*shape, generator=chance, dtype=torch.float64)


class Normal(Generative):
    """N(mean, L L'): log p(x) = -(|L^-1 (x - mean)|^2 + d log 2 pi) / 2 - sum log L_ii.

    Args:
        features: d.
        asked: see `Generative`.

    Source: course 000, Gaussian density, in d dimensions; the printed factor 1/(sqrt(2 s^2) pi)
        should be (2 pi s^2)^(-1/2).
    """

    mean: Tensor
    factor: Tensor

    def __init__(self, features: int, asked: Asked = "density") -> None:
        super().__init__(asked)
        self.register_buffer("mean", torch.zeros(features, dtype=torch.float64))
        self.register_buffer("factor", torch.eye(features, dtype=torch.float64))

    def log_prob(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, " rows"]:
        """Return the log density of rows, in nats."""
        centred = (x - self.mean).T
        z = torch.linalg.solve_triangular(self.factor, centred, upper=False)
        log_det = self.factor.diagonal().log().sum()
        return -(z.square().sum(0) + len(z) * LOG_TWO_PI) / 2 - log_det

    def sample(
        self, count: int, chance: torch.Generator, labels: Int64[Tensor, " count"] | None = None
    ) -> Float[Tensor, "count features"]:
        """Return mean + L times standard normal noise."""
        return self.mean + _normal(count, len(self.mean), chance=chance) @ self.factor.T


class FewDirections(Generative):
    """N(mean, U (diag(v) - s I) U' + s I): k directions of their own variance, one for the rest.

    Args:
        features: d.
        directions: k, from 0 to d - 1.
        asked: see `Generative`.

    Source: Tipping & Bishop 1999, equations (3) and (7).
    """

    mean: Tensor
    directions: Tensor
    variances: Tensor
    rest: Tensor

    def __init__(self, features: int, directions: int, asked: Asked = "density") -> None:
        super().__init__(asked)
        self.register_buffer("mean", torch.zeros(features, dtype=torch.float64))
        axes = torch.zeros(features, directions, dtype=torch.float64)
        self.register_buffer("directions", axes)
        self.register_buffer("variances", torch.ones(directions, dtype=torch.float64))
        self.register_buffer("rest", torch.ones((), dtype=torch.float64))

    def log_prob(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, " rows"]:
        """Return the log density of rows, in nats."""
        centred = x - self.mean
        along = (centred @ self.directions).square()
        beside = centred.square().sum(1) - along.sum(1)
        features, directions = self.directions.shape
        squares = (along / self.variances).sum(1) + beside / self.rest
        log_det = self.variances.log().sum() + (features - directions) * self.rest.log()
        return -(squares + log_det + features * LOG_TWO_PI) / 2

    def sample(
        self, count: int, chance: torch.Generator, labels: Int64[Tensor, " count"] | None = None
    ) -> Float[Tensor, "count features"]:
        """Return mean + U (v - s)^(1/2) z + s^(1/2) noise."""
        features, directions = self.directions.shape
        own = (self.variances - self.rest).clamp_min(0).sqrt()
        along = (_normal(count, directions, chance=chance) * own) @ self.directions.T
        return self.mean + along + self.rest.sqrt() * _normal(count, features, chance=chance)


class Mixture(Generative):
    """sum_k w_k N(m_k, C_k), each precision kept as a factor A_k with C_k^-1 = A_k A_k'.

    Args:
        features: d.
        components: how many normal distributions.
        full: whether each has a full covariance; else variances alone, and A_k is a diagonal.
        asked: see `Generative`.

    Source: Bishop 2006, section 9.2.
    """

    log_weights: Tensor
    means: Tensor
    factors: Tensor

    def __init__(
        self, features: int, components: int, full: bool, asked: Asked = "density"
    ) -> None:
        super().__init__(asked)
        self.full = full
        shape = (components, features, features) if full else (components, features)
        self.register_buffer("log_weights", torch.zeros(components, dtype=torch.float64))
        self.register_buffer("means", torch.zeros(components, features, dtype=torch.float64))
        self.register_buffer("factors", torch.ones(shape, dtype=torch.float64))

    def log_prob(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, " rows"]:
        """Return the log density of rows, in nats."""
        diagonals = self.factors.diagonal(dim1=1, dim2=2) if self.full else self.factors
        log_det = diagonals.log().sum(1)
        each = [self._squares(x, k) for k in range(len(self.means))]
        densities = log_det - (torch.stack(each, 1) + x.shape[1] * LOG_TWO_PI) / 2
        return (self.log_weights + densities).logsumexp(1)

    def _squares(self, x: Tensor, component: int) -> Float[Tensor, " rows"]:
        """Return |A' (x - m)|^2."""
        centred, factor = x - self.means[component], self.factors[component]
        z: Tensor = centred @ factor if self.full else centred * factor
        return z.square().sum(1)

    def sample(
        self, count: int, chance: torch.Generator, labels: Int64[Tensor, " count"] | None = None
    ) -> Float[Tensor, "count features"]:
        """Draw a component for each row, then the row."""
        chosen = torch.multinomial(
            self.log_weights.exp(), count, replacement=True, generator=chance
        )
        noise = _normal(count, self.means.shape[1], chance=chance)
        if not self.full:
            return self.means[chosen] + noise / self.factors[chosen]
        rows = torch.empty_like(noise)
        for component in chosen.unique().tolist():
            own = chosen == component
            back = torch.linalg.solve_triangular(
                self.factors[component].T, noise[own].T, upper=False
            )
            rows[own] = self.means[component] + back.T
        return rows

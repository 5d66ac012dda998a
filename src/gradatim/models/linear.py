"""Linear regression: the plane with the smallest squared error."""

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.layers.features import flat_features
from gradatim.layers.outputs import Logits, output_for
from gradatim.ops.calibration import temperature
from gradatim.ops.inner import inner_holdout
from gradatim.ops.least_squares import LeastSquares, least_squares, log_likelihood, noise_variance

__all__ = ["RUNG", "Linear"]


class Linear(Solved):
    """Ordinary least squares.

    w = (X'X)^-1 X't, and where the columns are dependent or outnumber the rows the shortest of all
    w that fit best. Categories are regressed as 0/1 columns, one a class.

    Idea: every column pushes the answer up or down, each in proportion.
    Cost: (features + 1) x outputs parameters; one singular value decomposition, O(n d min(n, d)).
    Fails when: the truth bends, columns only matter together, or columns are nearly as many as
        rows.
    """

    place: ClassVar[int] = 10
    idea: ClassVar[str] = "lets every column push the answer up or down in proportion"
    source: ClassVar[str] = "Legendre 1805; Gauss 1809; course 000, equations (1)-(3)"
    deviations: ClassVar[tuple[str, ...]] = (
        "the shortest solution where X'X has no inverse",
        "(3) is reported as the variance 1/beta that it is",
        "categories: leave-one-out scores set the scale of the probabilities",
        "with groups, times or as many columns as rows a held-out fifth sets it",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {}}

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any table, picture or sequence."""
        return None

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return a linear layer on features."""
        features = flat_features(signature)
        plane = Plane(features.features, signature.outputs)
        return Model(features, plane, output_for(signature))

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Solve once."""
        features, output = flat_features(signature), output_for(signature)
        x = features.fit(samples.inputs)(samples.inputs)
        t = output.fit(samples.targets).encode(samples.targets)
        if isinstance(signature.output, Category):
            t = F.one_hot(t, signature.outputs).double()
        fit = least_squares(x, t)
        plane = Plane(features.features, signature.outputs).requires_grad_(False)
        plane.take(fit)
        if isinstance(output, Logits):
            output.scale.fill_(_scale(x, t, fit, samples, seed))
        else:
            residuals = samples.targets - output(plane(x))
            plane.noise_variance.copy_(noise_variance(residuals))
            likelihood = log_likelihood(residuals)
            # Infinite for an exact fit, which has no noise to speak of; a model holds numbers.
            plane.log_likelihood.fill_(likelihood if math.isfinite(likelihood) else 0.0)
        return Model(features, plane, output)


class Plane(nn.Linear):
    """A linear layer that knows how well it was determined.

    `noise_variance` (1/beta, in squared units of the target) and `log_likelihood` are those of the
    training rows; they stay 0 where the target is a category or the fit is exact.
    """

    rank: Tensor
    noise_variance: Tensor
    log_likelihood: Tensor

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__(features, outputs, dtype=torch.float64)
        self.register_buffer("rank", torch.zeros((), dtype=torch.int64))
        self.register_buffer("noise_variance", torch.zeros(outputs, dtype=torch.float64))
        self.register_buffer("log_likelihood", torch.zeros((), dtype=torch.float64))

    def take(self, fit: LeastSquares) -> None:
        """Take over a solution."""
        self.weight.copy_(fit.weights.T)
        self.bias.copy_(fit.bias)
        self.rank.fill_(fit.rank)

    @property
    def note(self) -> str:
        """Return what a person should know of the fit."""
        parts = []
        if self.rank < self.in_features:
            parts.append(
                f"{self.in_features} features span {int(self.rank)} directions; "
                "of all best weights these are the shortest"
            )
        if self.noise_variance.any():
            noise = ", ".join(f"{v:.4g}" for v in self.noise_variance.sqrt().tolist())
            parts.append(
                f"noise on the training rows: standard deviation {noise}; "
                f"log-likelihood {self.log_likelihood.item():.6g}"
            )
        return "; ".join(parts)


def _scale(x: Tensor, t: Tensor, fit: LeastSquares, samples: Samples, seed: int) -> float:
    """Return the temperature of scores of rows that the solver has not seen."""
    marked = samples.groups is not None or samples.times is not None
    if fit.rank + 1 < len(x) and not marked:
        room = (1 - fit.leverage).clamp_min(1e-9)
        held_out = t - (t - x @ fit.weights - fit.bias) / room[:, None]
        # A row that alone determines a direction cannot be left out.
        judged = room > 1e-6
        return temperature(held_out[judged], samples.targets[judged])
    split = inner_holdout(samples, 0.2, seed)
    if split is None:
        return 1.0
    train, held = torch.from_numpy(split[0]), torch.from_numpy(split[1])
    part = least_squares(x[train], t[train])
    return temperature(x[held] @ part.weights + part.bias, samples.targets[held])


RUNG = Linear

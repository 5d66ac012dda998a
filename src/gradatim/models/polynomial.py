"""Polynomial regression: linear in the powers of the columns, which degree the data decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature, Table
from gradatim.layers.columns import Columns
from gradatim.layers.outputs import Quantities
from gradatim.layers.polynomials import Monomials, OrthogonalPolynomials
from gradatim.ops.folds import Split
from gradatim.ops.inner import inner_folds
from gradatim.ops.polynomials import cross_degree
from gradatim.ops.ridge import held_out_predictions

__all__ = ["RUNG", "Polynomial", "PolynomialNetwork"]


class Polynomial(Solved):
    """Least squares on all powers up to M, and on the products of columns.

    y = w_0 + sum_j w_j phi_j(x), phi_j the products of at most M columns.

    Idea: a curve is a plane in the powers of its columns.
    Cost: up to C(d + M, M) x outputs parameters, at most `terms` x outputs; one eigendecomposition
        a degree.
    Fails when: asked beyond the training range, where the highest power takes over; or when
        columns are many, so that only their powers are affordable.
    """

    place: ClassVar[int] = 40
    idea: ClassVar[str] = "bends the plane: powers and products of the columns"
    source: ClassVar[str] = "Gergonne 1815; course 000, equations (5) and (6)"
    deviations: ClassVar[tuple[str, ...]] = (
        "all powers 1..M where (6) prints x^M alone, and products of columns",
        "products only up to the degree at which they number at most `terms`, powers alone above",
        "a degree whose powers alone would number more than `terms` is not tried",
        "one column: a basis that is orthogonal on the training rows, and no penalty",
        "several columns: a ridge penalty, the best of a grid by the same held-out error",
        "leave-one-out inside the training fold chooses M; with groups or times, five folds do",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"maximum": 2, "terms": 50}}

    degree: Annotated[int, Field(ge=0, le=50)] = 0
    """M; 0 lets the data choose."""
    maximum: Annotated[int, Field(ge=0, le=50)] = 0
    """Highest M that is tried; 0 stands for 10 with one column and 5 with several."""
    terms: Annotated[int, Field(ge=1, le=20_000)] = 1000
    """Most powers and products."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take tables with quantities."""
        if not isinstance(signature.input, Table):
            return Refusal(
                "pixels and steps are too many to be multiplied with each other", "use ridge"
            )
        if isinstance(signature.output, Category):
            return Refusal("a polynomial answers with a quantity", "use svm or logistic")
        return None

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the network of a degree that is known."""
        features = _columns(signature)
        powers = _powers(features, extents["degree"], self.terms)
        network = PolynomialNetwork(powers, signature.outputs, extents["tried"])
        return Model(features, network, Quantities(signature.outputs), extents)

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Fit every degree, keep the one with the smallest held-out error."""
        features, output = _columns(signature), Quantities(signature.outputs)
        x = features.fit(samples.inputs)(samples.inputs)
        t = output.fit(samples.targets).encode(samples.targets)
        splits: list[Split] = []
        if samples.groups is not None or samples.times is not None:
            splits = inner_folds(samples, 5, seed)
        degrees = self._degrees(features, x)
        fits = [_fit(_powers(features, m, self.terms), x, t, splits) for m in degrees]
        best = min(range(len(fits)), key=lambda i: fits[i].held_out)
        network = PolynomialNetwork(fits[best].powers, signature.outputs, len(degrees))
        network.requires_grad_(False).take(fits, degrees, best)
        extents = {"degree": degrees[best], "tried": len(degrees)}
        return Model(features, network, output, extents)

    def _degrees(self, features: Columns, x: Tensor) -> list[int]:
        """Return the degrees worth trying."""
        if self.degree:
            return [self.degree]
        highest = self.maximum or (10 if features.features == 1 else 5)
        if features.features == 1:
            # One more point than coefficients, or leaving a row out says nothing.
            highest = min(highest, len(torch.unique(x)) - 2)
        highest = min(highest, self.terms // features.features)
        return list(range(1, max(highest, 1) + 1))


@dataclass(frozen=True)
class _Fit:
    """One degree: its solution at the best penalty, and root mean squared errors."""

    powers: OrthogonalPolynomials | Monomials
    weights: Tensor
    bias: Tensor
    training: float
    held_out: float


class PolynomialNetwork(nn.Module):
    """Powers, then a linear layer; with the picture of how the degree was chosen.

    `degrees` were tried; `training_error` and `held_out_error` are the root mean squared errors of
    each, in standard deviations of the target.
    """

    degrees: Tensor
    training_error: Tensor
    held_out_error: Tensor

    def __init__(self, powers: OrthogonalPolynomials | Monomials, outputs: int, tried: int) -> None:
        super().__init__()
        self.powers = powers
        self.head = nn.Linear(powers.terms, outputs, dtype=torch.float64)
        self.register_buffer("degrees", torch.zeros(tried, dtype=torch.int64))
        for name in ("training_error", "held_out_error"):
            self.register_buffer(name, torch.zeros(tried, dtype=torch.float64))

    def forward(self, features: Tensor) -> Tensor:
        """Return standardised quantities."""
        return self.head(self.powers(features))

    def take(self, fits: list[_Fit], degrees: list[int], best: int) -> None:
        """Take over the best fit and the errors of all."""
        self.head.weight.copy_(fits[best].weights.T)
        self.head.bias.copy_(fits[best].bias)
        self.degrees.copy_(torch.tensor(degrees))
        errors = torch.tensor([(fit.training, fit.held_out) for fit in fits], dtype=torch.float64)
        self.training_error.copy_(errors[:, 0])
        self.held_out_error.copy_(errors[:, 1])

    @property
    def curve(self) -> dict[str, Any] | None:
        """Return error against degree, the course's "which M?" picture; None for a fixed degree."""
        if len(self.degrees) < 2:
            return None
        return {
            "name": "degree",
            "x": self.degrees.tolist(),
            "training": self.training_error.tolist(),
            "held_out": self.held_out_error.tolist(),
            "chosen": int(self.degrees[self.held_out_error.argmin()]),
        }

    @property
    def note(self) -> str:
        """Return which degree was chosen, and from which."""
        low, high = int(self.degrees[0]), int(self.degrees[-1])
        if low == high:
            return f"degree {low}"
        best = int(self.held_out_error.argmin())
        errors = (
            f"{self.training_error[best]:.3g} training, {self.held_out_error[best]:.3g} held out"
        )
        return (
            f"degree {int(self.degrees[best])} of {low}..{high} has the smallest held-out error "
            f"(in standard deviations of the target: {errors})"
        )


def _fit(
    powers: OrthogonalPolynomials | Monomials, x: Tensor, t: Tensor, splits: list[Split]
) -> _Fit:
    """Fit one degree with every penalty, keep the best."""
    phi, spread = _scaled(powers.fit(x)(x))
    grid = torch.logspace(-9, 2, 23, dtype=torch.float64)
    if isinstance(powers, OrthogonalPolynomials):
        grid = grid.new_tensor([1e-30])  # no penalty: it only keeps 0 / 0 from a constant column
    path, said, rows = held_out_predictions(phi, t, grid, splits)
    errors = (said - t[rows]).square().mean((1, 2))
    best = int(errors.argmin())
    residuals = phi @ path.weights[best] + path.bias[best] - t
    return _Fit(
        powers,
        path.weights[best] / spread[:, None],
        path.bias[best],
        training=residuals.square().mean().sqrt().item(),
        held_out=errors[best].sqrt().item(),
    )


def _scaled(phi: Tensor) -> tuple[Tensor, Tensor]:
    """Return columns of deviation 1, and what they were divided by."""
    spread = phi.std(0, correction=0)
    spread = torch.where(spread > 0, spread, 1.0)
    return phi / spread, spread


def _columns(signature: Signature) -> Columns:
    assert isinstance(signature.input, Table), "accepts() lets tables alone through"
    return Columns(signature.input)


def _powers(features: Columns, degree: int, terms: int) -> OrthogonalPolynomials | Monomials:
    if features.features == 1 and features.numbers:
        return OrthogonalPolynomials(degree)
    graded = len(features.numbers) + 2 * len(features.cycles)
    binary = [j >= graded for j in range(features.features)]
    return Monomials(binary, degree, cross_degree(features.features, degree, terms))


RUNG = Polynomial

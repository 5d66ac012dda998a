"""Ridge regression: least squares that pays for large weights."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.layers.features import flat_features
from gradatim.layers.outputs import Logits, output_for
from gradatim.ops.calibration import temperature
from gradatim.ops.inner import inner_folds
from gradatim.ops.ridge import held_out_predictions

__all__ = ["RUNG", "Ridge"]


class Ridge(Solved):
    """Least squares with a penalty on the squared weights, chosen by leave-one-out.

    w = (X'X + a I)^-1 X't. Categories are regressed as 0/1 columns, one a class.

    Idea: shrink the directions that the data hardly shows.
    Cost: features x outputs parameters; one eigendecomposition, O(n d^2 + d^3).
    Fails when: the truth bends, or columns only matter together.
    """

    place: ClassVar[int] = 20
    idea: ClassVar[str] = "pays for large weights, so that noise in weak directions is not fitted"
    source: ClassVar[str] = "Hoerl & Kennard 1970; course 000, equation (4)"
    deviations: ClassVar[tuple[str, ...]] = (
        "the intercept is not penalised",
        "the penalty is the best of a grid by leave-one-out error inside the training fold",
        "with groups or times, five inner folds take the place of leave-one-out",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"penalties": 3}}

    penalties: Annotated[int, Field(ge=1, le=1000)] = 25
    """How many penalties are tried, from 1e-6 to 1e3 times the row count."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any table, picture or sequence."""
        return None

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return a linear layer on features."""
        features = flat_features(signature)
        layer = nn.Linear(features.features, signature.outputs, dtype=torch.float64)
        return Model(features, layer, output_for(signature))

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Try every penalty at once, keep the best."""
        features = flat_features(signature).fit(samples.inputs)
        x = features(samples.inputs)
        t = output_for(signature).fit(samples.targets).encode(samples.targets)
        if isinstance(signature.output, Category):
            t = F.one_hot(t, signature.outputs).double()
        layer = nn.Linear(x.shape[1], t.shape[1], dtype=torch.float64).requires_grad_(False)
        shares = torch.logspace(-6, 3, self.penalties, dtype=torch.float64)
        dependent = samples.groups is not None or samples.times is not None
        splits = inner_folds(samples, 5, seed) if dependent else []
        path, said, rows = held_out_predictions(x, t, shares, splits)
        best = int((said - t[rows]).square().mean((1, 2)).argmin())
        layer.weight.copy_(path.weights[best].T)
        layer.bias.copy_(path.bias[best])
        output = output_for(signature)
        if isinstance(output, Logits):
            output.scale.fill_(temperature(said[best], samples.targets[rows]))
        return Model(features, layer, output.fit(samples.targets)).requires_grad_(False)


RUNG = Ridge

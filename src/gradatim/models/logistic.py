"""Logistic regression: a linear score a class, fitted to the likelihood of the classes."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.randomness import generator
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.layers.features import flat_features
from gradatim.layers.outputs import Logits
from gradatim.ops.inner import inner_folds
from gradatim.ops.logistic import Logistic, logistic_path

__all__ = ["RUNG", "LogisticRegression"]


class LogisticRegression(Solved):
    """The softmax of linear scores, with a penalty on the squared weights.

    p(c | x) = softmax(W'x + b)_c, with the W, b that minimise -sum_i log p(t_i | x_i) +
    (a / 2) ||W||^2. For one layer this is convex: there is one answer, whatever the start.

    Idea: fit probabilities instead of 0/1 columns, so that rows far on the right side cost nothing.
    Cost: (features + 1) x classes parameters; some hundred passes over the rows.
    Fails when: no flat boundary separates the classes.
    """

    place: ClassVar[int] = 30
    idea: ClassVar[str] = "fits the probability of a class instead of a 0/1 column"
    source: ClassVar[str] = "Cox 1958; Bishop 2006, section 4.3.4; course 001, logistic loss"
    deviations: ClassVar[tuple[str, ...]] = (
        "the intercept is not penalised",
        "folds inside the training fold choose the penalty from a grid, by cross-entropy",
        "the grid is left once three penalties in a row did worse than the best",
        "beyond `choosing` rows the penalty per row is chosen on that many, drawn at random",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"penalties": 3, "folds": 2}}

    penalties: Annotated[int, Field(ge=1, le=1000)] = 15
    """How many penalties are tried, from 10 down to 1e-6 times the row count."""
    folds: Annotated[int, Field(ge=2, le=100)] = 3
    """Folds inside the training fold that choose the penalty."""
    choosing: Annotated[int, Field(ge=10)] = 3000
    """Most rows that take part in choosing the penalty."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take anything with categories."""
        if isinstance(signature.output, Category):
            return None
        return Refusal("logistic regression answers with a class", "use ridge for a quantity")

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return a linear layer on features."""
        features = flat_features(signature)
        layer = nn.Linear(features.features, signature.outputs, dtype=torch.float64)
        return Model(features, layer, Logits())

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Choose the penalty on inner folds, then fit every row."""
        features = flat_features(signature)
        x = features.fit(samples.inputs)(samples.inputs)
        grid = torch.logspace(1, -6, self.penalties, dtype=torch.float64)
        penalty = float(grid[self._choose(x, samples, signature.outputs, grid, seed)]) * len(x)
        (fit,) = logistic_path(x, samples.targets, signature.outputs, [penalty])
        layer = nn.Linear(features.features, signature.outputs, dtype=torch.float64)
        layer.requires_grad_(False)
        layer.weight.copy_(fit.weights.T)
        layer.bias.copy_(fit.bias)
        return Model(features, layer, Logits())

    def _choose(self, x: Tensor, samples: Samples, classes: int, grid: Tensor, seed: int) -> int:
        """Return the place in the grid with the smallest held-out cross-entropy."""
        rows = torch.arange(len(x))
        if len(x) > self.choosing:
            chance = generator(seed, "rows that choose the penalty")
            rows = torch.randperm(len(x), generator=chance)[: self.choosing].sort().values
        x, samples = x[rows], samples.take(rows)
        splits = inner_folds(samples, self.folds, seed)
        if not splits or len(grid) == 1:
            return len(grid) // 2
        t = samples.targets
        paths = [
            logistic_path(x[a], t[a], classes, (grid * len(a)).tolist(), tolerance=1e-5)
            for a, _ in splits
        ]
        losses: list[float] = []
        for fits in zip(*paths, strict=True):
            pairs = zip(fits, splits, strict=True)
            losses.append(sum(_loss(fit, x[b], t[b]) for fit, (_, b) in pairs))
            if len(losses) - losses.index(min(losses)) > 3:
                break
        return losses.index(min(losses))


def _loss(fit: Logistic, x: Tensor, t: Tensor) -> float:
    return F.cross_entropy(x @ fit.weights + fit.bias, t, reduction="sum").item()


RUNG = LogisticRegression

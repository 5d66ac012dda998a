"""Scores of classes from machines that know two classes each, and classes that no row showed."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor, nn

from gradatim.layers.blocks import in_blocks
from gradatim.layers.kernel import rbf

__all__ = ["PairwiseMachine", "Present"]


class Present(nn.Module):
    """Put classes that the training fold did not show one below the lowest score of the row."""

    present: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.register_buffer("present", torch.ones(classes, dtype=torch.bool))

    def fill(self, present: Bool[Tensor, " classes"]) -> "Present":
        """Take which classes the training fold shows."""
        self.present.copy_(present)
        return self

    def forward(self, scores: Float[Tensor, "rows classes"]) -> Float[Tensor, "rows classes"]:
        """Return the scores, those of unseen classes replaced."""
        low = torch.where(self.present, scores, torch.inf).amin(1, keepdim=True) - 1
        return torch.where(self.present, scores, low)


class PairwiseMachine(nn.Module):
    """Support vectors of every pair of classes; each pair votes, confidence breaks ties.

    d_ij(x) = b_ij + sum over the support vectors s of classes i and j of a_ijs k(x, s). The pair
    votes for i when d_ij >= 0, else for j. With c_i = sum_j d_ij (d_ji = -d_ij), class i scores
    votes_i + c_i / (3 (|c_i| + 1)). Two classes score (d / 2, -d / 2).

    Args:
        features: of a row.
        counts: support vectors of each class; a class without any was not in the training fold.

    Source: Knerr, Personnaz & Dreyfus 1990 (one against one); the scores are those of
    scikit-learn's `SVC.decision_function(decision_function_shape="ovr")`.
    """

    points: Tensor
    coefficients: Tensor
    bias: Tensor
    gamma: Tensor

    def __init__(self, features: int, counts: Sequence[int]) -> None:
        super().__init__()
        self.counts = [n for n in counts if n]
        present = [c for c, n in enumerate(counts) if n]
        classes, support = len(present), sum(counts)
        self.columns = [present.index(c) if n else 0 for c, n in enumerate(counts)]
        self.pairs = list(combinations(range(classes), 2))
        others = max(0, classes - 1)
        shapes = {"points": (support, features), "coefficients": (others, support)}
        for name, shape in {**shapes, "bias": (len(self.pairs),), "gamma": ()}.items():
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))
        self.present = Present(len(counts)).fill(torch.tensor([n > 0 for n in counts]))

    def fill(
        self,
        points: Float64[np.ndarray, "support features"],
        coefficients: Float64[np.ndarray, "others support"],
        bias: Float64[np.ndarray, " pairs"],
        gamma: float,
    ) -> "PairwiseMachine":
        """Take what libsvm found: class after class, row m of a class for its m-th other class."""
        self.points.copy_(torch.from_numpy(points))
        self.coefficients.copy_(torch.from_numpy(coefficients))
        self.bias.copy_(torch.from_numpy(bias))
        self.gamma.fill_(gamma)
        return self

    def forward(self, x: Float64[Tensor, "rows features"]) -> Float64[Tensor, "rows classes"]:
        """Return the score of each class."""
        return in_blocks(self._scores, x, per_row=len(self.points))

    def decisions(self, x: Float64[Tensor, "rows features"]) -> Float64[Tensor, "rows pairs"]:
        """Return d_ij of each pair i < j of the classes that are present."""
        kernel = rbf(x, self.points, self.gamma).split(self.counts, dim=1)
        parts = self.coefficients.split(self.counts, dim=1)
        sums = torch.cat([k @ a.T for k, a in zip(kernel, parts, strict=True)], dim=1)
        others = len(self.counts) - 1
        first = [i * others + j - 1 for i, j in self.pairs]
        second = [j * others + i for i, j in self.pairs]
        return sums[:, first] + sums[:, second] + self.bias

    def _scores(self, x: Tensor) -> Tensor:
        classes = len(self.counts)
        if classes < 2:
            return self.present(x.new_zeros(len(x), len(self.columns)))
        d = self.decisions(x)
        if classes == 2:
            scores = torch.cat([d, -d], dim=1) / 2
        else:
            first, second = self._sides(d)
            wins = (d >= 0).to(d.dtype)
            confidence = d @ (first - second)
            scores = wins @ first + (1 - wins) @ second
            scores = scores + confidence / (3 * (confidence.abs() + 1))
        return self.present(scores[:, self.columns])

    def _sides(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return indicators (pairs, classes) of the first and the second class of each pair."""
        each = torch.eye(len(self.counts), dtype=like.dtype, device=like.device)
        return each[[i for i, _ in self.pairs]], each[[j for _, j in self.pairs]]

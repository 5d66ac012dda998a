"""Nearest neighbours: what was seen next to it decides."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from gradatim.core.chunks import in_chunks
from gradatim.core.randomness import generator
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.layers.features import flat_features
from gradatim.layers.neighbours import NeighbourMean, NeighbourVotes, nearest_points, votes_of
from gradatim.layers.outputs import output_for
from gradatim.ops.calibration import temperature

__all__ = ["RUNG", "Knn"]

_USUAL = 5  # neighbours, where nothing can be held out


class Knn(Solved):
    """Ask the k nearest training rows: p(c | x) = (votes_c + a) / (k + a classes), or their mean.

    Near is Euclidean distance of standardised features.

    Idea: no model at all; a new row is like the rows it resembles.
    Cost: all n d numbers of the training rows are kept, n d multiply-adds an answer; no training.
    Fails when: columns are many (every row is equally far) or most of them noise.
    """

    place: ClassVar[int] = 70
    idea: ClassVar[str] = "keeps every row and asks the nearest ones; a rival without a model"
    source: ClassVar[str] = "Fix & Hodges 1951; Cover & Hart 1967"
    deviations: ClassVar[tuple[str, ...]] = (
        "k: the best of 1, 3, ... 31 by leave-one-out on at most 5000 rows of the training fold",
        "a left-out row leaves with its group, or with all rows that are not earlier",
        "shares of votes are smoothed by a in each class, and one temperature is learnt on them",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"most": 5, "trial_rows": 200}}

    most: Annotated[int, Field(ge=1, le=1001)] = 31
    """The largest k that is tried."""
    smoothing: Annotated[float, Field(gt=0, le=100)] = 0.5
    """a: votes that each class has before anyone votes."""
    trial_rows: Annotated[int, Field(ge=2, le=50_000)] = 5000
    """The most rows that k is chosen on."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any table, picture or sequence."""
        return None

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the stored points and how many of them are asked."""
        features = flat_features(signature, torch.float32)
        rows, k, width = extents.get("points", 0), extents.get("k", 1), signature.outputs
        if k > max(rows, 1):
            raise ValueError(f"k = {k} neighbours of {rows} points")
        network: nn.Module
        if isinstance(signature.output, Category):
            network = NeighbourVotes(features.features, rows, k, width, self.smoothing)
        else:
            network = NeighbourMean(features.features, rows, k, width)
        return Model(features, network, output_for(signature), extents)

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Keep the rows, choose k."""
        features = flat_features(signature, torch.float32).fit(samples.inputs)
        x = in_chunks(features, samples.inputs)
        output = output_for(signature).fit(samples.targets)
        t = output.encode(samples.targets)
        trial = torch.randperm(len(x), generator=generator(seed, "trial"))[: self.trial_rows]
        k, scale = self._choose(x[trial], t[trial], samples.take(trial), signature)
        model = self.build(signature, {"points": len(x), "k": k})
        model.preprocess, model.output = features, output
        model.network.fill(x, t)  # type: ignore[operator]
        if isinstance(signature.output, Category):
            model.output.scale.fill_(scale)
        return model

    def _choose(
        self, x: Tensor, t: Tensor, samples: Samples, signature: Signature
    ) -> tuple[int, float]:
        """Return the k with the smallest left-out error, and the temperature at that k."""
        near, judged = _left_out(x, samples, self.most)
        if not len(judged):
            return min(_USUAL, len(x)), 1.0
        grid = list(range(1, near.shape[1] + 1, 2))
        classifies = isinstance(signature.output, Category)
        errors, answers = [], t[near]
        for k in grid:
            if classifies:
                wrong = self._votes(answers[:, :k], signature).argmax(1) != t[judged]
                errors.append(wrong.double().mean())
            else:
                errors.append((answers[:, :k].mean(1) - t[judged]).square().mean())
        k = grid[int(torch.stack(errors).argmin())]
        if not classifies:
            return k, 1.0
        return k, temperature(self._votes(answers[:, :k], signature), t[judged])

    def _votes(self, labels: Tensor, signature: Signature) -> Tensor:
        return votes_of(labels, signature.outputs, self.smoothing)


def _left_out(x: Tensor, samples: Samples, most: int) -> tuple[Tensor, Tensor]:
    """Return the neighbours of each row that can be judged, and which rows these are.

    As many neighbours as half of the rows have at least; the rows that have fewer are not judged.
    """
    counts, nearest = [], []
    for rows in torch.arange(len(x)).split(512):
        barred = _barred(samples, rows)
        counts.append((~barred).sum(1))
        width = min(most, len(x))
        nearest.append(
            torch.cat(
                [
                    nearest_points(x[part], x, width, barred[part - rows[0]])
                    for part in rows.split(max(1, 2**22 // (x.shape[1] * (width + 8))))
                ]
            )
        )
    count = torch.cat(counts)
    wide = min(most, int(count.median()))
    judged = (count >= max(wide, 1)).nonzero()[:, 0] if wide else count.new_zeros(0)
    return torch.cat(nearest)[judged, :wide], judged


def _barred(samples: Samples, rows: Tensor) -> Tensor:
    """Return the points (rows, points) that would give a row's own answer away."""
    barred = rows[:, None] == torch.arange(len(samples))
    if samples.groups is not None:
        barred |= samples.groups[rows, None] == samples.groups
    if samples.times is not None:
        barred |= samples.times[rows, None] <= samples.times
    return barred


RUNG = Knn

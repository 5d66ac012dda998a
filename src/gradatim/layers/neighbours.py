"""The nearest of stored points, and what they say."""

from abc import abstractmethod

import torch
from jaxtyping import Bool, Float, Float32, Float64, Int64
from torch import Tensor, nn

from gradatim.layers.blocks import in_blocks

__all__ = ["NeighbourMean", "NeighbourVotes", "nearest_points", "votes_of"]

_POINTS = 4096  # looked at together
_SPARE = 8  # candidates beyond k whose distance is computed again, exactly


def nearest_points(
    x: Float[Tensor, "rows features"],
    points: Float32[Tensor, "points features"],
    k: int,
    barred: Bool[Tensor, "rows points"] | None = None,
) -> Int64[Tensor, "rows k"]:
    """Return which k points are nearest to each row, nearest first, the lower number in a tie.

    Candidates come from |x|^2 + |p|^2 - 2 x.p, a block of points at a time; the distances of the
    best k + 8 are then computed again as sum (x - p)^2, so that equal points are equally far.

    Args:
        x: rows.
        points: at least k of them.
        k: how many are wanted.
        barred: points that a row may not look at; they come last.

    >>> line = torch.tensor([[0.0], [2.0], [3.0]])
    >>> nearest_points(torch.tensor([[1.9]]), line, 2).tolist()
    [[1, 2]]
    """
    x = x.double()
    far, where = x.new_zeros(len(x), 0), torch.zeros(len(x), 0, dtype=torch.int64, device=x.device)
    for start in range(0, len(points), _POINTS):
        block = points[start : start + _POINTS].double()
        distance = block.square().sum(1) - 2 * (x @ block.T)
        if barred is not None:
            distance = distance.masked_fill(barred[:, start : start + _POINTS], torch.inf)
        best = distance.topk(min(k + _SPARE, len(block)), dim=1, largest=False)
        far = torch.cat([far, best.values], dim=1)
        where = torch.cat([where, best.indices + start], dim=1)
        far, kept = far.topk(min(k + _SPARE, far.shape[1]), dim=1, largest=False)
        where = where.gather(1, kept)
    where, order = where.sort(dim=1)
    exact = (x[:, None] - points[where].double()).square().sum(-1)
    exact = exact.masked_fill(far.gather(1, order).isinf(), torch.inf)
    return where.gather(1, _lowest(exact, k))


def _lowest(numbers: Tensor, k: int) -> Tensor:
    """Return where the k lowest numbers of each row are; in a tie, the one further left."""
    if torch.compiler.is_exporting():  # ONNX has no stable sort, but its TopK breaks ties so
        return numbers.topk(k, dim=1, largest=False).indices
    return numbers.sort(dim=1, stable=True).indices[:, :k]


def votes_of(
    labels: Int64[Tensor, "rows k"], classes: int, smoothing: float
) -> Float64[Tensor, "rows classes"]:
    """Return log((votes + a) / (k + a classes)) of each class.

    >>> votes_of(torch.tensor([[0, 0, 2]]), 3, 1.0).exp()
    tensor([[0.5000, 0.1667, 0.3333]], dtype=torch.float64)
    """
    votes = torch.zeros(len(labels), classes, dtype=torch.float64, device=labels.device)
    votes = votes.scatter_add(1, labels, torch.ones_like(labels, dtype=torch.float64))
    return ((votes + smoothing) / (labels.shape[1] + smoothing * classes)).log()


class _Neighbours(nn.Module):
    """Points and what is known of them; a row asks the k nearest."""

    points: Tensor
    answers: Tensor

    def __init__(self, features: int, points: int, k: int) -> None:
        super().__init__()
        self.k = k
        self.register_buffer("points", torch.zeros(points, features, dtype=torch.float32))

    def fill(self, points: Float32[Tensor, "points features"], answers: Tensor) -> "_Neighbours":
        """Take the training rows and their answers."""
        self.points.copy_(points)
        self.answers.copy_(answers)
        return self

    def forward(self, x: Float32[Tensor, "rows features"]) -> Float64[Tensor, "rows outputs"]:
        """Return what the nearest points say."""
        width = max(min(len(self.points), _POINTS), (self.k + _SPARE) * x.shape[1])
        return in_blocks(self._ask, x, per_row=width)

    def _ask(self, x: Tensor) -> Tensor:
        return self.say(self.answers[nearest_points(x, self.points, self.k)])

    @abstractmethod
    def say(self, answers: Tensor) -> Tensor:
        """Return one answer from those of the neighbours, (rows, k, ...)."""


class NeighbourVotes(_Neighbours):
    """Each of the k nearest points votes for its class: log of the smoothed share of votes."""

    def __init__(self, features: int, points: int, k: int, classes: int, smoothing: float) -> None:
        super().__init__(features, points, k)
        self.classes, self.smoothing = classes, smoothing
        self.register_buffer("answers", torch.zeros(points, dtype=torch.int64))

    def say(self, answers: Tensor) -> Tensor:
        """Count the votes."""
        return votes_of(answers, self.classes, self.smoothing)


class NeighbourMean(_Neighbours):
    """The mean of the k nearest points' quantities."""

    def __init__(self, features: int, points: int, k: int, outputs: int) -> None:
        super().__init__(features, points, k)
        self.register_buffer("answers", torch.zeros(points, outputs, dtype=torch.float64))

    def say(self, answers: Tensor) -> Tensor:
        """Average."""
        return answers.mean(1)

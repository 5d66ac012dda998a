"""Least squares from sums: one pass over the rows serves every fold and every penalty.

Sums over different rows add up, and the rows outside a fold are all rows without it. So a row is
looked at once, whatever number of folds and penalties is tried.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TypeVar

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from gradatim.ops.compiled.grams import moments, obstacle

__all__ = ["Centred", "Gram", "gram_of", "moments_by", "residual_sums", "ridge_cv", "ridge_weights"]

S = TypeVar("S")
T = TypeVar("T")

PIECES = 2
"""Pieces of a fold that threads take one after the other."""
BLOCK = 4096
"""Rows of one product: what a core's cache holds of some hundred columns."""
STRIP = 128
"""Columns of one product: a Gram is symmetric, so each strip is multiplied with what follows it."""
DOUBT = 1e-4
"""The largest relative error that float32 may bring to a validation error."""


@dataclass(frozen=True)
class Centred:
    """Sums about the means of the rows themselves: X'X, X't, and the diagonal of t't."""

    rows: float
    x_mean: Float64[Tensor, " features"]
    t_mean: Float64[Tensor, " outputs"]
    xx: Float64[Tensor, "features features"]
    xt: Float64[Tensor, "features outputs"]
    tt: Float64[Tensor, " outputs"]


@dataclass(frozen=True)
class Gram:
    """Z'Z of rows z = (x, t, 1): X'X, X't, t't, the sums of x and of t, and the number of rows.

    `+` joins different rows, `-` takes rows out again. x and t are counted from an origin that is
    the same for all Grams that meet. It should lie near the means: with means m deviations away, a
    variance keeps about 16 - 2 log10(m) digits.
    """

    moments: Float64[Tensor, "size size"]
    features: int

    @property
    def rows(self) -> float:
        """Return how many rows were summed."""
        return self.moments[-1, -1].item()

    def __add__(self, other: "Gram") -> "Gram":
        return Gram(self.moments + other.moments, self.features)

    def __sub__(self, other: "Gram") -> "Gram":
        return Gram(self.moments - other.moments, self.features)

    def mapped(
        self, matrix: Float64[Tensor, "new features"], offset: Float64[Tensor, " new"]
    ) -> "Gram":
        """Return the Gram of the same rows with A x + b in place of x."""
        new, rest = len(matrix), len(self.moments) - self.features
        change = self.moments.new_zeros(new + rest, len(self.moments))
        change[:new, : self.features], change[:new, -1] = matrix, offset
        change[new:, self.features :] = torch.eye(rest, dtype=torch.float64)
        return Gram(change @ self.moments @ change.T, new)

    def centred(self) -> Centred:
        """Return the sums about the means: X'X - n m m', and so on."""
        d, n = self.features, self.rows
        mean = self.moments[-1, :-1] / n
        about = self.moments[:-1, :-1] - n * torch.outer(mean, mean)
        tt = about.diagonal()[d:].clamp_min(0)
        return Centred(n, mean[:d], mean[d:], about[:d, :d], about[:d, d:], tt)


def gram_of(
    x: Float[Tensor, "rows features"],
    t: Float[Tensor, "rows outputs"],
    *,
    rows: Int64[Tensor, " chosen"] | None = None,
    origin: Float64[Tensor, " columns"] | None = None,
    dtype: torch.dtype = torch.float64,
) -> Gram:
    """Return the Gram of some rows: products of blocks, added up in float64.

    Args:
        x: features.
        t: targets.
        rows: which to take; all by default.
        origin: of x and t, in this order; 0 by default.
        dtype: of the products. float32 is twice as fast, with machine code seven times, and keeps
            7 digits of each sum, which is enough for some data only: see `ridge_cv`.

    >>> line = torch.tensor([[1.0], [2.0], [3.0]], dtype=torch.float64)
    >>> gram_of(line, 2 * line).moments.tolist()
    [[14.0, 28.0, 6.0], [28.0, 56.0, 12.0], [6.0, 12.0, 3.0]]
    """
    d, size = x.shape[1], x.shape[1] + t.shape[1] + 1
    start = torch.zeros(size - 1, dtype=torch.float64) if origin is None else origin
    if dtype == torch.float32 and obstacle(x, t) is None:
        return Gram(moments(x, t, torch.arange(len(x)) if rows is None else rows, start), d)
    total = torch.zeros(size, size, dtype=torch.float64)
    z = torch.ones(min(BLOCK, len(x)), size, dtype=dtype)
    for part_x, part_t in _blocks(x, t, rows):
        block = z[: len(part_x)]
        torch.sub(part_x, start[:d], out=block[:, :d])
        torch.sub(part_t, start[d:], out=block[:, d:-1])
        for left in range(0, size, STRIP):
            right = slice(left, left + STRIP)
            total[right, left:] += block[:, right].T @ block[:, left:]
    return Gram(total.triu() + total.triu(1).T, d)


def moments_by(
    x: Float64[Tensor, "rows features"],
    t: Float64[Tensor, "rows outputs"],
    pieces: Int64[Tensor, " rows"],
    count: int,
) -> Float64[Tensor, "pieces size size"]:
    """Return the moments of the rows of each piece 0 .. count - 1, counted from the origin 0."""
    z = torch.cat([x, t, x.new_ones(len(x), 1)], dim=1)[pieces.argsort()]
    parts = z.split(torch.bincount(pieces, minlength=count).tolist())
    return torch.stack([part.T @ part for part in parts])


def _blocks(x: Tensor, t: Tensor, rows: Tensor | None) -> Iterator[tuple[Tensor, Tensor]]:
    if rows is None:
        yield from zip(x.split(BLOCK), t.split(BLOCK), strict=True)
        return
    # One buffer for all blocks: new memory for each would cost as much as the copy.
    room = x.new_empty(min(BLOCK, len(rows)), x.shape[1])
    for chosen in rows.split(BLOCK):
        yield torch.index_select(x, 0, chosen, out=room[: len(chosen)]), t[chosen]


def ridge_weights(
    gram: Gram, penalties: Float64[Tensor, " penalties"]
) -> tuple[Float64[Tensor, "penalties features outputs"], Float64[Tensor, "penalties outputs"]]:
    """Solve (X'X + a I) w = X't for every penalty a, the intercept not penalised.

    With X centred and X'X = V diag(l) V', w(a) = V diag(1 / (l + a)) V' X't.

    Args:
        gram: of the training rows.
        penalties: positive, on the scale of the sum of squares of a feature.

    Returns:
        Weights and bias, for x and t counted from the origin of the Gram.

    Source: as `ridge_path`.
    """
    sums = gram.centred()
    values, vectors = torch.linalg.eigh(sums.xx)
    return _weights(sums, values, vectors, penalties)


def _weights(
    sums: Centred, values: Tensor, vectors: Tensor, penalties: Tensor
) -> tuple[Tensor, Tensor]:
    shrink = 1 / (values.clamp_min(0)[:, None] + penalties)
    turned = shrink[:, :, None] * (vectors.T @ sums.xt)[:, None]
    weights = _times(vectors, turned.movedim(1, 0))
    return weights, sums.t_mean - sums.x_mean @ weights


def _times(matrix: Tensor, models: Tensor) -> Tensor:
    """Return the matrix times that of each model, as one product: a batch would copy the matrix."""
    count, _, outputs = models.shape
    side_by_side = models.movedim(0, 1).flatten(1)
    return (matrix @ side_by_side).unflatten(1, (count, outputs)).movedim(1, 0)


def residual_sums(
    gram: Gram,
    weights: Float64[Tensor, "models features outputs"],
    bias: Float64[Tensor, "models outputs"],
) -> Float64[Tensor, "models outputs"]:
    """Return sum_i (t_i - w'x_i - b)^2 over the rows of a Gram, without looking at them again.

    t't - 2 w'X't + w'X'X w with the intercept: v'Z'Z v for v = (w, -1, b).

    Args:
        gram: of the rows to judge on.
        weights: of some models.
        bias: of the same ones, for the origin of the Gram.

    Returns:
        Sums of squares, >= 0. An error far below t't loses the digits that cancel: of 16 about
        log10(t't / error), with t counted from the origin.
    """
    models, _, outputs = weights.shape
    share = -torch.eye(outputs, dtype=torch.float64).expand(models, -1, -1)
    v = torch.cat([weights, share, bias[:, None]], dim=1)
    return (v * _times(gram.moments, v)).sum(1).clamp_min(0)


def ridge_cv(
    x: Float[Tensor, "rows features"],
    t: Float[Tensor, "rows outputs"],
    folds: Sequence[Int64[Tensor, " _"]],
    penalties: Float64[Tensor, " penalties"],
) -> Float64[Tensor, "folds penalties"]:
    """Return the mean squared error on each fold of ridge regression on all others, for a penalty.

    One Gram and one eigendecomposition a fold. Sums are made in float32 first, and again in float64
    where an estimate on the safe side says that more than 1e-4 of an error could be rounding.

    Args:
        x: features, in any units; they are not standardised.
        t: targets.
        folds: the rows of each fold; each row belongs to one.
        penalties: positive, on the scale of the sum of squares of a feature.

    Returns:
        Squared errors in units of the target, averaged over rows and outputs.

    Source: `ridge_weights`, `residual_sums`; scikit-learn's `GridSearchCV` of `Ridge` is the same.

    >>> x = torch.tensor([[0.0], [1.0], [2.0], [3.0]], dtype=torch.float64)
    >>> rows = [torch.tensor([0, 3]), torch.tensor([1, 2])]
    >>> ridge_cv(x, 2 * x, rows, torch.tensor([1e-9, 1e9], dtype=torch.float64)).round(decimals=6)
    tensor([[0., 9.],
            [0., 1.]], dtype=torch.float64)
    """
    start = torch.cat([x[:BLOCK].double().mean(0), t[:BLOCK].double().mean(0)])
    errors, doubt = _errors(x, t, folds, penalties, start, torch.float32)
    if doubt > DOUBT:
        errors, _ = _errors(x, t, folds, penalties, start, torch.float64)
    return errors


def _errors(
    x: Tensor,
    t: Tensor,
    folds: Sequence[Tensor],
    penalties: Tensor,
    start: Tensor,
    dtype: torch.dtype,
) -> tuple[Tensor, float]:
    # Pieces of folds, so that the work can be dealt out evenly.
    pieces = [piece for rows in folds for piece in rows.tensor_split(PIECES)]
    grams = _side_by_side(lambda rows: gram_of(x, t, rows=rows, origin=start, dtype=dtype), pieces)
    parts = [reduce(add, grams[i : i + PIECES]) for i in range(0, len(grams), PIECES)]
    total, eps = reduce(add, parts), torch.finfo(dtype).eps
    found = _side_by_side(lambda part: _judged(total - part, part, penalties, eps), parts)
    return torch.stack([errors for errors, _ in found]), max(doubt for _, doubt in found)


def _side_by_side(work: Callable[[S], T], tasks: Sequence[S]) -> list[T]:
    """Do the work in as many threads as torch has, each of them with one of torch's.

    Two threads that share a product wait for one another, the longer the busier the machine is.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(work, tasks))
    finally:
        torch.set_num_threads(threads)


def _judged(rest: Gram, part: Gram, penalties: Tensor, eps: float) -> tuple[Tensor, float]:
    """Return the errors on a part of models of the rest, and how much of them may be rounding."""
    sums = rest.centred()
    values, vectors = torch.linalg.eigh(sums.xx)
    weights, bias = _weights(sums, values, vectors, penalties)
    missed = residual_sums(part, weights, bias)
    doubt = _doubt(part, missed.sum(1), weights, values, penalties, eps)
    return missed.mean(1) / part.rows, doubt


def _doubt(
    part: Gram, missed: Tensor, weights: Tensor, values: Tensor, penalties: Tensor, eps: float
) -> float:
    """Return how much of an error may be rounding: digits that cancel, and wrong weights.

    Sums that are off by eps move w by eps l_max |w| / (l_min + a), and the error by the square of
    that in the metric of X'X.
    """
    spread = part.moments.diagonal()[part.features : -1].sum()
    squares = weights.square().sum((1, 2))
    moved = (eps * values[-1]) ** 2 * squares / (values[0].clamp_min(0) + penalties)
    tiny = torch.finfo(torch.float64).tiny
    return ((eps * spread + moved) / missed.clamp_min(tiny)).max().nan_to_num(torch.inf).item()

"""The second pass over a table larger than memory: Grams of all its parts."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.compare.climb import Event
from gradatim.core.randomness import seed_for
from gradatim.core.samples import Samples
from gradatim.core.signature import Category
from gradatim.data.files import must_fit
from gradatim.data.streams.membership import Membership, chances
from gradatim.data.streams.parquet import Stream
from gradatim.data.streams.survey import Survey
from gradatim.layers.basis import Basis
from gradatim.models._sums import Sums
from gradatim.ops.grams import Gram, moments_by

__all__ = ["Totals", "basis_of", "coded", "one_thread", "reading", "sum_up"]

Watch = Callable[[Event], None]

SAMPLE, SAMPLE_CELLS = 50_000, 1 << 22
"""The most rows, and the most cells, of the sample that temperatures and costs are measured on."""


@dataclass(frozen=True)
class Totals:
    """What the second pass added up.

    `moments` holds, for each repeat, the Gram of every piece: parts, then test blocks, which only
    an opening may look at. `sample` are some rows to learn from; `pieces` their part in a repeat.
    """

    stream: Stream
    survey: Survey
    basis: Basis
    membership: Membership
    moments: Sequence[Tensor]
    sample: Samples
    pieces: Sequence[Tensor]
    seconds: float

    def grams(self, repeat: int, pieces: Sequence[int]) -> list[Gram]:
        """Return the Grams of some parts."""
        moments = self.moments[repeat]
        features = moments.shape[1] - 1 - self.basis.signature.outputs
        return [Gram(moments[piece], features) for piece in pieces]

    def sums(self, repeat: int, parts: Sequence[int]) -> Sums:
        """Return what these parts teach."""
        order = torch.full((self.membership.pieces,), -1)
        order[list(parts)] = torch.arange(len(parts))
        pieces = order[self.pieces[repeat]]
        sample = self.sample.take(torch.nonzero(pieces >= 0)[:, 0])
        return Sums(self.basis, self.grams(repeat, parts), sample, pieces[pieces >= 0])


def basis_of(survey: Survey) -> Basis:
    """Return the origin and the units that a survey suggests."""
    numbers = [n for n in survey.numbers if n is not None]
    shift = torch.tensor([n.mean for n in numbers], dtype=torch.float64)
    unit = torch.tensor([n.unit for n in numbers], dtype=torch.float64)
    if isinstance(survey.signature.output, Category):
        return Basis(survey.signature, shift, unit, 0.0, 1.0)
    target = survey.target.numbers()
    return Basis(survey.signature, shift, unit, target.mean, target.unit)


def sum_up(
    stream: Stream, survey: Survey, membership: Membership, watch: Callable[[int], None]
) -> Totals:
    """Read the table once and add up the Grams of all parts, keeping a sample of the rows.

    Args:
        stream: the table.
        survey: of it.
        membership: of its rows.
        watch: called with the number of rows that were read.
    """
    begun, basis = time.perf_counter(), basis_of(survey)
    # A Gram of each piece, and as much again while a batch is added.
    made = membership.pieces * membership.repeats
    must_fit(2 * 8 * made * survey.width**2, stream.location)
    share = min(SAMPLE, SAMPLE_CELLS // survey.width) / max(1, stream.rows)
    moments: list[Tensor] = []
    kept = _Kept(share * stream.rows)
    for start, inputs, targets in coded(stream, survey):
        stop = start + len(inputs)
        x, t = basis.rows(inputs), basis.targets(targets)
        sealed = torch.from_numpy(membership.of(start, stop) >= membership.parts)
        drawn = torch.from_numpy(chances(start, stop, seed_for(membership.seed, "sample")) < share)
        chosen = torch.nonzero(drawn & ~sealed)[:, 0]
        pieces = [
            torch.from_numpy(membership.of(start, stop, r)) for r in range(membership.repeats)
        ]
        kept.add(inputs[chosen], targets[chosen], *(piece[chosen] for piece in pieces))
        for repeat, piece in enumerate(pieces):
            found = moments_by(x, t, piece, membership.pieces)
            if len(moments) <= repeat:
                moments.append(found)
            else:
                moments[repeat] += found
        watch(stop)
    inputs, targets, *joined = kept.parts()
    seconds = time.perf_counter() - begun
    sample = Samples(inputs, targets)
    return Totals(stream, survey, basis, membership, moments, sample, joined, seconds)


class _Kept:
    """Rows of a sample, in memory that is claimed once.

    Small pieces that stay, made between large ones that go, would keep the heap from giving any of
    it back: 4 MB a batch.

    Args:
        expected: how many rows there will be, on the average.
    """

    def __init__(self, expected: float) -> None:
        self.most, self.count = int(expected + 6 * expected**0.5 + 10), 0
        self.rooms: list[Tensor] = []

    def add(self, *parts: Tensor) -> None:
        """Keep some rows of each of these; beyond six standard deviations none are kept."""
        if not self.rooms:
            self.rooms = [part.new_empty(self.most, *part.shape[1:]) for part in parts]
        stop = min(self.most, self.count + len(parts[0]))
        for room, part in zip(self.rooms, parts, strict=True):
            room[self.count : stop] = part[: stop - self.count]
        self.count = stop

    def parts(self) -> list[Tensor]:
        """Return all that was kept."""
        return [room[: self.count].clone() for room in self.rooms]


@contextmanager
def one_thread() -> Iterator[None]:
    """Have torch compute with one thread: products of a batch are small, and Arrow reads beside."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def coded(stream: Stream, survey: Survey) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Yield the number of the first row, the inputs and the targets, batch by batch."""
    for start, cells in stream.batches(survey.columns, survey.width):
        origin = stream.origin(start, len(cells[survey.target.name]))
        yield start, *survey.coded(cells, origin)


def reading(name: str, rows: int, watch: Watch) -> Callable[[int], None]:
    """Return what tells of a pass: an event at each full hundredth of the rows."""
    told = -1

    def say(read: int) -> None:
        nonlocal told
        share = 100 * read // max(1, rows)
        if share > told:
            told = share
            watch(Event("read", name, str(share), folds=100))

    return say

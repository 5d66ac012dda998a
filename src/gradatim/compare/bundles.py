"""What is handed to one worker at a time: a fold alone, or folds that are trained as one model."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gradatim.compare.forecast import Forecast
from gradatim.compare.job import Job

__all__ = ["Bundle", "affordable", "bundled", "filling"]

QUICK = 1.0
"""Seconds that a rung may always take: a climb out of time still has its baselines."""
REFIT, REST = 1.25, 4.0
"""Times a fold's fit, and seconds, that are left for the fit of the chosen rung and the report."""
MOST = 32
"""Folds in a stack: beyond that, products grow no faster and memory grows all the same."""


WORTH = 0.1
"""Share of the longest bundle's time below which another does not help to fill the end."""


@dataclass(frozen=True)
class Bundle:
    """Jobs that one worker does together, and the seconds that they will take.

    `after` is what has to be left when they are done: another fit, on all training rows, and the
    rest of the climb.
    """

    jobs: tuple[Job, ...]
    seconds: float
    after: float

    @property
    def names(self) -> set[str]:
        """Whose folds they are."""
        return {job.work.name for job in self.jobs}

    @property
    def folders(self) -> list[Path]:
        """Where their results go."""
        return [job.folder for job in self.jobs]


def bundled(jobs: Sequence[Job], planned: Mapping[str, Forecast]) -> list[Bundle]:
    """Return the jobs in bundles, in their order.

    Folds of works that are to be stacked come together when they share rung and batch. Where
    there is nothing else to do, two workers share them. Neither depends on what is finished
    already, nor on the number of cores: so no result does.
    """
    stacks: dict[str, list[Job]] = {}
    for job in jobs:
        if planned[job.work.name].together:
            stacks.setdefault(_shape(job), []).append(job)
    alone = sum(not planned[job.work.name].together for job in jobs)
    parts = 1 if alone else 2
    bundles: list[Bundle] = []
    for job in jobs:
        if not planned[job.work.name].together:
            bundles.append(_bundle([job], planned))
        elif members := stacks.pop(_shape(job), None):
            size = min(MOST, max(2, -(-len(members) // parts)))
            # What is left over comes first: the first fold measures costs as well.
            ends = range(len(members), 0, -size)
            cuts = [members[max(0, end - size) : end] for end in reversed(ends)]
            bundles += [_bundle(cut, planned) for cut in cuts]
    return bundles


def filling(bundles: Sequence[Bundle], workers: int) -> list[Bundle]:
    """Return the bundles with some of them moved to the end, so that no worker waits long there.

    Cheapest first ends with the longest: while one worker does the last of them, the others would
    have nothing to do. As much shorter work as fills that time is kept for the end.

    Args:
        bundles: cheapest first.
        workers: how many work side by side.
    """
    if not bundles or workers < 2:
        return list(bundles)
    longest, kept, room = bundles[-1].seconds, list[int](), 0.0
    for i in reversed(range(len(bundles))):
        other = bundles[i]
        if bundles[-1].names & other.names:
            continue
        if other.seconds < WORTH * longest or room >= (workers - 1) * longest:
            break
        kept.append(i)
        room += other.seconds
    late = sorted((bundles[i] for i in kept), key=lambda bundle: -bundle.seconds)
    return [bundle for i, bundle in enumerate(bundles) if i not in kept] + late


def affordable(
    bundles: Sequence[Bundle], deadline: float, workers: int, skipped: dict[str, str]
) -> Iterator[Bundle]:
    """Hand out bundles while they fit the time, quick rungs always; asked anew before each.

    Args:
        bundles: cheapest first.
        deadline: on `time.monotonic()`.
        workers: how many work side by side.
        skipped: gets the reason of every work that is not done.
    """
    for i, bundle in enumerate(bundles):
        left = [other for other in bundles[i:] if other.names & bundle.names]
        needed = -(-len(left) // workers) * max(other.seconds for other in left)
        late = time.monotonic() + needed + bundle.after > deadline and needed > QUICK
        if late and not bundle.names & skipped.keys():
            minutes = max(0.1, needed / 60)
            skipped |= dict.fromkeys(bundle.names, f"needs about {minutes:.1f} minutes")
        if not bundle.names & skipped.keys():
            yield bundle


def _bundle(jobs: Sequence[Job], planned: Mapping[str, Forecast]) -> Bundle:
    plans = [planned[job.work.name] for job in jobs]
    after = REFIT * max(plan.alone for plan in plans) + REST
    return Bundle(tuple(jobs), sum(plan.seconds for plan in plans), after)


def _shape(job: Job) -> str:
    return f"{job.work.rung.file} {job.work.rung.model_dump_json()} {job.work.recipe.batch}"

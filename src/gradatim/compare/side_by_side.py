"""Some rows with every rung's answer, as pictures: for masks, boxes and pictures without noise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from jaxtyping import UInt8
from torch.nn.functional import interpolate

from gradatim.core.samples import Dataset, Samples
from gradatim.core.signature import Boxes, Picture
from gradatim.core.task import Task
from gradatim.data.splits import Partition
from gradatim.ops.denoising.quality import as_levels
from gradatim.runs.files import read_array, write_arrays, write_json

__all__ = ["INPUT", "TRUTH", "Kept", "graded", "keep_side_by_side", "smaller", "worth_seeing"]

MOST = 6  # rows that are kept
SIDE = 256  # pixels of a kept picture's longer side
INPUT, TRUTH = "input", "truth"
Views = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Kept:
    """What a run kept of its answers.

    Args:
        grades: rung -> how good its answer to each row of the data is; NaN where it was not asked.
        shown: rung -> the files with the answers to some rows, which are the same for every rung.
        numbers: what these files call each row of the data, ascending; None: its place.
    """

    grades: Views
    shown: Mapping[str, Sequence[Path]]
    numbers: np.ndarray | None = None

    @classmethod
    def of_folds(cls, folder: Path, split: Partition, rungs: Sequence[str], rows: int) -> Self:
        """Return what the fits of repeat 0 said of the rows that they had not seen."""
        folds = [fold for fold in split.folds if fold.repeat == 0]
        grades = {rung: np.full(rows, np.nan) for rung in rungs}
        for rung in rungs:
            for fold in folds:
                home = folder / "fits" / rung / fold.name
                grades[rung][fold.validation] = read_array(home / "quality.npy")
        fits = {rung: folder / "fits" / rung for rung in rungs}
        return cls(
            grades, {rung: [fits[rung] / f.name / "shown.npz" for f in folds] for rung in rungs}
        )

    @classmethod
    def of_test(cls, folder: Path, rung: str, samples: Samples) -> Self:
        """Return what a single rung said of the test rows, once they were opened."""
        grade = np.full(len(samples), np.nan)
        grade[read_array(folder / "test_rows.npy")] = read_array(folder / "test_quality.npy")
        numbers = None if samples.numbers is None else samples.numbers.numpy()
        return cls({rung: grade}, {rung: [folder / "test_shown.npz"]}, numbers)

    def candidates(self, rung: str) -> np.ndarray:
        """Return the rows whose answers were kept."""
        every = [self._rows(read_array(path)) for path in self.shown[rung]]
        return np.unique(np.concatenate(every))

    def answers(self, rung: str, rows: Sequence[int]) -> dict[int, np.ndarray]:
        """Return a rung's answers to some rows."""
        found: dict[int, np.ndarray] = {}
        for kept in map(read_array, self.shown[rung]):
            places = {int(row): place for place, row in enumerate(self._rows(kept))}
            found |= {row: kept["predictions"][places[row]] for row in rows if row in places}
        return found

    def _rows(self, kept: Views) -> np.ndarray:
        rows = kept["rows"]
        return rows if self.numbers is None else np.searchsorted(self.numbers, rows)


def keep_side_by_side(folder: Path, kept: Kept, chosen: str, data: Dataset, task: Task) -> None:
    """Write pictures of a few rows: the input, the truth, and what each rung made of it.

    They are rows on which the chosen rung gains most over the first rung and over the rung below
    it, and those that it answers worst, among the rows whose answers were kept. `gallery.npz` has
    `ROW/input`, `ROW/truth` and `ROW/RUNG`; `gallery.json` says how good each answer is, by which
    measure, and why each row was taken.

    A picture without its noise is cut to its middle, for a smaller one would have less noise;
    others are made smaller.

    Args:
        folder: of the run.
        kept: what the rungs said, in ladder order.
        chosen: the rung that the verdict names.
        data: all rows.
        task: which gives a quality and a picture of an answer.
    """
    taken = worth_seeing(kept, chosen)
    whole = isinstance(data.signature.output, Picture)
    samples = {row: _sample(data, row) for row in taken}
    views = {row: _views(sample, task) for row, sample in samples.items()}
    for rung in kept.grades:
        for row, answer in kept.answers(rung, list(taken)).items():
            seen = task.picture(samples[row], answer)
            views[row] |= {} if seen is None else {rung: seen}
    pictures = {
        f"{row}/{name}": middle(view) if whole else smaller(view)
        for row, named in views.items()
        for name, view in named.items()
    }
    told = [{"row": row, "why": why, "quality": graded(kept, row)} for row, why in taken.items()]
    write_arrays(folder / "gallery.npz", pictures)
    document = {"measure": task.quality_name, "cut": whole, "rows": told}
    write_json(folder / "gallery.json", {"side_by_side": document})


def smaller(picture: UInt8[np.ndarray, "c h w"], side: int = SIDE) -> UInt8[np.ndarray, "c k l"]:
    """Return a picture with sides of at most so many pixels, each the mean of an area."""
    height, width = picture.shape[1:]
    times = side / max(height, width)
    if times >= 1:
        return picture
    size = max(1, round(times * height)), max(1, round(times * width))
    levels = torch.from_numpy(np.ascontiguousarray(picture)[None]).double()
    shrunk: np.ndarray = interpolate(levels, size=size, mode="area")[0].round().numpy()
    return shrunk.astype(np.uint8)


def middle(picture: UInt8[np.ndarray, "c h w"], side: int = SIDE) -> UInt8[np.ndarray, "c k l"]:
    """Return the middle of a picture, with sides of at most so many pixels."""
    top, left = (max(0, (length - side) // 2) for length in picture.shape[1:])
    return picture[:, top : top + side, left : left + side]


def _sample(data: Dataset, row: int) -> Samples:
    """Return one row; boxes, which are shares, are drawn on a picture that is small already."""
    sample = data.samples.take([row])
    if not isinstance(data.signature.output, Boxes):
        return sample
    return replace(sample, inputs=torch.from_numpy(smaller(sample.inputs[0].numpy()))[None])


def _views(sample: Samples, task: Task) -> dict[str, np.ndarray]:
    """Return the input as it is and the truth."""
    inputs = sample.own(0).inputs[0].numpy()
    truth = task.picture(sample, None)
    seen = {INPUT: as_levels(inputs)}
    return seen if truth is None else seen | {TRUTH: truth}


def worth_seeing(kept: Kept, chosen: str, most: int = MOST) -> dict[int, str]:
    """Return rows and why each was taken, in the order of the reasons.

    They are rows on which the chosen rung gains most over the first rung and over the rung below
    it, and those that it answers worst, among the rows whose answers were kept.

    Args:
        kept: what the rungs said, in ladder order.
        chosen: the rung that the verdict names.
        most: rows in all.
    """
    own, rungs, candidates = kept.grades[chosen], list(kept.grades), kept.candidates(chosen)
    place = rungs.index(chosen)
    others = dict.fromkeys([rungs[0], rungs[place - 1]] if place else [])
    gains = {f"gains most over {rung}": own - kept.grades[rung] for rung in others}
    reasons = {why: np.where(gain > 0, gain, np.nan) for why, gain in gains.items()}
    reasons[f"among the worst of {chosen}"] = -own
    taken: dict[int, str] = {}
    for done, (why, value) in enumerate(reasons.items(), 1):
        order = candidates[np.argsort(-value[candidates], kind="stable")]  # NaN sorts last
        left = [int(row) for row in order if np.isfinite(value[row]) and int(row) not in taken]
        taken |= dict.fromkeys(left[: most * done // len(reasons) - len(taken)], why)
    return taken


def graded(kept: Kept, row: int) -> dict[str, float]:
    """Return how good each rung's answer is, where that is defined; JSON has no NaN."""
    values = {rung: float(grade[row]) for rung, grade in kept.grades.items()}
    return {rung: value for rung, value in values.items() if np.isfinite(value)}

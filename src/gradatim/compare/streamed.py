"""The rungs that need sums only, on every fold of a table that is larger than memory.

A second pass over the table adds up the Grams of all parts; folds, penalties and scores of
quantities come from these. Categories are judged in a third pass: accuracy is no function of sums.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gradatim.compare.climb import Event
from gradatim.compare.costs import measure
from gradatim.compare.totals import Totals, coded, reading
from gradatim.core.rung import Model, Rung
from gradatim.core.samples import Samples
from gradatim.core.signature import Category
from gradatim.core.task import Task
from gradatim.data.streams.membership import HashedFold
from gradatim.evaluate.judge import known
from gradatim.layers.basis import Basis
from gradatim.models._sums import solve_sums
from gradatim.ops.grams import Gram, residual_sums
from gradatim.ops.tallies import ClassTally, QuantityTally
from gradatim.runs.files import finish, is_whole, read_json, write_json

__all__ = ["fit_streamed", "sealed_tallies", "solve_all"]

Watch = Callable[[Event], None]
Tally = ClassTally | QuantityTally


def fit_streamed(
    totals: Totals, rungs: Sequence[Rung], task: Task, folder: Path, watch: Watch
) -> None:
    """Fit every rung on every fold and leave the results where a climb leaves them.

    Fits that are already finished in `folder` are reused.

    Args:
        totals: of the second pass.
        rungs: of `SUMMED`.
        task: that is judged by.
        folder: of the run, locked.
        watch: called with everything that happens.
    """
    folds = totals.membership.folds
    fitted: dict[tuple[str, str], tuple[Model, float]] = {}
    for rung in rungs:
        watch(Event("planned", rung.name, folds=len(folds)))
        for fold in folds:
            place = folder / "fits" / rung.name / fold.name
            if is_whole(place):
                result = read_json(place / "result.json")
                watch(Event("reused", rung.name, fold.name, len(folds), result=result))
            else:
                fitted[rung.name, fold.name] = _solved(rung, totals, fold)
    tallies = _judged(totals, {key: model for key, (model, _) in fitted.items()}, task, watch)
    for rung in rungs:
        for fold in (f for f in folds if (rung.name, f.name) in fitted):
            model, seconds = fitted[rung.name, fold.name]
            seconds += totals.seconds / len(folds) / len(rungs)
            result = _result(totals, rung, fold, model, seconds)
            result["scores"] = _scores(task, tallies[rung.name, fold.name])
            place = folder / "fits" / rung.name / fold.name
            write_json(place / "result.json", result)
            finish(place, ["result.json"])
            watch(Event("fitted", rung.name, fold.name, len(folds), seconds, result))


def solve_all(rung: Rung, totals: Totals) -> Model:
    """Return a rung fitted to all rows that may teach."""
    return solve_sums(rung, totals.sums(0, range(totals.membership.parts)))


def sealed_tallies(totals: Totals, model: Model, task: Task, watch: Watch) -> list[Tally]:
    """Judge a model on each block of the sealed rows: only an opening may ask for this."""
    blocks = range(totals.membership.parts, totals.membership.pieces)
    if not isinstance(totals.basis.signature.output, Category):
        grams = totals.grams(0, blocks)
        return [_quantities(totals.basis, model, gram) for gram in grams if gram.rows]
    found: dict[int, Tally] = {}
    for _, inputs, targets, piece in _pieces(totals, 0, "opening the test part", watch):
        for block in blocks:
            rows = torch.nonzero(piece == block)[:, 0]
            _count(found, block, model, task, inputs[rows], targets[rows])
    return [found[block] for block in blocks if block in found]


def _solved(rung: Rung, totals: Totals, fold: HashedFold) -> tuple[Model, float]:
    begun = time.perf_counter()
    parts = [p for p in range(totals.membership.parts) if p not in fold.parts]
    model = solve_sums(rung, totals.sums(fold.repeat, parts))
    return model, time.perf_counter() - begun


def _judged(
    totals: Totals, models: Mapping[tuple[str, str], Model], task: Task, watch: Watch
) -> dict[tuple[str, str], Tally]:
    """Judge each model on the rows that its fold is validated on."""
    folds = {fold.name: fold for fold in totals.membership.folds}
    if not isinstance(totals.basis.signature.output, Category):
        return {
            key: _quantities(totals.basis, model, _held(totals, folds[key[1]]))
            for key, model in models.items()
        }
    found: dict[tuple[str, str], Tally] = {}
    for repeat in sorted({folds[name].repeat for _, name in models}):
        mine = {key: m for key, m in models.items() if folds[key[1]].repeat == repeat}
        for _, inputs, targets, piece in _pieces(totals, repeat, "judging", watch):
            for key, model in mine.items():
                held = folds[key[1]].parts
                rows = torch.nonzero((piece >= held.start) & (piece < held.stop))[:, 0]
                _count(found, key, model, task, inputs[rows], targets[rows])
    return found


def _pieces(
    totals: Totals, repeat: int, name: str, watch: Watch
) -> Iterator[tuple[int, Tensor, Tensor, Tensor]]:
    say = reading(name, totals.stream.rows, watch)
    for start, inputs, targets in coded(totals.stream, totals.survey):
        stop = start + len(inputs)
        piece = torch.from_numpy(totals.membership.of(start, stop, repeat))
        yield start, inputs, targets, piece
        say(stop)


def _count(
    found: dict[Any, Tally], key: Any, model: Model, task: Task, x: Tensor, t: Tensor
) -> None:
    if not len(x):
        return
    tally = ClassTally.of(task.answers(model, Samples(x, t)), t.numpy())
    found[key] = found[key] + tally if key in found else tally  # type: ignore[operator]


def _held(totals: Totals, fold: HashedFold) -> Gram:
    grams = totals.grams(fold.repeat, fold.parts)
    return sum(grams[1:], grams[0])


def _quantities(basis: Basis, model: Model, gram: Gram) -> QuantityTally:
    weights, bias = basis.answer(model)
    missed = residual_sums(gram, weights[None], bias[None])[0, 0].item()
    unit, place = basis.target_unit, gram.features
    total, squares = gram.moments[-1, place].item(), gram.moments[place, place].item()
    return QuantityTally(gram.rows, missed * unit**2, total * unit, squares * unit**2)


def _scores(task: Task, tally: Tally) -> dict[str, float | None]:
    scores = tally.scores()
    return {name: known(scores[name]) for name in task.metrics}


def _result(
    totals: Totals, rung: Rung, fold: HashedFold, model: Model, seconds: float
) -> dict[str, Any]:
    taught = sum(g.rows for g in totals.grams(fold.repeat, range(totals.membership.parts)))
    rows = taught - _held(totals, fold).rows
    facts: dict[str, Any] = {"rung": rung.name, "repeat": fold.repeat, "fold": fold.fold}
    facts |= {"fit_seconds": seconds, "epochs": 0, "rows": int(rows)}
    facts["note"] = getattr(model.network, "note", "")
    if fold.repeat == fold.fold == 0:
        facts["costs"] = measure(model, totals.sample).as_dict()
    return facts

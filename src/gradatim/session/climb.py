"""`climb`: every rung on one data set, the verdict, the chosen model, the report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import Any, Unpack

from gradatim import __version__
from gradatim.compare.bundles import REST
from gradatim.compare.climb import Event, arrays, fit_all
from gradatim.compare.clusters.hire import hired
from gradatim.compare.final import refit
from gradatim.compare.gallery import keep_evidence, keep_gallery
from gradatim.compare.job import Work
from gradatim.compare.leaderboard import Ladder, collect
from gradatim.compare.local.staff import prepare
from gradatim.compare.pool import Crew
from gradatim.core.errors import ConfigError, GradatimError, NumericError, ResourceError
from gradatim.core.metric import Metric
from gradatim.core.rung import Model
from gradatim.core.samples import Dataset
from gradatim.core.signature import Category
from gradatim.data.doctor import inspection
from gradatim.data.splits import Partition, partition
from gradatim.data.streams.drawn import too_large
from gradatim.evaluate.opening import open_test
from gradatim.report import build
from gradatim.runs.card import model_card
from gradatim.runs.files import finish_all, write_bytes, write_json
from gradatim.runs.folder import command_of, open_run
from gradatim.runs.lock import locked
from gradatim.runs.model_folder import load_model
from gradatim.session.budgets import kept
from gradatim.session.data_options import Chosen, CompareOptions
from gradatim.session.features import equipped
from gradatim.session.objects import (
    choose_metric,
    choose_rungs,
    task_for,
    work_for,
)
from gradatim.session.streaming import climb_streamed

__all__ = ["Climb", "climb"]

Watch = Callable[[Event], None]


@dataclass(frozen=True)
class Climb:
    """A finished climb: the leaderboard, the chosen model, the folder with everything."""

    folder: Path
    leaderboard: dict[str, Any]

    @cached_property
    def model(self) -> Model:
        """The chosen model, refitted on all training rows."""
        return load_model(self.folder / "model")[0]

    @property
    def report(self) -> Path:
        """The HTML page."""
        return self.folder / "report.html"

    def __str__(self) -> str:
        verdict = self.leaderboard["verdict"]
        return f"{verdict['headline']}. {verdict['reason']} Report: {self.report}"


def climb(
    data: Any,
    target: str | None = None,
    *,
    rungs: Sequence[str] | None = None,
    without: Sequence[str] = (),
    seed: int = 0,
    out: Path | str | None = None,
    command: str | None = None,
    watch: Watch | None = None,
    stream: bool = False,
    **options: Unpack[CompareOptions],
) -> Climb:
    """Climb the ladder on one data set.

    Args:
        data: a path, `kind:path`, a bundled name, a DataFrame, or (inputs, targets).
        target: the column to predict.
        rungs: names to try; all by default.
        without: names to leave out.
        seed: of splits and fits.
        out: the run folder; by default one under runs/ named by the question.
        command: how the user asked, for the report.
        watch: called with everything that happens.
        stream: read a Parquet file in pieces although it fits into memory; one that does not fit
            is always read so, and only the rungs that need sums are tried.
        options: keywords of `CompareOptions`, such as metric, group, drop and folds.

    Raises:
        GradatimError: data, settings or resources do not allow it; the message says what to do.
    """
    begun, seed = monotonic(), int(seed)
    chosen = Chosen.of(climb, target, options)
    chosen.check(seed)
    if chosen.on == "here":
        prepare()  # workers begin with their imports while the data is read
    if stream or (chosen.rows is None and too_large(data, chosen.memory)):
        told, where = command or "gradatim.climb(...)", Path(out) if out is not None else None
        return Climb(
            *climb_streamed(
                data,
                chosen,
                rungs=rungs,
                without=without,
                seed=seed,
                out=where,
                command=told,
                watch=watch,
            )
        )
    folds, repeats, rope = chosen.folds, chosen.repeats, chosen.rope
    dataset, split = partition(chosen.open(data), folds, repeats, seed)
    job = task_for(dataset.signature)
    judge = choose_metric(job, chosen.metric, dataset)
    ladder = choose_rungs(rungs, without, dataset.signature)
    refusals = {r.name: r.refusal(dataset.signature) for r in ladder}
    excused = {n: ("refused", r.reason, r.remedy) for n, r in refusals.items() if r is not None}
    works = [
        work_for(r, job, dataset.signature, len(split.training), seed)
        for r in ladder
        if r.name not in excused
    ]
    if not works:
        each = [f"{name}: {reason}; {remedy}" for name, (_, reason, remedy) in excused.items()]
        raise ConfigError(f"no rung takes {dataset.name}: {'. '.join(each)}")
    question = _question(dataset, split, judge, works, seed) | chosen.question()
    question |= {
        "folds": folds,
        "repeats": repeats,
        "rope": rope,
        "names": [r.name for r in ladder],
    }
    place = Path(out) if out is not None else None
    told = command or "gradatim.climb(...)"
    with (
        hired(chosen.on) as crew,  # before there is a folder: a cluster may not answer
        locked(folder := open_run(place, dataset.name, question, told)),
        kept(chosen.budgets, folder),
    ):
        keep_evidence(folder, dataset, split)
        write_json(folder / "inspection.json", inspection(dataset))
        equipment = equipped(job, dataset, split, folder, seed)
        works = [replace(work, task=equipment) for work in works]
        deadline = chosen.deadline(begun)
        samples = dataset.samples
        late = fit_all(works, samples, split, folder, deadline, watch, crew)
        for name, reason in late.items():
            remedy = f"give more time: --minutes, or --rungs {name}"
            excused[name] = ("not tried", reason, remedy)
        standing = collect(folder, ladder, split, judge, excused, rope)
        board = _board(dataset, split, judge, standing, seed)
        board |= {"folds": len(split.folds) // repeats, "repeats": repeats}
        board["command"] = command_of(folder)
        _crown(folder, board, works, dataset, split, judge, deadline, crew)
        board["seconds"] = monotonic() - begun
        _finish(folder, board)
    return Climb(folder, board)


def _question(
    data: Dataset, split: Partition, metric: Metric, works: Sequence[Work], seed: int
) -> dict[str, Any]:
    rungs = {w.rung.name: w.rung.model_dump(mode="json") for w in works}
    return {
        "job": "climb",
        "data": data.source,
        "fingerprint": data.fingerprint,
        "metric": metric.name,
        "seed": seed,
        "split_hash": split.hash,
        "rungs": rungs,
        "recipes": {w.rung.name: w.recipe.model_dump(mode="json") for w in works},
        "gradatim": __version__,
    }


def _board(
    data: Dataset, split: Partition, metric: Metric, standing: Ladder, seed: int
) -> dict[str, Any]:
    if standing.verdict is None:
        raise _nothing(data, standing.rows)
    output = data.signature.output
    return {
        "data": data.source,
        "task": task_for(data.signature).name,
        "metric": metric.name,
        "direction": metric.direction,
        "rope": standing.rope,
        "split_hash": split.hash,
        "seed": seed,
        "rows": len(data),
        "train_rows": len(split.training),
        "test_rows": len(split.test),
        "classes": list(output.names) if isinstance(output, Category) else [],
        "notes": [f.message for f in data.findings if f.weight != "note"],
        "rungs": standing.rows,
        "verdict": standing.verdict.as_dict(),
    }


def _nothing(data: Dataset, rows: Sequence[dict[str, Any]]) -> GradatimError:
    """Return the error of a climb on which no rung was scored."""
    gone = [row for row in rows if row["status"] != "refused"]
    parts = [f"{row['name']} {row['status']}: {row['reason']}" for row in gone[:3]]
    text = f"no rung could be scored on {data.name}: {'; '.join(parts)}\n{gone[0]['remedy']}"
    late = any(row["status"] == "not tried" for row in gone)
    return ResourceError(text) if late else NumericError(text)


def _crown(
    folder: Path,
    board: dict[str, Any],
    works: Sequence[Work],
    data: Dataset,
    split: Partition,
    metric: Metric,
    deadline: float,
    crew: Crew,
) -> None:
    chosen = board["verdict"]["rung"]
    work = next(w for w in works if w.rung.name == chosen)
    rows, training = arrays(data.samples), split.training
    if refit(folder, work, rows, training, metric.name, deadline - REST, crew):
        board["notes"].append(f"the last fit of {chosen} was ended early by --minutes")
    model = load_model(folder / "model")[0]
    test = open_test(folder, model, chosen, work.task, metric, data, split.test, again=True)
    board["test"] = test
    scored = [row["name"] for row in board["rungs"] if row["status"] == "ok"]
    keep_gallery(folder, data, split, scored, chosen, work.task)
    write_bytes(folder / "model" / "README.md", model_card(board).encode())


def _finish(folder: Path, board: dict[str, Any]) -> None:
    board |= {"run": str(folder), "report": str(folder / "report.html")}
    write_json(folder / "leaderboard.json", board)
    write_bytes(folder / "report.html", build([folder]).encode())
    finish_all(folder)

"""`climb` of a table larger than memory: the rungs that need sums only, in a few passes."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch

from gradatim import __version__
from gradatim.compare.climb import Event
from gradatim.compare.leaderboard import Ladder, collect
from gradatim.compare.streamed import fit_streamed, sealed_tallies, solve_all
from gradatim.compare.totals import Totals, one_thread
from gradatim.core.errors import ConfigError, DataError, NumericError, ResourceError
from gradatim.core.rung import Rung
from gradatim.core.signature import Category
from gradatim.data.streams.inspection import inspection_of
from gradatim.evaluate.judge import Judgement, known
from gradatim.evaluate.opening import write_opening
from gradatim.models._sums import SUMMED
from gradatim.ops.intervals import wilson
from gradatim.ops.tallies import jackknife_interval
from gradatim.report import build
from gradatim.runs.card import model_card
from gradatim.runs.files import finish_all, read_json, write_bytes, write_json
from gradatim.runs.folder import command_of, open_run
from gradatim.runs.lock import locked
from gradatim.runs.model_folder import load_model, save_model
from gradatim.session.budgets import kept
from gradatim.session.data_options import Chosen
from gradatim.session.objects import choose_rungs
from gradatim.session.streamed_ground import StreamedGround, open_stream_of

__all__ = ["climb_streamed", "open_again"]

Watch = Callable[[Event], None]
NOTES = (
    "The table was read in pieces and only what needs sums was tried; --rows N tries all on N rows",
    "Missing numbers took the mean, and penalties were chosen on parts of the rows to learn from",
    "Copies of rows and leaks were not looked for, and parts are not balanced by class",
)


def climb_streamed(
    data: Any,
    chosen: Chosen,
    *,
    rungs: Sequence[str] | None,
    without: Sequence[str],
    seed: int,
    out: Path | None,
    command: str,
    watch: Watch | None,
) -> tuple[Path, dict[str, Any]]:
    """Climb with the rungs that need sums only; return the run folder and its leaderboard.

    The arguments are those of `climb`. The same question goes on where it was cut off: passes begin
    anew, finished fits are kept.

    Raises:
        GradatimError: data, settings or resources do not allow it.
    """
    begun = monotonic()
    say = _until(chosen.deadline(begun), watch or _quiet)
    ladder = choose_rungs(rungs, without)
    place = open_stream_of(data, chosen, seed, say)
    excused = _excused(ladder, place)
    fitted = [rung for rung in ladder if rung.name not in excused]
    if not fitted:
        able = ", ".join(SUMMED)
        raise ConfigError(f"a streamed climb tries {able}; name one of them, or use --rows N")
    question = _question(place, chosen, ladder, fitted, seed)
    folder = open_run(out, place.name, question, command)
    with locked(folder), kept(chosen.budgets, folder), one_thread():
        signature = place.survey.signature.model_dump(mode="json")
        write_json(folder / "signature.json", signature)
        summary = inspection_of(place.stream, place.survey, place.name)
        write_json(folder / "inspection.json", summary | {"fingerprint": question["fingerprint"]})
        totals = place.totals(say)
        _check_parts(totals)
        fit_streamed(totals, fitted, place.task, folder, say)
        standing = collect(folder, ladder, place.membership, place.metric, excused, chosen.rope)
        board = _board(place, totals, standing, seed) | {"command": command_of(folder)}
        _crown(folder, board, fitted, place, totals, watch or _quiet)
        board["seconds"] = monotonic() - begun
        board |= {"run": str(folder), "report": str(folder / "report.html")}
        write_json(folder / "leaderboard.json", board)
        write_bytes(folder / "report.html", build([folder]).encode())
        finish_all(folder)
    return folder, board


def _until(deadline: float, watch: Watch) -> Watch:
    """Return a watch that ends the climb when the time is over: half a pass tells nothing."""

    def say(event: Event) -> None:
        if monotonic() > deadline:
            trouble = "--minutes were over before the table was read; what is fitted is kept"
            raise ResourceError(f"{trouble}. Give more --minutes, or use --rows N")
        watch(event)

    return say


def _excused(ladder: Sequence[Rung], place: StreamedGround) -> dict[str, tuple[str, str, str]]:
    """Return why rungs are not fitted."""
    found = {}
    for rung in ladder:
        refusal = rung.refusal(place.survey.signature)
        if refusal is not None:
            found[rung.name] = ("refused", refusal.reason, refusal.remedy)
        elif rung.file not in SUMMED:
            remedy = "use --rows N, such as --rows 100000: it is then tried on so many"
            found[rung.name] = ("refused", "it needs all rows in memory", remedy)
    return found


def _question(
    place: StreamedGround, chosen: Chosen, ladder: Sequence[Rung], fitted: Sequence[Rung], seed: int
) -> dict[str, Any]:
    return chosen.question() | {
        "job": "climb",
        "stream": True,
        "data": place.source,
        "fingerprint": place.stream.fingerprint(),
        "metric": place.metric.name,
        "seed": seed,
        "split_hash": place.membership.hash,
        "rungs": {rung.name: rung.model_dump(mode="json") for rung in fitted},
        "recipes": {},
        "gradatim": __version__,
        "folds": chosen.folds,
        "repeats": chosen.repeats,
        "rope": chosen.rope,
        "names": [rung.name for rung in ladder],
    }


def _check_parts(totals: Totals) -> None:
    """Raise when a part is empty, or teaches nothing of some class."""
    parts = range(totals.membership.parts)
    output = totals.basis.signature.output
    for repeat in range(totals.membership.repeats):
        grams = totals.grams(repeat, parts)
        if min(gram.rows for gram in grams) == 0:
            raise DataError("a fold has no rows; use fewer --folds")
        if isinstance(output, Category):
            counts = torch.stack([g.moments[-1, g.features : -1] for g in grams]).sum(0)
            rare = [n for n, c in zip(output.names, counts.tolist(), strict=True) if c < 3]
            if rare:
                listed = ", ".join(map(repr, rare[:5]))
                raise DataError(f"too few rows of {listed} to learn from; merge or drop the class")


def _board(place: StreamedGround, totals: Totals, standing: Ladder, seed: int) -> dict[str, Any]:
    if standing.verdict is None:
        gone = [row for row in standing.rows if row["status"] != "refused"]
        parts = "; ".join(f"{row['name']} {row['status']}: {row['reason']}" for row in gone[:3])
        raise NumericError(f"no rung could be scored on {place.name}: {parts}")
    output, membership = place.survey.signature.output, place.membership
    train = sum(gram.rows for gram in totals.grams(0, range(membership.parts)))
    unknown = "auc" if isinstance(output, Category) else "mae"
    notes = [*NOTES, f"{unknown} cannot be told from sums and is left empty"]
    return {
        "data": place.source,
        "task": place.task.name,
        "metric": place.metric.name,
        "direction": place.metric.direction,
        "rope": standing.rope,
        "split_hash": membership.hash,
        "seed": seed,
        "rows": place.stream.rows,
        "train_rows": int(train),
        "test_rows": place.stream.rows - int(train),
        "classes": list(output.names) if isinstance(output, Category) else [],
        "notes": notes + [f.message for f in place.survey.findings if f.weight != "note"],
        "rungs": standing.rows,
        "verdict": standing.verdict.as_dict(),
        "folds": membership.count,
        "repeats": membership.repeats,
    }


def _crown(
    folder: Path,
    board: dict[str, Any],
    fitted: Sequence[Rung],
    place: StreamedGround,
    totals: Totals,
    watch: Watch,
) -> None:
    """Fit the chosen rung to all parts, save it, open the test part."""
    rung = next(r for r in fitted if r.name == board["verdict"]["rung"])
    model, signature = solve_all(rung, totals), place.survey.signature
    card = "The model card follows when the test split was opened.\n"
    names = place.task.name, place.metric.name
    save_model(folder / "model", model, rung, signature, *names, card)
    board["test"] = open_streamed_test(folder, place, totals, rung.name, watch, again=True)
    write_bytes(folder / "model" / "README.md", model_card(board).encode())


def open_streamed_test(
    folder: Path,
    place: StreamedGround,
    totals: Totals,
    rung: str,
    watch: Watch,
    *,
    again: bool = False,
) -> dict[str, Any]:
    """Judge the model of a run on the sealed rows, and write down that they were looked at."""
    model = load_model(folder / "model")[0]
    blocks = sealed_tallies(totals, model, place.task, watch)
    whole: Any = sum(blocks[1:], blocks[0])
    scores: Mapping[str, float] = whole.scores()
    name = place.metric.name
    low, high = jackknife_interval(blocks, lambda tally: tally.scores()[name])
    if name == "accuracy":
        low, high = wilson(round(scores[name] * whole.rows), round(whole.rows))
    low, high = place.metric.within(low, high) if isfinite(low) else (low, high)
    spoken = {key: known(value) for key, value in scores.items()}
    result = Judgement(scores[name], low, high, spoken, np.empty(0))
    return write_opening(folder, model, rung, place.metric, result, round(whole.rows), again=again)


def open_again(folder: Path, question: dict[str, Any], rung: str) -> dict[str, Any]:
    """Open the test part of a finished run once more, reading its table again."""
    options = {key: question["options"][key] for key in ("target", "task", "missing")}
    asked = {key: question[key] for key in ("drop", "metric", "folds", "repeats")}
    place = open_stream_of(question["data"], Chosen(**options, **asked), question["seed"], _quiet)
    if place.stream.fingerprint() != question["fingerprint"]:
        trouble = f"{question['data']} has changed since {folder} was made"
        raise DataError(f"{trouble} (its fingerprint differs); restore the file")
    entry = open_streamed_test(folder, place, place.totals(_quiet), rung, _quiet)
    return entry | {"rows": read_json(folder / "leaderboard.json")["test_rows"]}


def _quiet(event: Event) -> None:
    """Say nothing."""

"""Recipes of one rung, compared in a run folder: what a race, a search and an ablation share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from gradatim.compare.climb import Event, fit_all
from gradatim.compare.clusters.hire import hired
from gradatim.compare.job import Work
from gradatim.compare.leaderboard import Ladder, compared
from gradatim.compare.variant import Variant
from gradatim.runs.files import finish_all, write_bytes, write_json
from gradatim.runs.folder import command_of, open_run
from gradatim.runs.lock import locked
from gradatim.session.budgets import kept
from gradatim.session.ground import Ground

__all__ = ["Comparison", "Telling", "Watch", "carry_out"]

Watch = Callable[[Event], None]


@dataclass(frozen=True)
class Comparison:
    """A finished comparison: its folder and the board that the report is made of."""

    folder: Path
    board: dict[str, Any]

    @property
    def report(self) -> Path:
        """The HTML page."""
        return self.folder / "report.html"


@dataclass(frozen=True)
class Telling:
    """What a kind of comparison is called, and how it is told.

    Args:
        job: the verb.
        noun: in the names of the folder and of its JSON file.
        board: (folder, ladder, facts) -> the facts and all that was found, as plain values.
        page: board -> HTML.
        reference: the name of the variant that all others are compared with.
    """

    job: str
    noun: str
    board: Callable[[Path, Ladder, dict[str, Any]], dict[str, Any]]
    page: Callable[[dict[str, Any]], str]
    reference: str | None = None


def carry_out(
    place: Ground,
    works: Sequence[Work],
    variants: Sequence[Variant],
    telling: Telling,
    *,
    asked: Mapping[str, Any] | None = None,
    out: Path | str | None = None,
    command: str | None = None,
    watch: Watch | None = None,
) -> Comparison:
    """Fit, compare, and leave a folder with board and page; the same question goes on.

    Args:
        place: data, folds, and when the time began.
        works: one a variant.
        variants: in the order of the table.
        telling: names and words.
        asked: what else belongs to the question.
        out: the run folder.
        command: how the user asked, for the report.
        watch: called with everything that happens.
    """
    question = {**place.question, "job": telling.job, "rope": place.chosen.rope}
    question |= {"works": {work.name: _settings(work) for work in works}, **(asked or {})}
    name = f"{place.data.name}-{place.question['rung']}-{telling.noun}"
    where = Path(out) if out is not None else None
    told = command or f"gradatim.{telling.job}(...)"
    with (
        hired(place.chosen.on) as crew,  # before there is a folder: a cluster may not answer
        locked(folder := open_run(where, name, question, told)),
        kept(place.chosen.budgets, folder),
    ):
        deadline = place.chosen.deadline(place.begun)
        skipped = fit_all(works, place.data.samples, place.split, folder, deadline, watch, crew)
        excused = {n: ("not tried", why, "give more time: --minutes") for n, why in skipped.items()}
        ladder = compared(
            folder,
            variants,
            place.split,
            place.metric,
            excused,
            place.chosen.rope,
            telling.reference,
        )
        facts = place.facts() | {"rope": ladder.rope, "command": command_of(folder)}
        facts |= {"run": str(folder), "report": str(folder / "report.html")}
        board = telling.board(folder, ladder, facts | {"seconds": monotonic() - place.begun})
        write_json(folder / f"{telling.noun}.json", board)
        write_bytes(folder / "report.html", telling.page(board).encode())
        finish_all(folder)
    return Comparison(folder, board)


def _settings(work: Work) -> dict[str, Any]:
    rung, recipe = work.rung.model_dump(mode="json"), work.recipe.model_dump(mode="json")
    return {"rung": rung, "recipe": recipe}

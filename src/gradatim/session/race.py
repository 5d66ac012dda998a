"""`race`: optimizers on one rung, the same folds and seeds; loss against what it cost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

from gradatim.compare.job import Work
from gradatim.compare.leaderboard import Ladder
from gradatim.compare.tracks import Track, common_level, read_track
from gradatim.data.splits import Partition
from gradatim.report.race import lead_of, race_page
from gradatim.session.comparison import Comparison, Telling, Watch, carry_out
from gradatim.session.data_options import Chosen, CompareOptions
from gradatim.session.entrants import Entrant, entrants, works_of
from gradatim.session.ground import ground
from gradatim.session.objects import settings_from

__all__ = ["USUAL", "board_of", "race"]

USUAL = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "lbfgs", "newton")
EPOCHS = 20


def race(
    data: Any,
    target: str | None = None,
    *,
    rung: str,
    optimizers: Sequence[str] = USUAL,
    epochs: int = EPOCHS,
    settings: Sequence[str] = (),
    recipe: Path | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    command: str | None = None,
    watch: Watch | None = None,
    **options: Unpack[CompareOptions],
) -> Comparison:
    """Fit one rung with several optimizers on the same folds; the sealed test part stays closed.

    Each has its own default learning rate, no weight decay and no clipping, and runs all epochs.
    A race that was cut off goes on when the same is asked again.

    Args:
        data: as for `climb`.
        target: the column to predict.
        rung: the name of a trained rung.
        optimizers: names, with settings where wanted: "sgd", "sgd:batch=1", "sgd:batch=all",
            "momentum:lr=0.1:momentum=0.95".
        epochs: of every fit; `--set epochs=` and the recipe win.
        settings: changes for all, such as "model.width=64".
        recipe: a TOML file of settings for all.
        seed: of splits and fits.
        out: the run folder.
        command: how the user asked, for the report.
        watch: called with everything that happens.
        options: keywords of `CompareOptions`, such as metric, group, drop and folds.

    Raises:
        GradatimError: data, settings or resources do not allow it; the message says what to do.
    """
    chosen = Chosen.of(race, target, options)
    members = entrants(optimizers)
    place = ground(data, chosen, rung, int(seed))
    works = works_of(place, members, {"epochs": epochs} | settings_from(recipe, settings))
    variants = [member.variant(i) for i, member in enumerate(members)]

    def board(folder: Path, ladder: Ladder, facts: dict[str, Any]) -> dict[str, Any]:
        found = facts | board_of(folder, place.split, ladder, members, works)
        return found | {"lead": lead_of(found)}

    telling = Telling("race", "race", board, race_page)
    return carry_out(place, works, variants, telling, out=out, command=command, watch=watch)


def board_of(
    folder: Path,
    split: Partition,
    ladder: Ladder,
    members: Sequence[Entrant],
    works: Sequence[Work],
) -> dict[str, Any]:
    """Return a row an entrant, with its track and what the common level cost it."""
    tracks = {
        row["name"]: read_track([folder / "fits" / row["name"] / f.name for f in split.folds])
        for row in ladder.rows
        if row["status"] == "ok"
    }
    level = common_level(list(tracks.values()))
    rows = [
        _row(row, member, work, tracks.get(member.name), level)
        for row, member, work in zip(ladder.rows, members, works, strict=True)
    ]
    watched = bool(works[0].recipe.validation)
    epochs = works[0].recipe.epochs
    schedule = works[0].recipe.schedule.name
    return {
        "epochs": epochs,
        "schedule": schedule,
        "watched": "validation loss" if watched else "training loss",
        "level": level,
        "entrants": rows,
    }


def _row(
    row: dict[str, Any], member: Entrant, work: Work, track: Track | None, level: float | None
) -> dict[str, Any]:
    """Return one entrant; a fold that stopped at NaN or infinity makes it diverged."""
    reason = row["reason"] or ""
    status = "diverged" if row["status"] == "failed" and "NumericError" in reason else row["status"]
    keys = ("score", "low", "high", "fold_scores", "scores", "fit_seconds", "best")
    made = {"name": member.name, "optimizer": member.optimizer, "status": status}
    made |= {"reason": reason.partition(";")[0], "remedy": row["remedy"]}
    made |= {"lr": work.recipe.optimizer.lr, "batch": work.recipe.batch} | {
        key: row[key] for key in keys
    }
    if track is None or level is None:
        return made | {"track": None, "reached": None}
    return made | {"track": track.as_dict(), "reached": track.reached(level)}

"""`rates`: which learning rate? A range test, then a sweep on the same folds."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Unpack

from gradatim.compare.leaderboard import Ladder
from gradatim.compare.verdict import SURE
from gradatim.core.errors import ConfigError
from gradatim.core.rung import Trained
from gradatim.report.rates import rates_lead, rates_page
from gradatim.session.comparison import Comparison, Telling, Watch, carry_out
from gradatim.session.data_options import Chosen, CompareOptions
from gradatim.session.entrants import entrants, works_of
from gradatim.session.ground import Ground, ground
from gradatim.session.objects import settings_from
from gradatim.session.race import board_of
from gradatim.train.range_test import RangeTest, range_test

__all__ = ["rates"]

SHARES = (0.01, 0.1, 1 / 3, 1.0, 3.0, 10.0, 100.0)
"""Of the suggested rate: what is swept when no rates are named."""
EPOCHS = 20


def rates(
    data: Any,
    target: str | None = None,
    *,
    rung: str,
    optimizer: str = "adamw",
    sweep: Sequence[float] = (),
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 150,
    epochs: int = EPOCHS,
    settings: Sequence[str] = (),
    recipe: Path | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    command: str | None = None,
    watch: Watch | None = None,
    **options: Unpack[CompareOptions],
) -> Comparison:
    """Find a learning rate, `board["chosen"]`; the sealed test part stays closed.

    The range test is one short run on the first fold's training rows; the sweep fits every rate
    on all folds, without weight decay and clipping, over all epochs.

    Args:
        data: as for `climb`.
        target: the column to predict.
        rung: the name of a trained rung.
        optimizer: a name, with settings where wanted, as for `race`.
        sweep: rates to fit; by default 1/100 to 100 times the suggested one.
        low: first rate of the range test.
        high: its last rate.
        steps: of the range test, 10 or more.
        epochs: of every fit of the sweep; `--set epochs=` and the recipe win.
        settings: changes of the recipe, such as "model.width=64".
        recipe: a TOML file of settings.
        seed: of splits and fits.
        out: the run folder.
        command: how the user asked, for the report.
        watch: called with everything that happens.
        options: keywords of `CompareOptions`, such as metric, group, drop and folds.

    Raises:
        GradatimError: data, settings or resources do not allow it; the message says what to do.
    """
    chosen = Chosen.of(rates, target, options)
    _check(low, high, steps, sweep)
    entrants([optimizer])  # says what is wrong before any work
    place = ground(data, chosen, rung, int(seed))
    changes = {"epochs": epochs} | settings_from(recipe, settings)
    test = _test(place, optimizer, changes, low, high, steps)
    tried = sorted(set(sweep)) or [float(f"{test.suggested * share:.2g}") for share in SHARES]
    members = entrants([f"{optimizer}:lr={rate:g}" for rate in tried if rate <= 1000])
    works = works_of(place, members, changes)
    variants = [m.variant(i) for i, m in enumerate(members)]

    def board(folder: Path, ladder: Ladder, facts: dict[str, Any]) -> dict[str, Any]:
        found = facts | board_of(folder, place.split, ladder, members, works)
        found |= {"optimizer": optimizer, "test": test.as_dict()} | _verdict(found, test.losses[0])
        return found | {"lead": rates_lead(found)}

    asked = {"low": low, "high": high, "steps": steps}
    telling = Telling("rates", "rates", board, rates_page)
    return carry_out(
        place, works, variants, telling, asked=asked, out=out, command=command, watch=watch
    )


def _check(low: float, high: float, steps: int, sweep: Sequence[float]) -> None:
    if not (0 < low < high <= 1000):
        raise ConfigError(f"--low {low:g} and --high {high:g}: give 0 < low < high <= 1000")
    if not 10 <= steps <= 100_000:
        raise ConfigError(f"--steps {steps}: give 10 to 100,000")
    wrong = [rate for rate in sweep if not (isfinite(rate) and 0 < rate <= 1000)]
    if wrong:
        raise ConfigError(f"--sweep {wrong[0]:g}: a learning rate is above 0 and at most 1000")


def _test(
    place: Ground, optimizer: str, changes: dict[str, Any], low: float, high: float, steps: int
) -> RangeTest:
    work = works_of(place, entrants([optimizer]), changes)[0]
    rows = place.data.samples.take(place.split.folds[0].training)
    assert isinstance(work.rung, Trained), "ground takes no other"
    return range_test(
        work.rung,
        work.task,
        rows,
        work.signature,
        work.recipe,
        low=low,
        high=high,
        steps=steps,
    )


def _verdict(board: dict[str, Any], start: float) -> dict[str, Any]:
    """Return the chosen rate, and for each rate whether it is low, good, high or very high.

    Good is what is practically worse than the best with a probability below 0.95;
    very high diverged, or ended with a training loss within a tenth of that of the first weights.
    """
    rows = board["entrants"]
    scored = [row for row in rows if row["status"] == "ok"]
    best = next((row for row in scored if row["best"] is None), None)
    names = {}
    for row in rows:
        if row["status"] == "diverged":
            names[row["name"]] = "very high"
        elif row["status"] != "ok" or best is None:
            names[row["name"]] = row["status"]
        elif _as_good(row):
            names[row["name"]] = "good"
        elif row["lr"] < best["lr"]:
            names[row["name"]] = "low"
        else:
            learnt = row["track"]["loss"][-1] < 0.9 * start
            names[row["name"]] = "high" if learnt else "very high"
    return {"chosen": best["lr"] if best else None, "verdicts": names}


def _as_good(row: dict[str, Any]) -> bool:
    pair = row["best"]
    return pair is None or (pair["worse"] or 0.0) < SURE

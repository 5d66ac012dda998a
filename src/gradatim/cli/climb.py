"""`gradatim climb`."""

from pathlib import Path
from typing import Literal

from gradatim.cli.options import Flag, Json, Whole, Words, comma, command_line, print_json

__all__ = ["climb"]


def climb(
    data: str,
    /,
    *,
    target: str | None = None,
    task: Literal["classify", "regress"] | None = None,
    metric: str | None = None,
    group: str | None = None,
    time: str | None = None,
    folds: Whole = 5,
    repeats: Whole = 1,
    minutes: float | None = None,
    rungs: str | None = None,
    without: str | None = None,
    drop: Words = (),
    rows: Whole | None = None,
    allow_leak: Flag = False,
    encoding: str | None = None,
    missing: Literal["impute", "error"] = "impute",
    rope: float | None = None,
    seed: Whole = 0,
    out: Path | None = None,
    json: Json = False,
) -> None:
    """Climb the ladder on your data: every rung on the same folds, a verdict, a report.

    Parameters
    ----------
    data
        A CSV, TSV, Parquet or .npz file, a folder of pictures (a folder a class), kind:PATH such
        as mnist:DIR, or a bundled set: digits, iris, wine, breast_cancer, diabetes.
    target
        Column to predict.
    task
        Overrides what the target asks for.
    metric
        accuracy, balanced_accuracy, f1, auc, log_loss, brier, or rmse, mae, r2.
    group
        Column whose equal rows stay on one side of every split.
    time
        Column that orders the rows; the future never teaches the past.
    folds
        Parts of the cross-validation.
    repeats
        How often the folds are drawn anew.
    minutes
        Time for the fits; rungs that would not fit are listed with what they need.
    rungs
        Only these, with commas between.
    without
        All but these, with commas between.
    drop
        Column to leave out; may be repeated.
    rows
        Draw this many of the rows to learn from; all by default.
    allow_leak
        Go on although one feature gives the target away.
    encoding
        Of a text file that is not UTF-8, such as cp1252.
    missing
        Fill missing cells from the training fold, or refuse them.
    rope
        A difference of the metric that means nothing in practice; by default 0.01, or 1 % of the
        simplest rung's score for metrics with units.
    seed
        Of splits and fits.
    out
        The run folder; by default runs/NAME-HASH.
    json
        Print one JSON object instead of the table.
    """
    from gradatim.cli.progress import Progress
    from gradatim.cli.table import print_board
    from gradatim.session.climb import climb as ascend

    with Progress() as progress:
        result = ascend(
            data,
            target,
            task=task,
            metric=metric,
            group=group,
            time=time,
            folds=folds,
            repeats=repeats,
            minutes=minutes,
            rungs=comma(rungs),
            without=comma(without) or (),
            drop=drop,
            rows=rows,
            allow_leak=allow_leak,
            encoding=encoding,
            missing=missing,
            rope=rope,
            seed=seed,
            out=out,
            command=command_line(),
            watch=progress,
        )
    if json:
        print_json(result.leaderboard)
    else:
        print_board(result.leaderboard)

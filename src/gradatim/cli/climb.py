"""`gradatim climb`."""

from pathlib import Path

from gradatim.cli.data_flags import COMPARE, CompareFlags
from gradatim.cli.options import Flag, Json, Whole, comma, command_line, print_json
from gradatim.compare.local.staff import prepare

__all__ = ["climb"]


def climb(
    data: str,
    /,
    *,
    flags: CompareFlags = COMPARE,
    rungs: str | None = None,
    without: str | None = None,
    seed: Whole = 0,
    out: Path | None = None,
    stream: Flag = False,
    json: Json = False,
) -> None:
    """Climb the ladder on your data: every rung on the same folds, a verdict, a report.

    Parameters
    ----------
    data
        A CSV, TSV, Parquet or .npz file, a folder of pictures (a folder a class), kind:PATH such
        as mnist:DIR, or a bundled set: digits, iris, wine, breast_cancer, diabetes.
    rungs
        Only these, with commas between.
    without
        All but these, with commas between.
    flags.minutes
        Time for the fits; rungs that would not fit are listed with what they need.
    flags.rope
        A difference of the metric that means nothing in practice; by default 0.01, or 1 % of the
        simplest rung's score for metrics with units (of the best, where higher is better).
    seed
        Of splits and fits.
    out
        The run folder; by default runs/NAME-HASH.
    stream
        Read a Parquet file in pieces and try only what needs sums, although it fits into memory.
    json
        Print one JSON object instead of the table.
    """
    if flags.on == "here":
        prepare()  # before this process imports anything that takes long
    from gradatim.cli.progress import Progress
    from gradatim.cli.table import print_board
    from gradatim.session.climb import climb as ascend

    with Progress() as progress:
        result = ascend(
            data,
            rungs=comma(rungs),
            without=comma(without) or (),
            seed=seed,
            out=out,
            stream=stream,
            command=command_line(),
            watch=progress,
            **vars(flags),
        )
    if json:
        print_json(result.leaderboard)
    else:
        print_board(result.leaderboard)

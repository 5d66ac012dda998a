"""`gradatim race`."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from gradatim.cli.options import Flag, Json, Whole, Words, comma, command_line, print_json

__all__ = ["race"]


def race(
    data: str,
    /,
    *,
    rung: str,
    optimizers: str | None = None,
    epochs: Whole = 20,
    folds: Whole = 5,
    repeats: Whole = 1,
    minutes: float | None = None,
    target: str | None = None,
    task: Literal["classify", "regress"] | None = None,
    metric: str | None = None,
    group: str | None = None,
    time: str | None = None,
    settings: Annotated[Words, Parameter(name="--set")] = (),
    recipe: Path | None = None,
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
    """Let optimizers race: one rung, the same folds and seeds, loss against cost.

    Parameters
    ----------
    data
        As for climb.
    rung
        The name of a trained rung, such as mlp.
    optimizers
        Names with commas between, with settings where wanted: sgd,sgd:batch=1,sgd:batch=all,
        momentum:lr=0.1:momentum=0.95. Without a rate each has its own default.
    epochs
        Of every fit.
    folds
        Parts of the cross-validation.
    repeats
        How often the folds are drawn anew.
    minutes
        Time for the fits; optimizers that would not fit in are listed.
    target
        Column to predict.
    task
        Overrides what the target asks for.
    metric
        That decides.
    group
        Column whose equal rows stay on one side of every split.
    time
        Column that orders the rows.
    settings
        A change for all, such as schedule.name=constant or model.width=64; may be repeated.
    recipe
        A TOML file of such settings.
    drop
        Column to leave out; may be repeated.
    rows
        Draw this many of the rows to learn from; all by default.
    allow_leak
        Go on although one feature gives the target away.
    encoding
        Of a text file that is not UTF-8.
    missing
        Fill missing cells, or refuse them.
    rope
        A difference of the metric that means nothing in practice.
    seed
        Of splits and fits.
    out
        The run folder; by default runs/NAME-RUNG-race-HASH.
    json
        Print one JSON object instead of the table.
    """
    from gradatim.cli.contest import print_contest
    from gradatim.cli.progress import Progress
    from gradatim.session.race import USUAL
    from gradatim.session.race import race as run

    with Progress() as progress:
        result = run(
            data,
            target,
            rung=rung,
            optimizers=comma(optimizers) or USUAL,
            epochs=epochs,
            folds=folds,
            repeats=repeats,
            minutes=minutes,
            task=task,
            metric=metric,
            group=group,
            time=time,
            settings=settings,
            recipe=recipe,
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
        print_json(result.board)
    else:
        print_contest(result.board)

"""`gradatim ablate`."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from gradatim.cli.options import Flag, Json, Whole, Words, comma, command_line, inert, print_json

__all__ = ["ablate"]


def ablate(
    data: str,
    /,
    *,
    rung: str,
    only: str | None = None,
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
    """Say what each regulariser of a rung bought, with paired intervals.

    Parameters
    ----------
    data
        As for climb.
    rung
        The name of a trained rung, such as mlp.
    only
        Regularisers with commas between, such as weight_decay,dropout; all by default.
    folds
        Parts of the cross-validation.
    repeats
        How often the folds are drawn anew.
    minutes
        Time for the fits; variants that would not fit in are listed.
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
        A change to the recipe that is looked at, such as epochs=10; may be repeated.
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
        The run folder; by default runs/NAME-RUNG-ablation-HASH.
    json
        Print one JSON object instead of the table.
    """
    from gradatim.cli.progress import Progress
    from gradatim.session.ablate import ablate as run

    with Progress() as progress:
        result = run(
            data,
            target,
            rung=rung,
            only=comma(only) or (),
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
        _print(result.board)


def _print(board: Mapping[str, Any]) -> None:
    lines = [effect["sentence"] for effect in board["effects"]]
    base = board["base"]
    start = f"{board['rung']} as it is: {board['metric']} {base['score']:.4g}"
    sys.stdout.write(inert("\n".join([start, *lines, f"Report: {board['report']}", ""])))

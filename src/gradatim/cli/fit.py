"""`gradatim fit`."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from gradatim.cli.options import Flag, Json, Whole, Words, command_line, print_json

__all__ = ["fit"]


def fit(
    data: str,
    /,
    *,
    rung: str,
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
    seed: Whole = 0,
    out: Path | None = None,
    json: Json = False,
) -> None:
    """Fit one rung, with the recipe you choose. The sealed test split stays closed.

    Parameters
    ----------
    data
        As for climb.
    rung
        Its name; see gradatim list rungs.
    target
        Column to predict.
    task
        Overrides what the target asks for.
    metric
        That evaluate will use.
    group
        Column whose equal rows stay on one side of every split.
    time
        Column that orders the rows.
    settings
        A change such as optimizer.lr=0.1 or model.width=64; may be repeated.
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
    seed
        Of the split and the fit.
    out
        The run folder.
    json
        Print one JSON object.
    """
    from gradatim.cli.progress import Progress
    from gradatim.session.fit import fit as train

    with Progress() as progress:
        result = train(
            data,
            target,
            rung=rung,
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
            seed=seed,
            out=out,
            command=command_line(),
            watch=progress,
        )
    if json:
        print_json(result.summary)
        return
    facts = result.summary
    sys.stdout.write(
        f"{facts['rung']}: {facts['parameters']:,} parameters, fitted on {facts['train_rows']} "
        f"rows in {facts['seconds']:.1f} s\nRun: {result.folder}\n"
        f"Next: gradatim evaluate {result.folder}\n"
    )

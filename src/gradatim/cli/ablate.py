"""`gradatim ablate`."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from gradatim.cli.data_flags import COMPARE, CompareFlags
from gradatim.cli.options import Json, Whole, Words, comma, command_line, inert, print_json

__all__ = ["ablate"]


def ablate(
    data: str,
    /,
    *,
    rung: str,
    only: str | None = None,
    flags: CompareFlags = COMPARE,
    settings: Annotated[Words, Parameter(name="--set")] = (),
    recipe: Path | None = None,
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
    flags.minutes
        Time for the fits; variants that would not fit in are listed.
    settings
        A change to the recipe that is looked at, such as epochs=10; may be repeated.
    recipe
        A TOML file of such settings.
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
            rung=rung,
            only=comma(only) or (),
            settings=settings,
            recipe=recipe,
            seed=seed,
            out=out,
            command=command_line(),
            watch=progress,
            **vars(flags),
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

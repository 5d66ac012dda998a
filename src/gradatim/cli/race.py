"""`gradatim race`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gradatim.cli.data_flags import COMPARE, CompareFlags
from gradatim.cli.options import Json, Whole, Words, comma, command_line, print_json

__all__ = ["race"]


def race(
    data: str,
    /,
    *,
    rung: str,
    optimizers: str | None = None,
    epochs: Whole = 20,
    flags: CompareFlags = COMPARE,
    settings: Annotated[Words, Parameter(name="--set")] = (),
    recipe: Path | None = None,
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
    flags.minutes
        Time for the fits; optimizers that would not fit in are listed.
    settings
        A change for all, such as schedule.name=constant or model.width=64; may be repeated.
    recipe
        A TOML file of such settings.
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
            rung=rung,
            optimizers=comma(optimizers) or USUAL,
            epochs=epochs,
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
        print_contest(result.board)

"""`gradatim rates`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gradatim.cli.data_flags import COMPARE, CompareFlags
from gradatim.cli.options import Json, Whole, Words, comma, command_line, print_json
from gradatim.core.errors import ConfigError

__all__ = ["rates"]


def rates(
    data: str,
    /,
    *,
    rung: str,
    optimizer: str = "adamw",
    sweep: str | None = None,
    low: float = 1e-6,
    high: float = 10.0,
    steps: Whole = 150,
    epochs: Whole = 20,
    flags: CompareFlags = COMPARE,
    settings: Annotated[Words, Parameter(name="--set")] = (),
    recipe: Path | None = None,
    seed: Whole = 0,
    out: Path | None = None,
    json: Json = False,
) -> None:
    """Find a learning rate: a range test, then a sweep on the same folds.

    Parameters
    ----------
    data
        As for climb.
    rung
        The name of a trained rung, such as mlp.
    optimizer
        Its name, with settings where wanted, such as sgd or momentum:momentum=0.95.
    sweep
        Rates to fit, with commas between; by default 1/100 to 100 times the suggested one.
    low
        First rate of the range test.
    high
        Its last rate.
    steps
        Of the range test.
    epochs
        Of every fit of the sweep.
    flags.minutes
        Time for the fits; rates that would not fit in are listed.
    settings
        A change of the recipe, such as schedule.name=constant or model.width=64; may be repeated.
    recipe
        A TOML file of such settings.
    seed
        Of splits and fits.
    out
        The run folder; by default runs/NAME-RUNG-rates-HASH.
    json
        Print one JSON object instead of the table.
    """
    from gradatim.cli.contest import print_contest
    from gradatim.cli.progress import Progress
    from gradatim.session.rates import rates as run

    with Progress() as progress:
        result = run(
            data,
            rung=rung,
            optimizer=optimizer,
            sweep=_numbers(sweep),
            low=low,
            high=high,
            steps=steps,
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


def _numbers(text: str | None) -> list[float]:
    try:
        return [float(part) for part in comma(text) or []]
    except ValueError:
        raise ConfigError(f"--sweep {text}: write numbers with commas between") from None

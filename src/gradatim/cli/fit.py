"""`gradatim fit`."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gradatim.cli.data_flags import DATA, DataFlags
from gradatim.cli.options import Flag, Json, Whole, Words, command_line, print_json

__all__ = ["fit"]


def fit(
    data: str,
    /,
    *,
    rung: str,
    flags: DataFlags = DATA,
    settings: Annotated[Words, Parameter(name="--set")] = (),
    recipe: Path | None = None,
    seed: Whole = 0,
    out: Path | None = None,
    shard: Flag = False,
    json: Json = False,
) -> None:
    """Fit one rung, with the recipe you choose. The sealed test split stays closed.

    Parameters
    ----------
    data
        As for climb.
    rung
        Its name; see gradatim list rungs.
    flags.metric
        That evaluate will use: accuracy, balanced_accuracy, f1, auc, log_loss, brier, or rmse,
        mae, r2.
    settings
        A change such as optimizer.lr=0.1 or model.width=64; may be repeated.
    recipe
        A TOML file of such settings.
    seed
        Of the split and the fit.
    out
        The run folder.
    shard
        Hold a part of the network on each of the processes that torchrun started.
    json
        Print one JSON object.
    """
    from gradatim.cli.progress import Progress
    from gradatim.session.fit import fit as train

    with Progress() as progress:
        result = train(
            data,
            rung=rung,
            settings=settings,
            recipe=recipe,
            seed=seed,
            out=out,
            command=command_line(),
            watch=progress,
            shard=shard,
            **vars(flags),
        )
    if not result.summary:
        return  # the first of several processes speaks
    if json:
        print_json(result.summary)
        return
    facts = result.summary
    note = f"Note: {facts['note']}\n" if facts["note"] else ""
    sys.stdout.write(
        f"{facts['rung']}: {facts['parameters']:,} parameters, fitted on {facts['train_rows']} "
        f"rows in {facts['seconds']:.1f} s\n{note}Run: {result.folder}\n"
        f"Next: gradatim evaluate {result.folder}\n"
    )

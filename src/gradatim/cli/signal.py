"""`gradatim signal`."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from gradatim.cli.options import Json, Whole, Words, print_json

__all__ = ["signal"]


def signal(
    model: str,
    /,
    *,
    input: str | None = None,  # noqa: A002
    settings: Annotated[Words, Parameter(name="--set")] = (),
    init: Literal["own", "constant", "small", "large", "xavier", "he", "orthogonal"] | None = None,
    depth: Whole | None = None,
    seeds: Whole = 5,
    seed: Whole = 0,
    out: Path | None = None,
    json: Json = False,
) -> None:
    """Draw how large signals and gradients are, layer by layer, beside theory.

    Parameters
    ----------
    model
        A rung that is trained, such as mlp, or a published network, such as resnet18.
    input
        1x28x28 for pictures, 20 for columns, 50x3 for steps and channels.
    settings
        A change such as model.activation=sigmoid or initialisation=he; may be repeated.
    init
        How weights begin; short for --set initialisation=.
    depth
        Layers; short for --set model.depth=.
    seeds
        How many networks are averaged.
    seed
        All chance is a function of it.
    out
        The page; runs/signal-NAME.html by default.
    json
        Print one JSON object.
    """
    from gradatim.session.signal import signal as measure

    result = measure(
        model,
        input=input,
        settings=settings,
        init=init,
        depth=depth,
        seeds=seeds,
        seed=seed,
        out=out,
    )
    if json:
        print_json(result.facts)
        return
    _print(result.facts["layers"])
    sys.stdout.write("\n".join(["", *result.facts["sentences"], f"Page: {result.page}", ""]))


def _print(layers: list[dict[str, float | str | None]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 110)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("layer")
    table.add_column("kind")
    for head in ("signals", "by theory", "gradients", "by theory"):
        table.add_column(head, justify="right")
    for layer in layers:
        numbers = [
            layer[key] for key in ("signal", "expected_signal", "gradient", "expected_gradient")
        ]
        texts = ["" if n is None else f"{n:.3g}" for n in numbers]
        table.add_row(str(layer["name"]), str(layer["kind"]), *texts)
    console.print(table)

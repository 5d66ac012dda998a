"""`signal`: how large signals and gradients are in a new network, beside theory."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from gradatim.core.errors import ConfigError
from gradatim.core.randomness import generator
from gradatim.core.rung import Rung
from gradatim.core.signature import Signature
from gradatim.explain.examples import form, random_inputs, signature_for, spoken, trained
from gradatim.explain.signal import LayerSignal, judge
from gradatim.explain.signal import signal as measure
from gradatim.layers.initialisation import initialise
from gradatim.report.figures.signal import signal_figure
from gradatim.report.sheet import Part, sheet
from gradatim.runs.files import write_bytes
from gradatim.session.objects import settings_from, task_for, work_for

__all__ = ["Signal", "signal"]

ROWS, NUMBERS = 64, 2_000_000  # a batch: at most this many rows, and numbers in them


@dataclass(frozen=True)
class Signal:
    """What was measured, layer by layer, and the page that draws it."""

    facts: dict[str, Any]
    page: Path


def signal(
    model: str,
    *,
    input: str | None = None,  # noqa: A002
    settings: Sequence[str] = (),
    init: str | None = None,
    depth: int | None = None,
    seeds: int = 5,
    seed: int = 0,
    out: Path | str | None = None,
) -> Signal:
    """Measure the variance of signals and the norm of gradients in every layer before training.

    Args:
        model: a trained rung, or a published network.
        input: sizes such as "1x28x28" (a picture), "20" (columns) or "50x3" (steps, channels).
        settings: changes such as "model.activation=sigmoid" or "initialisation=he".
        init: short for initialisation=.
        depth: short for model.depth=.
        seeds: how many networks are averaged.
        seed: all chance is a function of it.
        out: the page; by default runs/signal-NAME.html.

    Raises:
        ConfigError: the model is solved, does not take such inputs or has no such setting.
    """
    if not 1 <= seeds <= 1000:
        raise ConfigError(f"--seeds {seeds}: give a number from 1 to 1000")
    rung = trained(model)
    changes = [*settings, *([f"initialisation={init}"] if init is not None else [])]
    changes += [f"model.depth={depth}"] if depth is not None else []
    signature = signature_for(rung, input)
    task = task_for(signature)
    work = work_for(rung, task, signature, 1000, seed, settings_from(None, changes))
    rule = work.recipe.initialisation

    def build() -> nn.Module:
        network = work.rung.build(signature, {}).network
        initialise(network, rule)
        return network

    features = _features(work.rung, signature, seed)
    layers = measure(build, features, seeds, seed, known=rule != "constant")
    if not layers:
        raise ConfigError(f"{model} has no linear or convolution layer to look at; try mlp")
    facts = {
        "model": model,
        "settings": work.rung.model_dump(mode="json"),
        "initialisation": rule,
        "input": spoken(signature.input),
        "seeds": seeds,
        "rows": len(features),
        "layers": [asdict(layer) for layer in layers],
        "sentences": judge(layers),
    }
    page = Path(out) if out is not None else Path("runs") / f"signal-{model}.html"
    write_bytes(page, _page(facts, layers).encode())
    return Signal(facts | {"page": str(page)}, page)


def _features(rung: Rung, signature: Signature, seed: int) -> Tensor:
    """Return a batch of what the network reads: noise, through the rung's own preprocessing."""
    rows = max(4, min(ROWS, NUMBERS // math.prod(form(signature.input)[0])))
    inputs = random_inputs(signature.input, rows, generator(seed, "signal inputs"))
    preprocess = rung.build(signature, {}).preprocess
    return preprocess.fit(inputs)(inputs)  # type: ignore[operator]


def _page(facts: dict[str, Any], layers: Sequence[LayerSignal]) -> str:
    signals, gradients = facts["sentences"]
    start = {"own": "its own initialisation"}.get(
        facts["initialisation"], f"the initialisation {facts['initialisation']}"
    )
    lead = (
        f"{facts['model']} on {facts['input']}, with {start}, before any training; means over "
        f"{facts['seeds']} networks."
    )
    forth = signal_figure(
        "variance of signals", [x.signal for x in layers], [x.expected_signal for x in layers]
    )
    back = signal_figure(
        "squared norm of gradients, last layer = 1",
        [x.gradient for x in layers],
        [x.expected_gradient for x in layers],
    )
    columns = ["layer", "name", "kind", "signals", "by theory", "gradients", "by theory"]
    rows = [
        [k, x.name, x.kind, x.signal, x.expected_signal, x.gradient, x.expected_gradient]
        for k, x in enumerate(layers, 1)
    ]
    return sheet(
        f"Signals in {facts['model']}",
        lead,
        [
            Part("Forwards", signals, forth),
            Part("Backwards", gradients, back),
            Part("In numbers", THEORY, columns=columns, rows=rows),
        ],
    )


THEORY = (
    "Signals g are values before the bend. Theory: var(g) of the first layer is M var(w) E[x²], M "
    "the inputs of a unit; from layer to layer it is multiplied by M var(w) E[a(z)²] / var(g), "
    "which is M var(w) / 2 for ReLU. The squared norm of gradients is multiplied by "
    "M var(w) E[a'(z)²], from the last layer to the first. Where the chain of layers is not "
    "simple, theory is left blank."
)

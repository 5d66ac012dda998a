"""How large signals and gradients are, layer by layer, when training begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from gradatim.core.randomness import seed_for
from gradatim.explain.moments import predicted, simple_chain

__all__ = ["LayerSignal", "judge", "signal"]

SMALL, LARGE = 1e-3, 1e3
"""Signals of a variance below the one, or above the other, times that of the first layer are called
vanishing or exploding; so are gradients by their squared norm, compared with the last layer."""


@dataclass(frozen=True)
class LayerSignal:
    """A layer with weights: measured over rows, units and seeds, beside what theory says.

    Args:
        name: where it stands in the network.
        kind: what it is, such as "Linear 784 to 256".
        signal: E[g^2] of its values before the bend.
        gradient: E|dL/dg|^2 of a row, relative to that of the last layer.
        expected_signal: var(g) by theory, None where the chain is not simple.
        expected_gradient: by theory, relative to the last layer too.
    """

    name: str
    kind: str
    signal: float
    gradient: float
    expected_signal: float | None = None
    expected_gradient: float | None = None


def signal(
    build: Callable[[], nn.Module], features: Tensor, seeds: int, seed: int = 0, known: bool = True
) -> list[LayerSignal]:
    """Measure a network that has not been trained, and say what theory expects.

    The gradient starts at the outputs as standard normal numbers, so that it tells of the layers
    and not of a loss. Networks are in training mode: dropout drops, batches are normalised.

    Args:
        build: makes the network with new weights, by torch's global generator.
        features: a batch of what the network reads.
        seeds: how many networks the numbers are averaged over.
        seed: all chance is a function of it.
        known: whether weights have mean 0, without which theory is silent.

    Source: course 000, equations (48)-(54), and "Vanishing gradients".
    """
    draws = [_draw(build, features, seed_for(seed, "signal", k), known) for k in range(seeds)]
    means = [_mean(layers) for layers in zip(*draws, strict=True)]
    last = means[-1].gradient if means else 1.0
    return [_relative(layer, last) for layer in means]


def judge(layers: Sequence[LayerSignal]) -> list[str]:
    """Say in two sentences where signals or gradients vanish or explode, naming the layer."""
    count, first = len(layers), layers[0].signal
    forth = [(k, layer, layer.signal / first) for k, layer in enumerate(layers, 1)]
    back = [(k, layer, layer.gradient) for k, layer in enumerate(layers, 1)][::-1]
    return [
        _verdict("Signals", "variance", "first", forth, count),
        _verdict("Gradients", "squared norm", "last", back, count),
    ]


def _verdict(
    what: str, measure: str, origin: str, ratios: list[tuple[int, LayerSignal, float]], count: int
) -> str:
    """Tell of the first layer on the way whose ratio is out of bounds."""
    for number, layer, ratio in ratios:
        if not SMALL <= ratio <= LARGE:
            word = "vanishing" if ratio < SMALL else "exploding"
            return (
                f"{what} are {word}: at layer {number} of {count} ({layer.name}: {layer.kind}) "
                f"their {measure} is {ratio:.1e} times that of the {origin} layer."
            )
    values = [ratio for _, _, ratio in ratios]
    return (
        f"{what} keep their size: their {measure} is {min(values):.2g} to {max(values):.2g} times "
        f"that of the {origin} layer."
    )


def _draw(
    build: Callable[[], nn.Module], features: Tensor, seed: int, known: bool
) -> list[LayerSignal]:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = build().train()
        chain = simple_chain(network, features) if known else []
        watch = _Watch(network)
        outputs = network(features)
        main = outputs if isinstance(outputs, Tensor) else outputs[0]
        main.backward(torch.randn_like(main))
    signals, gradients = predicted([link for _, link in chain], _second(features))
    # Backwards theory counts from the end of the chain; it speaks only if that is the network's.
    whole = len(chain) == len(watch.kinds)
    expected = {
        name: (signals[k], gradients[k] if whole else None) for k, (name, _) in enumerate(chain)
    }
    return [
        LayerSignal(
            name,
            kind,
            watch.signals[name],
            watch.gradients.get(name, 0.0),
            *expected.get(name, (None, None)),
        )
        for name, kind in watch.kinds.items()
    ]


class _Watch:
    """Listens to the first pass through every layer with weights."""

    def __init__(self, network: nn.Module) -> None:
        self.kinds: dict[str, str] = {}
        self.signals: dict[str, float] = {}
        self.gradients: dict[str, float] = {}
        for name, layer in network.named_modules():
            if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd):
                layer.register_forward_hook(self._listen(name or "network"))

    def _listen(self, name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(layer: nn.Module, inputs: Any, output: Tensor) -> None:
            if name in self.kinds:
                return
            self.kinds[name] = _kind(layer)
            self.signals[name] = _second(output.detach())
            if output.requires_grad:
                output.register_hook(lambda g: self.gradients.update({name: _norm(g)}))

        return hook


def _kind(layer: nn.Module) -> str:
    if isinstance(layer, nn.Linear):
        return f"Linear {layer.in_features} to {layer.out_features}"
    assert isinstance(layer, nn.modules.conv._ConvNd)
    window = "x".join(map(str, layer.kernel_size))
    return f"{type(layer).__name__} {window}, {layer.in_channels} to {layer.out_channels}"


def _second(values: Tensor) -> float:
    return float(values.double().square().mean())


def _norm(gradient: Tensor) -> float:
    return float(gradient.double().square().sum() / len(gradient))


def _mean(draws: Sequence[LayerSignal]) -> LayerSignal:
    """Average over seeds; what theory says differs by the weights that were drawn."""
    return LayerSignal(
        draws[0].name,
        draws[0].kind,
        sum(d.signal for d in draws) / len(draws),
        sum(d.gradient for d in draws) / len(draws),
        _known([d.expected_signal for d in draws]),
        _known([d.expected_gradient for d in draws]),
    )


def _known(values: list[float | None]) -> float | None:
    numbers = [v for v in values if v is not None]
    return sum(numbers) / len(numbers) if len(numbers) == len(values) else None


def _relative(layer: LayerSignal, last: float) -> LayerSignal:
    return replace(layer, gradient=layer.gradient / last if last else 0.0)

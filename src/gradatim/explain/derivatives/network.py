"""A rung's network with a batch of rows, as one function of its weights, in float64.

Deviations:
    The network is new, not fitted, and in evaluation mode: dropout passes everything on and batch
    normalisation uses its initial statistics, so that the loss is a function of the weights alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from gradatim.core.randomness import generator, seed_for
from gradatim.core.rung import Model
from gradatim.core.signature import Category, Signature
from gradatim.core.task import Supervised
from gradatim.explain.examples import random_inputs, signature_for, trained
from gradatim.ops.multiply_adds import plain_attention
from gradatim.tasks import TASKS

__all__ = ["Example", "example"]

ROWS = 8
USUAL = ("8", "1x28x28", "3x224x224", "20x2")


@dataclass(frozen=True)
class Example:
    """A network with a batch for it, all in float64.

    `features` is what the network reads: the preprocessed inputs.
    """

    rung: str
    model: Model
    task: Supervised
    signature: Signature
    features: Tensor
    targets: Tensor

    def loss(self, weights: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the loss of the batch, as it is or with other weights."""
        network: Callable[..., Any] = self.model.network
        if weights is not None:
            network = partial(functional_call, self.model.network, dict(weights))
        with plain_attention():
            return self.task.loss(self.model.output(network(self.features)), self.targets)


def example(name: str, size: str = "tiny", given: str | None = None) -> Example:
    """Build a network and a batch of eight random rows.

    Args:
        name: of a trained rung, or a published network.
        size: of the rung; "" for the one that is published, or usual.
        given: its input, as `signature_for` reads it.

    Raises:
        ConfigError: there is no such rung or size, or it has no gradient to follow.
    """
    rung = trained(name, size or None)
    signature = signature_for(rung, given, usual=USUAL)
    task = next(task for task in TASKS.all().values() if task.suits(signature))
    assert isinstance(task, Supervised), "signature_for knows rows with right answers only"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(0, "derive"))
        model = rung.build(signature, {}).eval()
    inputs = random_inputs(signature.input, ROWS, generator(0, "derive inputs"))
    features = model.preprocess.fit(inputs)(inputs)  # type: ignore[operator]
    features = features.double() if features.is_floating_point() else features
    model.double()
    return Example(name, model, task, signature, features, _targets(signature))


def _targets(signature: Signature) -> Tensor:
    if isinstance(signature.output, Category):
        return torch.arange(ROWS) % signature.outputs
    chance = generator(0, "derive targets")
    return torch.randn((ROWS, signature.outputs), generator=chance, dtype=torch.float64)

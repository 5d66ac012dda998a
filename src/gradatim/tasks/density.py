"""Density: how probable a row is."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from gradatim.core import signature as fields
from gradatim.core.chunks import in_chunks
from gradatim.core.metric import Metric
from gradatim.core.randomness import generator
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature
from gradatim.core.task import Reading, Supervised
from gradatim.layers.generative.scaled import grains_of, numbers_in
from gradatim.ops.checked import finite
from gradatim.ops.generative.dequantisation import bits_per_dimension, spread

__all__ = ["METRICS", "TASK", "Density"]


def _mean_of_bits(bits: np.ndarray, nats: np.ndarray) -> float:
    return float(bits.mean())


def _mean_of_nats(bits: np.ndarray, nats: np.ndarray) -> float:
    return float(nats.mean())


METRICS: dict[str, Metric] = {
    "bits_per_dim": Metric("bits_per_dim", "lower", False, _mean_of_bits, lowest=-math.inf),
    "nats": Metric("nats", "higher", False, _mean_of_nats, lowest=-math.inf),
}


@dataclass(frozen=True, eq=False)
class Density(Supervised):
    """Minus the log density of a row of features, in nats a dimension.

    Values of discrete data, such as levels of pixels, stand for all of [v, v + grain): noise,
    uniform over the grain, is added to every batch and to every row that is judged. Without it a
    density could grow without bound on the values themselves. With it
    E log p(x + noise) + sum log grain is at most the log probability of the discrete row, and
    bits_per_dim = -(log p(x + noise) + sum log grain) / (d log 2), d the numbers of a row.

    Columns without a grain are continuous: bits and nats then depend on their units, as every
    density does.

    Args:
        numbers: d.
        grains: one for all numbers or one each; 0: continuous.

    Source: Uria, Murray & Larochelle 2013 (RNADE), section 6; Theis, van den Oord & Bethge 2016,
        section 3.1.
    """

    name: ClassVar[str] = "density"
    metrics: ClassVar[dict[str, Metric]] = METRICS
    quality_name: ClassVar[str] = "log density in nats"

    numbers: int = 1
    grains: tuple[float, ...] = (0.0,)

    @property
    def changing(self) -> bool:
        """Say that values are spread over their steps anew."""
        return True

    def suits(self, signature: Signature) -> bool:
        """Take whatever asks for a density."""
        return isinstance(signature.output, fields.Density)

    def of(self, signature: Signature) -> Self:
        """Return the task that knows the numbers of a row and their grains."""
        return replace(self, numbers=numbers_in(signature), grains=grains_of(signature))

    def losses(
        self, outputs: Float[Tensor, " rows"], targets: Shaped[Tensor, "rows 1"]
    ) -> Float[Tensor, " rows"]:
        """Return minus the log densities of features, a dimension."""
        return -outputs / self.numbers

    def decode(self, outputs: Float[Tensor, " rows"]) -> np.ndarray:
        """Return log densities in nats, float64 of shape (rows,)."""
        return np.asarray(outputs.detach().double().numpy())

    def renewed(self, batch: Samples, chance: torch.Generator) -> Samples:
        """Return the rows of a batch, each somewhere in what its values stand for."""
        return replace(batch, inputs=spread(batch.inputs, self.grains, chance))

    def answers(self, model: nn.Module, samples: Samples) -> np.ndarray:
        """Return log densities of rows under noise that is the same for every model."""
        noisy = self.renewed(samples, generator(0, "noise of judged rows"))
        return self.decode(in_chunks(model, noisy.inputs))

    def read(self, predictions: np.ndarray, samples: Samples) -> Reading:
        """Return bits a dimension and nats of each row.

        Raises:
            ValueError: a log density is not finite.
        """
        nats = finite("log densities", predictions)
        return bits_per_dimension(nats, self.numbers, self.grains), nats

    def quality(self, reading: Reading) -> np.ndarray:
        """Return the log density of each row."""
        return reading[1]

    def default_metric(self, samples: Samples) -> str:
        """Return bits a dimension."""
        return "bits_per_dim"


TASK = Density()

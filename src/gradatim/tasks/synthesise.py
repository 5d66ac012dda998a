"""Synthesise: new rows like those that are there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, Self

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor, nn

from gradatim.core.chunks import evaluating
from gradatim.core.learner import Learner
from gradatim.core.metric import Metric
from gradatim.core.randomness import generator
from gradatim.core.samples import Samples
from gradatim.core.signature import Image, Signature, Synthesis
from gradatim.core.task import Reading, Task
from gradatim.layers.generative.features import Features, Thumbnails
from gradatim.ops.generative.frechet import frechet_distance
from gradatim.ops.generative.kernel_distance import kernel_distance
from gradatim.ops.generative.variety import coverage, nearest_distances, novelty

__all__ = ["METRICS", "TASK", "Synthesise"]

CHUNK = 1024
"""Rows drawn at a time."""
FEATURES, CLASS, DISTANCE = slice(None, -2), -2, -1
"""Columns of an entry that metrics read."""


def _of(
    columns: int | slice, distance: Callable[[np.ndarray, np.ndarray], float]
) -> Callable[[np.ndarray, np.ndarray], float]:
    """Return a score that reads some columns of the entries."""
    return lambda drawn, real: distance(drawn[:, columns], real[:, columns])


METRICS: dict[str, Metric] = {
    "frechet": Metric("frechet", "lower", False, _of(FEATURES, frechet_distance), biased=True),
    "kernel": Metric(
        "kernel", "lower", False, _of(FEATURES, kernel_distance), lowest=-np.inf, biased=True
    ),
    "coverage": Metric("coverage", "higher", True, _of(CLASS, coverage)),
    "nearest": Metric("nearest", "higher", False, _of(DISTANCE, novelty)),
}


@dataclass(frozen=True, eq=False)
class Synthesise(Task):
    """Draw as many rows as there are unseen ones, and compare the two crowds.

    No drawn row belongs to a real one, so that only crowds have a score: the distance between
    their features. These come from `session.features`: of a classifier that learnt the classes of
    the training rows, or principal components where there are none.

    A network with a likelihood learns by it: -mean log p(x) of each batch. One without brings a
    step of its own (`Trained.taught`).

    Args:
        extract: raw rows -> features; before a run has made its own, pictures averaged to 8 x 8.
        levels: of a pixel.
        pictures: whether rows are pictures.

    Source: Heusel et al. 2017 (frechet); Binkowski et al. 2018 (kernel). `coverage` is the share
    of the classes that are drawn half to twice as often as they should be; `nearest` is the
    median distance to the nearest training row, in units of what it is for unseen real rows: below
    1 training rows are repeated.
    """

    name: ClassVar[str] = "synthesise"
    metrics: ClassVar[Mapping[str, Metric]] = METRICS
    quality_name: ClassVar[str] = "minus the distance to the nearest real row"

    extract: Features = field(default_factory=Thumbnails)
    levels: int = 256
    pictures: bool = False

    def suits(self, signature: Signature) -> bool:
        """Take whatever asks for new rows."""
        return isinstance(signature.output, Synthesis)

    def of(self, signature: Signature) -> Self:
        """Return the task that knows how many levels a pixel has."""
        assert isinstance(signature.output, Synthesis)
        pictures = isinstance(signature.input, Image)
        return replace(self, levels=signature.output.levels, pictures=pictures)

    def default_metric(self, samples: Samples) -> str:
        """Return the Frechet distance."""
        return "frechet"

    def step(self, learner: Learner, batch: Samples) -> Mapping[str, Tensor]:
        """Make the rows of a batch more likely."""
        learner.model.train()
        log_prob: Callable[[Tensor], Tensor] = learner.model.log_prob  # type: ignore[assignment]
        size = -(-len(batch) // learner.pieces)

        def term(rows: Tensor) -> Tensor:
            return -log_prob(rows).sum() / len(batch)

        loss, norm = learner.descend([partial(term, rows) for rows in batch.inputs.split(size)])
        return {"loss": loss, "gradient_norm": norm}

    def answers(self, model: nn.Module, samples: Samples) -> np.ndarray:
        """Return as many new rows as there are, in the units of the data, the same at each call."""
        return self.drawn(model, len(samples), generator(0, "answers"))

    def drawn(
        self,
        model: nn.Module,
        count: int,
        chance: torch.Generator,
        labels: Int64[Tensor, " count"] | None = None,
    ) -> np.ndarray:
        """Return new rows of a fitted model, in the units of the data.

        Args:
            model: a `Model` whose network has `sample`.
            count: how many.
            chance: all that is drawn is drawn from it.
            labels: classes that are wanted; None where the network draws them, or knows of none.

        Raises:
            ArithmeticError: a drawn row is not finite.
        """
        sample: Callable[..., Tensor] = model.get_submodule("network").sample  # type: ignore[assignment]
        output = model.get_submodule("output")
        sizes = [min(CHUNK, count - begun) for begun in range(0, count, CHUNK)]
        wanted = [None] * len(sizes) if labels is None else list(labels.split(CHUNK))
        parts = []
        with evaluating(model):
            for size, own in zip(sizes, wanted, strict=True):
                features = sample(size, chance, own)
                if not features.isfinite().all():  # before levels are made of it
                    raise ArithmeticError("the drawn rows hold NaN or infinite numbers")
                parts.append(output(features))
        return np.asarray(torch.cat(parts).numpy())

    def read(self, predictions: np.ndarray, samples: Samples) -> Reading:
        """Return features, class and distance to the nearest training row: of drawn and real rows.

        Raises:
            ValueError: a drawn row is not finite.
        """
        if not np.isfinite(predictions).all():
            raise ValueError("drawn rows hold NaN or infinite numbers; see where it diverged")
        drawn_rows = torch.from_numpy(np.ascontiguousarray(predictions))
        return self.extract.entries(drawn_rows), self.extract.entries(samples.inputs, real=True)

    def quality(self, reading: Reading) -> np.ndarray:
        """Return minus the distance of each drawn row to the nearest real one, in features."""
        new, real = (torch.from_numpy(entries[:, FEATURES]) for entries in reading)
        return np.asarray(-nearest_distances(new, real).double().numpy())

    def picture(self, sample: Samples, prediction: np.ndarray | None) -> np.ndarray | None:
        """Return a drawn picture, or the real one, with levels from 0 to 255."""
        if not self.pictures:
            return None
        rows = sample.inputs[0].numpy() if prediction is None else np.asarray(prediction)
        picture = rows.reshape(rows.shape[-3:]).astype(np.float64)
        return np.asarray(
            np.rint(picture * (255 / (self.levels - 1))).clip(0, 255).astype(np.uint8)
        )


TASK = Synthesise()

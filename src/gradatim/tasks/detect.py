"""Detect: boxes around things, each with a class and how sure the model is of it."""

from functools import partial
from typing import ClassVar

import numpy as np
from jaxtyping import Float
from torch import Tensor

from gradatim.core.errors import ConfigError
from gradatim.core.metric import Metric
from gradatim.core.samples import Samples
from gradatim.core.signature import Boxes, Signature
from gradatim.core.task import Reading, Supervised
from gradatim.ops.detection.average_precision import (
    CONFIDENT,
    average_precision,
    average_recall,
    f1,
    f1_of_pictures,
    sweep,
)
from gradatim.ops.detection.box_matching import matches_of_pictures, partners
from gradatim.ops.detection.outlines import ALARM, HIT, MISS, TRUTH, outlined

__all__ = ["TASK", "Detect"]

POINTS = 300  # of the curve of precision and recall


class Detect(Supervised):
    """Say where things are and what they are.

    The score is average precision, the mean over ten degrees of overlap as COCO has it: a box that
    is about right counts in one of them, an exact one in all. Beside it stand the average precision
    at overlaps of 0.5 and 0.75, average recall, and F1 of the boxes a person would be shown, those
    with a confidence of at least one half.

    Metrics read tables of matches (`ops.detection.box_matching`), a picture a row, and the classes
    that are there.

    Source: Lin et al. 2014, "Microsoft COCO: common objects in context".
    """

    name: ClassVar[str] = "detect"
    metrics: ClassVar[dict[str, Metric]] = {
        "ap": Metric("ap", "higher", True, average_precision),
        "ap50": Metric("ap50", "higher", True, partial(average_precision, threshold=0.5)),
        "ap75": Metric("ap75", "higher", True, partial(average_precision, threshold=0.75)),
        "ar": Metric("ar", "higher", True, average_recall),
        "f1": Metric("f1", "higher", True, f1),
    }
    quality_name: ClassVar[str] = "F1"

    def suits(self, signature: Signature) -> bool:
        """Take whatever asks for boxes."""
        return isinstance(signature.output, Boxes)

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Refuse: the loss of a detector belongs to its network, see `Trained.taught`.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(
            "boxes have no loss of their own; a network that answers with boxes brings one: "
            "its rung returns it from `taught`"
        )

    def decode(self, outputs: Float[Tensor, "rows found 6"]) -> np.ndarray:
        """Return the boxes as they are, float32 of shape (rows, found, 6)."""
        return outputs.detach().float().cpu().numpy()

    def default_metric(self, samples: Samples) -> str:
        """Return average precision over all degrees of overlap."""
        return "ap"

    def read(self, predictions: np.ndarray, samples: Samples) -> Reading:
        """Return the matches of each picture and the classes of the boxes there, -1 for none."""
        there = samples.targets.numpy()
        return matches_of_pictures(predictions, there), there[..., 4].astype(np.int64)

    def quality(self, reading: Reading) -> np.ndarray:
        """Return the F1 of each picture: 1 when every box is right and none is missing."""
        return f1_of_pictures(*reading)

    def curve(self, reading: Reading) -> dict[str, np.ndarray]:
        """Return precision and recall at an overlap of one half, thinned to `POINTS`."""
        swept = sweep(*reading)
        steps = len(swept["confidence"])
        kept = np.unique(np.linspace(0, max(0, steps - 1), min(steps, POINTS)).round().astype(int))
        return {name: values[kept] for name, values in swept.items()}

    def picture(self, sample: Samples, prediction: np.ndarray | None) -> np.ndarray:
        """Draw hits, false alarms and misses on a picture; without a prediction, what is there.

        Lines and colours differ (`ops.detection.outlines`), so that neither is needed to read the
        other.
        """
        picture, there = sample.inputs[0].numpy(), sample.targets[0].numpy()
        there = there[there[:, 4] >= 0]
        if prediction is None:
            return outlined(picture, [(box, TRUTH) for box in there[:, :4]])
        found = prediction.reshape(-1, 6)
        found = found[(found[:, 5] >= 0) & (found[:, 4] >= CONFIDENT)]
        taken = partners(found, there)
        missed = np.setdiff1d(np.arange(len(there)), taken)
        lines = [(box, ALARM) for box in found[taken < 0, :4]]
        lines += [(box, HIT) for box in found[taken >= 0, :4]]
        # On top: dashes leave in sight a box of the wrong class at the same place.
        lines += [(box, MISS) for box in there[missed, :4]]
        return outlined(picture, lines)


TASK = Detect()

"""A convolutional network on log-mel spectra: the same small patterns, wherever they sound."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field
from torch import nn

from gradatim.core.recipe import Augmentation, LossChoice, OptimizerChoice, Recipe
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Trained
from gradatim.core.signature import Signature, Sound
from gradatim.layers.outputs import output_for
from gradatim.layers.sound.log_mel import BANDS, LogMel

__all__ = ["RUNG", "MelCnn"]


class MelCnn(Trained):
    """Convolutions of 3 x 3 over bands and time, halved three times, average over all places.

    Idea: a pattern of pitch and time is learnt once and found at any moment and in any voice.
    Cost: 61,050 parameters and 4.7 million multiply-adds at width 16, 40 bands and 40 frames.
    Fails when: recordings are minutes long, or what matters is where in time something happens.
    """

    place: ClassVar[int] = 102
    idea: ClassVar[str] = "learns patterns of pitch and time, and finds them wherever they sound"
    source: ClassVar[str] = (
        "Abdel-Hamid et al. 2014; Park et al. 2019 (SpecAugment); Jaitly & Hinton 2013 (voices)"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "every recording is stretched or shrunk in time to one number of frames",
        "SpecAugment without time warping, two masks of each kind",
        "no rows are held out: the rate falls to 0 over a fixed number of epochs",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"width": 4, "bands": 16, "frames": 16}
    }
    reads: ClassVar[tuple[str, ...]] = ("sound",)
    answers: ClassVar[tuple[str, ...]] = ("category",)

    width: Annotated[int, Field(ge=1, le=1024)] = 16
    """Channels of the first layer; the last two have four times as many."""
    bands: Annotated[int, Field(ge=8, le=256)] = BANDS
    frames: Annotated[int, Field(ge=8, le=2048)] | None = None
    """Of every recording; None takes a third of those of the longest, within 40 to 160."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """Before the last layer."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take recordings with categories."""
        return None

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return 20 epochs, more for few rows, with voices bent, and bands and moments blanked.

        Rows held out of few voices would say little of a new one, and cost a whole voice.
        """
        return Recipe(
            optimizer=OptimizerChoice(lr=3e-3),
            augmentation=Augmentation(bend=0.12, mask_time=0.1, mask_frequency=0.1, shift=2),
            loss=LossChoice(label_smoothing=0.1),
            epochs=min(200, max(20, 50_000 // rows)),
            batch=16 if rows < 500 else 64,
            validation=0.0,
        )

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the network behind normalised spectra."""
        assert isinstance(signature.input, Sound)
        w = self.width
        network = nn.Sequential(
            *_convolution(1, w, stride=2),
            *_convolution(w, 2 * w),
            nn.MaxPool2d(2),
            *_convolution(2 * w, 4 * w),
            nn.MaxPool2d(2),
            *_convolution(4 * w, 4 * w),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(self.dropout),
            nn.Linear(4 * w, signature.outputs),
        )
        features = LogMel(signature.input, self.bands, self.frames)
        return Model(features, network, output_for(signature))


def _convolution(before: int, after: int, stride: int = 1) -> list[nn.Module]:
    kernel = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
    return [kernel, nn.BatchNorm2d(after), nn.ReLU()]


RUNG = MelCnn

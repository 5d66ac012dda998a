"""LeNet-5: convolutions that look at neighbouring pixels with shared weights."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field
from torch import nn

from gradatim.core.recipe import Augmentation, OptimizerChoice, Recipe
from gradatim.core.signature import Image, Signature
from gradatim.layers.fused import FusedSequential
from gradatim.models._pictures import OnPictures

__all__ = ["RUNG", "LeNet5"]


class LeNet5(OnPictures):
    """Convolution 5x5, pooling, convolution 5x5, pooling, then three linear layers on 32x32.

    Volumes for one channel: 1024 -> 4704 -> 1176 -> 1600 -> 400 -> 120 -> 84 -> 10.

    Idea: the same small filter everywhere, so that an edge is learnt once.
    Cost: 61,706 parameters and 416,520 multiply-adds for one channel and ten classes.
    Fails when: objects are large, coloured and in clutter.
    """

    place: ClassVar[int] = 110
    idea: ClassVar[str] = "shares small filters over the picture: neighbours mean something"
    source: ClassVar[str] = "LeCun, Bottou, Bengio & Haffner 1998; course 001, LeNet-5"
    deviations: ClassVar[tuple[str, ...]] = (
        "ReLU and max-pooling instead of scaled tanh and trained sub-sampling",
        "full connections between the pooled maps and the second convolution",
        "linear softmax output instead of radial basis functions",
        "pictures are enlarged or reduced to 32x32 instead of being padded",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"width": 0.34}}

    width: Annotated[float, Field(gt=0, le=64)] = 1.0
    """Multiplies the number of filters and hidden units."""

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return thirty epochs with pictures moved by up to two of 32 pixels."""
        return Recipe(
            optimizer=OptimizerChoice(lr=2e-3),
            augmentation=Augmentation(shift=2),
            epochs=30,
            batch=32 if rows < 5000 else 64,
            patience=8,
        )

    def extent(self, image: Image) -> tuple[int, int]:
        """Return the paper's 32 by 32 pixels."""
        return 32, 32

    def network(self, channels: int, outputs: int, size: tuple[int, int]) -> nn.Module:
        """Return two convolutions with pooling and three linear layers."""
        first, second, hidden, last = (max(2, round(n * self.width)) for n in (6, 16, 120, 84))
        return FusedSequential(
            nn.Conv2d(channels, first, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(first, second, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(second * 25, hidden),
            nn.ReLU(),
            nn.Linear(hidden, last),
            nn.ReLU(),
            nn.Linear(last, outputs),
        )


RUNG = LeNet5

"""VGG: nothing but 3x3 convolutions and poolings, eleven to nineteen layers deep."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import nn

from gradatim.layers.convolution import Conv2d
from gradatim.layers.fused import FusedSequential
from gradatim.layers.initialisation import initialise
from gradatim.layers.linear import Linear
from gradatim.models._published import Published, is_small

__all__ = ["RUNG", "VGG"]

CHANNELS = (64, 128, 256, 512, 512)
CONVOLUTIONS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
"""How many stand before each of the five poolings: columns A, B, D and E of table 1."""


class VGG(Published):
    """Five stages of 3x3 convolutions, each ended by a pooling; linear 4096, 4096, classes.

    Two 3x3 convolutions see 5x5 pixels with 18 instead of 25 weights, and a ReLU more.

    Small form: the head sees the mean over places instead of 7x7 places and has 512 units a layer
    instead of 4096. Five poolings make one place of 32 pixels.

    Idea: large windows are stacks of small ones, so only 3x3 is needed.
    Cost: VGG-11/13/16/19 have 132,863,336 / 133,047,848 / 138,357,544 / 143,667,240 parameters and
        7.61 / 11.31 / 15.47 / 19.63 G multiply-adds for 3x224x224 and 1000 classes. vgg11_bn has
        9,756,426 and 0.15 G for 3x32x32 and ten classes.
    Fails when: deeper than 19 layers, or 11 without normalisation: the gradient gets lost.
    """

    place: ClassVar[int] = 114
    idea: ClassVar[str] = "stacks small 3x3 filters: deeper, and one rule for every layer"
    source: ClassVar[str] = "Simonyan & Zisserman 2015, table 1; course 000, VGG"
    deviations: ClassVar[tuple[str, ...]] = (
        "batch normalisation unless it is switched off (the names without _bn are the paper's)",
        "the 1x1 convolutions of column C are left out, as in torchvision",
        "He's initialisation instead of weights of a shallower network",
        "AdamW and a cosine schedule instead of SGD with steps",
        "pictures of at most 64 pixels: mean over places and 512 units in front",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"width": 0.0625, "dropout": 0.0}
    }
    published: ClassVar[Mapping[str, Mapping[str, object]]] = {
        f"vgg{depth}{'_bn' if norm else ''}": {"depth": depth, "batch_norm": norm}
        for depth in CONVOLUTIONS
        for norm in (False, True)
    }

    depth: Literal[11, 13, 16, 19] = 11
    """Layers with weights."""
    batch_norm: bool = True
    """Normalise after every convolution (Ioffe & Szegedy 2015)."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """After each of the two hidden linear layers."""

    def network(self, channels: int, outputs: int, size: tuple[int, int]) -> nn.Module:
        """Return features, adaptive pooling and classifier, under torchvision's names."""
        side, hidden = (1, 512) if is_small(size) else (7, 4096)
        places, units = self.scaled(512) * side * side, self.scaled(hidden)
        classifier = nn.Sequential(
            Linear(places, units),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            Linear(units, units),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            nn.Linear(units, outputs),
        )
        network = nn.Sequential(
            OrderedDict(
                features=self._features(channels),
                avgpool=nn.AdaptiveAvgPool2d(side),
                flatten=nn.Flatten(),
                classifier=classifier,
            )
        )
        initialise(network, "he")
        return network

    def _features(self, before: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for channels, convolutions in zip(CHANNELS, CONVOLUTIONS[self.depth], strict=True):
            after = self.scaled(channels)
            for _ in range(convolutions):
                layers.append(Conv2d(before, after, 3, padding=1))
                layers += [nn.BatchNorm2d(after)] if self.batch_norm else []
                layers.append(nn.ReLU())
                before = after
            layers.append(nn.MaxPool2d(2))
        return FusedSequential(*layers)


RUNG = VGG

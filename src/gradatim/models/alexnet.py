"""AlexNet: five convolutions and three wide linear layers; it began the deep years."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field
from torch import nn

from gradatim.layers.convolution import Conv2d
from gradatim.layers.initialisation import initialise
from gradatim.layers.linear import Linear
from gradatim.models._published import Published, is_small

__all__ = ["RUNG", "AlexNet"]


class AlexNet(Published):
    """Convolutions 11x11, 5x5, 3x3, 3x3, 3x3 with three poolings; linear 4096, 4096, classes.

    Small form: the first convolution is 5x5 at stride 1 instead of 11x11 at stride 4, the head
    sees 3x3 places instead of 6x6 and has 1024 units a layer instead of 4096.

    Idea: LeNet-5 made much wider, with ReLU and dropout so that it still trains.
    Cost: 61,100,840 parameters and 0.71 G multiply-adds for 3x224x224 and 1000 classes; most
        parameters stand in the head, most work in the convolutions.
        5,871,434 and 0.18 G for 3x32x32 and ten classes.
    Fails when: rows are few; nothing normalises, so the learning rate has to be right.
    """

    place: ClassVar[int] = 112
    least: ClassVar[int] = 28
    idea: ClassVar[str] = "makes LeNet-5 much wider and trains it with ReLU and dropout"
    source: ClassVar[str] = (
        "Krizhevsky, Sutskever & Hinton 2012; Krizhevsky 2014 (one tower); course 000, AlexNet"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "one tower with 64, 192, 384, 256, 256 channels (Krizhevsky 2014, torchvision), not two",
        "no local response normalisation",
        "He's initialisation instead of N(0, 0.01) and biases of 1",
        "AdamW and a cosine schedule instead of SGD with steps",
        "pictures of at most 64 pixels: 5x5 at stride 1 first, 3x3 places and 1024 units in front",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"width": 0.125, "dropout": 0.0}}
    published: ClassVar[Mapping[str, Mapping[str, object]]] = {"alexnet": {}}

    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Before each of the two hidden linear layers."""

    def network(self, channels: int, outputs: int, size: tuple[int, int]) -> nn.Module:
        """Return features, adaptive pooling and classifier, under torchvision's names."""
        side, hidden = (3, 1024) if is_small(size) else (6, 4096)
        places, units = self.scaled(256) * side * side, self.scaled(hidden)
        classifier = nn.Sequential(
            nn.Dropout(self.dropout),
            Linear(places, units),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            Linear(units, units),
            nn.ReLU(),
            nn.Linear(units, outputs),
        )
        network = nn.Sequential(
            OrderedDict(
                features=self._features(channels, is_small(size)),
                avgpool=nn.AdaptiveAvgPool2d(side),
                flatten=nn.Flatten(),
                classifier=classifier,
            )
        )
        initialise(network, "he")
        return network

    def _features(self, channels: int, small: bool) -> nn.Sequential:
        a, b, c, d = (self.scaled(n) for n in (64, 192, 384, 256))
        first = nn.Conv2d(channels, a, 5, padding=2) if small else nn.Conv2d(channels, a, 11, 4, 2)
        return nn.Sequential(
            first,
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(a, b, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            Conv2d(b, c, 3, padding=1),
            nn.ReLU(),
            Conv2d(c, d, 3, padding=1),
            nn.ReLU(),
            Conv2d(d, d, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
        )


RUNG = AlexNet

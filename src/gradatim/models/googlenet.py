"""GoogLeNet: layers that look through windows of several sizes at once."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from gradatim.layers.inception import BasicConv2d, Inception, InceptionAux
from gradatim.models._published import Published, is_small

__all__ = ["RUNG", "GoogLeNet"]

INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool: the rows of table 1."""


class Network(nn.Module):
    """Stem, nine inceptions, global average, linear; heads after 4a and 4d while training.

    Args:
        rung: whose settings count.
        channels: of the pictures.
        outputs: numbers that it answers with.
        small: leave out the stride and the first pooling of the stem.
    """

    def __init__(self, rung: "GoogLeNet", channels: int, outputs: int, small: bool) -> None:
        super().__init__()
        stem, before = rung.scaled(64), rung.scaled(192)
        self.conv1 = BasicConv2d(channels, stem, 3 if small else 7, 1 if small else 2)
        self.maxpool1 = _halving(3, small)
        self.conv2 = BasicConv2d(stem, stem, 1)
        self.conv3 = BasicConv2d(stem, before, 3)
        self.maxpool2, self.maxpool3, self.maxpool4 = _halving(3), _halving(3), _halving(2)
        self.heads: dict[str, str] = {}
        for name, widths in INCEPTIONS.items():
            one, reduce3, three, reduce5, five, pool = (rung.scaled(n) for n in widths)
            block = Inception(before, one, reduce3, three, reduce5, five, pool, rung.true5)
            self.add_module(f"inception{name}", block)
            before = block.channels
            if rung.auxiliary and name in ("4a", "4d"):
                self.heads[name] = "aux1" if name == "4a" else "aux2"
                self.add_module(self.heads[name], InceptionAux(before, outputs))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(rung.dropout)
        self.fc = nn.Linear(before, outputs)

    def forward(
        self, x: Float[Tensor, "rows channels h w"]
    ) -> Float[Tensor, "rows classes"] | tuple[Float[Tensor, "rows classes"], ...]:
        """Return the scores; with auxiliary heads and in training, theirs too, the main first."""
        x = self.maxpool1(self.conv1(x))
        x = self.maxpool2(self.conv3(self.conv2(x)))
        others: list[Tensor] = []
        for name in INCEPTIONS:
            if name in ("4a", "5a"):
                x = self.maxpool3(x) if name == "4a" else self.maxpool4(x)
            x = self.get_submodule(f"inception{name}")(x)
            if self.training and name in self.heads:
                others.append(self.get_submodule(self.heads[name])(x))
        scores = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        return (scores, *reversed(others)) if others else scores


def _halving(kernel: int, left_out: bool = False) -> nn.Module:
    return nn.Identity() if left_out else nn.MaxPool2d(kernel, stride=2, ceil_mode=True)


class GoogLeNet(Published):
    """Nine inceptions: 1x1, 3x3 and 5x5 windows and a pooling side by side, made narrow by 1x1.

    Small form: the first convolution is 3x3 at stride 1 instead of 7x7 at stride 2, and the first
    pooling of the stem is left out.

    Idea: let the data choose the size of the window, and pay for it with narrow 1x1 convolutions.
    Cost: 6,624,904 parameters and 1.50 G multiply-adds for 3x224x224 and 1000 classes; 7,005,832
        parameters with 5x5 windows. Auxiliary heads add 6,379,984, in training alone. 0.45 G for
        3x32x32.
    Fails when: many small operations cost more than their arithmetic, as on a processor.
    """

    place: ClassVar[int] = 116
    least: ClassVar[int] = 16
    idea: ClassVar[str] = "looks through windows of several sizes at once, made cheap by 1x1 layers"
    source: ClassVar[str] = "Szegedy et al. 2015, table 1; course 000, GoogLeNet"
    deviations: ClassVar[tuple[str, ...]] = (
        "batch normalisation instead of local response normalisation",
        "a 3x3 in the 5x5 branch as in torchvision's weights, unless true5 or googlenet_5x5",
        "auxiliary heads are off unless asked for, their pooling is adaptive to 4x4",
        "dropout of 0.2 instead of 0.4, as in torchvision",
        "AdamW and a cosine schedule instead of SGD with steps",
        "pictures of at most 64 pixels: no stride and one pooling less in the stem",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"width": 0.0625, "dropout": 0.0}
    }
    published: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "googlenet": {},
        "googlenet_5x5": {"true5": True},
    }
    training_only: ClassVar[tuple[str, ...]] = ("aux1.", "aux2.")

    true5: bool = False
    """Take 5x5 windows as in the paper; the weights that are shared have 3x3 there."""
    auxiliary: bool = False
    """Add two heads while training; each counts 0.3 in the loss (section 5)."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Before the last layer."""

    def network(self, channels: int, outputs: int, size: tuple[int, int]) -> nn.Module:
        """Return the network under torchvision's names."""
        return Network(self, channels, outputs, is_small(size))


RUNG = GoogLeNet

"""MobileNetV2: convolutions taken apart, so that they fit into a telephone."""

from collections import OrderedDict
from collections.abc import Mapping
from math import ceil
from typing import Annotated, ClassVar

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from gradatim.models._published import Published, is_small

__all__ = ["RUNG", "InvertedResidual", "MobileNetV2", "in_eights"]

STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, channels, blocks, first stride: table 2."""


def in_eights(channels: float) -> int:
    """Return the nearest multiple of 8 that is not more than 10 % below; at least 8.

    >>> in_eights(32.0), in_eights(11.0), in_eights(19.2)
    (32, 16, 24)
    """
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


def _conv_norm_relu6(
    before: int, after: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    conv = nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU6())


class InvertedResidual(nn.Module):
    """1x1 convolution widens, 3x3 works on each channel alone, 1x1 narrows without a ReLU.

    Args:
        before: channels of the input.
        after: channels of the output.
        stride: of the 3x3 convolution; at 1 and with equal channels the input is added.
        expansion: how many times wider the inside is.

    Source: Sandler et al. 2018, table 1 and figure 4d.
    """

    def __init__(self, before: int, after: int, stride: int, expansion: int) -> None:
        super().__init__()
        inside = before * expansion
        widen = [_conv_norm_relu6(before, inside, 1)] if expansion != 1 else []
        each = _conv_norm_relu6(inside, inside, 3, stride, groups=inside)
        narrow = nn.Conv2d(inside, after, 1, bias=False)
        self.conv = nn.Sequential(*widen, each, narrow, nn.BatchNorm2d(after))
        self.adds = stride == 1 and before == after

    def forward(self, x: Float[Tensor, "rows before h w"]) -> Float[Tensor, "rows after h2 w2"]:
        """Return what the block makes of its input, added to it where shapes agree."""
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(Published):
    """Seventeen inverted residuals between a 3x3 and a 1x1 convolution; global average, linear.

    A convolution k x k from m to n channels costs k k m n; taken apart, k k m + m n.

    Small form: the first convolution and the first of the four reducing stages have stride 1.

    Idea: filter each channel alone, then mix channels: a ninth of the work of a 3x3 convolution.
    Cost: 3,504,872 parameters and 0.30 G multiply-adds for 3x224x224 and 1000 classes;
        2,236,682 and 0.09 G for 3x32x32 and ten classes.
    Fails when: memory moves more slowly than numbers are multiplied; few multiply-adds then do
        not mean little time.
    """

    place: ClassVar[int] = 124
    least: ClassVar[int] = 16
    idea: ClassVar[str] = "takes convolutions apart into one for each channel and one across them"
    source: ClassVar[str] = "Sandler, Howard, Zhu, Zhmoginov & Chen 2018, table 2"
    deviations: ClassVar[tuple[str, ...]] = (
        "AdamW and a cosine schedule instead of RMSProp with a decaying rate",
        "pictures of at most 64 pixels: stride 1 in the first convolution and the second stage",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"width": 0.1, "depth": 0.25, "dropout": 0.0}
    }
    published: ClassVar[Mapping[str, Mapping[str, object]]] = {"mobilenet_v2": {}}

    depth: Annotated[float, Field(gt=0, le=16)] = 1.0
    """Multiplies the blocks of every stage, rounded up; 1 is what was published."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Before the last layer."""

    def network(self, channels: int, outputs: int, size: tuple[int, int]) -> nn.Module:
        """Return features and classifier, under torchvision's names."""
        small = is_small(size)
        before = in_eights(32 * self.width)
        features: list[nn.Module] = [_conv_norm_relu6(channels, before, 3, 1 if small else 2)]
        for stage, (expansion, width, blocks, stride) in enumerate(STAGES):
            after = in_eights(width * self.width)
            for block in range(ceil(blocks * self.depth)):
                step = 1 if block or (small and stage == 1) else stride
                features.append(InvertedResidual(before, after, step, expansion))
                before = after
        last = in_eights(1280 * max(1.0, self.width))
        features.append(_conv_norm_relu6(before, last, 1))
        return nn.Sequential(
            OrderedDict(
                features=nn.Sequential(*features),
                avgpool=nn.AdaptiveAvgPool2d(1),
                flatten=nn.Flatten(),
                classifier=nn.Sequential(nn.Dropout(self.dropout), nn.Linear(last, outputs)),
            )
        )


RUNG = MobileNetV2

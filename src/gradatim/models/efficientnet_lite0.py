"""EfficientNet-Lite0: depth, width and windows that a search found, in plain operations."""

from collections import OrderedDict
from collections.abc import Mapping
from math import ceil
from typing import Annotated, ClassVar

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.models._published import Published, is_small
from gradatim.models.mobilenet_v2 import in_eights

__all__ = ["RUNG", "EfficientNetLite0", "SamePadded"]

STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, window, first stride, expansion, channels: table 1 of Tan & Le 2019."""


class SamePadded(nn.Conv2d):
    """A convolution with ceil(size / stride) outputs, padded as TensorFlow's "SAME" does.

    At stride 2 an even map gets one zero less in front than behind. The weights were learnt so;
    equal borders would move every map by a pixel.
    """

    def forward(self, x: Float[Tensor, "rows before h w"]) -> Float[Tensor, "rows after h2 w2"]:
        """Return the maps."""
        short = [
            max(0, (-(-size // step) - 1) * step + window - size)
            for size, step, window in zip(x.shape[2:], self.stride, self.kernel_size, strict=True)
        ]
        (top, bottom), (left, right) = ((n // 2, n - n // 2) for n in short)
        return super().forward(F.pad(x, (left, right, top, bottom)))


def _conv(before: int, after: int, window: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Return a convolution; only at stride 2 do the two ways of padding differ."""
    if stride == 1:
        return nn.Conv2d(before, after, window, padding=window // 2, groups=groups, bias=False)
    return SamePadded(before, after, window, stride, groups=groups, bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


class Block(nn.Module):
    """1x1 convolution widens, k x k works on each channel alone, 1x1 narrows without a ReLU.

    Args:
        before: channels of the input.
        after: channels of the output.
        window: k.
        stride: of the k x k convolution; at 1 and with equal channels the input is added.
        expansion: how many times wider the inside is.

    The names are those of the weights that are shared.
    """

    def __init__(self, before: int, after: int, window: int, stride: int, expansion: int) -> None:
        super().__init__()
        inside = before * expansion
        self.widens = expansion != 1
        if self.widens:
            self._expand_conv, self._bn0 = _conv(before, inside, 1), _norm(inside)
        self._depthwise_conv = _conv(inside, inside, window, stride, groups=inside)
        self._bn1 = _norm(inside)
        self._project_conv, self._bn2 = _conv(inside, after, 1), _norm(after)
        self.adds = stride == 1 and before == after

    def forward(self, x: Float[Tensor, "rows before h w"]) -> Float[Tensor, "rows after h2 w2"]:
        """Return what the block makes of its input, added to it where shapes agree."""
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.widens else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds else y


class EfficientNetLite0(Published):
    """Sixteen inverted residuals with windows of 3x3 and 5x5; global average, linear.

    Small form: the first convolution and the first of the four reducing stages have stride 1.

    Idea: balance depth, width and picture size instead of growing one of them.
    Cost: 4,652,008 parameters and 0.39 G multiply-adds for 3x224x224 and 1000 classes;
        3,383,818 and 0.12 G for 3x32x32 and ten classes.
    Fails when: as `mobilenet_v2`, and when a run is too short to settle its batch statistics.
    """

    place: ClassVar[int] = 126
    least: ClassVar[int] = 16
    idea: ClassVar[str] = "takes the depths, widths and windows that a search found"
    source: ClassVar[str] = (
        "Tan & Le 2019, table 1; EfficientNet-Lite (TensorFlow 2020); key names of RangiLyu's and "
        "others' ports"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "no drop-connect; batch statistics follow at 0.1 instead of 0.01, since runs are short",
        "AdamW and a cosine schedule instead of RMSProp with a decaying rate",
        "pictures of at most 64 pixels: stride 1 in the first convolution and the second stage",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"width": 0.1, "depth": 0.25, "dropout": 0.0}
    }
    published: ClassVar[Mapping[str, Mapping[str, object]]] = {"efficientnet_lite0": {}}
    pixels: ClassVar = ((127 / 255,) * 3, (128 / 255,) * 3)

    depth: Annotated[float, Field(gt=0, le=16)] = 1.0
    """Multiplies the blocks of every stage, rounded up; 1 is what was published."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Before the last layer."""

    def network(self, channels: int, outputs: int, size: tuple[int, int]) -> nn.Module:
        """Return stem, blocks and head, under the names of the weights that are shared."""
        small = is_small(size)
        stem = before = in_eights(32 * self.width)
        blocks: list[Block] = []
        for stage, (repeats, window, stride, expansion, width) in enumerate(STAGES):
            after = in_eights(width * self.width)
            for block in range(ceil(repeats * self.depth)):
                step = 1 if block or (small and stage == 1) else stride
                blocks.append(Block(before, after, window, step, expansion))
                before = after
        last = in_eights(1280 * max(1.0, self.width))
        return nn.Sequential(
            OrderedDict(
                _conv_stem=_conv(channels, stem, 3, 1 if small else 2),
                _bn0=_norm(stem),
                relu0=nn.ReLU6(),
                _blocks=nn.Sequential(*blocks),
                _conv_head=_conv(before, last, 1),
                _bn1=_norm(last),
                relu1=nn.ReLU6(),
                avgpool=nn.AdaptiveAvgPool2d(1),
                flatten=nn.Flatten(),
                dropout=nn.Dropout(self.dropout),
                _fc=nn.Linear(last, outputs),
            )
        )


RUNG = EfficientNetLite0

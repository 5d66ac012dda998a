"""ResNet: eighteen to 152 layers, trained through shortcuts."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import ClassVar, Literal

from torch import nn

from gradatim.layers.fused import FusedSequential
from gradatim.layers.residual import BasicBlock, Bottleneck
from gradatim.models._published import Published, is_small

__all__ = ["RUNG", "ResNet"]

BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
"""Blocks of the four stages: table 1."""


class ResNet(Published):
    """Stem, four stages of residual blocks that halve the map and double the channels, linear.

    Basic blocks of two 3x3 convolutions up to 34 layers, bottlenecks 1x1, 3x3, 1x1 above.

    Small form: the stem is a 3x3 convolution at stride 1 without pooling instead of 7x7 at stride
    2 with it, so that 32 pixels leave a map of 4x4.

    Idea: each block learns what to add, so the gradient passes unhindered and depth can grow.
    Cost: ResNet-18/34/50/101/152 have 11,689,512 / 21,797,672 / 25,557,032 / 44,549,160 /
        60,192,808 parameters and 1.81 / 3.66 / 4.09 / 7.80 / 11.51 G multiply-adds for 3x224x224
        and 1000 classes. ResNet-18 has 11,173,962 and 0.56 G for 3x32x32 and ten classes.
    Fails when: pictures are few and weights begin at random: `resnet_small` is as good for less.
    """

    place: ClassVar[int] = 122
    least: ClassVar[int] = 16
    idea: ClassVar[str] = "makes networks with shortcuts as deep as the published ones"
    source: ClassVar[str] = "He, Zhang, Ren & Sun 2016, table 1; course 000, ResNet"
    deviations: ClassVar[tuple[str, ...]] = (
        "the stride of a bottleneck is in its 3x3 convolution, as in torchvision",
        "AdamW and a cosine schedule instead of SGD with steps",
        "pictures of at most 64 pixels: 3x3 at stride 1 first and no pooling",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"width": 0.0625}}
    published: ClassVar[Mapping[str, Mapping[str, object]]] = {
        f"resnet{depth}": {"depth": depth} for depth in BLOCKS
    }

    depth: Literal[18, 34, 50, 101, 152] = 18
    """Layers with weights."""

    def network(self, channels: int, outputs: int, size: tuple[int, int]) -> nn.Module:
        """Return stem, stages and head, under torchvision's names."""
        before, small = self.scaled(64), is_small(size)
        kernel, stride = (3, 1) if small else (7, 2)
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv1=nn.Conv2d(channels, before, kernel, stride, kernel // 2, bias=False),
            bn1=nn.BatchNorm2d(before),
            relu=nn.ReLU(),
            maxpool=nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1),
        )
        block = BasicBlock if self.depth < 50 else Bottleneck
        for stage, blocks in enumerate(BLOCKS[self.depth]):
            inside, stride = self.scaled(64 << stage), 2 if stage else 1
            after = inside * block.expansion
            first = block(before, inside, stride)
            rest = [block(after, inside) for _ in range(blocks - 1)]
            layers[f"layer{stage + 1}"] = nn.Sequential(first, *rest)
            before = after
        layers["avgpool"], layers["flatten"] = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        layers["fc"] = nn.Linear(before, outputs)
        return FusedSequential(layers)


RUNG = ResNet

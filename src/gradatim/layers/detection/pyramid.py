"""A small feature pyramid: what is where in a picture, at strides of 4, 8 and 16 pixels."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.layers.residual import BasicBlock

__all__ = ["COARSEST", "Backbone", "Pyramid", "normed_conv"]

COARSEST = 16
"""Stride of the coarsest map: sides of planes should be multiples of it."""


def normed_conv(before: int, after: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Return ReLU(norm(conv(x))) that keeps the size of the map at stride 1.

    Args:
        before: channels of the input.
        after: channels of the output.
        kernel: odd side of the kernel.
        stride: of the convolution.
    """
    conv = nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU(inplace=True))


class Backbone(nn.Module):
    """Stem to stride 4, then residual stages at strides 4, 8 and 16, each twice as wide.

    The stem lays squares of 2 x 2 pixels on top of one another and looks at them at every second
    place: convolutions over many places with few channels are what a CPU is slowest at.

    Args:
        channels: of the planes.
        width: channels at stride 4.
        blocks: residual blocks of each stage.

    Source: He, Zhang, Ren & Sun 2016, section 3; Shi et al. 2016, section 2.2, for the rearranged
        pixels.
    """

    def __init__(self, channels: int, width: int, blocks: tuple[int, int, int]) -> None:
        super().__init__()
        self.widths = (width, 2 * width, 4 * width)
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), normed_conv(4 * channels, width, stride=2))
        self.stages = nn.ModuleList()
        before = width
        for after, count in zip(self.widths, blocks, strict=True):
            first = BasicBlock(before, after, stride=after // before)
            others = [BasicBlock(after, after) for _ in range(count - 1)]
            self.stages.append(nn.Sequential(first, *others))
            before = after

    def forward(self, x: Float[Tensor, "rows channels h w"]) -> list[Tensor]:
        """Return the maps at strides 4, 8 and 16; sides of x are multiples of 16."""
        maps, x = [], self.stem(x)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class Pyramid(nn.Module):
    """Coarse maps know what, fine maps know where: from the top down, each is added to the next.

    p_top = conv1(c_top), p_k = conv3(conv1(c_k) + upsampled p_(k+1)), each normalised, with ReLU.

    Args:
        backbone: gives the maps c_k.
        width: channels of every p_k.
        levels: how many of the maps it takes, from the coarsest on.

    Source: Lin et al. 2017, "Feature pyramid networks for object detection", section 3.

    Deviations: a sum is smoothed by its 3x3 convolution before it is passed down; normalisation
        and ReLU in between.
    """

    def __init__(self, backbone: Backbone, width: int, levels: int = 3) -> None:
        super().__init__()
        self.backbone, self.levels = backbone, levels
        widths = backbone.widths[-levels:]
        self.across = nn.ModuleList(normed_conv(c, width, kernel=1) for c in widths)
        self.smooth = nn.ModuleList(normed_conv(width, width) for _ in widths[1:])

    def forward(self, x: Float[Tensor, "rows channels h w"]) -> list[Tensor]:
        """Return the maps p_k, finest first."""
        given = self.backbone(x)[-self.levels :]
        beside = [layer(c) for layer, c in zip(self.across, given, strict=True)]
        maps = [beside.pop()]
        for smooth in reversed(self.smooth):
            above = F.interpolate(maps[0], scale_factor=2, mode="nearest")
            maps.insert(0, smooth(beside.pop() + above))
        return maps

"""Residual blocks: a layer learns what to add to its input. Names are those of torchvision."""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from gradatim.layers.convolution import Conv2d
from gradatim.layers.fused import FusedSequential
from gradatim.layers.normalisation import normalisation, normalised

__all__ = ["BasicBlock", "Bottleneck"]


def _conv(before: int, after: int, kernel: int, stride: int, norm: str) -> nn.Conv2d:
    """Return a convolution that halves the map at stride 2; the norm that follows has its bias."""
    bias = norm == "none"
    return Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=bias)


def _shortcut(before: int, after: int, stride: int, norm: str) -> nn.Sequential:
    """Return the identity where shapes agree, else a 1x1 convolution (option B of the paper)."""
    if stride == 1 and before == after:
        return nn.Sequential()
    return FusedSequential(_conv(before, after, 1, stride, norm), normalisation(norm, after))


class BasicBlock(nn.Module):
    """y = ReLU(x' + norm(conv3(ReLU(norm(conv3(x)))))), x' = x or a 1x1 convolution of it.

    Args:
        before: channels of the input.
        width: channels of the output, `width * expansion` with expansion 1.
        stride: of the first convolution.
        norm: a name of `gradatim.layers.normalisation`; with "none" convolutions have a bias.

    Raises:
        ConfigError: the norm is unknown.

    Source: He, Zhang, Ren & Sun 2016, figure 5 left; course 000, ResNet.
    """

    expansion: ClassVar[int] = 1

    def __init__(self, before: int, width: int, stride: int = 1, norm: str = "batch") -> None:
        super().__init__()
        self.conv1 = _conv(before, width, 3, stride, norm)
        self.bn1 = normalisation(norm, width)
        self.conv2 = _conv(width, width, 3, 1, norm)
        self.bn2 = normalisation(norm, width)
        self.downsample = _shortcut(before, width, stride, norm)

    def forward(self, x: Float[Tensor, "rows before h w"]) -> Float[Tensor, "rows after h2 w2"]:
        """Return the input plus what the block adds."""
        y = normalised(self.bn1, self.conv1(x), relu=True)
        return normalised(self.bn2, self.conv2(y), added=self.downsample(x), relu=True)


class Bottleneck(nn.Module):
    """A 1x1 convolution narrows, a 3x3 works, a 1x1 widens; the shortcut is added.

    y = ReLU(x' + norm(conv1(ReLU(norm(conv3(ReLU(norm(conv1(x)))))))))

    Args:
        before: channels of the input.
        width: channels inside; the output has `width * expansion`, expansion 4.
        stride: of the 3x3 convolution.
        norm: a name of `gradatim.layers.normalisation`; with "none" convolutions have a bias.

    Raises:
        ConfigError: the norm is unknown.

    Source: He, Zhang, Ren & Sun 2016, figure 5 right; course 000, ResNet.

    Deviations: the stride is in the 3x3 convolution, not in the first 1x1 (ResNet v1.5, as in
    torchvision): a 1x1 convolution with stride 2 never looks at three pixels of four.
    """

    expansion: ClassVar[int] = 4

    def __init__(self, before: int, width: int, stride: int = 1, norm: str = "batch") -> None:
        super().__init__()
        after = width * self.expansion
        self.conv1 = _conv(before, width, 1, 1, norm)
        self.bn1 = normalisation(norm, width)
        self.conv2 = _conv(width, width, 3, stride, norm)
        self.bn2 = normalisation(norm, width)
        self.conv3 = _conv(width, after, 1, 1, norm)
        self.bn3 = normalisation(norm, after)
        self.downsample = _shortcut(before, after, stride, norm)

    def forward(self, x: Float[Tensor, "rows before h w"]) -> Float[Tensor, "rows after h2 w2"]:
        """Return the input plus what the block adds."""
        y = normalised(self.bn1, self.conv1(x), relu=True)
        y = normalised(self.bn2, self.conv2(y), relu=True)
        return normalised(self.bn3, self.conv3(y), added=self.downsample(x), relu=True)

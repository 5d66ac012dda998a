"""Inception: several kernel sizes side by side. Names are those of torchvision's GoogLeNet."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["BasicConv2d", "Inception", "InceptionAux"]


class BasicConv2d(nn.Module):
    """ReLU(BN(conv(x))).

    Args:
        before: channels of the input.
        after: channels of the output.
        kernel: side of the window.
        stride: of the window.
        padding: zeros at each border; half the kernel (the same size at stride 1) when left out.

    Source: Szegedy et al. 2015, section 4; Ioffe & Szegedy 2015.

    Deviations: batch normalisation, which the paper of 2015 (GoogLeNet) does not have, with
    torchvision's epsilon of 0.001.
    """

    def __init__(
        self, before: int, after: int, kernel: int, stride: int = 1, padding: int | None = None
    ) -> None:
        super().__init__()
        padding = kernel // 2 if padding is None else padding
        self.conv = nn.Conv2d(before, after, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=0.001)

    def forward(self, x: Float[Tensor, "rows before h w"]) -> Float[Tensor, "rows after h2 w2"]:
        """Return the maps, none below 0."""
        return F.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    """1x1, 3x3 and 5x5 convolutions and a pooling side by side; their channels are stacked.

    The 1x1 convolutions before the larger ones keep the cost down.

    Args:
        before: channels of the input.
        one: channels of the 1x1 branch.
        reduce3: channels that the 3x3 sees.
        three: channels of the 3x3 branch.
        reduce5: channels that the 5x5 sees.
        five: channels of the 5x5 branch.
        pool: channels of the pooled branch.
        true5: take a 5x5 kernel as in the paper; torchvision's weights have a 3x3 there.

    Source: Szegedy et al. 2015, figure 2b and table 1; course 000, GoogLeNet.

    Deviations: batch normalisation; a 3x3 in the third branch unless `true5`.
    """

    def __init__(
        self,
        before: int,
        one: int,
        reduce3: int,
        three: int,
        reduce5: int,
        five: int,
        pool: int,
        true5: bool = False,
    ) -> None:
        super().__init__()
        self.branch1 = BasicConv2d(before, one, 1)
        self.branch2 = nn.Sequential(
            BasicConv2d(before, reduce3, 1), BasicConv2d(reduce3, three, 3)
        )
        self.branch3 = nn.Sequential(
            BasicConv2d(before, reduce5, 1), BasicConv2d(reduce5, five, 5 if true5 else 3)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), BasicConv2d(before, pool, 1)
        )
        self.channels = one + three + five + pool

    def forward(self, x: Float[Tensor, "rows before h w"]) -> Float[Tensor, "rows after h w"]:
        """Return the channels of the four branches, one after another."""
        branches = (self.branch1, self.branch2, self.branch3, self.branch4)
        return torch.cat([branch(x) for branch in branches], dim=1)


class InceptionAux(nn.Module):
    """A small classifier in the middle of the network: its loss brings a gradient to lower layers.

    Average to 4x4, 1x1 convolution to 128 channels, linear to 1024, ReLU, dropout, linear.

    Args:
        before: channels of the input.
        classes: of the output.
        dropout: share of the 1024 that is dropped, in [0, 1).

    Source: Szegedy et al. 2015, section 5; course 000, GoogLeNet.

    Deviations: adaptive pooling to 4x4, which for maps of 14x14 is not the paper's 5x5 window with
    stride 3, but takes maps of any size; batch normalisation after the convolution.
    """

    def __init__(self, before: int, classes: int, dropout: float = 0.7) -> None:
        super().__init__()
        self.conv = BasicConv2d(before, 128, 1)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.fc2 = nn.Linear(1024, classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "rows before h w"]) -> Float[Tensor, "rows classes"]:
        """Return the score of each class."""
        y = self.conv(F.adaptive_avg_pool2d(x, (4, 4))).flatten(1)
        return self.fc2(self.dropout(F.relu(self.fc1(y))))

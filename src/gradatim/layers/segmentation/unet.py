"""The U-Net: look at a picture coarser and coarser, then come back with every detail."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.layers.normalisation import normalisation

__all__ = ["DoubleConvolution", "UNet", "mirrored_places"]


class DoubleConvolution(nn.Sequential):
    """ReLU(norm(conv3(ReLU(norm(conv3(x)))))), at the same height and width.

    Args:
        before: channels of the input.
        after: channels of the output.
        norm: a name of `gradatim.layers.normalisation`; with "none" convolutions have a bias.

    Raises:
        ConfigError: the norm is unknown.

    Source: Ronneberger, Fischer & Brox 2015, figure 1.
    """

    def __init__(self, before: int, after: int, norm: str = "batch") -> None:
        bias = norm == "none"
        super().__init__(
            nn.Conv2d(before, after, 3, padding=1, bias=bias),
            normalisation(norm, after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1, bias=bias),
            normalisation(norm, after),
            nn.ReLU(),
        )


class UNet(nn.Module):
    """Coarser and coarser by pooling, then back by doubling, joined with what was there before.

    d_0 = C(x), d_k = C(pool(d_{k-1})); u_D = d_D, u_k = C([d_k, up(u_{k+1})]); y = W u_0 + b.
    Level k has width * 2^k channels. Pictures of any size pass: they are continued by reflection to
    a multiple of 2^depth and cut again.

    Args:
        channels: of the pictures.
        outputs: numbers a pixel.
        width: channels of the first level.
        depth: how often height and width are halved.
        norm: a name of `gradatim.layers.normalisation`.

    Raises:
        ConfigError: the norm is unknown.

    Source: Ronneberger, Fischer & Brox 2015.
    Deviations: padded convolutions, so that the answer has the picture's size (the paper's lose a
        frame of 92 pixels); batch normalisation (Ioffe & Szegedy 2015).
    """

    def __init__(
        self, channels: int, outputs: int, width: int, depth: int, norm: str = "batch"
    ) -> None:
        super().__init__()
        widths = [width << level for level in range(depth + 1)]
        pairs = list(zip(widths[1:], widths, strict=False))
        self.multiple = 2**depth
        self.first = DoubleConvolution(channels, width, norm)
        self.down = nn.ModuleList(DoubleConvolution(low, high, norm) for high, low in pairs)
        self.up = nn.ModuleList(nn.ConvTranspose2d(high, low, 2, 2) for high, low in pairs)
        self.merge = nn.ModuleList(DoubleConvolution(2 * low, low, norm) for _, low in pairs)
        self.last = nn.Conv2d(width, outputs, 1)

    def forward(
        self, x: Float[Tensor, "rows channels height width"]
    ) -> Float[Tensor, "rows outputs height width"]:
        """Return the answer for every pixel."""
        height, width = x.shape[2:]
        levels = [self.first(self._padded(x))]
        for down in self.down:
            levels.append(down(F.max_pool2d(levels[-1], 2)))
        y = levels.pop()
        for up, merge in zip(reversed(self.up), reversed(self.merge), strict=True):
            y = merge(torch.cat([levels.pop(), up(y)], 1))
        return self.last(y)[:, :, :height, :width]

    def _padded(self, x: Tensor) -> Tensor:
        """Return pictures whose sides are multiples of what the way down divides them by."""
        for axis in (2, 3):
            length = x.shape[axis]
            if length % self.multiple:
                longer = length + -length % self.multiple
                x = x.index_select(axis, mirrored_places(length, longer).to(x.device))
        return x


def mirrored_places(length: int, longer: int) -> Int64[Tensor, " longer"]:
    """Return which pixel of a line stands at each place, when the line goes on by reflection.

    The last pixel is not repeated; a line that is too short is reflected to and fro.

    >>> mirrored_places(3, 8).tolist()
    [0, 1, 2, 1, 0, 1, 2, 1]
    """
    period = max(1, 2 * (length - 1))
    places = torch.arange(longer) % period
    return torch.minimum(places, period - places).clamp_max(length - 1)

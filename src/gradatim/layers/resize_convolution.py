"""Enlarging maps without a checkerboard: resize first, then convolve."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["ResizeConvolution"]


class ResizeConvolution(nn.Module):
    """Repeat each place `scale` times along both axes, then a convolution of stride 1.

    Every place of the output sees the whole kernel, so nothing is covered twice; a transposed
    convolution covers evenly only where its stride divides its kernel
    (`gradatim.ops.checkerboard.coverage`).

    Args:
        before: channels of the input.
        after: channels of the output.
        kernel: side of the window, odd.
        scale: by which height and width grow.

    Source: Odena, Dumoulin & Olah 2016, "Deconvolution and checkerboard artifacts"; course 000,
    "Transposed convolution" (resize-convolution).

    Deviations: borders are padded by repetition; zeros would darken them.
    """

    def __init__(self, before: int, after: int, kernel: int = 3, scale: int = 2) -> None:
        super().__init__()
        self.scale = scale
        self.conv = nn.Conv2d(before, after, kernel, padding="same", padding_mode="replicate")

    def forward(self, x: Float[Tensor, "rows before h w"]) -> Float[Tensor, "rows after h2 w2"]:
        """Return the enlarged maps."""
        return self.conv(F.interpolate(x, scale_factor=float(self.scale), mode="nearest"))

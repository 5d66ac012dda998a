"""Autoencoder: through a narrow place, where noise does not fit."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field
from torch import nn

from gradatim.layers.denoising.levels import OnLevels
from gradatim.layers.resize_convolution import ResizeConvolution
from gradatim.models.denoising._network import Denoiser

__all__ = ["RUNG", "Autoencoder"]

REACH = 16
"""Pixels: kernels of 3 reach 1, 1 and 2 on the way down, 4, 4, 2 and 1 on the way up."""


class Autoencoder(Denoiser):
    """Convolutions that halve the picture twice, and as many that enlarge it again.

    x -> code of `code` numbers for each 4 x 4 pixels -> y; nothing goes round the code.

    Idea: a code too short for noise keeps what pictures have in common.
    Cost: 195,593 parameters for grey pictures at width 32.
    Fails when: details are as small as noise: they do not fit through either.
    """

    place: ClassVar[int] = 17
    idea: ClassVar[str] = "learns a short code that has room for pictures and none for noise"
    source: ClassVar[str] = (
        "Vincent, Larochelle, Bengio & Manzagol 2008; Masci et al. 2011; course 001, chapter 10"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "convolutions of stride 2 in place of pooling, resize-convolutions to enlarge",
        "trained as a whole, not layer by layer; weights are not tied",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"width": 4, "code": 4}}

    epochs: ClassVar[int] = 25

    width: Annotated[int, Field(ge=1, le=1024)] = 32
    """Channels at full size; twice and four times as many at a half and a quarter."""
    code: Annotated[int, Field(ge=1, le=1024)] = 8
    """Numbers of the code for each square of 4 x 4 pixels; 16 would do without learning."""

    def network(self, channels: int) -> OnLevels:
        """Return encoder and decoder."""
        w = self.width
        encoder = nn.Sequential(
            nn.Conv2d(channels, w, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(w, 2 * w, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(2 * w, 4 * w, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(4 * w, self.code * channels, 1),
        )
        decoder = nn.Sequential(
            nn.Conv2d(self.code * channels, 4 * w, 3, padding=1),
            nn.ReLU(),
            ResizeConvolution(4 * w, 2 * w),
            nn.ReLU(),
            ResizeConvolution(2 * w, w),
            nn.ReLU(),
            nn.Conv2d(w, channels, 3, padding=1),
        )
        both = nn.Sequential(encoder, decoder)
        return OnLevels(both, multiple=4, residual=False, reach=REACH)


RUNG = Autoencoder

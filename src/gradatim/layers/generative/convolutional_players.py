"""Generators that enlarge twice and discriminators that halve twice, by convolution."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from gradatim.core.signature import Image

__all__ = ["ConvolutionalDiscriminator", "ConvolutionalGenerator", "ProjectionDiscriminator"]

SLOPE = 0.2  # of a leaky ReLU where it is negative


class ConvolutionalGenerator(nn.Module):
    """z -> maps of a quarter of the side -> half -> the picture, as flat numbers from 0 to 1.

    Transposed convolutions with kernels of 4 and strides of 2 cover every pixel as often as its
    neighbours; batch normalisation and ReLU follow all but the last. Of a class, a learnt vector
    stands beside z.

    Args:
        image: the pictures.
        noise: numbers of z.
        width: maps at half of the side; twice as many at a quarter.
        classes: that can be asked for; 0 for none.

    Source: Radford, Metz & Chintala 2016, section 3.

    Deviations: two enlargements from a quarter of the side, not four from 4 x 4; what is too large
    for sides that 4 does not divide is cut off; (tanh(a) + 1) / 2 is written as sigmoid(2 a).
    """

    def __init__(self, image: Image, noise: int, width: int, classes: int = 0) -> None:
        super().__init__()
        self.sides = image.height, image.width
        self.start = (2 * width, math.ceil(image.height / 4), math.ceil(image.width / 4))
        self.classes = nn.Embedding(classes, noise) if classes else None
        self.first = nn.Sequential(
            nn.Linear((2 if classes else 1) * noise, math.prod(self.start), bias=False),
            nn.Unflatten(1, self.start),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
        )
        self.rest = nn.Sequential(
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, image.channels, 4, stride=2, padding=1),
        )

    def forward(
        self, noise: Float[Tensor, "rows noise"], labels: Int64[Tensor, " rows"] | None = None
    ) -> Float[Tensor, "rows features"]:
        """Return drawn rows."""
        if self.classes is not None:
            noise = torch.cat([noise, self.classes(labels)], 1)
        height, width = self.sides
        picture = self.rest(self.first(noise))[..., :height, :width]
        return (2 * picture).sigmoid().flatten(1)


class ConvolutionalDiscriminator(nn.Module):
    """The picture -> maps of half the side -> a quarter -> one score, high for real.

    Convolutions with strides of 2 and leaky ReLU; batch normalisation after the second.

    Args:
        image: the pictures.
        width: maps at half of the side; twice as many at a quarter.

    Source: Radford, Metz & Chintala 2016, section 3.

    Deviations: two halvings, not four; the score has no sigmoid, which is part of the loss.
    """

    def __init__(self, image: Image, width: int) -> None:
        super().__init__()
        self.shape = (image.channels, image.height, image.width)
        self.layers = nn.Sequential(
            nn.Conv2d(image.channels, width, 4, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(SLOPE),
            nn.Flatten(),
            nn.Linear(2 * width * _quarter(image), 1),
        )

    def forward(self, rows: Float[Tensor, "rows features"]) -> Float[Tensor, " rows"]:
        """Return the scores."""
        return self.layers(2 * rows.unflatten(1, self.shape) - 1)[:, 0]


class ProjectionDiscriminator(nn.Module):
    """As above, with classes: f(x, y) = w'h(x) + v_y'h(x), every weight of spectral norm 1.

    Args:
        image: the pictures.
        width: maps at half of the side; twice as many at a quarter.
        classes: how many.

    Source: Miyato & Koyama 2018, equation (3) (the projection v_y); Miyato, Kataoka, Koyama &
    Yoshida 2018, algorithm 1 (the norm, by one power iteration a look).

    Deviations: convolutions as above and a linear layer in place of residual blocks.
    """

    def __init__(self, image: Image, width: int, classes: int) -> None:
        super().__init__()
        self.shape = (image.channels, image.height, image.width)
        features = 4 * width
        self.layers = nn.Sequential(
            spectral_norm(nn.Conv2d(image.channels, width, 4, stride=2, padding=1)),
            nn.LeakyReLU(SLOPE),
            spectral_norm(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)),
            nn.LeakyReLU(SLOPE),
            nn.Flatten(),
            spectral_norm(nn.Linear(2 * width * _quarter(image), features)),
            nn.LeakyReLU(SLOPE),
        )
        self.score = spectral_norm(nn.Linear(features, 1, bias=False))
        self.classes = spectral_norm(nn.Embedding(classes, features))

    def forward(
        self, rows: Float[Tensor, "rows features"], labels: Int64[Tensor, " rows"]
    ) -> Float[Tensor, " rows"]:
        """Return the scores of rows that are said to be of these classes."""
        seen = self.layers(2 * rows.unflatten(1, self.shape) - 1)
        return self.score(seen)[:, 0] + (self.classes(labels) * seen).sum(1)


def _quarter(image: Image) -> int:
    """Return how many places are left after two halvings, each rounded down."""
    return (image.height // 2 // 2) * (image.width // 2 // 2)

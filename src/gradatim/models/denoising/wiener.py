"""Wiener: the best linear filter, learnt in closed form."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float32
from pydantic import Field, field_validator
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.randomness import generator
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature
from gradatim.layers.denoising.levels import Levels, SameLevels
from gradatim.models.denoising._restoring import cut_out
from gradatim.ops.grams import Gram, gram_of, ridge_weights

__all__ = ["RUNG", "Wiener"]

SLIGHT = 1e-9
"""Penalty as a share of the mean sum of squares: patches of a flat picture are all the same."""


class Wiener(Solved):
    """Predict each pixel from the k x k noisy ones around it, by least squares over all pixels.

    w = (sum p p')^-1 sum p t, p a noisy patch and t the clean pixel in its middle, both less
    their means. With colours, all channels of the patch predict each channel.

    Idea: no window is thought out: the data says how neighbours are to be weighed.
    Cost: channels^2 k^2 + channels parameters; one Gram of k^2 channels columns, one eigenbasis.
    Fails when: what is right depends on the place: one filter serves edges and flats alike.
    """

    place: ClassVar[int] = 16
    idea: ClassVar[str] = "learns the weights of a window by least squares: the best linear filter"
    source: ClassVar[str] = "Wiener 1949; Hastie, Tibshirani & Friedman 2009, section 3.2"
    deviations: ClassVar[tuple[str, ...]] = (
        "a finite window, fitted to patches, in place of a spectrum that is known",
        "one more number is added to each channel",
        "pixels are drawn at random from the training pictures",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"side": 3, "pixels": 2000}}
    reads: ClassVar[tuple[str, ...]] = ("image",)
    answers: ClassVar[tuple[str, ...]] = ("picture",)

    side: Annotated[int, Field(ge=1, le=31)] = 11
    """k, odd."""
    pixels: Annotated[int, Field(ge=100, le=1_000_000_000)] = 1_000_000
    """From how many pixels the sums are made."""

    @field_validator("side")
    @classmethod
    def _odd(cls, side: int) -> int:
        if side % 2 == 0:
            raise ValueError("a window with a middle has an odd side")
        return side

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any picture."""
        return None

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return one convolution, pictures continued by reflection."""
        channels, reach = signature.outputs, self.side // 2
        layer = nn.Conv2d(channels, channels, self.side, padding=reach, padding_mode="reflect")
        return Model(Levels(), layer, SameLevels())

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Add up the Grams of all pictures, and solve."""
        model = self.build(signature, {}).requires_grad_(False)
        gram = self._gram(samples, seed)
        slight = SLIGHT * gram.centred().xx.diagonal().mean().clamp_min(1).view(1)
        weights, bias = ridge_weights(gram, slight)
        layer = model.network
        assert isinstance(layer, nn.Conv2d)
        assert layer.bias is not None
        layer.weight.copy_(weights[0].T.reshape(layer.weight.shape))
        layer.bias.copy_(bias[0])
        return model

    def _gram(self, samples: Samples, seed: int) -> Gram:
        chance = generator(seed, "pixels of the linear filter")
        each, grams = -(-self.pixels // len(samples)), []
        for row in range(len(samples)):
            noisy, clean = cut_out(samples, row, max(samples.inputs.shape[2:]))
            places = torch.randint(clean[0, 0].numel(), (each,), generator=chance)
            grams.append(gram_of(_patches(noisy, self.side, places), clean.flatten(2)[0].T[places]))
        return sum(grams[1:], grams[0])


def _patches(
    picture: Float32[Tensor, "1 channels height width"], side: int, places: Tensor
) -> Float32[Tensor, "places features"]:
    """Return the patches around some pixels, which are counted row by row."""
    width, reach = picture.shape[3], side // 2
    around = F.pad(picture, [reach] * 4, mode="reflect")[0]
    step = torch.arange(side)
    down = (places // width)[:, None, None] + step[:, None]
    across = (places % width)[:, None, None] + step
    return around[:, down, across].transpose(0, 1).flatten(1)


RUNG = Wiener

"""A small network of dilated convolutions: it sees farther with every layer, at full size."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import nn

from gradatim.core.recipe import Recipe
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Trained
from gradatim.core.signature import Image, Signature
from gradatim.layers.normalisation import normalisation
from gradatim.layers.pixels import Pixels
from gradatim.layers.segmentation.mask_logits import MaskLogits
from gradatim.models.segmentation._training import on_patches

__all__ = ["RUNG", "SmallCnn"]


class SmallCnn(Trained):
    """3x3 convolutions with dilations 1, 1, 2, 4, ..., then a linear layer at every pixel.

    A convolution with dilation d sees pixels d apart, so the last of n layers sees a square of
    side 2^n + 1 without losing a pixel's place.

    Idea: learn what to measure around a pixel instead of choosing it by hand.
    Cost: 9,554 parameters at width 16 and 5 layers for one channel and two classes, 9,392
        multiply-adds a pixel.
    Fails when: what matters is farther away than its square, or a shape at several scales.
    """

    place: ClassVar[int] = 40
    reads: ClassVar[tuple[str, ...]] = ("image",)
    answers: ClassVar[tuple[str, ...]] = ("mask",)
    idea: ClassVar[str] = "learns what to measure around a pixel, at one resolution"
    source: ClassVar[str] = "Yu & Koltun 2016, section 3 and table 1 (dilated convolutions)"
    deviations: ClassVar[tuple[str, ...]] = (
        "fewer layers, ending at dilation 8, with batch normalisation and the usual start",
        "trained on its own, not as a module behind another network",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"width": 8, "layers": 4}}

    width: Annotated[int, Field(ge=1, le=1024)] = 16
    layers: Annotated[int, Field(ge=1, le=8)] = 5
    normalisation: Literal["batch", "instance", "layer", "none"] = "batch"

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take all pictures with masks."""
        return None

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return the recipe of networks on patches."""
        return on_patches(rows, lr=1e-2)

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the network on standardised planes."""
        assert isinstance(signature.input, Image)
        before: int = signature.input.channels
        layers: list[nn.Module] = []
        for number in range(self.layers):
            reach = 2 ** max(0, number - 1)
            bias = self.normalisation == "none"
            layers += [
                nn.Conv2d(before, self.width, 3, padding=reach, dilation=reach, bias=bias),
                normalisation(self.normalisation, self.width),
                nn.ReLU(),
            ]
            before = self.width
        network = nn.Sequential(*layers, nn.Conv2d(before, signature.outputs, 1))
        return Model(Pixels(signature.input), network, MaskLogits())


RUNG = SmallCnn

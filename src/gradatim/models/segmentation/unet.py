"""U-Net: coarse looks decide what, fine ones where."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gradatim.core.recipe import Augmentation, OptimizerChoice, Recipe
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Trained
from gradatim.core.signature import Image, Picture, Signature
from gradatim.layers.denoising.levels import Levels, OnLevels, SameLevels
from gradatim.layers.pixels import Pixels
from gradatim.layers.segmentation.mask_logits import MaskLogits
from gradatim.layers.segmentation.unet import UNet
from gradatim.models.segmentation._training import on_patches

__all__ = ["RUNG", "UNetRung"]


class UNetRung(Trained):
    """Down by pooling, up by transposed convolutions, each level joined with its like on the way.

    Masks: logits of every pixel. Pictures: what has to be taken away from them, the noise.

    Idea: a coarse map says what is there, a fine one where exactly; joining them keeps both.
    Cost: 482,466 parameters at width 16 and depth 3 for one channel and two classes, 35,120
        multiply-adds a pixel.
    Fails when: pictures are few and unlike those to come, or things touch that must stay apart.
    """

    place: ClassVar[int] = 90
    reads: ClassVar[tuple[str, ...]] = ("image",)
    answers: ClassVar[tuple[str, ...]] = ("mask", "picture")
    idea: ClassVar[str] = "joins what is seen from afar with what is seen from near"
    source: ClassVar[str] = (
        "Ronneberger, Fischer & Brox 2015; answering with noise: Zhang et al. 2017"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "width 16 and depth 3 instead of 64 and 4, padded convolutions, batch normalisation",
        "AdamW on eight squares of 128 pixels instead of SGD with momentum on one large tile",
        "soft Dice beside cross-entropy, without weights for the pixels between touching cells",
        "quarter turns and mirror images instead of elastic deformations",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"width": 4, "depth": 2}}

    width: Annotated[int, Field(ge=1, le=1024)] = 16
    """Channels of the finest level; each coarser one has twice as many."""
    depth: Annotated[int, Field(ge=1, le=6)] = 3
    """How often height and width are halved."""
    normalisation: Literal["batch", "instance", "layer", "none"] = "batch"

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take all pictures that are to become masks or pictures."""
        return None

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return the recipe of networks on patches; smaller ones for noise, which is near."""
        if not isinstance(signature.output, Picture):
            return on_patches(rows, lr=4e-3)
        return Recipe(
            optimizer=OptimizerChoice(lr=2e-3),
            augmentation=Augmentation(flip=True, turn=True),
            epochs=15,
            batch=16,
            patch=64,
            patches=max(1, round(1600 / rows)),
        )

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the network between what goes in and what is asked for."""
        assert isinstance(signature.input, Image)
        network = UNet(
            signature.input.channels, signature.outputs, self.width, self.depth, self.normalisation
        )
        if isinstance(signature.output, Picture):
            return Model(Levels(), OnLevels(network), SameLevels())
        return Model(Pixels(signature.input), network, MaskLogits())


RUNG = UNetRung

"""Autoencoder: bent surfaces instead of planes."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from gradatim.core.recipe import OptimizerChoice, Recipe, Schedule
from gradatim.core.signature import Image, Signature
from gradatim.layers.generative.autoencoder import Autoencoder
from gradatim.layers.generative.dense import dense
from gradatim.models.generative._on_pictures import DrawsPictures

__all__ = ["RUNG", "AutoencoderSynthesis"]


class AutoencoderSynthesis(DrawsPictures):
    """Dense layers down to a short code and up again; a mixture of Gaussians says where codes lie.

    Idea: layers bend the plane, so that a shorter code says as much.
    Cost: 1.5 million parameters for 28 x 28 pixels; no more at 8 x 8 than 0.6 million.
    Fails when: codes leave holes that no picture of the training has filled.
    """

    place: ClassVar[int] = 50
    idea: ClassVar[str] = "bends the plane: a short code that layers understand"
    source: ClassVar[str] = (
        "Hinton & Salakhutdinov 2006; Ghosh et al. 2020 (a density of codes); course 001, "
        "chapter 10"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "trained as a whole, not layer by layer as machines of Boltzmann",
        "squared error in place of cross-entropy",
        "the mixture is learnt beside the network, by stepwise expectation-maximisation",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"code": 3, "width": 16, "components": 2}
    }

    code: Annotated[int, Field(ge=1, le=1024)] = 12
    """Numbers of the code."""
    width: Annotated[int, Field(ge=1, le=65536)] = 512
    """Units of each of the two hidden layers, on either side."""
    components: Annotated[int, Field(ge=1, le=1024)] = 40
    """Gaussians that describe where codes lie."""

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return six thousand steps for thousands of rows, fewer for hundreds."""
        return Recipe(
            optimizer=OptimizerChoice(lr=2e-3),
            schedule=Schedule(name="cosine"),
            epochs=12,
            steps=500 if rows > 5000 else 125,
            batch=128,
            validation=0,
        )

    def network(self, image: Image, classes: int) -> Autoencoder:
        """Return encoder, decoder and mixture."""
        pixels, w = image.channels * image.height * image.width, self.width
        encoder = dense([pixels, w, w, self.code])
        decoder = dense([self.code, w, w, pixels])
        return Autoencoder(encoder, decoder, self.code, self.components)


RUNG = AutoencoderSynthesis

"""Denoising autoencoder: it cannot copy, for a part of what it is to return is hidden."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from gradatim.core.recipe import OptimizerChoice, Recipe, Schedule
from gradatim.core.signature import Image, Signature
from gradatim.layers.generative.autoencoder import Denoiser
from gradatim.layers.generative.dense import dense
from gradatim.models.generative._on_pictures import DrawsPictures

__all__ = ["RUNG", "DenoisingAutoencoder"]


class DenoisingAutoencoder(DrawsPictures):
    """loss = |decode(encode(x with pixels set to 0)) - x|^2; new pictures walk towards old ones.

    Idea: what is hidden must be told from the rest, so the network learns what goes with what.
    Cost: as the autoencoder; drawing takes two looks a round more.
    Fails when: too much is hidden to tell two pictures apart: it returns what lies between them.
    """

    place: ClassVar[int] = 60
    idea: ClassVar[str] = "hides a part of each picture and has it filled in"
    source: ClassVar[str] = (
        "Vincent, Larochelle, Bengio & Manzagol 2008; Bengio, Yao, Alain & Vincent 2013"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "trained as a whole, not stacked layer by layer; squared error, untied weights",
        "the chain that draws begins at codes of a mixture of Gaussians and is short",
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
    hidden: Annotated[float, Field(ge=0, lt=1)] = 0.25
    """Share of the pixels that are set to 0."""
    rounds: Annotated[int, Field(ge=0, le=1000)] = 1
    """How often a drawn picture is hidden in part and filled in."""

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

    def network(self, image: Image, classes: int) -> Denoiser:
        """Return encoder, decoder and mixture."""
        pixels, w = image.channels * image.height * image.width, self.width
        encoder = dense([pixels, w, w, self.code])
        decoder = dense([self.code, w, w, pixels])
        return Denoiser(encoder, decoder, self.code, self.components, self.hidden, self.rounds)


RUNG = DenoisingAutoencoder

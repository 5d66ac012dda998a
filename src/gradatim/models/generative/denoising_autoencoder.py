"""Denoising autoencoder: it cannot copy, for a part of what it is to return is hidden."""

from typing import Annotated, ClassVar

from pydantic import Field

from gradatim.core.signature import Image
from gradatim.layers.generative.autoencoder import Denoiser
from gradatim.models.generative._on_codes import OnCodes

__all__ = ["RUNG", "DenoisingAutoencoder"]


class DenoisingAutoencoder(OnCodes):
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

    hidden: Annotated[float, Field(ge=0, lt=1)] = 0.25
    """Share of the pixels that are set to 0."""
    rounds: Annotated[int, Field(ge=0, le=1000)] = 1
    """How often a drawn picture is hidden in part and filled in."""

    def network(self, image: Image, classes: int) -> Denoiser:
        """Return encoder, decoder and mixture."""
        encoder, decoder = self.halves(image)
        return Denoiser(encoder, decoder, self.code, self.components, self.hidden, self.rounds)


RUNG = DenoisingAutoencoder

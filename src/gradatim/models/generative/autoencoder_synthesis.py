"""Autoencoder: bent surfaces instead of planes."""

from typing import ClassVar

from gradatim.core.signature import Image
from gradatim.layers.generative.autoencoder import Autoencoder
from gradatim.models.generative._on_codes import OnCodes

__all__ = ["RUNG", "AutoencoderSynthesis"]


class AutoencoderSynthesis(OnCodes):
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

    def network(self, image: Image, classes: int) -> Autoencoder:
        """Return encoder, decoder and mixture."""
        encoder, decoder = self.halves(image)
        return Autoencoder(encoder, decoder, self.code, self.components)


RUNG = AutoencoderSynthesis

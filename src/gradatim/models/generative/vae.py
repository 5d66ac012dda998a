"""Variational autoencoder: codes without holes."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from gradatim.core.recipe import OptimizerChoice, Recipe, Schedule
from gradatim.core.signature import Image, Signature
from gradatim.layers.generative.dense import dense
from gradatim.layers.generative.variational import Variational
from gradatim.models.generative._on_pictures import DrawsPictures

__all__ = ["RUNG", "VariationalAutoencoder"]


class VariationalAutoencoder(DrawsPictures):
    """loss = -E log p(x | z) + KL(q(z | x) || N(0, 1)), z = m(x) + s(x) e.

    Idea: each picture owns a cloud of codes, and all clouds together fill a standard normal.
    Cost: 1.4 million parameters for 28 x 28 pixels.
    Fails when: edges matter: where two pictures share a cloud, the answer is their mean.
    """

    place: ClassVar[int] = 70
    idea: ClassVar[str] = "makes codes fill a standard normal, so that any draw means something"
    source: ClassVar[str] = "Kingma & Welling 2014; Rezende, Mohamed & Wierstra 2014"
    deviations: ClassVar[tuple[str, ...]] = (
        "two hidden layers of ReLU in place of one of tanh; AdamW in place of AdaGrad",
        "grey levels count as probabilities of white",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"code": 3, "width": 16}}

    code: Annotated[int, Field(ge=1, le=1024)] = 12
    """Numbers of the code."""
    width: Annotated[int, Field(ge=1, le=65536)] = 512
    """Units of each of the two hidden layers, on either side."""

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return eight thousand steps for thousands of rows, fewer for hundreds."""
        return Recipe(
            optimizer=OptimizerChoice(lr=2e-3),
            schedule=Schedule(name="cosine"),
            epochs=20,
            steps=400 if rows > 5000 else 100,
            batch=128,
            validation=0,
            clip=100.0,  # the loss is a sum over pixels, and so is its gradient
        )

    def network(self, image: Image, classes: int) -> Variational:
        """Return encoder and decoder."""
        pixels, w = image.channels * image.height * image.width, self.width
        encoder = dense([pixels, w, w, 2 * self.code])
        decoder = dense([self.code, w, w, pixels])
        return Variational(encoder, decoder, self.code)


RUNG = VariationalAutoencoder

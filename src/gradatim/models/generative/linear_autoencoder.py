"""Linear autoencoder: the principal components, found by descent."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field
from torch import nn

from gradatim.core.recipe import OptimizerChoice, Recipe, Schedule
from gradatim.core.signature import Image, Signature
from gradatim.layers.generative.autoencoder import Autoencoder
from gradatim.models.generative._on_pictures import DrawsPictures

__all__ = ["RUNG", "LinearAutoencoder"]

STEPS = 3000


class LinearAutoencoder(DrawsPictures):
    """x -> A x + a -> B (A x + a) + b, with the least squared error.

    At the best A and B, B A projects on the first principal components, so that the error is the
    sum of the variances along all others.

    Idea: a picture is a point on a plane of few dimensions, learnt as networks learn.
    Cost: 2 code x pixels + code + pixels parameters.
    Fails when: pictures lie on a bent surface: between two digits on a plane lies no digit.
    """

    place: ClassVar[int] = 40
    idea: ClassVar[str] = "learns by descent the plane on which pictures nearly lie"
    source: ClassVar[str] = (
        "Baldi & Hornik 1989, Neural networks and principal component analysis; course 001, "
        "chapter 10"
    )
    deviations: ClassVar[tuple[str, ...]] = ("new pictures: codes drawn from a Gaussian",)
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"code": 4}}

    code: Annotated[int, Field(ge=1, le=4096)] = 32
    """Numbers of the code: principal components."""

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return a number of steps: more rows make the plane no harder to find."""
        return Recipe(
            optimizer=OptimizerChoice(name="adam", lr=3e-2),
            schedule=Schedule(name="cosine"),
            epochs=10,
            steps=STEPS // 10,
            batch=256,
            validation=0,
            clip=0,
        )

    def network(self, image: Image, classes: int) -> Autoencoder:
        """Return two linear layers."""
        pixels = image.channels * image.height * image.width
        code = min(self.code, pixels)
        return Autoencoder(nn.Linear(pixels, code), nn.Linear(code, pixels), code)


RUNG = LinearAutoencoder

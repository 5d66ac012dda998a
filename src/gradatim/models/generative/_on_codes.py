"""What autoencoders share that learn where their codes lie: layers, sizes and recipe."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field
from torch import nn

from gradatim.core.recipe import OptimizerChoice, Recipe, Schedule
from gradatim.core.signature import Image, Signature
from gradatim.layers.generative.dense import dense
from gradatim.models.generative._on_pictures import DrawsPictures

__all__ = ["OnCodes"]


class OnCodes(DrawsPictures):
    """Dense layers down to a short code and up again; a subclass makes a network of them."""

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

    def halves(self, image: Image) -> tuple[nn.Module, nn.Module]:
        """Return encoder and decoder."""
        pixels, w = image.channels * image.height * image.width, self.width
        return dense([pixels, w, w, self.code]), dense([self.code, w, w, pixels])

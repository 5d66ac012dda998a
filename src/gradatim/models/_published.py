"""What the published networks on pictures share: one form for large pictures, one for small."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gradatim.core.recipe import Augmentation, OptimizerChoice, Recipe
from gradatim.core.signature import Image, Signature
from gradatim.models._pictures import OnPictures, within

__all__ = ["LARGEST_SMALL", "PUBLISHED_SIDE", "Published", "is_small"]

LARGEST_SMALL = 64
PUBLISHED_SIDE = 224


def is_small(size: tuple[int, int]) -> bool:
    """Tell whether planes of that size get the small form of a network.

    >>> is_small((28, 28)), is_small((224, 224))
    (True, False)
    """
    return max(size) <= LARGEST_SMALL


class Published(OnPictures):
    """A network of a paper, in the form that suits the pictures.

    - Published: planes of 224 x 224, every layer as in the paper or in the weights that are
      shared; pictures with a side above 64 pixels are resized to it. The parameters are those that
      torchvision documents, and so are the names of the state dict.
    - Small: pictures of at most 64 pixels keep their size, sides below `least` are enlarged to it.
      The first layers, which a large picture needs to become small, do not reduce, and wide heads
      are narrower: the file of each network says how.

    Which of the two is meant follows from the picture alone, so `resnet18` names the published
    network for 3 x 224 x 224 and its small form for 3 x 32 x 32. `form` overrules that, as is
    needed to put trained weights to use on small pictures.
    """

    default: ClassVar[bool] = False
    least: ClassVar[int] = 32
    """Shortest side, in pixels, of the planes of the small form."""

    form: Literal["auto", "small", "published"] = "auto"
    """auto goes by the picture: at most 64 pixels is small."""
    width: Annotated[float, Field(gt=0, le=16)] = 1.0
    """Multiplies the channels of every layer; 1 is what was published."""

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return thirty epochs with pictures moved by up to two pixels.

        Nothing is mirrored: a mirrored digit or letter is another one.
        """
        return Recipe(
            optimizer=OptimizerChoice(lr=1e-3),
            augmentation=Augmentation(shift=2),
            epochs=30,
            batch=32 if rows < 5000 else 128,
            patience=8,
        )

    def extent(self, image: Image) -> tuple[int, int]:
        """Return 224 x 224 for the published form, else the picture's own size up to 64."""
        small = is_small((image.height, image.width)) if self.form == "auto" else None
        if self.form == "published" or small is False:
            return PUBLISHED_SIDE, PUBLISHED_SIDE
        return within(image, self.least, LARGEST_SMALL)

    def scaled(self, channels: int, least: int = 2) -> int:
        """Return a number of channels times the width, at least `least`."""
        return max(least, round(channels * self.width))

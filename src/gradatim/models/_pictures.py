"""What all networks on pictures share: they take pictures alone, at a size they can work on."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from torch import nn

from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Trained
from gradatim.core.signature import Image, Signature
from gradatim.layers.outputs import output_for
from gradatim.layers.pixels import Pixels

__all__ = ["OnPictures", "within"]

Channels = tuple[float, float, float]


class OnPictures(Trained):
    """A network on planes of pixels: a subclass gives the size it wants and the network."""

    pixels: ClassVar[tuple[Channels, Channels]] = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    """Mean and deviation of the channels that published weights expect: by default ImageNet's."""
    training_only: ClassVar[tuple[str, ...]] = ()
    """How parameters begin that published weights have and prediction does not need."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take pictures."""
        if isinstance(signature.input, Image):
            return None
        return Refusal("this network needs neighbouring pixels, which this data has not", "use mlp")

    @abstractmethod
    def extent(self, image: Image) -> tuple[int, int]:
        """Return height and width that pictures are resized to."""

    @abstractmethod
    def network(self, channels: int, outputs: int, size: tuple[int, int]) -> nn.Module:
        """Return the network on planes of that size.

        Args:
            channels: of the pictures, 1 or 3.
            outputs: numbers that it answers with.
            size: height and width of the planes.
        """

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the network behind standardised, resized planes."""
        assert isinstance(signature.input, Image)
        size = self.extent(signature.input)
        network = self.network(signature.input.channels, signature.outputs, size)
        return Model(Pixels(signature.input, size), network, output_for(signature))


def within(image: Image, least: int, most: int) -> tuple[int, int]:
    """Return the picture's own size, each side moved into [least, most] pixels."""
    height, width = (min(most, max(least, n)) for n in (image.height, image.width))
    return height, width

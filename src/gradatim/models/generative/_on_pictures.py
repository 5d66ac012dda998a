"""What networks that draw pictures share: pictures alone, as flat rows of numbers from 0 to 1."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Trained
from gradatim.core.signature import Image, Signature, Synthesis
from gradatim.core.task import Task, Taught
from gradatim.layers.generative.generative import Drawing
from gradatim.layers.generative.unit_pixels import Levels, UnitPixels

__all__ = ["ByRows", "DrawsPictures"]


class ByRows(Taught):
    """A task as a network learns it that tells the loss of each row itself."""

    def __init__(self, task: Task) -> None:
        super().__init__(task, lambda said, targets: said)

    def outputs(self, network: nn.Module, inputs: Tensor, targets: Tensor) -> Any:
        """Return the losses."""
        return network.losses(inputs)  # type: ignore[operator]


class DrawsPictures(Trained):
    """A network that draws pictures: a subclass gives the network, and how it learns."""

    reads: ClassVar[tuple[str, ...]] = ("image",)
    answers: ClassVar[tuple[str, ...]] = ("synthesis",)

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take pictures of one size."""
        assert isinstance(signature.input, Image)
        if signature.input.fit == "pad":
            return Refusal("a canvas with pictures of many sizes has no one size", "use gaussian")
        return None

    @abstractmethod
    def network(self, image: Image, classes: int) -> Drawing:
        """Return the network on rows of pixels.

        Args:
            image: the pictures.
            classes: that are known of them; 0 for none.
        """

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the network between levels and levels."""
        image, output = signature.input, signature.output
        assert isinstance(image, Image)
        assert isinstance(output, Synthesis)
        pixels, levels = UnitPixels(image, output.levels), Levels(image, output.levels)
        return Model(pixels, self.network(image, len(output.names)), levels)

    def taught(self, task: Task, model: Model) -> Task:
        """Return the task with the losses that the network tells."""
        return ByRows(task)

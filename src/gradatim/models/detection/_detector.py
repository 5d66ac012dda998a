"""What all networks that find boxes share: how large they see a picture, and whose loss it is."""

from abc import abstractmethod
from collections.abc import Mapping
from math import log
from typing import Annotated, ClassVar

from pydantic import Field
from torch import nn

from gradatim.core.recipe import Augmentation, OptimizerChoice, Recipe, Schedule
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Trained
from gradatim.core.signature import Image, Signature
from gradatim.core.task import Task, Taught
from gradatim.layers.detection.found_boxes import LearntBoxes
from gradatim.layers.detection.pyramid import COARSEST, Backbone, Pyramid
from gradatim.layers.pixels import Pixels

__all__ = ["RARE_SCORE", "Detector"]

RARE_SCORE = log(0.01 / 0.99)
"""How the score of a class begins: at a probability of 0.01, for almost every place is empty."""


class Detector(Trained):
    """A network from pictures to boxes: a subclass gives the network and its output."""

    reads: ClassVar[tuple[str, ...]] = ("image",)
    answers: ClassVar[tuple[str, ...]] = ("boxes",)

    width: Annotated[int, Field(ge=1, le=1024)] = 48
    """Channels at a quarter of the planes' size; twice and four times as many further down."""
    neck: Annotated[int, Field(ge=1, le=1024)] = 64
    """Channels of the pyramid."""
    blocks: Annotated[int, Field(ge=1, le=50)] = 2
    """Residual blocks at strides 8 and 16; there is one at stride 4."""
    side: Annotated[int, Field(ge=16, le=4096)] = 320
    """Longer side of the pictures as the network sees them; smaller pictures stay as they are."""
    most: Annotated[int, Field(ge=1, le=1000)] = 100
    """Boxes of an answer."""
    overlap: Annotated[float, Field(gt=0, le=1)] = 0.6
    """Of two boxes of a class that overlap more, only the more confident one is answered."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take all pictures with boxes."""
        return None

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return some 15,000 looks at a picture, mirrored both ways and cropped."""
        return Recipe(
            optimizer=OptimizerChoice(lr=2e-3),
            schedule=Schedule(warmup=0.1),
            augmentation=Augmentation(flip=True, updown=True, crop=0.3),
            epochs=min(300, max(12, 15_000 // rows)),
            batch=8,
            clip=10.0,
            validation=0.0,
        )

    @abstractmethod
    def network(self, channels: int, classes: int) -> nn.Module:
        """Return the network on planes whose sides are multiples of 16."""

    @abstractmethod
    def output(self, classes: int, size: tuple[int, int]) -> LearntBoxes:
        """Return what makes boxes of the network's scores.

        Args:
            classes: names that boxes may have.
            size: height and width of the planes.
        """

    def backbone(self, channels: int) -> Backbone:
        """Return the residual network on planes."""
        return Backbone(channels, self.width, (1, self.blocks, self.blocks))

    def pyramid(self, channels: int) -> Pyramid:
        """Return the backbone with its pyramid."""
        return Pyramid(self.backbone(channels), self.neck)

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the network behind standardised, resized planes."""
        image, classes = signature.input, signature.outputs
        assert isinstance(image, Image)
        size = self.extent(image)
        network = self.network(image.channels, classes)
        return Model(Pixels(image, size), network, self.output(classes, size))

    def taught(self, task: Task, model: Model) -> Task:
        """Return the task with the loss of this network's output."""
        assert isinstance(model.output, LearntBoxes)
        return Taught(task, model.output.losses)

    def extent(self, image: Image) -> tuple[int, int]:
        """Return height and width that pictures are resized to: multiples of 16."""
        scale = min(1.0, self.side / max(image.height, image.width))
        height, width = (
            max(1, round(scale * n / COARSEST)) * COARSEST for n in (image.height, image.width)
        )
        return height, width

"""A small residual network: depth that a gradient can pass."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import nn

from gradatim.core.recipe import Augmentation, OptimizerChoice, Recipe
from gradatim.core.signature import Image, Signature
from gradatim.layers.fused import FusedSequential
from gradatim.layers.normalisation import normalisation
from gradatim.layers.residual import BasicBlock
from gradatim.models._pictures import OnPictures, within

__all__ = ["RUNG", "ResNetSmall"]


class ResNetSmall(OnPictures):
    """Stem, three stages of residual blocks at strides 1, 2, 2, global average, linear.

    Idea: blocks that only have to learn a correction, so depth does not hurt.
    Cost: 77,754 parameters at width 16 for one channel and ten classes.
    Fails when: pictures are few; then a kernel machine is as good and far cheaper.
    """

    place: ClassVar[int] = 120
    idea: ClassVar[str] = "adds shortcuts, so that many layers train as easily as few"
    source: ClassVar[str] = "He, Zhang, Ren & Sun 2016, section 4.2; course 000, ResNet"
    deviations: ClassVar[tuple[str, ...]] = (
        "one block a stage (ResNet-8) with 1x1 projections instead of padded identities",
        "AdamW and a cosine schedule instead of SGD with steps",
        "pictures below 16 pixels are enlarged to 16, above 64 reduced to 64",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"width": 4}}

    width: Annotated[int, Field(ge=1, le=1024)] = 16
    blocks: Annotated[int, Field(ge=1, le=100)] = 1
    """Residual blocks in each of the three stages."""
    normalisation: Literal["batch", "instance", "layer", "none"] = "batch"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Before the last layer."""

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return twenty-five epochs with pictures moved by up to one pixel in sixteen.

        Few pictures that are easy to learn take fewer: some 16 on the digits.
        """
        return Recipe(
            optimizer=OptimizerChoice(lr=4e-3),
            augmentation=Augmentation(shift=1),
            epochs=25,
            patience=8,
            settle=0.02 if rows < 5000 else 0.0,
        )

    def extent(self, image: Image) -> tuple[int, int]:
        """Return the picture's own size, within 16 to 64 pixels."""
        return within(image, 16, 64)

    def network(self, channels: int, outputs: int, size: tuple[int, int]) -> nn.Module:
        """Return stem, stages and head."""
        layers: list[nn.Module] = [
            nn.Conv2d(channels, self.width, 3, padding=1, bias=self.normalisation == "none"),
            normalisation(self.normalisation, self.width),
            nn.ReLU(),
        ]
        before = self.width
        for stage in range(3):
            for block in range(self.blocks):
                after, stride = self.width << stage, 2 if stage and not block else 1
                layers.append(BasicBlock(before, after, stride, self.normalisation))
                before = after
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(self.dropout)]
        return FusedSequential(*layers, nn.Linear(before, outputs))


RUNG = ResNetSmall

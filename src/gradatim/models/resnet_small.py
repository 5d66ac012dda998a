"""A small residual network: depth that a gradient can pass."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.recipe import Augmentation, OptimizerChoice, Recipe
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Trained
from gradatim.core.signature import Image, Signature
from gradatim.layers.outputs import output_for
from gradatim.layers.pixels import Pixels

__all__ = ["RUNG", "ResNetSmall"]


class Block(nn.Module):
    """y = ReLU(x' + BN(conv(ReLU(BN(conv(x)))))), x' = x or a 1x1 convolution of it."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.downsample = nn.Sequential()
        if stride > 1 or before != after:
            shortcut = nn.Conv2d(before, after, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(after))

    def forward(self, x: Float[Tensor, "rows before h w"]) -> Float[Tensor, "rows after h2 w2"]:
        """Return the input plus what the block adds."""
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.downsample(x) + self.bn2(self.conv2(y)))


class ResNetSmall(Trained):
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

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take pictures."""
        if isinstance(signature.input, Image):
            return None
        return Refusal("convolutions need neighbouring pixels, a table has none", "use mlp")

    def recipe(self, rows: int) -> Recipe:
        """Return twenty-five epochs with pictures moved by up to one pixel in sixteen."""
        return Recipe(
            optimizer=OptimizerChoice(lr=4e-3),
            augmentation=Augmentation(shift=1),
            epochs=25,
            patience=8,
        )

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the network on the picture's own size, within 16 to 64 pixels."""
        assert isinstance(signature.input, Image)
        size = tuple(min(64, max(16, n)) for n in (signature.input.height, signature.input.width))
        layers: list[nn.Module] = [
            nn.Conv2d(signature.input.channels, self.width, 3, padding=1, bias=False),
            nn.BatchNorm2d(self.width),
            nn.ReLU(),
        ]
        before = self.width
        for stage in range(3):
            for block in range(self.blocks):
                after, stride = self.width << stage, 2 if stage and not block else 1
                layers.append(Block(before, after, stride))
                before = after
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, signature.outputs)]
        planes = Pixels(signature.input, (size[0], size[1]))
        return Model(planes, nn.Sequential(*layers), output_for(signature))


RUNG = ResNetSmall

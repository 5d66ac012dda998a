"""LeNet-5 as it was in 1998, with exactly 60,000 parameters."""

from collections import OrderedDict
from typing import ClassVar

from torch import nn

from gradatim.core.recipe import Augmentation, OptimizerChoice, Recipe
from gradatim.core.refusal import Refusal
from gradatim.core.signature import Category, Image, Signature
from gradatim.layers.lenet import CODE_LENGTH, Codes, ScaledTanh, Subsampling, TableConvolution
from gradatim.models._pictures import OnPictures

__all__ = ["RUNG", "LeNet51998"]


class LeNet51998(OnPictures):
    """Convolution, trained sub-sampling, convolution by a table, sub-sampling, 120, 84, codes.

    C1 156 + S2 12 + C3 1,516 + S4 32 + C5 48,120 + F6 10,164 = 60,000 parameters.

    Idea: the network of the paper: every unit squashed, and an output that draws the digit.
    Cost: 60,000 parameters for one channel, whatever the number of classes, for theirs are fixed;
        0.65 M multiply-adds for 3x32x32, kernels that the table leaves out counted too.
    Fails when: objects are large, coloured and in clutter; it also learns more slowly than `lenet5`
        since a squashed unit passes little gradient.
    """

    place: ClassVar[int] = 108
    idea: ClassVar[str] = "shares filters as in 1998: trained sub-sampling, a table, fixed codes"
    source: ClassVar[str] = (
        "LeCun, Bottou, Bengio & Haffner 1998, section II-B and table I; course 001, LeNet-5"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "the digits of the output codes are drawn anew; other than ten classes get chance codes",
        "negative squared distances over sqrt(84) are logits, without the constant of equation (9)",
        "weights begin with variance 1 / inputs (LeCun et al. 1998b), coefficients at 1/4",
        "AdamW and a cosine schedule instead of stochastic diagonal Levenberg-Marquardt",
        "pixels are standardised, not mapped to -0.1 and 1.175",
        "pictures are enlarged or reduced to 32x32 instead of being padded",
    )
    default: ClassVar[bool] = False

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take pictures with categories."""
        if not isinstance(signature.input, Image):
            return super().accepts(signature)
        if isinstance(signature.output, Category):
            return None
        return Refusal(
            "its output is a code for each class, and quantities have none", "use lenet5"
        )

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return thirty epochs with pictures moved by up to two of 32 pixels."""
        return Recipe(
            optimizer=OptimizerChoice(lr=2e-3),
            augmentation=Augmentation(shift=2),
            epochs=30,
            batch=32 if rows < 5000 else 64,
            patience=8,
        )

    def extent(self, image: Image) -> tuple[int, int]:
        """Return the paper's 32 by 32 pixels."""
        return 32, 32

    def network(self, channels: int, outputs: int, size: tuple[int, int]) -> nn.Module:
        """Return the layers under the names of the paper."""
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            C1=nn.Conv2d(channels, 6, 5),
            squash1=ScaledTanh(),
            S2=Subsampling(6),
            squash2=ScaledTanh(),
            C3=TableConvolution(),
            squash3=ScaledTanh(),
            S4=Subsampling(16),
            squash4=ScaledTanh(),
            C5=nn.Conv2d(16, 120, 5),
            squash5=ScaledTanh(),
            F6=nn.Conv2d(120, CODE_LENGTH, 1),
            squash6=ScaledTanh(),
            flatten=nn.Flatten(),
            output=Codes(outputs),
        )
        for layer in layers.values():
            if isinstance(layer, nn.Conv2d):
                reach = (3 / layer.weight[0].numel()) ** 0.5
                nn.init.uniform_(layer.weight, -reach, reach)
        return nn.Sequential(layers)


RUNG = LeNet51998

"""CenterNet: a box is a point in a heat map, with an offset and a size."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gradatim.layers.detection.centre_maps import CentreMaps
from gradatim.layers.detection.pyramid import Pyramid
from gradatim.models.detection._detector import RARE_SCORE, Detector

__all__ = ["RUNG", "CenterNet", "HeatMapNetwork"]


class HeatMapNetwork(nn.Module):
    """The finest map of a pyramid, and a 1x1 convolution to heat, offset and size.

    Args:
        pyramid: of planes.
        width: channels of its maps.
        classes: names that boxes may have.
    """

    def __init__(self, pyramid: Pyramid, width: int, classes: int) -> None:
        super().__init__()
        self.pyramid = pyramid
        self.head = nn.Conv2d(width, classes + 4, 1)
        nn.init.normal_(self.head.weight, std=0.01)
        self.head.bias = nn.Parameter(torch.tensor([RARE_SCORE] * classes + [0.0] * 4))

    def forward(self, x: Float[Tensor, "rows channels h w"]) -> Float[Tensor, "rows maps h4 w4"]:
        """Return raw maps at a quarter of the planes' size."""
        return self.head(self.pyramid(x)[0])


class CenterNet(Detector):
    """A residual network with a pyramid answers with a heat map for each class; peaks are boxes.

    Idea: no windows and no anchors: every place says how likely it is the middle of what, and how
        large that is.
    Cost: 1.6 million parameters at width 48; 1.2 billion multiply-adds for 240 x 320 pixels.
    Fails when: the middles of two objects of a class fall together: it finds one of them.
    """

    place: ClassVar[int] = 30
    idea: ClassVar[str] = "learns where the middle of an object is, and how large it is there"
    source: ClassVar[str] = "Zhou, Wang & Krähenbühl 2019, 'Objects as points'"
    deviations: ClassVar[tuple[str, ...]] = (
        "a small residual network with a pyramid, from scratch, instead of Hourglass-104 or DLA-34",
        "the bell of a box is an ellipse of 0.09 of its sides (Liu et al. 2020), not a circle",
        "generalised IoU at all places of a bell (Liu et al. 2020), not L1 at its middle alone",
        "sizes are logarithms; one convolution answers with heat, offsets and sizes",
        "a confidence is that of 3 x 3 places together, freed from the bias of the focal loss",
        "losses are averaged over the boxes of each picture, not of a batch",
        "boxes of one class that overlap by more than 0.6 are thinned out; no test-time mirroring",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"width": 4, "neck": 8, "blocks": 1}
    }

    def network(self, channels: int, classes: int) -> nn.Module:
        """Return backbone, pyramid and head."""
        return HeatMapNetwork(self.pyramid(channels), self.neck, classes)

    def output(self, classes: int, size: tuple[int, int]) -> CentreMaps:
        """Return the peaks of the heat as boxes."""
        return CentreMaps(classes, self.most, self.overlap)


RUNG = CenterNet

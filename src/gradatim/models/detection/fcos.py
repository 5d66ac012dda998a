"""FCOS: every place in the middle of an object says how far its sides are."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from gradatim.layers.detection.distance_maps import DistanceMaps
from gradatim.layers.detection.pyramid import COARSEST, Pyramid
from gradatim.layers.normalisation import normalisation
from gradatim.models.detection._detector import RARE_SCORE, Detector

__all__ = ["RUNG", "Fcos", "PlacesNetwork"]

LEVELS = 2


class PlacesNetwork(nn.Module):
    """One head looks at all levels of a pyramid: a tower for classes, one for boxes.

    Args:
        pyramid: of planes.
        width: channels of its maps.
        classes: names that boxes may have.
        depth: convolutions of a tower.
    """

    def __init__(self, pyramid: Pyramid, width: int, classes: int, depth: int) -> None:
        super().__init__()
        self.pyramid = pyramid
        self.class_tower, self.box_tower = _tower(width, depth), _tower(width, depth)
        self.of_class = nn.Conv2d(width, classes, 3, padding=1)
        self.distances = nn.Conv2d(width, 4, 3, padding=1)
        self.central = nn.Conv2d(width, 1, 3, padding=1)
        self.scales = nn.Parameter(torch.ones(pyramid.levels))
        begins = {self.of_class: RARE_SCORE, self.distances: 0.0, self.central: 0.0}
        for layer, score in begins.items():
            nn.init.normal_(layer.weight, std=0.01)
            layer.bias = nn.Parameter(torch.full((layer.out_channels,), score))

    def forward(self, x: Float[Tensor, "rows channels h w"]) -> Float[Tensor, "rows places fields"]:
        """Return classes, distances and centre-ness of the places of all levels, finest first."""
        levels = zip(self.pyramid(x), self.scales, strict=True)
        return torch.cat([self._level(p, s).flatten(2).mT for p, s in levels], 1)

    def _level(self, features: Tensor, scale: Tensor) -> Tensor:
        boxes = self.box_tower(features)
        parts = [self.of_class(self.class_tower(features)), scale * self.distances(boxes)]
        return torch.cat([*parts, self.central(boxes)], 1)


def _tower(width: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(depth):
        conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
        layers += [conv, normalisation("layer", width), nn.ReLU()]
    return nn.Sequential(*layers)


class Fcos(Detector):
    """Places near the middle of an object say its class and the distances to its four sides.

    Idea: large and small objects are looked for on maps of their own, and places that are not quite
        in the middle know it.
    Cost: 1.7 million parameters at width 48; 1.2 billion multiply-adds for 240 x 320 pixels.
    Fails when: objects are smaller than 8 pixels: no place has its middle in them.
    """

    place: ClassVar[int] = 40
    idea: ClassVar[str] = "adds maps of several scales, and a measure of how central a place is"
    source: ClassVar[str] = (
        "Tian, Shen, Chen & He 2019, 'FCOS', and 2020, 'A simple and strong anchor-free detector'"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "a small residual network from scratch, with maps at strides 8 and 16, not 8 to 128",
        "two convolutions a tower, not four, with one group of channels, not 32",
        "distances are counted in half the usual size of a box, not in strides",
        "losses are averaged over the places of each picture, not of a batch",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"width": 4, "neck": 8, "blocks": 1, "depth": 1}
    }

    depth: Annotated[int, Field(ge=0, le=10)] = 2
    """Convolutions of a tower."""

    def network(self, channels: int, classes: int) -> nn.Module:
        """Return backbone, pyramid and head."""
        pyramid = Pyramid(self.backbone(channels), self.neck, LEVELS)
        return PlacesNetwork(pyramid, self.neck, classes, self.depth)

    def output(self, classes: int, size: tuple[int, int]) -> DistanceMaps:
        """Return the boxes of the surest places."""
        strides = [COARSEST >> k for k in reversed(range(LEVELS))]
        levels = [(size[0] // stride, size[1] // stride) for stride in strides]
        return DistanceMaps(classes, self.most, self.overlap, levels)


RUNG = Fcos

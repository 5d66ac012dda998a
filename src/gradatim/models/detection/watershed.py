"""Thresholds and the watershed: how cells and coins are counted without any network."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float64, Int64
from pydantic import Field
from torch import Tensor

from gradatim.core.chunks import in_chunks
from gradatim.core.randomness import generator
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Image, Signature
from gradatim.layers.detection.candidate_boxes import Candidates, best_partners, moves_between
from gradatim.layers.detection.region_judge import RegionJudge
from gradatim.layers.detection.watershed_regions import WatershedRegions
from gradatim.ops.logistic import logistic_path
from gradatim.ops.ridge import ridge_path

__all__ = ["RUNG", "Watershed"]

_NEAR = 0.35  # overlap from which on a region teaches how to move its box
_RIGHT = 0.5  # overlap from which on a moved box has the class of the box it covers
_PENALTY = 1e-3  # of the moves, for each region that teaches them


class Watershed(Solved):
    """Cut pictures at thresholds, tell apart what touches, judge each region by simple features.

    Regions as in `layers.detection.watershed_regions`; a logistic regression on squares and
    products of their area, width, height, filled share and colours says what each is, or that it
    is nothing, and a ridge regression how its box should be moved.

    Idea: things differ from what is around them in brightness or colour.
    Cost: some 100 features x (classes + 5) parameters; some 0.1 s a picture.
    Fails when: things overlap, lie before a busy background, or have many colours themselves.
    """

    place: ClassVar[int] = 10
    idea: ClassVar[str] = "takes what is darker, brighter or more colourful than what surrounds it"
    source: ClassVar[str] = (
        "Otsu 1979; Liao, Chen & Chung 2001; Vincent & Soille 1991; Girshick et al. 2014 (moves)"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "regions of both of multi-Otsu's thresholds are candidates, in grey and in colourfulness",
        "basins begin at peaks of the distance to the border, smoothed by one pixel",
        "boxes are moved by a ridge regression on the features of their region",
    )
    reads: ClassVar[tuple[str, ...]] = ("image",)
    answers: ClassVar[tuple[str, ...]] = ("boxes",)
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"side": 32, "regions": 500}}

    side: Annotated[int, Field(ge=8, le=4096)] = 192
    """Pixels of the long side that larger pictures are shrunk to."""
    regions: Annotated[int, Field(ge=10, le=1_000_000)] = 20_000
    """The most regions that teach what nothing looks like."""
    moves: bool = True
    """Whether boxes are moved to where those of the training pictures would be."""
    overlap: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Of two boxes of a class that overlap more, only the more confident one is answered."""
    most: Annotated[int, Field(ge=1, le=1000)] = 100
    """Boxes of an answer."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any pictures with boxes, where scikit-image is installed."""
        if find_spec("skimage") is not None:
            return None
        remedy = 'pip install "gradatim[pictures]", or use hog_windows'
        return Refusal("it needs scikit-image, which is not installed", remedy)

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return regions and a judge that has learnt nothing."""
        assert isinstance(signature.input, Image)
        regions = WatershedRegions(signature.input, self.side)
        judge = RegionJudge(regions.features, signature.outputs)
        return Model(regions, judge, Candidates(signature.outputs, self.most, self.overlap))

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Find the regions of all pictures, then solve for moves, then for classes."""
        model = self.build(signature, {})
        regions, judge = model.preprocess, model.network
        assert isinstance(regions, WatershedRegions)
        assert isinstance(judge, RegionJudge)
        regions.look_at(samples.inputs, samples.targets)
        regions.fit(samples.inputs)
        found = [in_chunks(regions, picture[None])[0] for picture in samples.inputs]
        pairs = list(zip(found, samples.targets, strict=True))
        if self.moves:
            _teach_moves(judge, pairs)
        classes = torch.cat([_classes(judge, *pair) for pair in pairs])
        every = torch.cat(found)
        taught = _some_of(classes, signature.outputs, self.regions, seed)
        _teach_classes(judge, every[taught, 4:], classes[taught])
        return model


def _teach_moves(judge: RegionJudge, pairs: list[tuple[Tensor, Tensor]]) -> None:
    """Solve for the moves that lead from boxes of regions to the boxes they stand for."""
    features, moves = [], []
    for regions, targets in pairs:
        best, there = best_partners(regions[:, :4], targets)
        near = best > _NEAR
        moves.append(moves_between(regions[near, :4], there[near, :4]))
        features.append(regions[near, 4:])
    x, t = torch.cat(features), torch.cat(moves)
    if len(x):
        path = ridge_path(x, t, torch.tensor([_PENALTY * len(x)], dtype=torch.float64))
        judge.moves.copy_(path.weights[0])
        judge.shift.copy_(path.bias[0])


def _classes(
    judge: RegionJudge, regions: Float64[Tensor, "regions numbers"], targets: Tensor
) -> Int64[Tensor, " regions"]:
    """Return the class of what each region's moved box covers; -1 for nothing."""
    best, there = best_partners(judge.boxes(regions), targets)
    return torch.where(best >= _RIGHT, there[:, 4], -1.0).long()


def _some_of(classes: Tensor, nothing: int, most: int, seed: int) -> Int64[Tensor, " regions"]:
    """Return all regions that are something, and at most so many that are nothing."""
    empty = (classes < 0).nonzero()[:, 0]
    order = torch.randperm(len(empty), generator=generator(seed, "regions of nothing"))
    return torch.cat([(classes >= 0).nonzero()[:, 0], empty[order[:most]]])


def _teach_classes(judge: RegionJudge, x: Tensor, classes: Tensor) -> None:
    """Solve for the classes, nothing being the last."""
    nothing = len(judge.bias) - 1
    if not len(x):  # no picture has a region: there is nothing to be seen
        judge.bias[nothing] = 10.0
        return
    targets = torch.where(classes < 0, nothing, classes)
    solution = next(logistic_path(x, targets, nothing + 1, [10.0]))
    judge.weights.copy_(solution.weights)
    judge.bias.copy_(solution.bias)


RUNG = Watershed

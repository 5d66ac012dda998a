"""Hand-made features and linear machines over windows: how things were found before 2013."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from gradatim.core.chunks import in_chunks
from gradatim.core.randomness import generator
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Image, Signature
from gradatim.layers.detection.candidate_boxes import Candidates, best_partners, moves_between
from gradatim.layers.detection.hog_windows import HogWindows, View
from gradatim.layers.pixels import Pixels
from gradatim.ops.detection.box_matching import partners
from gradatim.ops.linear_machines import linear_machines
from gradatim.ops.logistic import logistic_path
from gradatim.ops.ridge import ridge_path

__all__ = ["RUNG", "WindowsByHand"]

_RIGHT, _WRONG = 0.7, 0.5  # overlaps from which on, and up to which, a window is an example
_COST = 0.01  # C of the linear machines, as Dalal & Triggs have it
_PENALTY = 1e-2  # of the moves, for each window that teaches them


class Lesson(NamedTuple):
    """Windows to learn from: features, shape, class (-1 for nothing) and the move they need."""

    features: Float32[Tensor, "windows features"]
    shapes: Int64[Tensor, " windows"]
    classes: Int64[Tensor, " windows"]
    moves: Float[Tensor, "windows 4"]


class WindowsByHand(Solved):
    """Slide windows over the picture; a linear machine judges the edges and levels in each.

    A window of 6 x 6 cells has 5 x 5 blocks of histograms of oriented gradients and the mean level
    of every channel in every cell. Windows have the commonest shapes of the boxes of the training
    pictures. A support vector machine tells each class from all else; it is solved twice, the
    second time with the windows that fooled it most (hard negatives). A ridge regression moves
    boxes, and a logistic regression of right or wrong turns scores into confidences.

    Idea: the window decides what is an object, not the border between bright and dark.
    Cost: some 1000 features x (classes + 4) parameters; on small things 20,000 windows a picture.
    Fails when: an object comes in many poses, which one linear template does not cover.
    """

    place: ClassVar[int] = 20
    idea: ClassVar[str] = "slides a window over edges and their directions, as chosen by hand"
    source: ClassVar[str] = (
        "Dalal & Triggs 2005; Dollar et al. 2009 (levels); Girshick et al. 2014 (moves)"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "every shape of window sees its own stretched picture, instead of one pyramid",
        "the mean levels of cells stand beside the histograms (Dollar et al. 2009)",
        "loss is the squared hinge; hard negatives are sought once",
        "boxes are moved by a ridge regression on the same features (Girshick et al. 2014)",
    )
    reads: ClassVar[tuple[str, ...]] = ("image",)
    answers: ClassVar[tuple[str, ...]] = ("boxes",)
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"side": 32, "shapes": 2, "cells": 4, "cell": 3, "examples": 8, "pictures": 30}
    }

    side: Annotated[int, Field(ge=8, le=4096)] = 320
    """Pixels of the long side that larger pictures are shrunk to."""
    shapes: Annotated[int, Field(ge=1, le=100)] = 6
    """Shapes of windows."""
    cells: Annotated[int, Field(ge=2, le=32)] = 6
    """Cells along a window."""
    cell: Annotated[int, Field(ge=2, le=32)] = 5
    """Pixels along a cell."""
    examples: Annotated[int, Field(ge=1, le=10_000)] = 40
    """The most windows of each class, of nothing, and of hard nothing that a picture teaches."""
    pictures: Annotated[int, Field(ge=1, le=100_000)] = 400
    """The most pictures that windows are taken from."""
    overlap: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Of two boxes of a class that overlap more, only the more confident one is answered."""
    most: Annotated[int, Field(ge=1, le=1000)] = 100
    """Boxes of an answer."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any pictures with boxes."""
        return None

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return machines for as many shapes as the extents say."""
        image, classes = signature.input, signature.outputs
        assert isinstance(image, Image)
        scale = min(1.0, self.side / max(image.height, image.width))
        height, width = (max(1, round(scale * n)) for n in (image.height, image.width))
        shapes = extents.get("shapes", self.shapes)
        network = HogWindows(image.channels, classes, shapes, self.cells, self.cell)
        output = Candidates(classes, self.most, self.overlap)
        return Model(Pixels(image, (height, width)), network, output, extents)

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Choose shapes, then solve, look for hard negatives, solve again and calibrate."""
        shapes = _usual_shapes(samples.targets, self.shapes, seed)
        model = self.build(signature, {"shapes": len(shapes)})
        network = model.network
        assert isinstance(network, HogWindows)
        network.shapes.copy_(shapes)
        chance = generator(seed, "windows")
        rows = torch.randperm(len(samples), generator=chance)[: self.pictures]
        model.preprocess.fit(samples.inputs)  # type: ignore[operator]
        # One by one: large pictures are not copied together.
        pictures = [in_chunks(model.preprocess, samples.inputs[row][None])[0] for row in rows]
        pairs = list(zip(pictures, samples.targets[rows], strict=True))
        lessons = [_lesson(network, *pair, self.examples, chance) for pair in pairs]
        _solve(network, lessons)
        lessons += [_hard(network, *pair, self.examples) for pair in pairs]
        _solve(network, lessons)
        _calibrate(model, pairs)
        return model


def _usual_shapes(
    targets: Float[Tensor, "rows most 5"], most: int, seed: int
) -> Float32[Tensor, "shapes 2"]:
    """Return the commonest widths and heights: the means of clusters of their logarithms.

    Each class counts alike, however many boxes it has.
    """
    from sklearn.cluster import KMeans

    boxes = targets[targets[..., 4] >= 0]
    if not len(boxes):
        return torch.ones(1, 2)
    sizes = (boxes[:, 2:4] - boxes[:, :2]).clamp_min(1e-3).log().double().numpy()
    weights = 1 / torch.bincount(boxes[:, 4].long())[boxes[:, 4].long()].numpy()
    count = min(most, len(np.unique(sizes, axis=0)))
    means = KMeans(count, random_state=seed, n_init=4).fit(sizes, sample_weight=weights)
    return torch.from_numpy(np.exp(means.cluster_centers_)).float()


def _labelled(
    network: HogWindows, planes: Tensor, targets: Float[Tensor, "most 5"]
) -> tuple[list[View], Lesson]:
    """Return all windows of a picture, with their classes and moves but no features yet.

    A class of -1 is nothing, -2 neither the one nor the other.
    """
    views = list(network.views(planes))
    boxes = torch.cat([view.boxes for view in views])
    shapes = torch.arange(len(views)).repeat_interleave(torch.tensor([len(v) for v in views]))
    best, there = best_partners(boxes, targets)
    classes = torch.where(best >= _RIGHT, there[:, 4], torch.where(best <= _WRONG, -1.0, -2.0))
    moves = torch.where(best[:, None] >= _RIGHT, moves_between(boxes, there[:, :4]), 0.0)
    return views, Lesson(torch.zeros(len(boxes), 0), shapes, classes.long(), moves)


def _taken(views: list[View], windows: Lesson, chosen: Tensor) -> Lesson:
    """Return some windows with their features."""
    shapes, parts, first = windows.shapes[chosen], [], 0
    order = shapes.argsort(stable=True)
    for k, view in enumerate(views):
        parts.append(view.features(chosen[shapes == k] - first))
        first += len(view)
    return Lesson(torch.cat(parts), *(part[chosen[order]] for part in windows[1:]))


def _lesson(
    network: HogWindows, planes: Tensor, targets: Tensor, most: int, chance: torch.Generator
) -> Lesson:
    """Return windows of each class and of nothing, at most so many of either, at random."""
    views, windows = _labelled(network, planes, targets)
    order = torch.randperm(len(windows.classes), generator=chance)
    names = windows.classes[order]
    chosen = [order[names == name][:most] for name in range(-1, network.classes)]
    return _taken(views, windows, torch.cat(chosen))


def _hard(network: HogWindows, planes: Tensor, targets: Tensor, most: int) -> Lesson:
    """Return the windows of nothing that look most like something."""
    views, windows = _labelled(network, planes, targets)
    scores = torch.cat([network.judged(view, k)[1].amax(1) for k, view in enumerate(views)])
    scores = torch.where(windows.classes == -1, scores, -torch.inf)
    values, chosen = scores.topk(min(most, len(scores)))
    return _taken(views, windows, chosen[values > -1])


def _solve(network: HogWindows, lessons: list[Lesson]) -> None:
    """Solve for the machines of all classes, and for the moves of all windows that are right."""
    columns = zip(*lessons, strict=True)
    features, shapes, classes, moves = (torch.cat(column) for column in columns)
    # The shape of a window is a feature too: its weight is the bias of that shape.
    x = torch.cat([features, F.one_hot(shapes, len(network.shapes)).to(features)], dim=1)
    signs = torch.where(classes[:, None] == torch.arange(network.classes), 1.0, -1.0)
    machines = linear_machines(x, signs, _COST)
    right = classes >= 0
    steps = torch.zeros(x.shape[1], 4)
    if right.any():
        penalty = torch.tensor([_PENALTY * int(right.sum())], dtype=torch.float64)
        path = ridge_path(x[right].double(), moves[right].double(), penalty)
        steps = path.weights[0].float()
        steps[network.features :] += path.bias[0].float()
    weights = torch.cat([machines, steps], dim=1)
    network.weights.copy_(weights[: network.features].T)
    network.bias.copy_(weights[network.features :])


def _calibrate(model: Model, pairs: list[tuple[Tensor, Tensor]]) -> None:
    """Turn scores into log odds of being right, class by class, on what is found."""
    network = model.network
    assert isinstance(network, HogWindows)
    found = [model.output(network(planes[None]))[0] for planes, _ in pairs]
    right = [partners(f.numpy(), t.numpy()) for f, (_, t) in zip(found, pairs, strict=True)]
    table, hits = torch.cat(found), torch.from_numpy(np.concatenate(right)) >= 0
    for name in range(network.classes):
        own = table[:, 5] == name
        if not own.any():
            continue
        scores = table[own, 4].double().clamp(1e-6, 1 - 1e-6).logit()[:, None]
        odds = next(logistic_path(scores, hits[own].long(), 2, [1e-3]))
        slope = float(odds.weights[0, 1] - odds.weights[0, 0])
        if slope > 0:
            network.weights[name] *= slope
            network.bias[:, name] *= slope
            network.bias[:, name] += float(odds.bias[1] - odds.bias[0])


RUNG = WindowsByHand

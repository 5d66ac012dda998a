"""`Move`: a geometric change with everything drawn, the same for a picture and what lies on it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from gradatim.core.signature import IGNORED
from gradatim.data.augmentation.boxes import followed
from gradatim.data.augmentation.geometry import (
    cropped,
    mirrored,
    placed,
    rotated,
    shifted,
    turned,
    upended,
)

__all__ = ["MOVES", "Move"]

Planes = Float[Tensor, "rows channels height width"]


@dataclass(frozen=True)
class Move:
    """One change of a batch, each row by its own amount.

    Args:
        planes: moves pictures; 0 comes in from outside.
        sources: where each place comes from, as `placed` has it.
        classes: moves numbers of classes, where `planes` would mix them.
    """

    planes: Callable[[Tensor], Tensor]
    sources: Float[Tensor, "rows 2 3"]
    classes: Callable[[Tensor], Tensor] | None = None

    def on_mask(
        self, masks: UInt8[Tensor, "rows height width"]
    ) -> UInt8[Tensor, "rows height width"]:
        """Return the masks of the moved pictures; what comes in from outside is ignored."""
        move = self.classes or self.planes
        # Classes count from 1 on the way, so that the 0 from outside tells itself apart.
        moved = move(masks[:, None].float() + 1)[:, 0]
        return torch.where(moved == 0, float(IGNORED), moved - 1).to(torch.uint8)

    def on_boxes(self, boxes: Float[Tensor, "rows most 5"]) -> Float[Tensor, "rows most 5"]:
        """Return the boxes of the moved pictures; those that left are gone."""
        return followed(boxes, self.sources)

    def on_target(self, targets: Tensor, kind: str) -> Tensor:
        """Return targets of a kind of output; a category or a quantity stays what it is."""
        changes = {"picture": self.planes, "mask": self.on_mask, "boxes": self.on_boxes}
        return changes[kind](targets) if kind in changes else targets


def _flip(planes: Planes, _: bool, chance: torch.Generator) -> Move:
    chosen = torch.rand(len(planes), generator=chance) < 0.5
    return Move(partial(mirrored, chosen=chosen), _scaled(chosen, torch.tensor([-1.0, 1.0])))


def _updown(planes: Planes, _: bool, chance: torch.Generator) -> Move:
    chosen = torch.rand(len(planes), generator=chance) < 0.5
    return Move(partial(upended, chosen=chosen), _scaled(chosen, torch.tensor([1.0, -1.0])))


def _turn(planes: Planes, _: bool, chance: torch.Generator) -> Move:
    quarters = torch.randint(4, (len(planes),), generator=chance)
    side = planes.shape[-1]
    sources = rotated(90.0 * quarters, side, side)
    return Move(partial(turned, quarters=quarters), sources)


def _shift(planes: Planes, most: int, chance: torch.Generator) -> Move:
    up, left = torch.randint(2 * most + 1, (2, len(planes)), generator=chance) - most
    height, width = planes.shape[2:]
    sources = torch.eye(2, 3).repeat(len(planes), 1, 1)
    sources[:, :, 2] = 2 * torch.stack([left / width, up / height], 1)
    return Move(partial(shifted, down=-up, right=-left), sources)


def _crop(planes: Planes, most: float, chance: torch.Generator) -> Move:
    away, left, top = torch.rand(3, len(planes), generator=chance)
    return _looked_up(cropped(1 - most * away, left, top))


def _rotation(planes: Planes, most: float, chance: torch.Generator) -> Move:
    degrees = most * (2 * torch.rand(len(planes), generator=chance) - 1)
    return _looked_up(rotated(degrees, *planes.shape[2:]))


def _looked_up(sources: Tensor) -> Move:
    classes = partial(placed, sources=sources, nearest=True)
    return Move(partial(placed, sources=sources), sources, classes)


def _scaled(chosen: Tensor, scales: Tensor) -> Tensor:
    """Return sources that scale both axes of the chosen rows."""
    still, moved = torch.eye(2, 3), torch.eye(2, 3) * scales[:, None]
    return torch.where(chosen[:, None, None], moved, still)


MOVES: dict[str, Callable[[Tensor, Any, torch.Generator], Move]] = {
    "flip": _flip,
    "updown": _updown,
    "turn": _turn,
    "shift": _shift,
    "crop": _crop,
    "rotation": _rotation,
}
"""In the order in which they happen."""

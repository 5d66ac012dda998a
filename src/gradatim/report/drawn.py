"""Pictures that every rung drew, a sheet each, beside real ones."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gradatim.report.evidence import Evidence
from gradatim.report.pictures import png

__all__ = ["Sheet", "sheets"]

ACROSS = 10  # pictures
GAP = 1  # pixels between them
MOST = 40  # pictures on a sheet; fewer when there is no room


@dataclass(frozen=True)
class Sheet:
    """Some pictures as one."""

    name: str
    picture: str
    count: int
    chosen: bool


def sheets(
    evidence: Evidence, rungs: Sequence[str], chosen: str, budget: int
) -> tuple[list[Sheet], int]:
    """Return the real pictures and those of each rung as sheets, and how many had no room.

    Args:
        evidence: the run.
        rungs: to be shown, in ladder order.
        chosen: the one that the verdict names.
        budget: how many characters the pictures may take on the page.
    """
    stored: Mapping[str, np.ndarray] = evidence.array("gallery.npz") or {}
    named = {"real": "real"} | {f"drawn/{rung}": rung for rung in rungs}
    found = {name: stored[key] for key, name in named.items() if key in stored}
    found = {name: pictures for name, pictures in found.items() if _drawable(pictures)}
    if set(found) <= {"real"}:
        return [], 0
    for most in (MOST, MOST // 2, ACROSS):
        made = [_sheet(name, pictures[:most], name == chosen) for name, pictures in found.items()]
        if sum(len(one.picture) for one in made) <= budget:
            return made, 0
    kept = list[Sheet]()
    for one in made:
        budget -= len(one.picture)
        kept += [one] if budget >= 0 else []
    return kept, len(made) - len(kept)


def _drawable(pictures: np.ndarray) -> bool:
    return (
        pictures.ndim == 4
        and pictures.size > 0
        and pictures.dtype == np.uint8
        and pictures.shape[1] in (1, 3)
    )


def _sheet(name: str, pictures: np.ndarray, chosen: bool) -> Sheet:
    content = base64.b64encode(png(joined(pictures))).decode()
    shown = len(pictures) if len(pictures) < ACROSS else len(pictures) // ACROSS * ACROSS
    return Sheet(name, f"data:image/png;base64,{content}", shown, chosen)


def joined(pictures: np.ndarray) -> np.ndarray:
    """Return pictures (count, channels, height, width) as one, in full rows of ten."""
    count, channels, height, width = pictures.shape
    across, down = min(ACROSS, count), max(1, count // ACROSS)
    size = (channels, down * (height + GAP) - GAP, across * (width + GAP) - GAP)
    sheet = np.full(size, 128, np.uint8)
    for place, picture in enumerate(pictures[: across * down]):
        top, left = place // ACROSS * (height + GAP), place % ACROSS * (width + GAP)
        sheet[:, top : top + height, left : left + width] = picture
    return sheet

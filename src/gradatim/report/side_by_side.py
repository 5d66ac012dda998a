"""Side by side: a row's input, its truth and what every rung made of it, as pictures."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradatim.report.evidence import Evidence, entries, number, text
from gradatim.report.pictures import png
from gradatim.report.qualities import measured, measured_as

__all__ = ["SideBySide", "Strip", "View", "side_by_side"]

INPUT, TRUTH = "input", "truth"
SIDES = (256, 204, 168, 136, 112)  # pixels; the largest that keeps to the page's budget is taken
EXACT = 4096  # pixels; pictures up to so many lose nothing
QUALITY = 90  # of JPEG
SAID = {
    "picture": "The middle of each picture, pixel by pixel: a smaller one would have less noise.",
    "mask": "Tints are classes with a line along their borders; what is wrong is red.",
    "boxes": "Green boxes are right. Dashed yellow ones were missed, crossed orange ones are false "
    "alarms. Only boxes that a rung is at least 50% sure of are drawn.",
}


@dataclass(frozen=True)
class View:
    """One picture with what stands below it."""

    name: str
    picture: str
    note: str
    chosen: bool
    best: bool


@dataclass(frozen=True)
class Strip:
    """One row of the data: its input, its truth, the answers in ladder order."""

    row: str
    why: str
    views: tuple[View, ...]


@dataclass(frozen=True)
class SideBySide:
    """The rows that a run kept pictures of."""

    strips: tuple[Strip, ...]
    measure: str
    said: str
    small: bool
    """Whether pictures are so small that their pixels are to be seen."""
    cut: bool
    """Whether pictures are the middle of larger ones."""
    left_out: int


def side_by_side(
    evidence: Evidence, rungs: Sequence[str], chosen: str, budget: int
) -> SideBySide | None:
    """Return the pictures of a run with what they mean; None when it kept none.

    Args:
        evidence: the run.
        rungs: to be shown, in ladder order.
        chosen: the one that the verdict names.
        budget: how many characters the pictures may take; beyond it, rows are left out.
    """
    kept = evidence.document("gallery.json").get("side_by_side")
    stored: Mapping[str, np.ndarray] = evidence.array("gallery.npz") or {}
    kept = kept if isinstance(kept, dict) else {}
    rows = [row for row in entries(kept.get("rows")) if number(row.get("row")) is not None]
    found = [_pictures(stored, int(row["row"]), rungs) for row in rows]
    if not any(found):
        return None
    cut = bool(kept.get("cut"))
    uris = _fitting(found, cut, budget)
    measure = measured_as(evidence)
    strips = [
        _strip(evidence, row, pictures, measure, chosen)
        for row, pictures in zip(rows, uris, strict=False)
    ]
    return SideBySide(
        strips=tuple(strip for strip in strips if strip.views),
        measure=measure,
        said=SAID.get(text((evidence.signature.get("output") or {}).get("kind")), ""),
        small=all(max(p.shape) <= EXACT**0.5 for named in found for p in named.values()),
        cut=cut,
        left_out=sum(map(len, found[len(uris) :])),
    )


def _pictures(
    stored: Mapping[str, np.ndarray], row: int, rungs: Sequence[str]
) -> dict[str, np.ndarray]:
    names = {f"{row}/{name}": name for name in (INPUT, TRUTH, *rungs)}
    kept = {name: stored[key] for key, name in names.items() if key in stored}
    return {name: picture for name, picture in kept.items() if _drawable(picture)}


def _drawable(picture: np.ndarray) -> bool:
    return picture.ndim == 3 and picture.dtype == np.uint8 and picture.shape[0] in (1, 3)


def _fitting(
    found: Sequence[Mapping[str, np.ndarray]], cut: bool, budget: int
) -> list[dict[str, str]]:
    """Return data URIs of as many rows, from the first on, and as large as the budget allows."""
    uris: list[dict[str, str]] = []
    for side in SIDES[1:] if cut else SIDES:  # what is cut is shown pixel by pixel
        uris = [{name: _uri(p, side, cut) for name, p in named.items()} for named in found]
        if sum(map(_length, uris)) <= budget:
            return uris
    while uris and sum(map(_length, uris)) > budget:
        uris.pop()
    return uris


def _length(named: Mapping[str, str]) -> int:
    return sum(map(len, named.values()))


def _uri(picture: np.ndarray, side: int, cut: bool) -> str:
    if picture.shape[1] * picture.shape[2] <= EXACT:
        return _data_uri("png", png(picture))
    return _data_uri("jpeg", _jpeg(_middle(picture, side) if cut else picture, side))


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _middle(picture: np.ndarray, side: int) -> np.ndarray:
    top, left = (max(0, (length - side) // 2) for length in picture.shape[1:])
    return picture[:, top : top + side, left : left + side]


def _jpeg(picture: np.ndarray, side: int) -> bytes:
    from PIL import Image

    pixels = picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    times = side / max(image.size)
    if times < 1:
        width, height = (max(1, round(times * length)) for length in image.size)
        image = image.resize((width, height), Image.Resampling.BOX)
    file = io.BytesIO()
    # Thin lines in colour are what matters on masks and boxes: colours keep their full size.
    image.save(file, "JPEG", quality=QUALITY, subsampling=0)
    return file.getvalue()


def _strip(
    evidence: Evidence, row: Mapping[str, Any], uris: Mapping[str, str], measure: str, chosen: str
) -> Strip:
    place, names = int(row["row"]), evidence.row_names
    graded = row.get("quality") if isinstance(row.get("quality"), dict) else {}
    values = {name: number((graded or {}).get(name)) for name in uris}
    known = [value for value in values.values() if value is not None]
    views = [
        View(
            name=name,
            picture=uri,
            note="" if name in (INPUT, TRUTH) else measured(values[name], measure),
            chosen=name == chosen,
            best=bool(known) and values[name] == max(known),
        )
        for name, uri in uris.items()
    ]
    said = text(names[place]) if 0 <= place < len(names) else f"row {place}"
    return Strip(said, text(row.get("why")), tuple(views))

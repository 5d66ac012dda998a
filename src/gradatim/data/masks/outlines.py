"""Pictures whose objects are outlined, as COCO does, become samples with masks.

What no object covers is background. Where objects overlap, the smaller one counts, since the
format does not say which lies in front. Crowds are outlined roughly: they are ignored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from gradatim.core.errors import DataError
from gradatim.core.samples import Dataset, Finding
from gradatim.core.signature import IGNORED, Mask
from gradatim.core.source import ReadOptions
from gradatim.data.boxes.coco import CocoObject, CocoPicture
from gradatim.data.masks.assembly import (
    Masked,
    answers_with_masks,
    decoded_for,
    learnt_signature,
    masked_dataset,
    on_canvas,
)
from gradatim.data.masks.palette import voc_palette
from gradatim.data.masks.runs import mask_of
from gradatim.data.naming import listed, plain_name, shown

__all__ = ["Outlined", "drawn", "outlines_dataset"]

BACKGROUND = "background"
BAD_SHARE = 0.2


@dataclass
class Outlined:
    """Pictures with outlined objects: path, annotation and whether of the test part, a row each."""

    root: Path
    rows: Sequence[tuple[PurePosixPath, CocoPicture, bool]]
    classes: tuple[str, ...]
    digest: bytes = b""
    findings: list[Finding] = field(default_factory=list)


def outlines_dataset(found: Outlined, location: str, options: ReadOptions) -> Dataset:
    """Return samples of pictures and the masks that their outlines make.

    Raises:
        DataError: no object to learn from, or above 20 % of outlines or pictures are bad.
    """
    names = [plain_name(str(path)) for path, _, _ in found.rows]
    files = [found.root / path for path, _, _ in found.rows]
    canvas, remarks = decoded_for(files, names, location, options)
    signature = options.signature or learnt_signature(canvas, _output(found, location))
    output = answers_with_masks(signature, location)
    place = {name: code for code, name in enumerate(output.names)}
    masks, troubles, objects = [], [], 0
    for (_, picture, _), size in zip(found.rows, canvas.sizes.tolist(), strict=True):
        mask, bad = drawn(picture.objects, picture.size, (size[0], size[1]), place)
        masks.append(mask)
        troubles += [*picture.troubles, *bad] if size[0] else []
        objects += len(picture.objects) + len(picture.troubles)
    findings = [*found.findings, *remarks, *_remarks(troubles, objects, location)]
    sealed = np.array([part for _, _, part in found.rows])
    masked = Masked("coco", names, canvas, sealed, found.digest, findings)
    targets = on_canvas(masks, canvas, location)
    return masked_dataset(masked, targets, canvas.good, signature, location)


def drawn(
    objects: Sequence[CocoObject],
    annotated: tuple[float, float],
    size: tuple[int, int],
    place: Mapping[str, int],
) -> tuple[np.ndarray, list[str]]:
    """Return the mask of a picture, uint8 (height, width), and what could not be drawn.

    Args:
        objects: with their outlines.
        annotated: height and width that the annotation gives.
        size: height and width of the picture itself.
        place: the number of each class.
    """
    made, troubles = np.zeros(size, np.uint8), list[str]()
    areas: list[tuple[int, int, np.ndarray]] = []
    wrong = tuple(annotated) != tuple(size)
    for one in objects:
        code = IGNORED if one.crowd else place.get(one.name)
        try:
            if code is None:
                raise ValueError(f"no class is called {shown(one.name)}")
            if wrong:
                raise ValueError("the annotation gives another size than the picture has")
            inside = mask_of(one.outline, *size)
            areas.append((-int(inside.sum()), code, inside))
        except ValueError as error:
            troubles.append(f"{one.where}: {error}")
    for _, code, inside in sorted(areas, key=lambda area: area[0]):
        made[inside] = code
    return made, troubles


def _output(found: Outlined, location: str) -> Mask:
    used = {one.name for _, picture, part in found.rows if not part for one in picture.objects} - {
        BACKGROUND
    }
    names = (BACKGROUND, *(name for name in found.classes if name in used))
    if len(names) < 2:
        trouble = f"{shown(location, 200)}: no picture to learn from has an object"
        raise DataError(f"{trouble}; annotate some with outlines")
    if len(names) > IGNORED:
        trouble = f"{shown(location, 200)} has {len(names)} classes: {listed(names, 3)}"
        raise DataError(f"{trouble}; at most {IGNORED} can be told apart")
    colours = voc_palette()[: len(names)].tolist()
    levels = tuple((code, *colour) for code, colour in enumerate(colours))
    return Mask(names=names, levels=levels)


def _remarks(troubles: Sequence[str], objects: int, location: str) -> list[Finding]:
    if len(troubles) > BAD_SHARE * objects:
        share = f"{len(troubles)} of {objects} outlines cannot be used"
        raise DataError(f"{shown(location, 200)}: {share}; the first: {troubles[0]}")
    if not troubles:
        return []
    message = f"{len(troubles)} outlines are left out; the first: {troubles[0]}"
    remedy = "mend them or remove them"
    return [Finding("bad-outlines", "warning", message, remedy, tuple(troubles[:20]))]

"""Annotations of any format and their pictures become samples with boxes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from torch import Tensor

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.samples import Dataset, Finding, Samples
from gradatim.core.signature import Boxes, Image, Signature
from gradatim.core.source import ReadOptions
from gradatim.data.boxes.marks import Checked, Sheet, checked
from gradatim.data.files import must_fit
from gradatim.data.many_files import quarantined
from gradatim.data.naming import listed, shown, sorted_names
from gradatim.data.origin import Origin, what_to_give
from gradatim.data.pictures.conversion import Header
from gradatim.data.pictures.decoding import (
    Decoded,
    colourless,
    common_shape,
    decode_files,
    disguises,
    headers_of,
)
from gradatim.data.tables.targets import twin_findings

__all__ = ["Annotations", "boxes_dataset", "unannotated"]

LARGEST_SIDE = 640
BAD_SHARE = 0.2


@dataclass
class Annotations:
    """All annotations of one piece of data.

    Args:
        root: the folder that pictures are relative to.
        source: kind of data, for the dataset.
        sheets: one a picture, in the order of the rows.
        classes: names in the order that the format gives them; None: in the order of names.
        digest: of the annotations' bytes.
        findings: remarks on what was passed over.
    """

    root: Path
    source: str
    sheets: list[Sheet]
    classes: Sequence[str] | None = None
    digest: bytes = b""
    findings: list[Finding] = field(default_factory=list)


def boxes_dataset(found: Annotations, location: str, options: ReadOptions) -> Dataset:
    """Return samples: pictures of one size and their boxes as shares of it.

    The size is the median of the pictures, at most 640 a side. Boxes that cannot be used are left
    out with a finding that names file and object.

    Raises:
        DataError: no pictures; no boxes to learn from; above 20 % of boxes or pictures are bad.
    """
    if not found.sheets:
        trouble = f"{shown(location, 200)}: no picture has an annotation"
        first = "".join(f"; {finding.message}" for finding in found.findings[:1])
        raise DataError(f"{trouble}{first}\ngive pictures and annotations the same names")
    names = [sheet.name for sheet in found.sheets]
    files = [found.root / sheet.picture for sheet in found.sheets]
    headers = headers_of(files, names)
    signature, findings = _signature(found, headers, location, options)
    image, output = signature.input, signature.output
    assert isinstance(image, Image)
    assert isinstance(output, Boxes)
    decoded = decode_files(files, names, image, location)
    if options.signature is None and colourless(decoded.planes):
        decoded = replace(decoded, planes=decoded.planes[:, :1].copy())
        image = image.model_copy(update={"channels": 1})
        signature = Signature(input=image, output=output)
    place = {name: code for code, name in enumerate(output.names)}
    every = [
        checked(sheet, (head.height, head.width), place) if isinstance(head, Header) else Checked()
        for sheet, head in zip(found.sheets, headers, strict=True)
    ]
    findings += [*found.findings, *disguises(headers, names), *_remarks(found, every, location)]
    return _assembled(found, location, decoded, every, signature, findings)


def unannotated(
    root: Path, pictures: Sequence[PurePosixPath], location: str, options: ReadOptions
) -> Dataset:
    """Return pictures without boxes, for a model to find them: targets of length 0."""
    assert options.signature is not None, "learning needs boxes"
    sheets = [Sheet(PurePosixPath(n)) for n in sorted_names(str(picture) for picture in pictures)]
    dataset = boxes_dataset(Annotations(root, "pictures", sheets), location, options)
    return replace(dataset, samples=Samples(dataset.samples.inputs, torch.empty(0, 1, 5)))


def _signature(
    found: Annotations,
    headers: Sequence[Header | DataError],
    location: str,
    options: ReadOptions,
) -> tuple[Signature, list[Finding]]:
    if options.signature is not None:
        given, asked = options.signature.input, options.signature.output
        if not isinstance(given, Image):
            raise DataError(f"{shown(location, 200)} holds pictures; {what_to_give(given)}")
        if not isinstance(asked, Boxes):
            trouble = f"{shown(location, 200)} is read for boxes"
            raise DataError(f"{trouble}, and the model answers with {asked.kind}")
        return options.signature, []
    if options.task not in (None, "detect"):
        trouble = f"{shown(location, 200)} holds pictures with boxes"
        raise ConfigError(f"{trouble}; --task is detect, or leave it out")
    image, resized = common_shape(headers, location, LARGEST_SIDE)
    classes, remarks = _classes(found, location)
    return Signature(input=image, output=Boxes(names=classes)), [*resized, *remarks]


def _classes(found: Annotations, location: str) -> tuple[tuple[str, ...], list[Finding]]:
    """Return the classes that boxes to learn from have."""
    used = {mark.name for sheet in found.sheets if not sheet.sealed for mark in sheet.marks}
    if not used:
        trouble = f"{shown(location, 200)}: no picture to learn from has a box"
        bad = next((t for sheet in found.sheets for t in sheet.troubles), "")
        raise DataError(f"{trouble}; {'the first trouble: ' + bad if bad else 'annotate some'}")
    if found.classes is None:
        names = sorted_names(used)
        return tuple(names), list(twin_findings(names))
    # A box of a class that the list of classes lacks is set apart later, with its place.
    known = [name for name in found.classes if name in used]
    if not known:
        trouble = f"{shown(location, 200)}: no box is of a class that is declared"
        raise DataError(f"{trouble}; declared: {listed(list(found.classes), 5)}")
    idle = [name for name in found.classes if name not in used]
    return tuple(known), [*twin_findings(known), *([_idle(idle)] if idle else [])]


def _idle(names: list[str]) -> Finding:
    message = f"{len(names)} classes have no box to learn from and are left out: {listed(names, 5)}"
    return Finding("empty-class", "note", message, "", tuple(names[:5]))


def _remarks(found: Annotations, every: Sequence[Checked], location: str) -> list[Finding]:
    troubles = [trouble for one in every for trouble in one.troubles]
    usable = sum(len(one.boxes) for one in every)
    if len(troubles) > BAD_SHARE * (len(troubles) + usable):
        share = f"{len(troubles)} of {len(troubles) + usable} boxes cannot be used"
        raise DataError(f"{shown(location, 200)}: {share}; the first: {troubles[0]}")
    remarks = []
    if troubles:
        message = f"{len(troubles)} boxes are left out; the first: {troubles[0]}"
        remedy = "mend them or remove them"
        remarks.append(Finding("bad-boxes", "warning", message, remedy, tuple(troubles[:20])))
    left_out = sum(sheet.left_out for sheet in found.sheets)
    if left_out:
        message = f"{left_out} objects marked as difficult or as a crowd are left out"
        remarks.append(Finding("difficult-boxes", "note", message))
    clipped = [s.name for s, one in zip(found.sheets, every, strict=True) if one.clipped]
    if clipped:
        count = sum(one.clipped for one in every)
        message = f"{count} boxes reach out of their pictures and are clipped: {listed(clipped, 3)}"
        remarks.append(Finding("clipped-boxes", "note", message, "", tuple(clipped[:5])))
    return remarks + _size_remarks(found, every)


def _size_remarks(found: Annotations, every: Sequence[Checked]) -> list[Finding]:
    odd = [s.name for s, one in zip(found.sheets, every, strict=True) if one.disagrees and s.marks]
    if not odd:
        return []
    message = f"{len(odd)} annotations give another size than the picture has: {listed(odd, 3)}"
    remedy = "boxes are scaled where the shape is the same, else taken as pixels of the picture"
    return [Finding("annotated-size", "warning", message, remedy, tuple(odd[:5]))]


def _assembled(
    found: Annotations,
    location: str,
    decoded: Decoded,
    every: Sequence[Checked],
    signature: Signature,
    findings: list[Finding],
) -> Dataset:
    good, names = decoded.good, [sheet.name for sheet in found.sheets]
    rows = [name for name, usable in zip(names, good, strict=True) if usable]
    findings += quarantined(names, good, decoded.troubles)
    sealed = np.array([sheet.sealed for sheet in found.sheets])[good]
    digest = hashlib.sha256(bytes.fromhex(decoded.fingerprint) + found.digest).hexdigest()
    origin = Origin(location, rows, found.source, digest, sealed if sealed.any() else None)
    planes = decoded.planes if good.all() else decoded.planes[good]
    kept = [one for one, usable in zip(every, good, strict=True) if usable]
    samples = Samples(torch.from_numpy(planes), _targets(kept, location))
    return origin.dataset(samples, signature, findings)


def _targets(every: Sequence[Checked], location: str) -> Tensor:
    """Return the boxes of all pictures, -1 where there are fewer than the most."""
    most = max(1, *(len(one.boxes) for one in every), 1)
    must_fit(2 * 4 * 5 * most * len(every), location)
    targets = np.full((len(every), most, 5), -1.0, np.float32)
    for row, one in enumerate(every):
        targets[row, : len(one.boxes)] = one.array()
    return torch.from_numpy(targets)

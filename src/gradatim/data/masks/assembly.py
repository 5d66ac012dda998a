"""Pictures and their masks become samples: each pair in the upper left of one canvas."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.samples import Dataset, Finding, Samples
from gradatim.core.signature import IGNORED, Image, Mask, Signature
from gradatim.core.source import ReadOptions
from gradatim.data.files import must_fit
from gradatim.data.many_files import quarantined
from gradatim.data.masks.levels import nearest_size
from gradatim.data.naming import shown
from gradatim.data.origin import Origin, what_to_give
from gradatim.data.pictures.canvas import Canvas, canvas_notes, decode_canvas
from gradatim.data.pictures.conversion import Header
from gradatim.data.pictures.decoding import colourless, disguises, headers_of

__all__ = [
    "Masked",
    "answers_with_masks",
    "decoded_for",
    "learnt_signature",
    "masked_dataset",
    "on_canvas",
    "sized",
]


@dataclass
class Masked:
    """Pictures and where they stand, before there are samples.

    Args:
        source: kind of data.
        names: one a row.
        canvas: the pictures.
        sealed: bool (rows,), the data's own test part.
        digest: of the masks' bytes.
        findings: remarks.
    """

    source: str
    names: Sequence[str]
    canvas: Canvas
    sealed: np.ndarray
    digest: bytes = b""
    findings: list[Finding] = field(default_factory=list)


def decoded_for(
    files: Sequence[Path], names: Sequence[str], location: str, options: ReadOptions
) -> tuple[Canvas, list[Finding]]:
    """Decode pictures at their own size, in the colours that they or the model have.

    Raises:
        ConfigError: another task was asked for.
        DataError: the model reads no pictures, or above 20 % cannot be decoded.
    """
    if options.signature is None and options.task not in (None, "segment"):
        trouble = f"{shown(location, 200)} holds pictures with masks"
        raise ConfigError(f"{trouble}; --task is segment, or leave it out")
    headers = headers_of(files, names)
    if options.signature is not None:
        answers_with_masks(options.signature, location)
        channels = options.signature.input.channels  # type: ignore[union-attr]
    else:
        channels = 1 if all(h.grey for h in headers if isinstance(h, Header)) else 3
    canvas = decode_canvas(files, names, channels, location, headers)
    if options.signature is None and colourless(canvas.planes):
        canvas = replace(canvas, planes=canvas.planes[:, :1].copy())
    return canvas, [*canvas_notes(canvas), *disguises(headers, names)]


def answers_with_masks(signature: Signature, location: str) -> Mask:
    """Return the output of a model that goes from pictures to masks.

    Raises:
        DataError: it reads or answers with something else.
    """
    if not isinstance(signature.input, Image):
        trouble = f"{shown(location, 200)} holds pictures"
        raise DataError(f"{trouble}; {what_to_give(signature.input)}")
    if not isinstance(signature.output, Mask):
        trouble = f"{shown(location, 200)} is read for masks"
        raise DataError(f"{trouble}, and the model answers with {signature.output.kind}")
    return signature.output


def learnt_signature(canvas: Canvas, output: Mask) -> Signature:
    """Return the signature of pictures on a canvas and their masks."""
    _, channels, height, width = canvas.planes.shape
    image = Image(channels=channels, height=height, width=width, fit="pad")
    return Signature(input=image, output=output)


def sized(codes: np.ndarray, size: tuple[int, int], name: str, picture: str) -> np.ndarray:
    """Return a mask in the size of its picture.

    Of the same shape it is resized, each pixel taking its nearest; of another it is refused.

    Args:
        codes: the mask.
        size: height and width of its picture.
        name: of the mask, for messages.
        picture: its name.

    Raises:
        DataError: the shapes differ by more than a pixel's rounding.
    """
    height, width = size
    high, wide = codes.shape
    if (high, wide) == (height, width):
        return codes
    if abs(wide * height - high * width) > max(height, width):
        trouble = f"mask {shown(name, 200)} has {wide} x {high} pixels (width x height)"
        expected = f"its picture {shown(picture, 200)} has {width} x {height}"
        raise DataError(f"{trouble}, {expected}; crop both alike")
    return nearest_size(codes, height, width)


def on_canvas(masks: Sequence[np.ndarray], canvas: Canvas, location: str) -> Tensor:
    """Return masks of many sizes on the canvas of their pictures; beyond them is ignored."""
    rows, _, height, width = canvas.planes.shape
    must_fit(rows * height * width, location)
    targets = np.full((rows, height, width), IGNORED, np.uint8)
    for row, mask in enumerate(masks):
        targets[row, : mask.shape[0], : mask.shape[1]] = mask
    return torch.from_numpy(targets)


def masked_dataset(
    found: Masked,
    targets: Tensor | None,
    usable: np.ndarray,
    signature: Signature,
    location: str,
) -> Dataset:
    """Return samples of the rows that can be used.

    Args:
        found: pictures and what is known of them.
        targets: uint8 (rows, height, width); None to predict.
        usable: bool (rows,): picture and mask are there and whole.
        signature: of the model, or as learnt; its canvas becomes that of these pictures.
        location: as the user gave it.
    """
    canvas = found.canvas
    rows = [name for name, good in zip(found.names, usable, strict=True) if good]
    found.findings += quarantined(found.names, canvas.good, canvas.troubles)
    keep = torch.from_numpy(np.flatnonzero(usable))
    digest = hashlib.sha256(bytes.fromhex(canvas.fingerprint) + found.digest).hexdigest()
    sealed = found.sealed[usable]
    origin = Origin(location, rows, found.source, digest, sealed if sealed.any() else None)
    planes, sizes = torch.from_numpy(canvas.planes), torch.from_numpy(canvas.sizes)
    samples = Samples(
        planes if usable.all() else planes[keep],
        torch.empty(0, *planes.shape[2:], dtype=torch.uint8)
        if targets is None
        else (targets if usable.all() else targets[keep]),
        sizes=sizes[keep],
    )
    _, _, height, width = planes.shape
    image = signature.input.model_copy(update={"height": height, "width": width})
    return origin.dataset(samples, signature.model_copy(update={"input": image}), found.findings)

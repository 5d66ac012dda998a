"""Noisy pictures and their partners, decoded together."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradatim.core.errors import DataError
from gradatim.core.samples import Finding
from gradatim.data.files import must_fit
from gradatim.data.many_files import quarantined
from gradatim.data.naming import listed, plain_name, shown
from gradatim.data.pictures.canvas import Canvas, canvas_notes, decode_canvas
from gradatim.data.pictures.conversion import Header
from gradatim.data.pictures.decoding import colourless, disguises, headers_of
from gradatim.data.pictures.noisy_layout import NoisyLayout

__all__ = ["LEAST", "Partners", "decode_partners"]

LEAST = 16
"""Pixels that a picture must have a side: SSIM looks through windows of 11."""


@dataclass(frozen=True)
class Partners:
    """Pictures that can be used, and what they are compared with, on canvases of one size.

    Args:
        first: uint8 (rows, channels, height, width).
        second: of the same shape; None where there are single pictures.
        sizes: int64 (rows, 2): height and width of each picture.
        good: bool, of all pictures of the layout: which are among the rows.
        names: of the rows.
        fingerprint: sha256 over names and bytes of all files.
        findings: what is to be said of them.
    """

    first: np.ndarray
    second: np.ndarray | None
    sizes: np.ndarray
    good: np.ndarray
    names: list[str]
    fingerprint: str
    findings: list[Finding]


def decode_partners(
    root: Path, layout: NoisyLayout, channels: int | None, location: str
) -> Partners:
    """Decode all pictures.

    Args:
        root: the folder that the layout is relative to.
        layout: which pictures, and which belong together.
        channels: colours wanted; None takes grey unless a picture is coloured.
        location: as the user gave it.

    Raises:
        DataError: above 20 % cannot be decoded, partners differ in size, or a picture is too small
            for SSIM.
        ResourceError: they take more memory than there is.
    """
    columns = [layout.first] + ([layout.second] if layout.second is not None else [])
    files = [[root / path for path in column] for column in columns]
    names = [[plain_name(str(path)) for path in column] for column in columns]
    headers = [headers_of(f, n) for f, n in zip(files, names, strict=True)]
    known = [head for column in headers for head in column if isinstance(head, Header)]
    wanted = channels or (1 if all(head.grey for head in known) else 3)
    canvases = [
        decode_canvas(f, n, wanted, location, h)
        for f, n, h in zip(files, names, headers, strict=True)
    ]
    if channels is None and wanted == 3 and all(colourless(c.planes) for c in canvases):
        canvases = [_grey(canvas) for canvas in canvases]
    odd = [note for h, n in zip(headers, names, strict=True) for note in disguises(h, n)]
    partners = _together(canvases, names, [*layout.findings, *odd], location)
    _refuse_small(partners, location)
    return partners


def _together(
    canvases: Sequence[Canvas], names: Sequence[list[str]], findings: list[Finding], location: str
) -> Partners:
    """Return what can be used of all canvases: pairs of which both can."""
    good = np.logical_and.reduce([canvas.good for canvas in canvases])
    sizes = canvases[0].sizes
    for canvas in canvases[1:]:
        odd = np.flatnonzero(good & (canvas.sizes != sizes).any(1))
        if len(odd):
            trouble = f"{shown(location, 200)}: {listed([names[0][i] for i in odd], 3)} and partner"
            raise DataError(f"{trouble} differ in size; give pairs of the same picture")
    findings += quarantined(names[0], good, [t for canvas in canvases for t in canvas.troubles])
    sizes = sizes[good]
    height, width = sizes.max(0)
    planes = [canvas.planes[good][:, :, :height, :width] for canvas in canvases]
    must_fit(8 * planes[0].size, location)
    digest = hashlib.sha256("".join(canvas.fingerprint for canvas in canvases).encode())
    rows = [name for name, usable in zip(names[0], good, strict=True) if usable]
    notes = canvas_notes(canvases[0])
    second = planes[1] if len(planes) > 1 else None
    return Partners(planes[0], second, sizes, good, rows, digest.hexdigest(), [*findings, *notes])


def _grey(canvas: Canvas) -> Canvas:
    planes = canvas.planes[:, :1].copy()
    return Canvas(planes, canvas.sizes, canvas.good, canvas.troubles, canvas.fingerprint)


def _refuse_small(partners: Partners, location: str) -> None:
    small = np.flatnonzero((partners.sizes < LEAST).any(1))
    if len(small):
        names = listed([partners.names[row] for row in small], 3)
        trouble = f"{shown(location, 200)}: {names} is below {LEAST} pixels a side"
        raise DataError(f"{trouble}; remove it, or give it larger")

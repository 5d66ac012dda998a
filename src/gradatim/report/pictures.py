"""`Gallery`: the samples that a run kept to be shown, as small pictures or as cells."""

import base64
import struct
import zlib
from math import ceil
from typing import Any

import numpy as np

from gradatim.report.evidence import Evidence, text
from gradatim.report.traces import limits, trace

__all__ = ["Gallery", "png"]

SIDE = 48  # pixels; larger pictures are averaged down to it
SPECTRUM = 128  # likewise; pitch and time blur sooner than things do
COLUMNS = 8  # of a table's row that are shown


def png(picture: np.ndarray) -> bytes:
    """Return a picture (channels, height, width), uint8 with 1 or 3 channels, as PNG.

    Source: RFC 2083 (PNG 1.0), sections 3 and 4; filter type 0.
    """
    channels, height, width = picture.shape
    lines = picture.transpose(1, 2, 0).reshape(height, width * channels)
    raw = b"".join(b"\0" + line.tobytes() for line in lines)
    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(raw, 9)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def shrunk(picture: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Return the picture with sides of at most so many pixels, each the mean of a block."""
    channels, height, width = picture.shape
    block = ceil(max(height, width) / side)
    if block == 1:
        return picture
    edges = ((0, 0), (0, -height % block), (0, -width % block))
    padded = np.pad(picture, edges, mode="edge").astype(np.float64)
    shape = (channels, padded.shape[1] // block, block, padded.shape[2] // block, block)
    return np.rint(padded.reshape(shape).mean(axis=(2, 4))).astype(np.uint8)


class Gallery:
    """Look up what may be shown of a row; pictures stop when `budget` characters are spent."""

    def __init__(self, evidence: Evidence, budget: int) -> None:
        self.budget, self.left_out = budget, 0
        stored: dict[str, np.ndarray] = evidence.array("gallery.npz") or {}
        self.sounds = "spectrograms" in stored
        self.pictures = stored.get("spectrograms" if self.sounds else "pictures")
        numbers = stored.get("rows", np.array([], dtype=np.int64)).tolist()
        self.place = {int(row): place for place, row in enumerate(numbers)}
        if self.pictures is not None and not _drawable(self.pictures):
            self.pictures = None
        sequences = stored.get("sequences")
        plotted = sequences is not None and _plottable(sequences)
        self.sequences = sequences if plotted else None
        self.bounds = None if self.sequences is None else limits(self.sequences)
        document = evidence.document("gallery.json")
        self.all_columns = [text(name) for name in document.get("columns") or []]
        self.columns = self.all_columns[:COLUMNS]
        self.table: dict[str, list[Any]] = document.get("cells") or {}

    @property
    def rows(self) -> np.ndarray:
        """Return the numbers of the rows that the run kept anything of."""
        pictured = self.place if self._drawn else ()
        listed = (int(row) for row in self.table if row.isdecimal())
        return np.array([*pictured, *listed], dtype=np.int64)

    @property
    def _drawn(self) -> bool:
        return self.pictures is not None or self.sequences is not None

    def picture(self, row: int) -> str:
        """Return the row's picture as a data URI; empty when there is none, or no room left."""
        if not self._drawn or row not in self.place:
            return ""
        uri = self._uri(self.place[row])
        if len(uri) > self.budget:
            self.left_out += 1
            return ""
        self.budget -= len(uri)
        return uri

    def _uri(self, place: int) -> str:
        if self.sequences is not None and self.bounds is not None:
            return trace(self.sequences[place], self.bounds)
        assert self.pictures is not None, "picture() asked whether there is anything to draw"
        content = base64.b64encode(
            png(shrunk(self.pictures[place], SPECTRUM if self.sounds else SIDE))
        )
        return f"data:image/png;base64,{content.decode()}"

    def cells(self, row: int) -> list[str]:
        """Return the row's cells, one for each of `columns`; empty when there are none."""
        return [text(cell) for cell in self.table.get(str(row)) or []][: len(self.columns)]


def _drawable(pictures: np.ndarray) -> bool:
    return pictures.ndim == 4 and pictures.dtype == np.uint8 and pictures.shape[1] in (1, 3)


def _plottable(sequences: np.ndarray) -> bool:
    return (
        sequences.ndim == 3
        and sequences.size > 0
        and sequences.dtype.kind == "f"
        and bool(np.isfinite(sequences).all())
    )

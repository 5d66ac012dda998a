"""The recordings of a folder, and whether a folder is one of recordings."""

import os
from pathlib import Path

from gradatim.data.pictures.listing import ENDINGS as PICTURES
from gradatim.data.pictures.listing import Listing, list_pictures

__all__ = ["ENDINGS", "holds_sounds", "list_sounds"]

ENDINGS = frozenset({".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff"})
_ENOUGH = 500  # named files: what most of them are, the folder is


def list_sounds(root: Path) -> Listing:
    """Return everything under a folder that is named like a recording.

    Raises:
        DataError: a folder may not be read.
    """
    return list_pictures(root, Listing(kind="recordings", endings=ENDINGS))


def holds_sounds(path: Path) -> bool:
    """Tell whether a folder holds recordings, more of them than pictures.

    The first 500 files that are named like either decide; nothing is opened.
    """
    sounds = pictures = 0
    for _, folders, files in os.walk(path):
        folders.sort()
        endings = [os.path.splitext(name)[1].lower() for name in files if name[0] != "."]  # noqa: PTH122
        sounds += sum(ending in ENDINGS for ending in endings)
        pictures += sum(ending in PICTURES for ending in endings)
        if sounds + pictures >= _ENOUGH:
            break
    return sounds > pictures

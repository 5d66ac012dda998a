"""Which picture belongs to which mask, from the paths alone: two folders, the same stems."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gradatim.core.errors import DataError
from gradatim.core.samples import Finding
from gradatim.data.naming import listed, plain_name, shown, sorted_names
from gradatim.data.pictures.classes import PARTS
from gradatim.data.pictures.listing import ENDINGS, Listing

__all__ = ["MASKS", "PICTURES", "Pair", "folders_in", "has_pairs", "pairs_of"]

MASKS = {"annotation", "annotations", "ground_truth", "groundtruth", "gt", "label", "labels"}
MASKS |= {"mask", "masks", "segmentation", "segmentationclass", "segmentations", "target"}
MASKS |= {"targets"}
PICTURES = {"image", "images", "img", "imgs", "input", "inputs", "jpegimages", "picture"}
PICTURES |= {"pictures"}
_ALIKE = "give picture and mask the same name up to the ending"


@dataclass(frozen=True)
class Pair:
    """A picture and its mask, relative to the folder of the data."""

    picture: PurePosixPath
    mask: PurePosixPath
    sealed: bool

    @property
    def name(self) -> str:
        """The picture's name as valid Unicode."""
        return plain_name(str(self.picture))


def has_pairs(root: Path) -> bool:
    """Tell whether a folder, or its train/, holds a folder of pictures and one of masks."""
    if not root.is_dir():
        return False
    parts = [folder for folder in folders_in(root) if folder.name.casefold() in PARTS]
    return any(_beside(base) for base in (root, *parts))


def _beside(base: Path) -> bool:
    folders = {folder.name.casefold(): folder for folder in folders_in(base)}
    masks = [folders[name] for name in folders.keys() & MASKS]
    pictures = [folders[name] for name in folders.keys() & PICTURES]
    return any(map(_holds_pictures, masks)) and any(map(_holds_pictures, pictures))


def folders_in(base: Path) -> list[Path]:
    """Return the folders in a folder, no links; none when it may not be read."""
    try:
        entries = sorted(base.iterdir())
    except OSError:
        return []
    return [entry for entry in entries if entry.is_dir() and not entry.is_symlink()]


def _holds_pictures(folder: Path) -> bool:
    return any(entry.suffix.lower() in ENDINGS for entry in folder.rglob("*"))


def pairs_of(listing: Listing, location: str) -> tuple[list[Pair], list[Finding]]:
    """Return pairs in the order of their names, and remarks on what has no partner.

    A folder called test, above or below the two, is the data's own test part.

    Raises:
        DataError: no two folders, two masks of one picture, or no pair at all.
    """
    sides = _sides(listing.pictures, location)
    pictures = _by_key(listing.pictures, sides, "picture", location)
    masks = _by_key(listing.pictures, sides, "mask", location)
    both = sorted_names(pictures.keys() & masks.keys())
    alone = {
        "pictures have no mask": [str(pictures[key]) for key in pictures.keys() - masks.keys()],
        "masks have no picture": [str(masks[key]) for key in masks.keys() - pictures.keys()],
    }
    alone = {what: sorted_names(map(plain_name, names)) for what, names in alone.items() if names}
    if not both:
        counts = "; ".join(f"{len(n)} {what}: {listed(n, 2)}" for what, n in alone.items())
        raise DataError(f"{shown(location, 200)}: {counts}\n{_ALIKE}")
    pairs = [Pair(pictures[key], masks[key], _sealed(pictures[key])) for key in both]
    return pairs, [_lonely(what, names) for what, names in alone.items()]


def _lonely(what: str, names: list[str]) -> Finding:
    message = f"{len(names)} {what} and are left out: {listed(names, 5)}"
    return Finding("unpaired", "warning", message, _ALIKE, tuple(names[:20]))


def _sealed(picture: PurePosixPath) -> bool:
    return any(PARTS.get(part.casefold()) == "test" for part in picture.parts[:-1])


def _sides(pictures: Iterable[PurePosixPath], location: str) -> dict[str, str]:
    """Return folder name -> "picture" or "mask": by usual names, else by one of the two."""
    names = Counter(part for path in pictures for part in {*path.parts[:-1]})
    usual = {name: "mask" for name in names if name.casefold() in MASKS}
    usual |= {name: "picture" for name in names if name.casefold() in PICTURES}
    if len(set(usual.values())) == 2:
        return usual
    others = [name for name in names if name.casefold() not in PARTS and name not in usual]
    if len(others) == len(usual) == 1:  # one of the two has a usual name: the other is its partner
        missing = "picture" if "mask" in usual.values() else "mask"
        return usual | {others[0]: missing}
    trouble = f"{shown(location, 200)}: which folder holds the masks is not clear"
    raise DataError(f"{trouble}; call two folders beside each other images and masks")


def _by_key(
    paths: Iterable[PurePosixPath], sides: dict[str, str], side: str, location: str
) -> dict[str, PurePosixPath]:
    """Return what is around and below the folder, without ending -> path."""
    found: dict[str, list[PurePosixPath]] = defaultdict(list)
    for path in paths:
        level = next((i for i, part in enumerate(path.parts[:-1]) if part in sides), None)
        if level is not None and sides[path.parts[level]] == side:
            rest = PurePosixPath(*path.parts[:level], *path.parts[level + 1 :])
            found[str(rest.with_suffix(""))].append(path)
    double = [paths for paths in found.values() if len(paths) > 1]
    if double:
        names = listed([plain_name(str(path)) for path in double[0]])
        trouble = f"{shown(location, 200)}: {names} are {side}s of one name"
        raise DataError(f"{trouble}; keep one of them")
    return {key: paths[0] for key, paths in found.items()}

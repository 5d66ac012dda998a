"""Pictures with masks of the same stem: a folder of each."""

from pathlib import Path, PurePosixPath
from typing import ClassVar

from gradatim.core.errors import DataError
from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions, Source
from gradatim.data.annotated import layouts_of, only_pictures, refuse_columns
from gradatim.data.files import checked_path
from gradatim.data.masks.files import pairs_dataset, unmasked_dataset
from gradatim.data.masks.pairs import has_pairs, pairs_of
from gradatim.data.naming import shown, sorted_names
from gradatim.data.pictures.listing import Listing, list_pictures

__all__ = ["SOURCE", "Masks"]


class Masks(Source):
    """image/ and label/, images/ and masks/, JPEGImages/ and SegmentationClass/, and their kin.

    train/ and test/ may lie above or below the two. A classes.txt or labelmap.txt names the
    classes. To predict, also a flat folder or a single picture.
    """

    summary: ClassVar[str] = "pictures and masks of the same names, a folder of each"

    def claims(self, location: str, options: ReadOptions) -> bool:
        path = Path(location)
        if options.job is None:
            return has_pairs(path)
        return options.job == "segment" and (
            has_pairs(path) or ("coco" not in layouts_of(path) and only_pictures(location))
        )

    def read(self, location: str, options: ReadOptions) -> Dataset:
        path = checked_path(location)
        refuse_columns(options)
        if path.is_file():
            listing, root = Listing(), path.parent
            listing.pictures.append(PurePosixPath(path.name))
        else:
            listing, root = list_pictures(path), path
        if not listing.pictures:
            trouble = f"{shown(location, 200)} holds no pictures"
            raise DataError(f"{trouble}; expected images/ and masks/ with pictures of one name")
        if options.signature is not None and not has_pairs(path):
            order = sorted_names(str(picture) for picture in listing.pictures)
            pictures = [PurePosixPath(name) for name in order]
            return unmasked_dataset(root, pictures, location, options)
        pairs, remarks = pairs_of(listing, location)
        return pairs_dataset(root, pairs, location, options, [*listing.findings(), *remarks])


SOURCE = Masks()

"""Pairs of picture and mask files become samples."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from gradatim.core.errors import DataError
from gradatim.core.samples import Dataset, Finding
from gradatim.core.source import ReadOptions
from gradatim.data.many_files import in_threads, refuse_many
from gradatim.data.masks.assembly import (
    Masked,
    answers_with_masks,
    decoded_for,
    learnt_signature,
    masked_dataset,
    on_canvas,
    sized,
)
from gradatim.data.masks.classes import Meaning, learn_meaning, meaning_of, strange_levels
from gradatim.data.masks.levels import Level, Leveled, load_mask
from gradatim.data.masks.names import class_list
from gradatim.data.masks.pairs import Pair
from gradatim.data.naming import listed, plain_name, shown

__all__ = ["pairs_dataset", "unmasked_dataset"]

STRAY_SHARE = 1e-3


def pairs_dataset(
    root: Path,
    pairs: Sequence[Pair],
    location: str,
    options: ReadOptions,
    findings: Sequence[Finding],
) -> Dataset:
    """Return samples of pictures and masks.

    Classes are learnt from the masks that are not of the test part. Pairs that cannot be decoded
    are set apart.

    Raises:
        DataError: above 20 % of files are broken, a mask has another shape than its picture, the
            levels mean no classes, or the test part holds levels that no class has.
    """
    names = [pair.name for pair in pairs]
    canvas, remarks = decoded_for([root / pair.picture for pair in pairs], names, location, options)
    masks, digest, broken = _masks(root, pairs, location)
    sealed = np.array([pair.sealed for pair in pairs])
    usable = canvas.good & np.array([mask is not None for mask in masks])
    taught = [mask for mask, good in zip(masks, usable & ~sealed, strict=True) if mask and good]
    meaning = _meaning(taught, root, location, options)
    found = Masked("masks", names, canvas, sealed, digest, [*findings, *remarks, *broken])
    found.findings += meaning.findings
    coding = _Coding(root, meaning)
    coded = [
        coding.coded(pair, mask, size) if mask and good else np.empty((0, 0), np.uint8)
        for pair, mask, size, good in zip(pairs, masks, canvas.sizes.tolist(), usable, strict=True)
    ]
    found.findings += coding.findings(location)
    signature = options.signature or learnt_signature(canvas, meaning.output)
    return masked_dataset(found, on_canvas(coded, canvas, location), usable, signature, location)


def _meaning(taught: Sequence[Leveled], root: Path, location: str, options: ReadOptions) -> Meaning:
    listing = class_list(root)
    if options.signature is not None:
        return meaning_of(answers_with_masks(options.signature, location), listing)
    if not taught:
        trouble = f"{shown(location, 200)}: every usable pair is of the test part"
        raise DataError(f"{trouble}; add pairs to learn from")
    return learn_meaning(taught, listing, location)


def unmasked_dataset(
    root: Path, pictures: Sequence[PurePosixPath], location: str, options: ReadOptions
) -> Dataset:
    """Return pictures without masks, for a model to find them: targets of length 0."""
    assert options.signature is not None, "learning needs masks"
    names = [plain_name(str(picture)) for picture in pictures]
    canvas, remarks = decoded_for([root / p for p in pictures], names, location, options)
    found = Masked("pictures", names, canvas, np.zeros(len(names), bool), b"", remarks)
    return masked_dataset(found, None, canvas.good, options.signature, location)


def _masks(
    root: Path, pairs: Sequence[Pair], location: str
) -> tuple[list[Leveled | None], bytes, list[Finding]]:
    """Return each mask, None where it is broken; a digest of all; remarks."""

    def load(pair: Pair) -> tuple[Leveled | None, bytes, str]:
        name = plain_name(str(pair.mask))
        try:
            content = (root / pair.mask).read_bytes()
            return load_mask(content, name), hashlib.sha256(content).digest(), ""
        except OSError as error:
            return None, b"", f"{shown(name, 200)}: {error.strerror}"
        except DataError as error:
            return None, b"", str(error)

    results = in_threads(load, pairs)
    troubles = [trouble for _, _, trouble in results if trouble]
    refuse_many(troubles, len(pairs), location)
    digest = hashlib.sha256()
    for pair, (_, mark, _) in zip(pairs, results, strict=True):
        digest.update(f"{plain_name(str(pair.mask))}\0{pair.sealed}\0".encode() + mark)
    remarks = []
    if troubles:
        message = f"{len(troubles)} masks cannot be decoded and are left out with their pictures"
        remedy = f"the first: {troubles[0]}"
        remarks.append(Finding("quarantined", "warning", message, remedy, tuple(troubles[:20])))
    return [mask for mask, _, _ in results], digest.digest(), remarks


@dataclass
class _Coding:
    """Classes instead of levels, mask by mask, and what was odd on the way."""

    root: Path
    meaning: Meaning
    odd: dict[str, dict[Level, int]] = field(default_factory=dict)
    resized: list[str] = field(default_factory=list)
    pixels: int = 0

    def coded(self, pair: Pair, mask: Leveled, size: Sequence[int]) -> np.ndarray:
        """Return the classes of a mask in the size of its picture."""
        codes, strange = self.meaning.coded(mask)
        name, picture = (str(self.root / path) for path in (pair.mask, pair.picture))
        made = sized(codes, (size[0], size[1]), plain_name(name), plain_name(picture))
        self.pixels += made.size
        if strange:
            self.odd[plain_name(str(pair.mask))] = strange
        if made.shape != codes.shape:
            self.resized.append(plain_name(str(pair.mask)))
        return made

    def findings(self, location: str) -> list[Finding]:
        """Return remarks.

        Raises:
            DataError: above 0.1 % of all pixels have a level that no class has.
        """
        remarks = [self._odd(location)] if self.odd else []
        if self.resized:
            message = f"{len(self.resized)} masks have another size than their pictures"
            message = f"{message} and are resized: {listed(self.resized, 3)}"
            remedy = "each pixel takes the nearest; no classes are mixed"
            rows = tuple(self.resized[:5])
            remarks.append(Finding("resized-masks", "warning", message, remedy, rows))
        return remarks

    def _odd(self, location: str) -> Finding:
        strays = sum(sum(levels.values()) for levels in self.odd.values())
        trouble = strange_levels(self.odd, self.meaning.output.levels)
        if strays > STRAY_SHARE * self.pixels:
            remedy = "give masks with the levels of those that were learnt from"
            raise DataError(f"{shown(location, 200)}: {trouble}\n{remedy}")
        message = f"{strays} pixels of {len(self.odd)} masks have odd levels and are ignored"
        return Finding("odd-levels", "warning", f"{message}; {trouble}", "", tuple(self.odd)[:20])

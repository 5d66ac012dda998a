"""Recordings: a folder a class, classes in the names of files, or a table of them as ESC-50 has."""

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np
import torch

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.samples import Dataset, Finding, Samples
from gradatim.core.signature import Category, Quantity, Signature, Sound
from gradatim.core.source import ReadOptions, Source
from gradatim.data.file_names import group_codes
from gradatim.data.files import checked_path
from gradatim.data.many_files import quarantined
from gradatim.data.naming import listed, shown, sorted_names
from gradatim.data.origin import Origin, what_to_give
from gradatim.data.pictures.listing import Listing
from gradatim.data.sounds.decoding import Decoded, common_sound, decode_files, headers_of, remarks
from gradatim.data.sounds.labels import Labelled, labelled, unlabelled
from gradatim.data.sounds.listing import ENDINGS, holds_sounds, list_sounds
from gradatim.data.tables.targets import no_targets, twin_findings

__all__ = ["SOURCE", "Sounds"]


class Sounds(Source):
    """Recordings with a class each; to predict, also a flat folder or a single recording."""

    summary: ClassVar[str] = (
        "recordings (WAV, FLAC, OGG, MP3): a folder a class, --names, or a table of them"
    )

    def claims(self, location: str, options: ReadOptions) -> bool:
        if options.job not in (None, "classify", "regress"):
            return False
        path = Path(location)
        return path.suffix.lower() in ENDINGS or (path.is_dir() and holds_sounds(path))

    def read(self, location: str, options: ReadOptions) -> Dataset:
        path = checked_path(location)
        if path.is_file():
            listing, path = Listing([PurePosixPath(path.name)], kind="recordings"), path.parent
        else:
            listing = list_sounds(path)
        if not listing.pictures:
            known = ", ".join(sorted(ENDINGS))
            raise DataError(f"{shown(location, 200)} holds no recordings; known endings: {known}")
        if options.signature is not None:
            return _code(path, location, listing, options, options.signature)
        if options.job == "regress":
            raise ConfigError("recordings have classes; leave out --task regress")
        return _learn(path, location, listing, options)


def _learn(root: Path, location: str, listing: Listing, options: ReadOptions) -> Dataset:
    known = labelled(root, location, listing, options)
    _refuse(known, location)
    files, names = [root / file for file in known.files], known.names
    headers = headers_of(files, names)
    wanted = common_sound(headers, location)
    decoded = _trimmed(decode_files(files, names, wanted, location))
    output = Category(name="class", names=known.classes)
    _refuse_empty_class(known, decoded, output, location)
    sound = wanted.model_copy(update={"length": decoded.recordings.shape[1]})
    odd = [*known.findings, *remarks(headers, names, wanted), *twin_findings([*known.classes])]
    signature = Signature(input=sound, output=output)
    return _dataset(known, decoded, signature, location, [*listing.findings(), *odd])


def _code(
    root: Path, location: str, listing: Listing, options: ReadOptions, signature: Signature
) -> Dataset:
    if not isinstance(signature.input, Sound):
        raise DataError(f"{shown(location, 200)}: {what_to_give(signature.input)}")
    known = _recognised(root, location, listing, options, signature)
    files, names = [root / file for file in known.files], known.names
    headers = headers_of(files, names)
    decoded = decode_files(files, names, signature.input, location)
    odd = [*listing.findings(), *known.findings, *remarks(headers, names, signature.input)]
    return _dataset(known, decoded, signature, location, odd)


def _recognised(
    root: Path, location: str, listing: Listing, options: ReadOptions, signature: Signature
) -> Labelled:
    """Return recordings, with classes when they are called like the model's classes."""
    single = not listing.folders and len(listing.pictures) == 1 and not options.names
    known = unlabelled(listing) if single else labelled(root, location, listing, options)
    found, output = set(known.labels or ()), signature.output
    if not isinstance(output, Category) or not found & set(output.names):
        return unlabelled(listing)
    strange = sorted_names(found - set(output.names))
    if strange:
        trouble = f"{shown(location, 200)}: the model knows no class {listed(strange, 5)}"
        raise DataError(f"{trouble}; it knows {listed(output.names)}")
    return known


def _dataset(
    known: Labelled,
    decoded: Decoded,
    signature: Signature,
    location: str,
    findings: list[Finding],
) -> Dataset:
    good, names = decoded.good, known.names
    rows = [name for name, usable in zip(names, good, strict=True) if usable]
    sealed = None if known.sealed is None else np.array(known.sealed, bool)[good]
    groups, group_names = (None, ()) if known.groups is None else group_codes(known.groups)
    samples = Samples(
        torch.from_numpy(decoded.recordings[good]),
        _targets(known, good, signature),
        None if groups is None else torch.from_numpy(groups[good]),
        sizes=torch.from_numpy(decoded.lengths[good])[:, None],
    )
    origin = Origin(location, rows, "sounds", decoded.fingerprint, sealed)
    data = origin.dataset(
        samples, signature, findings + quarantined(names, good, decoded.troubles, "recordings")
    )
    return replace(data, group_names=group_names)


def _targets(known: Labelled, good: np.ndarray, signature: Signature) -> torch.Tensor:
    output = signature.output
    assert isinstance(output, Category | Quantity), "claims() asks for no other job"
    if known.labels is None:
        return no_targets(output)
    place = {name: code for code, name in enumerate(output.names)}
    return torch.from_numpy(np.array([place[label] for label in known.labels], np.int64)[good])


def _trimmed(decoded: Decoded) -> Decoded:
    """Return the recordings on a canvas no longer than the longest of them."""
    longest = int(decoded.lengths.max())
    return replace(decoded, recordings=decoded.recordings[:, :longest])


def _refuse(known: Labelled, location: str) -> None:
    where = shown(location, 200)
    if not known.files:
        trouble = f"{where}: no recording is in the folder of a class"
        raise DataError(
            f"{trouble}\nput those of each class into a folder of its name, or say by --names what "
            'their names tell,\nsuch as --names "{label}_{speaker}_{index}.wav"'
        )
    strange = sorted_names(set(known.labels or ()) - set(known.classes))
    if strange:
        trouble = f"{where}: the test part has classes that train lacks: {listed(strange, 5)}"
        raise DataError(f"{trouble}; add recordings of them to train, or remove them")
    if len(known.classes) < 2:
        trouble = f"{where} has one class only, {listed(known.classes)}"
        raise DataError(f"{trouble}; add recordings of another class, or say by --names what it is")


def _refuse_empty_class(known: Labelled, decoded: Decoded, output: Category, location: str) -> None:
    labels = np.array(known.labels or ())
    usable = decoded.good & ~np.array(known.sealed or [False] * len(labels), bool)
    empty = [name for name in output.names if not (usable & (labels == name)).any()]
    if empty:
        trouble = f"{shown(location, 200)}: no usable recording of class {listed(empty, 5)}"
        raise DataError(f"{trouble}; add recordings or remove the class")


SOURCE = Sounds()

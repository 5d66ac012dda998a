"""Pictures that are already in memory become samples."""

from dataclasses import replace

import numpy as np
import torch

from gradatim.core.errors import DataError
from gradatim.core.samples import Dataset, Samples
from gradatim.core.signature import Density, Image, Signature
from gradatim.core.source import ReadOptions
from gradatim.data.naming import shown
from gradatim.data.origin import Origin, fingerprint_of, what_to_give
from gradatim.data.pictures.conversion import as_signature
from gradatim.data.tables.cells import Cells
from gradatim.data.tables.targets import code_target, learn_target, no_targets

__all__ = ["as_planes", "dataset_from_pictures"]


def as_planes(pictures: np.ndarray, name: str) -> np.ndarray:
    """Return pictures as (rows, channels, height, width).

    Args:
        pictures: uint8, (rows, height, width), or with channels last or second.
        name: of the data, for messages.

    Raises:
        DataError: another type or shape.
    """
    if pictures.dtype != np.uint8:
        trouble = f"{shown(name)}: pictures of {pictures.dtype} have no known white"
        raise DataError(f"{trouble}; scale them to 0..255 and give uint8, or floats for sequences")
    if pictures.ndim == 3:
        pictures = pictures[:, None]
    second, last = pictures.shape[1] in (1, 3), pictures.shape[3] in (1, 3)
    if second == last or 0 in pictures.shape[1:]:
        trouble = (
            f"{shown(name)}: no axis, or more than one, of {pictures.shape} can be the channels"
        )
        raise DataError(f"{trouble}; give 1 or 3 channels last or second")
    return pictures if second else np.moveaxis(pictures, 3, 1)


def dataset_from_pictures(
    planes: np.ndarray, target: Cells | None, origin: Origin, options: ReadOptions
) -> Dataset:
    """Return the samples of pictures in memory.

    Args:
        planes: uint8, (rows, channels, height, width).
        target: one cell a picture; None to predict.
        origin: where they came from; without a fingerprint one is made.
        options: how to read.

    Raises:
        DataError: no pictures, other lengths, or targets that cannot be used.
    """
    origin = replace(origin, fingerprint=origin.fingerprint or fingerprint_of(planes, target))
    _check_lengths(planes, target, origin, options)
    if options.signature is not None:
        return _code(planes, target, origin, options.signature)
    _, channels, height, width = planes.shape
    image = Image(channels=channels, height=height, width=width)
    if target is None:
        assert options.rows_alone, "learning needs targets"
        signature = Signature(input=image, output=Density())
        return origin.dataset(Samples(_tensor(planes), torch.zeros(len(planes), 1)), signature, [])
    answer = learn_target(target, origin, options.task)
    signature = Signature(input=image, output=answer.output)
    samples = Samples(_tensor(planes), answer.values)
    return origin.dataset(samples, signature, answer.findings)


def _check_lengths(
    planes: np.ndarray, target: Cells | None, origin: Origin, options: ReadOptions
) -> None:
    if target is not None and len(target) != len(planes):
        trouble = f"{len(planes)} pictures and {len(target)} targets"
        raise origin.error(trouble, "give one target a picture")
    if len(planes) < (2 if options.signature is None else 1):
        raise origin.error(f"{len(planes)} pictures are no data to learn from", "add pictures")


def _code(
    planes: np.ndarray, target: Cells | None, origin: Origin, signature: Signature
) -> Dataset:
    if not isinstance(signature.input, Image):
        raise origin.error("these are pictures", what_to_give(signature.input))
    output = signature.output
    targets = no_targets(output) if target is None else code_target(target, origin, output)
    samples = Samples(_tensor(as_signature(planes, signature.input)), targets)
    return origin.dataset(samples, signature, [])


def _tensor(planes: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.require(planes, requirements=["C", "W"]))

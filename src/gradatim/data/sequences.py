"""Sequences that are already in memory become samples."""

from dataclasses import replace

import numpy as np
import torch

from gradatim.core.samples import Dataset, Samples
from gradatim.core.signature import Image, Series, Signature
from gradatim.core.source import ReadOptions
from gradatim.data.origin import Origin, fingerprint_of, what_to_give
from gradatim.data.tables.cells import Cells
from gradatim.data.tables.targets import code_target, learn_target, no_targets

__all__ = ["are_sequences", "dataset_from_sequences"]

MOST = 100_000  # steps, and channels, as the signature allows


def are_sequences(x: np.ndarray, options: ReadOptions) -> bool:
    """Tell whether an array holds sequences: three axes of floats.

    For a model that reads sequences whole numbers will do; for one that reads pictures, floats are
    pictures without a known white.

    >>> are_sequences(np.zeros((9, 5, 2)), ReadOptions())
    True
    >>> are_sequences(np.zeros((9, 5, 2), np.uint8), ReadOptions())
    False
    """
    if x.ndim != 3:
        return False
    reads = None if options.signature is None else options.signature.input
    if isinstance(reads, Series):
        return x.dtype.kind in "iuf"
    return x.dtype.kind == "f" and not isinstance(reads, Image)


def dataset_from_sequences(
    x: np.ndarray, target: Cells | None, origin: Origin, options: ReadOptions
) -> Dataset:
    """Return the samples of sequences in memory.

    Args:
        x: numbers, (rows, steps, channels).
        target: one cell a sequence; None to predict.
        origin: where they came from; without a fingerprint one is made.
        options: how to read.

    Raises:
        DataError: no sequences, other lengths, numbers that are not finite, another shape than the
            model reads, or targets that cannot be used.
    """
    origin = replace(origin, fingerprint=origin.fingerprint or fingerprint_of(x, target))
    _check_lengths(x, target, origin, options)
    inputs = _finite(x, origin)
    if options.signature is not None:
        return _code(inputs, target, origin, options.signature)
    assert target is not None, "learning needs targets"
    answer = learn_target(target, origin, options.task)
    _, steps, channels = x.shape
    signature = Signature(input=Series(channels=channels, steps=steps), output=answer.output)
    return origin.dataset(Samples(inputs, answer.values), signature, answer.findings)


def _check_lengths(
    x: np.ndarray, target: Cells | None, origin: Origin, options: ReadOptions
) -> None:
    if target is not None and len(target) != len(x):
        raise origin.error(
            f"{len(x)} sequences and {len(target)} targets", "give one target a sequence"
        )
    if not 1 <= min(x.shape[1:]) <= max(x.shape[1:]) <= MOST:
        trouble = f"sequences of shape {x.shape} have no numbers, or too many"
        raise origin.error(trouble, f"give (rows, steps, channels), 1 to {MOST:,} of the last two")
    if len(x) < (2 if options.signature is None else 1):
        raise origin.error(f"{len(x)} sequences are no data to learn from", "add sequences")


def _finite(x: np.ndarray, origin: Origin) -> torch.Tensor:
    """Return the numbers as float64.

    A gap in a sequence is no empty cell: what belongs there depends on the steps around it, so it
    is left to the user.
    """
    inputs = np.array(x, dtype=np.float64, order="C")
    wrong = np.asarray(np.any(~np.isfinite(inputs), axis=(1, 2)))
    if wrong.any():
        trouble = f"{wrong.sum()} of {len(x)} sequences hold NaN or infinite numbers"
        remedy = "fill the gaps or leave these sequences out"
        raise origin.error(f"{trouble}: {origin.these(wrong)}", remedy)
    return torch.from_numpy(inputs)


def _code(
    inputs: torch.Tensor, target: Cells | None, origin: Origin, signature: Signature
) -> Dataset:
    field, output = signature.input, signature.output
    if not isinstance(field, Series):
        raise origin.error("these are sequences", what_to_give(field))
    if inputs.shape[1:] != (field.steps, field.channels):
        shape = " x ".join(map(str, inputs.shape[1:]))
        raise origin.error(f"sequences of {shape} (steps x channels)", what_to_give(field))
    targets = no_targets(output) if target is None else code_target(target, origin, output)
    return origin.dataset(Samples(inputs, targets), signature, [])

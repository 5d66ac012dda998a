"""Characters as numbers: a `Text` of the signature, and back."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int, Int32
from torch import Tensor

__all__ = ["coded", "written"]

STRANGE = "\N{REPLACEMENT CHARACTER}"
"""Stands where a character was that is not in the alphabet."""


def coded(
    texts: Sequence[str], alphabet: str, length: int | None = None
) -> Int32[Tensor, "rows length"]:
    """Return the number of each character in the alphabet.

    Args:
        texts: one a row.
        alphabet: different characters, in the order of their code points.
        length: of a row, at least that of the longest text, which it is when left out.

    Returns:
        From 0; len(alphabet) for a character that is not in it, -1 after the end.

    >>> coded(["ab", "c"], "ab").tolist()
    [[0, 1], [2, -1]]
    """
    longest = max(map(len, texts), default=0)
    codes = np.full((len(texts), longest if length is None else length), -1, dtype=np.int32)
    known = _points(alphabet)
    for row, text in enumerate(texts):
        points = _points(text)
        place = np.searchsorted(known, points)
        found = known[np.minimum(place, len(known) - 1)] == points
        codes[row, : len(text)] = np.where(found, place, len(known))
    return torch.from_numpy(codes)


def written(codes: Int[Tensor, "rows length"], alphabet: str) -> list[str]:
    """Return the text of each row, U+FFFD for a character that is not in the alphabet.

    Args:
        codes: as `coded` returns them; a row ends at its first number below 0.
        alphabet: as for `coded`.

    >>> written(coded(["ab", "c"], "ab"), "ab") == ["ab", "\N{REPLACEMENT CHARACTER}"]
    True
    """
    points = _points(alphabet + STRANGE)
    numbers = codes.numpy()
    ended = np.concatenate([numbers < 0, np.ones((len(numbers), 1), dtype=bool)], axis=1)
    rows = zip(points[numbers.clip(0, len(alphabet))], ended.argmax(1).tolist(), strict=True)
    return [row[:end].tobytes().decode("utf-32-le", "surrogatepass") for row, end in rows]


def _points(text: str) -> np.ndarray:
    """Return code points; a file name or a cell may hold surrogates without a partner."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")

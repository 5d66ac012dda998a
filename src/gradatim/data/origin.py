"""`Origin`: where data came from, so that every complaint can name the file and the row."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradatim.core.errors import DataError
from gradatim.core.samples import Dataset, Finding, Samples
from gradatim.core.signature import Game, Image, InputField, Signature, Sound, Table, Text
from gradatim.data.naming import shown
from gradatim.data.tables.cells import Cells, content_bytes

__all__ = ["Origin", "fingerprint_of", "what_to_give"]


@dataclass(frozen=True)
class Origin:
    """One piece of data that is being read.

    Args:
        name: the location as the user gave it.
        rows: the name of each row.
        source: the kind of data.
        fingerprint: sha256 of the content.
        sealed: for each row, whether it is of the data's own test part; None when it has none.
    """

    name: str
    rows: Sequence[str]
    source: str
    fingerprint: str
    sealed: np.ndarray | None = None

    def error(self, trouble: str, remedy: str) -> DataError:
        """Return a complaint about this data."""
        return DataError(f"{shown(self.name, 200)}: {trouble}; {remedy}")

    def row(self, index: int) -> str:
        """Return the name of a row as a sentence has it."""
        name = self.rows[index]
        return f"row {name}" if name.isdecimal() else name

    def these(self, which: np.ndarray, limit: int = 5) -> str:
        """Return the names of up to `limit` rows, and how many more there are.

        Args:
            which: a mask over all rows.
            limit: how many are named.
        """
        index = np.flatnonzero(which)
        named = ", ".join(self.row(i) for i in index[:limit])
        return named + (f" and {len(index) - limit} more" if len(index) > limit else "")

    def names_of(self, which: np.ndarray, limit: int = 5) -> tuple[str, ...]:
        """Return the names of the first rows of a mask, for a finding."""
        return tuple(self.rows[i] for i in np.flatnonzero(which)[:limit])

    def dataset(
        self, samples: Samples, signature: Signature, findings: Sequence[Finding]
    ) -> Dataset:
        """Return the data that was read from here."""
        import torch

        sealed = None if self.sealed is None else torch.from_numpy(self.sealed)
        return Dataset(
            self.name,
            samples,
            signature,
            self.rows,
            self.fingerprint,
            self.source,
            sealed,
            tuple(findings),
        )


def what_to_give(field: InputField) -> str:
    """Return the remedy when a model is given another kind of data than it reads."""
    if isinstance(field, Table):
        return "the model reads a table: give one"
    if isinstance(field, Image):
        return "the model reads pictures: give a folder of them"
    if isinstance(field, Sound):
        return "the model reads recordings: give a folder of them"
    if isinstance(field, Text):
        return "the model reads text: give a file of it in UTF-8"
    if isinstance(field, Game):
        return f"the model plays {field.name}: give env:{field.name}"
    shape = f"(rows, {field.steps}, {field.channels})"
    return f"the model reads sequences: give floats of shape {shape}"


def fingerprint_of(inputs: np.ndarray, target: Cells | None) -> str:
    """Return the sha256 of arrays that came from no file."""
    digest = hashlib.sha256(repr(inputs.shape).encode())
    digest.update(np.ascontiguousarray(inputs).data)
    digest.update(b"" if target is None else content_bytes(target))
    return digest.hexdigest()

"""`Samples`: inputs and targets as tensors, and `Dataset`: samples with what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gradatim.core.signature import Signature

__all__ = ["Dataset", "Finding", "Samples"]


@dataclass(frozen=True)
class Samples:
    """Rows to learn from. `inputs` and `targets` are coded as the `Signature` says.

    `groups` (int64) marks rows that must stay on one side of every split; `times` (float64)
    orders rows when the future may not teach the past. `numbers` (int64) says where rows that were
    taken stood among those that were read, from 0. `sizes` (int64) says how much of a padded row
    is real: (rows, 2) heights and widths on a canvas, (rows, 1) lengths of recordings.
    """

    inputs: Tensor
    targets: Tensor
    groups: Tensor | None = None
    times: Tensor | None = None
    numbers: Tensor | None = None
    sizes: Tensor | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, rows: Tensor | np.ndarray | Sequence[int]) -> "Samples":
        """Return the samples at `rows`, in that order."""
        index = torch.as_tensor(rows, dtype=torch.int64)
        # Twice as fast as inputs[index]: rows are copied whole.
        return Samples(
            self.inputs.index_select(0, index),
            self.targets.index_select(0, index),
            None if self.groups is None else self.groups.index_select(0, index),
            None if self.times is None else self.times.index_select(0, index),
            index if self.numbers is None else self.numbers.index_select(0, index),
            None if self.sizes is None else self.sizes.index_select(0, index),
        )

    def own(self, row: int) -> "Samples":
        """Return input and target of one row; a picture, and its mask, without their canvas."""
        inputs, targets = self.inputs[row : row + 1], self.targets[row : row + 1]
        if self.sizes is None or inputs.dim() != 4:
            return Samples(inputs, targets)
        height, width = self.sizes[row].tolist()
        if targets.shape[-2:] == inputs.shape[-2:]:
            targets = targets[..., :height, :width]
        return Samples(inputs[..., :height, :width], targets)


@dataclass(frozen=True)
class Finding:
    """One remark of the data doctor.

    `weight`: "note" informs, "warning" asks for a look, "blocking" stops a climb unless the user
    says otherwise.
    """

    code: str
    weight: Literal["note", "warning", "blocking"]
    message: str
    remedy: str = ""
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """Samples, their signature and where they came from.

    `row_names` tells a person which sample is meant (a file, a line). `sealed` marks the rows of
    the data's own test part, if it has one. `fingerprint` is a hash of the bytes that were read;
    `source` is what the user wrote to have them read. `group_names` says what each code of the
    groups stands for, where groups have names.
    """

    name: str
    samples: Samples
    signature: Signature
    row_names: Sequence[str]
    fingerprint: str
    source: str
    sealed: Tensor | None = None
    findings: tuple[Finding, ...] = field(default=())
    group_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.samples)

    def noting(self, *findings: Finding) -> "Dataset":
        """Return the same data with more findings."""
        return replace(self, findings=self.findings + findings)

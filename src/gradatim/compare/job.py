"""What a climb hands out: the work of a rung, and one fit of it as a job for another process."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from gradatim.core.recipe import Recipe
from gradatim.core.rung import Rung
from gradatim.core.samples import Samples
from gradatim.core.signature import Actions, Signature
from gradatim.core.task import Task

__all__ = ["Job", "Rows", "Work", "samples_of"]

Rows = dict[str, np.ndarray]
"""Samples as arrays, which travel to other processes through shared memory."""


@dataclass(frozen=True)
class Work:
    """What all fits of a rung share.

    Several works may share a rung and differ in its settings or in the recipe: then each has the
    name of its `Variant`, under which its fits are kept.
    """

    rung: Rung
    recipe: Recipe
    task: Task
    signature: Signature
    variant: str = ""

    @property
    def name(self) -> str:
        """The name of the variant; of the rung, when it is the only one."""
        return self.variant or self.rung.name

    def of_fold(self, number: int) -> "Work":
        """Return the work of one fold, from 0.

        Rows teach, and all folds begin alike; of a game, a fold is one more run, with its own luck.
        """
        if not number or not isinstance(self.signature.output, Actions):
            return self
        seed = {"seed": self.recipe.seed + number}
        return replace(self, recipe=self.recipe.model_copy(update=seed))


@dataclass(frozen=True)
class Job:
    """One fit: learn from `training`, validate on `validation`, leave the result in `folder`."""

    work: Work
    folder: Path
    repeat: int
    fold: int
    training: np.ndarray
    validation: np.ndarray


def samples_of(rows: Rows, chosen: np.ndarray) -> Samples:
    """Return the chosen rows as samples, copied out of shared memory."""
    parts = {name: torch.from_numpy(np.asarray(array)[chosen]) for name, array in rows.items()}
    return Samples(**parts, numbers=torch.from_numpy(chosen))

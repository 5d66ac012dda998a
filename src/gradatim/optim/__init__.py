"""Optimizers, one a file."""

from collections.abc import Sequence
from typing import Protocol

from torch import nn

from gradatim.core.catalog import Catalog
from gradatim.core.learner import Optimizer
from gradatim.core.recipe import OptimizerChoice

__all__ = ["OPTIMIZERS", "Maker"]


class Maker(Protocol):
    """The class of an optimizer: parameters and numbers in, an optimizer out."""

    default_lr: float
    default_batch: int | None

    def __call__(
        self, parameters: Sequence[nn.Parameter], choice: OptimizerChoice, /
    ) -> Optimizer: ...


OPTIMIZERS: Catalog[Maker] = Catalog("optimizer", __name__, "OPTIMIZER")

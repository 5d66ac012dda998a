"""Optimizers, one a file."""

from collections.abc import Callable, Sequence

from torch import nn

from gradatim.core.catalog import Catalog
from gradatim.core.learner import Optimizer
from gradatim.core.recipe import OptimizerChoice

__all__ = ["OPTIMIZERS"]

Maker = Callable[[Sequence[nn.Parameter], OptimizerChoice], Optimizer]

OPTIMIZERS: Catalog[Maker] = Catalog("optimizer", __name__, "OPTIMIZER")

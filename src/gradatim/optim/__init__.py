"""Optimizers, one a file."""

from gradatim.core.catalog import Catalog
from gradatim.core.learner import Optimizer

__all__ = ["OPTIMIZERS"]

OPTIMIZERS: Catalog[type[Optimizer]] = Catalog("optimizer", __name__, "OPTIMIZER")

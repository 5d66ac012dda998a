"""The jobs: one task a file."""

from gradatim.core.catalog import Catalog
from gradatim.core.task import Supervised

__all__ = ["TASKS"]

TASKS: Catalog[Supervised] = Catalog("task", __name__, "TASK")

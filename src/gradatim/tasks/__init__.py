"""The jobs: one task a file."""

from gradatim.core.catalog import Catalog
from gradatim.core.task import Task

__all__ = ["TASKS"]

TASKS: Catalog[Task] = Catalog("task", __name__, "TASK")

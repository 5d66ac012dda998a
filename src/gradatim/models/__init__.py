"""The ladder: one rung a file, and the file name is its name."""

from gradatim.core.catalog import Catalog
from gradatim.core.rung import Rung

__all__ = ["RUNGS"]

RUNGS: Catalog[type[Rung]] = Catalog("rung", __name__, "RUNG")

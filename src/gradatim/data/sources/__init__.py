"""Kinds of data: one source a file, and the file name is the `kind:` prefix."""

from gradatim.core.catalog import Catalog
from gradatim.core.source import Source

__all__ = ["SOURCES"]

SOURCES: Catalog[Source] = Catalog("source", __name__, "SOURCE")

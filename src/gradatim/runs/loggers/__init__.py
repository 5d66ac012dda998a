"""Loggers: the records of a run in the format of another tool, one tool a file."""

from gradatim.core.catalog import Catalog
from gradatim.runs.loggers._logger import Logger

__all__ = ["LOGGERS"]

LOGGERS: Catalog[type[Logger]] = Catalog("logger", __name__, "LOGGER")

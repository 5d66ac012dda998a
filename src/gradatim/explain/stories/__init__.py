"""The stories of the course, computed: one a file, found by its name."""

from collections.abc import Callable
from typing import Any

from gradatim.core.catalog import Catalog

__all__ = ["STORIES"]

STORIES: Catalog[Callable[[int], dict[str, Any]]] = Catalog("story", __name__, "STORY")

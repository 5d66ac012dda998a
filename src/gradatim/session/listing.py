"""What there is to choose from."""

import sys
from typing import Any

from gradatim.core.catalog import Catalog
from gradatim.data.sources import SOURCES
from gradatim.models import RUNGS
from gradatim.optim import OPTIMIZERS
from gradatim.tasks import TASKS

__all__ = ["listing"]


def listing(what: str) -> list[dict[str, Any]]:
    """Return the entries of "rungs", "tasks", "sources" or "optimizers", each with a summary."""
    if what == "rungs":
        return _rungs()
    catalogs: dict[str, Catalog[Any]] = {
        "tasks": TASKS,
        "sources": SOURCES,
        "optimizers": OPTIMIZERS,
    }
    catalog = catalogs[what]
    entries = [{"name": n, "summary": _first_line(e)} for n, e in catalog.all().items()]
    return entries + _broken(catalog)


def _rungs() -> list[dict[str, Any]]:
    rungs = sorted(RUNGS.all().items(), key=lambda pair: (pair[1].place, pair[0]))
    entries = [
        {
            "name": name,
            "summary": rung.idea,
            "place": rung.place,
            "source": rung.source,
            "reads": list(rung.reads),
            "answers": list(rung.answers),
            "deviations": list(rung.deviations),
            "settings": {k: f.default for k, f in rung.model_fields.items()},
            "sizes": sorted(rung.sizes),
            "published": list(rung.published),
            "default": rung.default,
        }
        for name, rung in rungs
    ]
    return entries + _broken(RUNGS)


def _broken(catalog: Catalog[Any]) -> list[dict[str, Any]]:
    return [{"name": n, "summary": reason} for n, reason in catalog.broken().items()]


def _first_line(entry: Any) -> str:
    """Return a source's summary, else the first line of the file that defines the entry."""
    if isinstance(getattr(entry, "summary", None), str):
        return str(entry.summary)
    return (sys.modules[entry.__module__].__doc__ or "").partition("\n")[0]

"""Small data sets that scikit-learn carries, so that the first climb needs no download."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from gradatim.core.errors import ConfigError, nearest
from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions, Source

__all__ = ["SOURCE", "Bundled"]

TARGETS = {
    "breast_cancer": "diagnosis",
    "diabetes": "progression",
    "digits": "digit",
    "iris": "species",
    "wine": "cultivar",
}


class Bundled(Source):
    """`digits` (pictures of 8 x 8), `iris`, `wine`, `breast_cancer` (classes), `diabetes`."""

    summary: ClassVar[str] = f"a bundled set: {', '.join(TARGETS)}"

    def claims(self, location: str, options: ReadOptions) -> bool:
        return location in TARGETS

    def read(self, location: str, options: ReadOptions) -> Dataset:
        from gradatim.data.tables.frame import dataset_from_arrays

        if location not in TARGETS:
            hint = nearest(location, TARGETS)
            raise ConfigError(f'there is no bundled set "{location}"; {hint}')
        loaded = _loaded(location)
        x, y, columns = loaded.data, loaded.target, list(loaded.feature_names)
        if location == "digits":
            x = np.rint(loaded.images * (255 / 16)).astype(np.uint8)
            y = y.astype(str)
        if location in ("iris", "wine", "breast_cancer"):
            y = np.array(loaded.target_names)[y]
        if options.target in (None, TARGETS[location]) and location != "diabetes":
            options = replace(options, task=options.task or "classify")
        return dataset_from_arrays(
            x, y, options, location, source="bundled", columns=columns, target=TARGETS[location]
        )


def _loaded(name: str) -> Any:
    from sklearn import datasets

    readers: dict[str, Callable[[], Any]] = {
        "breast_cancer": datasets.load_breast_cancer,
        "diabetes": lambda: datasets.load_diabetes(scaled=False),
        "digits": datasets.load_digits,
        "iris": datasets.load_iris,
        "wine": datasets.load_wine,
    }
    return readers[name]()


SOURCE = Bundled()

"""`Evidence`: what a run folder holds, as far as it is there: a climb cut short has less."""

from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from gradatim.core.errors import CorruptError, DataError
from gradatim.runs.files import is_finished, read_array, read_json

__all__ = ["Evidence", "entries", "number", "text"]

JOBS = {"category": "classify", "quantity": "regress"}
JOBS |= {"picture": "denoise", "mask": "segment", "boxes": "detect"}
JOBS |= {"continuation": "model_text", "translation": "translate", "density": "density"}
JOBS |= {"synthesis": "synthesise", "actions": "play"}
SIGNS_OF_A_RUN = ("leaderboard.json", "question.json", "fit.json", "fits")


def number(value: Any) -> float | None:
    """Return a finite number as float, and None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e300 and isfinite(value) else None


def text(value: Any) -> str:
    """Return text; nothing is empty text."""
    return "" if value is None else str(value)


def entries(value: Any) -> list[dict[str, Any]]:
    """Return the dictionaries of a list, and an empty list for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


class Evidence:
    """Read one run folder; a file that is missing is empty, one that is broken is an error.

    Raises:
        DataError: the folder is no run folder.
        CorruptError: when a file is read that is not what was written.
    """

    def __init__(self, folder: Path) -> None:
        if not any((folder / name).exists() for name in SIGNS_OF_A_RUN):
            raise DataError(f"{folder} is no run folder; give one that `gradatim climb` made")
        self.folder = folder
        self.leaderboard = self.document("leaderboard.json")
        self.fit = self.document("fit.json")
        self.question = self.document("question.json")
        self.environment = self.document("environment.json")
        self.inspection = self.document("inspection.json")
        self.signature = self.document("signature.json")

    def document(self, name: str) -> dict[str, Any]:
        """Return a JSON object of the folder; empty when there is no such file."""
        path = self.folder / name
        if not path.is_file():
            return {}
        content = read_json(path)
        if not isinstance(content, dict):
            raise CorruptError(f"{path} holds no JSON object; restore it or start anew")
        return content

    def array(self, name: str) -> Any | None:
        """Return an array (or a mapping of arrays) of the folder; None when there is none."""
        path = self.folder / name
        return read_array(path) if path.is_file() else None

    def fact(self, name: str) -> Any:
        """Return what the leaderboard, the summary of a single fit or the question says of it."""
        for document in (self.leaderboard, self.fit, self.question):
            if document.get(name) is not None:
                return document[name]
        return None

    @property
    def name(self) -> str:
        """Return the name of the data."""
        return text(self.inspection.get("name") or self.fact("data")) or self.folder.name

    @property
    def task(self) -> str:
        """Return "classify", "regress" or whatever the run calls its job."""
        return text(self.fact("task")) or JOBS.get(self.answers, "")

    @property
    def answers(self) -> str:
        """Return the kind of a model's answers, such as "category"; empty when it is not known."""
        output = self.signature.get("output")
        return text(output.get("kind")) if isinstance(output, dict) else ""

    @property
    def metric(self) -> str:
        """Return the metric that ranks the rungs."""
        return text(self.fact("metric"))

    @cached_property
    def classes(self) -> list[str]:
        """Return the class names, in the order of the columns of predictions."""
        output = self.signature.get("output", {})
        named = output.get("names") if output.get("kind") == "category" else None
        return [text(name) for name in named or self.leaderboard.get("classes") or []]

    @cached_property
    def test(self) -> dict[str, Any]:
        """Return the scores of the test split, once it was opened; `openings` counts how often."""
        openings = entries(self.document("evaluation.json").get("openings"))
        test = self.leaderboard.get("test")
        if isinstance(test, dict):
            return {**test, "openings": max(len(openings), int(test.get("openings") or 1))}
        return {**openings[-1], "openings": len(openings)} if openings else {}

    @cached_property
    def targets(self) -> np.ndarray | None:
        """Return the first target of every row."""
        values = self.array("targets.npy")
        return None if values is None else values.reshape(len(values), -1)[:, 0]

    @cached_property
    def split(self) -> dict[str, np.ndarray]:
        """Return the row numbers of the test split and of each fold."""
        return self.array("split.npz") or {}

    @cached_property
    def row_names(self) -> list[Any]:
        """Return the name of every row of the data."""
        names = self.document("rows.json").get("names")
        return names if isinstance(names, list) else []

    @cached_property
    def fits(self) -> dict[str, dict[tuple[int, int], Path]]:
        """Return the finished fits: rung, then (repeat, fold), then folder."""
        root, found = self.folder / "fits", dict[str, dict[tuple[int, int], Path]]()
        for rung in sorted(root.iterdir()) if root.is_dir() else []:
            for fit in sorted(rung.iterdir()) if rung.is_dir() else []:
                repeat, _, fold = fit.name.partition("-")
                if repeat.isdecimal() and fold.isdecimal() and is_finished(fit):
                    found.setdefault(rung.name, {})[int(repeat), int(fold)] = fit
        return found

"""What every contender's process does: prepare once, then one measurement for each line it reads.

A contender is a file of `peers/` that calls `enter(prepare, reach)`:

- `prepare(job)` returns a `Contender`: `fit` is timed, `score` is not;
- `reach(job)` trains to an accuracy and returns the facts; the process is timed from outside.

Imports nothing but the standard library's small modules: a whole process pays for all it imports.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

Job = dict[str, Any]


class Contender(Protocol):
    """Something that can be measured again and again."""

    def warm(self) -> None:
        """Bring imports, caches, compiled code and worker processes into place."""

    def fit(self) -> None:
        """Do the work once, from the start."""

    def score(self) -> float:
        """Return how well the last fit serves rows that it has not seen."""


class Plain:
    """A contender made of two functions, and of a shorter warm-up where a fit takes long."""

    def __init__(
        self,
        fit: Callable[[], Any],
        score: Callable[[Any], float],
        warm: Callable[[], Any] | None = None,
    ) -> None:
        self._fit, self._score, self._warm = fit, score, warm or fit
        self._result: Any = None

    def warm(self) -> None:
        self._warm()

    def fit(self) -> None:
        self._result = self._fit()

    def score(self) -> float:
        return self._score(self._result)


def enter(
    prepare: Callable[[Job], Contender], reach: Callable[[Job], dict[str, Any]] | None = None
) -> None:
    """Run as a contender: `python -m peers.NAME (measure | reach) JOB.json VARIANT`."""
    how, path, variant = sys.argv[1:]
    with open(path, encoding="utf-8") as file:  # noqa: PTH123  pathlib would be one more import
        job = json.load(file) | {"variant": variant}
    # What libraries print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    if how == "reach":
        assert reach is not None, "this contender does not train to an accuracy"
        _say(answers, reach(job))
        return
    contender = prepare(job)
    contender.warm()
    _say(answers, {"ready": True})
    for _ in sys.stdin:
        begun = time.perf_counter()
        contender.fit()
        seconds = time.perf_counter() - begun
        _say(answers, {"seconds": seconds, "score": contender.score()})


def _say(answers: Any, facts: dict[str, Any]) -> None:
    answers.write(json.dumps(facts) + "\n")
    answers.flush()

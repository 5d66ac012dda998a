"""Fits that last: cut off, they go on with the same bits; asked to stop, they save first."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from math import inf
from pathlib import Path

from gradatim.core.rung import Solved
from gradatim.runs import disk
from gradatim.train.fitting import Fitting
from gradatim.train.interrupts import asked, check, patiently
from gradatim.train.loop import Record
from gradatim.train.stacked import Stacked

__all__ = ["CHECKPOINTS", "RECORDS", "Lasting", "record_line"]

RECORDS, CHECKPOINTS = "records.jsonl", "checkpoints"
SAVE_EVERY = 10.0
"""Seconds between two checkpoints, at the least."""
PAUSE = 0.1
"""Seconds between two looks at the clock and at what the user asked for."""


class Lasting:
    """Iterate for (place, record), written to records.jsonl as well; then the fit is done.

    A checkpoint is written every ten seconds, while training goes on, and when the user asks to
    stop or the time is over. Of several ranks the leader writes; all stop at the same step.

    Args:
        fit: begun anew, or where its last checkpoint in the folder says.
        folder: of the fit.
        meaning: what the numbers belong to; see `Checkpoints`.
        deadline: on `time.monotonic()`; training ends there, and `late` is true.
    """

    def __init__(
        self,
        fit: Fitting | Stacked,
        folder: Path,
        meaning: Mapping[str, str | int],
        deadline: float = inf,
    ) -> None:
        self.fit, self.deadline, self.late = fit, deadline, False
        self.party = fit.party
        self.store = self.party.checkpoints(folder / CHECKPOINTS, meaning, fit.state_dict)
        self.records = folder / RECORDS

    def __iter__(self) -> Iterator[tuple[int, Record]]:
        """Fit to the end or to the deadline.

        Raises:
            KeyboardInterrupt: the user asked to stop; a checkpoint was written.
        """
        if self.party.leads:
            disk.make_folder(self.records.parent)
        found = self.store.restore(self.records)
        if found is not None:
            self.fit.load_state_dict(found[1])
        solved = isinstance(self.fit, Fitting) and isinstance(self.fit.rung, Solved)
        with nullcontext() if solved else patiently(), self.party.watching():
            yield from self._train()
        self.store.wait()

    def _train(self) -> Iterator[tuple[int, Record]]:
        self._append([])
        saved = time.monotonic()
        for due in self.fit.run(PAUSE):
            if due:
                self._append([record_line(record, place) for place, record in due.items()])
            now = time.monotonic()
            self.late = self.party.agree(now > self.deadline)
            if asked() or self.late or self.party.agree(now - saved >= SAVE_EVERY):
                self.store.save(self.fit.step, self.fit.state_dict(), records=self.records)
                saved = now
            if asked():
                self.store.wait()
                check()
            yield from due.items()
            if self.late:
                self.fit.finish()
                return

    def _append(self, lines: Sequence[str]) -> None:
        if self.party.leads:
            disk.append(self.records, "".join(lines))


def record_line(record: Record, place: int = 0) -> str:
    """Return a record as one line of JSON; `place` says whose it is among several fits."""
    whose = {"place": place} if place else {}
    return json.dumps(asdict(record) | whose, sort_keys=True) + "\n"

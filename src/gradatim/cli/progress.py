"""How far the work is, on stderr: bars with the time left on a terminal, lines elsewhere."""

import os
import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from gradatim.compare.climb import Event
from gradatim.compare.pool import workers
from gradatim.train.interrupts import check
from gradatim.train.loop import Record

__all__ = ["Progress"]


class Progress:
    """Call it with every event of a climb, or every record of a fit."""

    def __init__(self) -> None:
        silent = os.environ.get("RANK", "0") != "0"  # of several processes the first speaks
        self.console = Console(file=sys.stderr, highlight=False, soft_wrap=True, quiet=silent)
        self.bars = Bars(
            TextColumn("{task.description:14}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.tasks: dict[str, TaskID] = {}
        self.seconds: dict[str, float] = {}
        self.done: dict[str, list[str]] = {}
        self.begun = self.said = time.monotonic()

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bars.stop()

    def __call__(self, event: Event | Record) -> None:
        """Show what happened; stop a climb if the user asked for it. A fit saves, then stops."""
        if isinstance(event, Record):
            self._record(event)
            return
        check()
        if event.kind == "measuring":
            self.console.print(f"measuring how long each of the {event.folds} takes ...")
        elif event.kind == "planned":
            self.seconds[event.rung] = event.seconds
            left = f"about {_spoken(event.seconds)} a fit"
            self.tasks[event.rung] = self.bars.add_task(event.rung, total=event.folds, note=left)
        elif event.kind == "read":
            self._read(event)
        elif event.kind == "skipped":
            self.bars.update(self.tasks[event.rung], note=event.reason)
            self._line(f"{event.rung}: {event.reason}")
        else:
            self._fitted(event)

    def _read(self, event: Event) -> None:
        """Show how much of a table was read: `fold` of `folds` parts."""
        if event.rung not in self.tasks:
            self.tasks[event.rung] = self.bars.add_task(event.rung, total=event.folds, note="")
        self.bars.update(self.tasks[event.rung], completed=int(event.fold))
        if int(event.fold) == event.folds:
            self._line(f"{event.rung}: done")

    def _fitted(self, event: Event) -> None:
        kinds = self.done.setdefault(event.rung, [])
        kinds.append(event.kind)
        done = len(kinds)
        left = (event.folds - done) * self.seconds[event.rung] / workers()
        note = f"about {_spoken(left)} left" if done < event.folds else "done"
        failed = (event.result or {}).get("failed")
        note = f"failed: {failed}" if failed else note
        self.bars.update(self.tasks[event.rung], advance=1, note=note)
        if failed or done == event.folds:
            parts = [
                f"{kinds.count(kind)} {kind}" for kind in ("fitted", "reused") if kind in kinds
            ]
            self._line(f"{event.rung}: {', '.join(parts)} of {event.folds} folds; {note}")

    def _record(self, record: Record) -> None:
        if "fit" not in self.tasks:
            self.tasks["fit"] = self.bars.add_task("steps", total=record.steps, note="")
        left = record.seconds / max(1, record.step) * (record.steps - record.step)
        values = "  ".join(f"{name} {value:.4g}" for name, value in sorted(record.values.items()))
        note = f"{values}  at most {_spoken(left)} left"
        self.bars.update(self.tasks["fit"], completed=record.step, note=note)
        if time.monotonic() - self.said > 10:
            self.said = time.monotonic()
            self._line(f"step {record.step} of {record.steps}: {note}")

    def _line(self, text: str) -> None:
        if not self.console.is_terminal:
            self.console.print(f"{time.monotonic() - self.begun:7.1f} s  {text}", markup=False)


def _spoken(seconds: float) -> str:
    if seconds < 1:
        return "1 s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"

"""A shell for tests: `gradatim` in this process, in a folder of its own; and data to ask of."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from gradatim.cli.main import main

FEW = ("--rungs", "majority,logistic,mlp")
TIMES = {"seconds", "fit_seconds", "predict_seconds_1", "predict_seconds_256", "when"}


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as one JSON object, and nothing beside it."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)


class Terminal(StringIO):
    """Text that takes itself for a screen."""

    def isatty(self) -> bool:
        return True


def gradatim(folder: Path, *arguments: str, terminal: bool = False) -> Said:
    """Run one command in this process, with `folder` as the working directory."""
    out, err = Terminal() if terminal else StringIO(), StringIO()
    with _inside(folder), redirect_stdout(out), redirect_stderr(err):
        code = main(arguments)
    return Said(code, out.getvalue(), err.getvalue())


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    here, handler = Path.cwd(), signal.getsignal(signal.SIGTERM)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        signal.signal(signal.SIGTERM, handler)


def command(*arguments: str) -> list[str]:
    """The same command for a process of its own."""
    return [sys.executable, "-m", "gradatim", *arguments]


def sales(path: Path, rows: int = 120, seed: int = 0) -> Path:
    """A table with every kind of column, missing cells, and a class that can be told."""
    chance = np.random.default_rng(seed)
    kind = chance.integers(0, 3, rows)
    width = 2.0 * kind + chance.normal(size=rows)
    height = chance.normal(size=rows) - kind
    months, days = chance.integers(1, 13, rows), chance.integers(1, 29, rows)
    lines = ["width,height,colour,sold,day,site,when,kind"]
    for i in range(rows):
        tall = "" if i % 11 == 3 else f"{height[i]:.4f}"
        colour = ("red", "green", "blue")[chance.integers(0, 3)]
        sold = ("no", "yes")[int(chance.random() < 0.3 + 0.2 * kind[i])]
        day = f"2024-{months[i]:02}-{days[i]:02}"
        cells = [f"{width[i]:.4f}", tall, colour, sold, day, f"s{i // 6}", f"{i * 7919 % 10007}"]
        lines.append(",".join([*cells, "abc"[kind[i]]]))
    path.write_text("\n".join(lines) + "\n")
    return path


def column(path: Path, name: str) -> np.ndarray:
    """One column of a CSV file, as text."""
    head, *lines = path.read_text().splitlines()
    return np.array([line.split(",")[head.split(",").index(name)] for line in lines])


def timeless(value: Any) -> Any:
    """A JSON value without what a clock, or the place on the disk, puts into it."""
    if isinstance(value, dict):
        gone = TIMES | {"run", "report", "command"}
        return {k: timeless(v) for k, v in value.items() if k not in gone}
    return [timeless(v) for v in value] if isinstance(value, list) else value


def board_of(run: Path) -> Any:
    """The leaderboard of a run, without times."""
    return timeless(json.loads((run / "leaderboard.json").read_text()))


def records_of(path: Path) -> list[Any]:
    """The lines of a records file, without times."""
    return [timeless(json.loads(line)) for line in path.read_text().splitlines()]


def only_run(folder: Path) -> Path:
    """The one run folder below `folder`."""
    (run,) = (folder / "runs").iterdir()
    return run


def leftovers(folder: Path) -> list[Path]:
    """Locks and half-written files below a folder."""
    return [p for p in folder.rglob("*") if p.name == ".lock" or ".tmp-" in p.name]

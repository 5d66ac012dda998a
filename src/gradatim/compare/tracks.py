"""How far variants of one rung had come, and what it had cost them, read from their records."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from statistics import median_high
from typing import Any

import numpy as np

__all__ = ["Track", "common_level", "read_track"]


@dataclass(frozen=True)
class Track:
    """The mean over folds, epoch by epoch.

    `steps`, `seconds` and `passes` are what it cost up to there: moves of the optimizer, time on
    this machine, and gradients in passes over the training rows (a loss alone counts 1/3, a
    product with the Hessian 2). `loss` is that of training, `watched` that of the rows held out of
    the training fold, or the training loss when none are.
    """

    steps: Sequence[float]
    seconds: Sequence[float]
    passes: Sequence[float]
    loss: Sequence[float]
    watched: Sequence[float]

    def reached(self, level: float) -> dict[str, float] | None:
        """Return steps, seconds and passes to a watched loss; None when it was never so low."""
        for i, loss in enumerate(self.watched):
            if loss <= level:
                costs = {"steps": self.steps[i], "seconds": self.seconds[i]}
                return costs | {"passes": self.passes[i]}
        return None

    def as_dict(self) -> dict[str, Any]:
        """Return the track under its names."""
        return asdict(self)


def read_track(fits: Sequence[Path]) -> Track:
    """Return the mean of the records of some fits, as far as all of them go.

    Args:
        fits: their folders, at least one, each with records.
    """
    columns = [_columns(fit / "records.jsonl") for fit in fits]
    length = min(len(column) for column in columns)
    mean = np.mean([column[:length] for column in columns], axis=0)
    return Track(*(line.tolist() for line in mean.T))


def _columns(path: Path) -> np.ndarray:
    """Return steps, seconds, passes, training loss and watched loss, a row an epoch."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    values = [record["values"] for record in records]
    # Each record is the mean over an epoch, which is one pass over the rows.
    passes = accumulate(v["evaluations"] for v in values)
    return np.array(
        [
            (r["step"], r["seconds"], p, v["loss"], v.get("validation_loss", v["loss"]))
            for r, v, p in zip(records, values, passes, strict=True)
        ]
    )


def common_level(tracks: Sequence[Track]) -> float | None:
    """Return the lowest watched loss that at least half of the tracks reached."""
    return median_high(min(track.watched) for track in tracks) if tracks else None

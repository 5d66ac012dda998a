"""Ridge regression: five folds of thirteen penalties: `python bench/ridge.py`."""

import tempfile
from pathlib import Path

from contest import data
from contest.race import race
from contest.results import Facts, publish, quick, ratio

GRIDS = ("scikit_ridge:grid", "scikit_ridge:grid_jobs")
OURS = "gradatim_ridge"
PENALTIES = [10.0 ** (power / 2) for power in range(-4, 9)]


def main() -> None:
    """Race two widths and write the results."""
    trial = quick()
    sizes = ((100, 60, 3), (500, 100, 1))
    with tempfile.TemporaryDirectory() as folder:
        races = {
            f"{columns} columns": _raced(Path(folder), columns, rounds, trial)
            for columns, _, rounds in sizes
        }
    goals = []
    for (columns, factor, _), found in zip(sizes, races.values(), strict=True):
        text = f"ridge, 5 folds x 13 penalties, 1e5 x {columns}"
        goals += [ratio(text, factor, found["contenders"], [grid], OURS) for grid in GRIDS]
    publish("ridge", {"goals": goals, "races": races}, trial=trial)


def _raced(folder: Path, columns: int, rounds: int, trial: bool) -> Facts:
    rows = 5000 if trial else 100_000
    arrays = data.in_folds(data.table(rows, columns), 5)
    job = {"penalties": PENALTIES, "folds": 5, "data": data.saved(arrays, folder, f"{columns}")}
    slow = dict.fromkeys((*GRIDS, "scikit_ridge:loo"), 1 if trial else rounds)
    found = race((OURS, *slow), job, 1 if trial else 5, slow)
    return {"work": f"{rows} rows, float64; the score is the best RMSE", "contenders": found}


if __name__ == "__main__":
    main()

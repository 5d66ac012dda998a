"""A whole climb of the digits against the same ladder by hand: `python bench/climb_digits.py`.

`gradatim climb digits` in a fresh process and a fresh run folder, with verdict, refit, sealed test
and report, against `peers/digits_by_hand.py`: the same rungs, folds and searches in scikit-learn
and skorch, which ends with a line of JSON. Both draw folds of their own.
"""

import json
import subprocess
import sys
import tempfile
import time
from statistics import mean, median, stdev
from typing import Any

from contest.race import BENCH, environment
from contest.results import Facts, publish, quick, ratio

PEER = "digits_by_hand"
FEW = "majority,linear,ridge,knn,perceptron"
QUANTILE = 2.776  # of Student's t with four degrees of freedom, 97.5 %


def main() -> None:
    """Climb both ways and write the results."""
    trial = quick()
    ours, theirs = _ours(trial), _theirs(trial)
    boards, times = [ours[0]], [ours[1]]
    for _ in range(0 if trial else 1):
        board, seconds = _ours(trial)
        boards.append(board)
        times.append(seconds)
    rungs = {row["name"]: row for row in boards[0]["rungs"] if row["status"] == "ok"}
    lines = {name: _compared(rungs[name], theirs[0]["rungs"][name]) for name in rungs}
    contenders = {
        "gradatim": _times(times) | {"score": boards[0]["test"]["score"]},
        PEER: _times([theirs[1]]) | {"score": theirs[0]["test"]},
    }
    goals = [ratio("whole climb of the digits", 5, contenders, [PEER]), _equal(lines)]
    work = f"{len(lines)} rungs, 5 folds; the score is that of the chosen model on the sealed rows"
    races = {"gradatim climb digits": {"work": work, "contenders": contenders}}
    facts = {"goals": goals, "races": races, "rungs": lines}
    publish("climb_digits", facts, trial=trial)


def _ours(trial: bool) -> tuple[Facts, float]:
    with tempfile.TemporaryDirectory() as folder:
        command = ["gradatim", "climb", "digits", "--out", f"{folder}/run", "--json"]
        command += (
            ["--rungs", FEW] if trial else ["--without", "recurrent"]
        )  # nobody does that by hand
        return _timed([sys.executable, "-m", *command])


def _theirs(trial: bool) -> tuple[Facts, float]:
    return _timed([sys.executable, "-m", f"peers.{PEER}", "0", *([FEW] if trial else [])])


def _timed(command: list[str]) -> tuple[Facts, float]:
    begun = time.perf_counter()
    done = subprocess.run(
        command, cwd=BENCH, env=environment(), stdout=subprocess.PIPE, text=True, check=True
    )
    seconds = time.perf_counter() - begun
    return json.loads(done.stdout[done.stdout.index("{") :]), seconds


def _times(seconds: list[float]) -> Facts:
    spread = [round(min(seconds), 2), round(max(seconds), 2)]
    return {"median": round(median(seconds), 2), "spread": spread, "rounds": len(seconds)}


def _compared(row: dict[str, Any], found: dict[str, Any]) -> Facts:
    """Return both scores of a rung with their intervals, corrected for overlapping folds."""
    scores = found["scores"]
    middle = mean(scores)
    reach = QUANTILE * ((1 / len(scores) + 1 / (len(scores) - 1)) ** 0.5) * stdev(scores)
    inside = row["low"] <= middle <= row["high"]
    inside = inside or middle - reach <= row["score"] <= middle + reach
    return {
        "gradatim": [round(row[key], 4) for key in ("score", "low", "high")],
        PEER: [round(middle + sign * reach, 4) for sign in (0, -1, 1)],
        "equal": inside,
        "fit_seconds": round(row["fit_seconds"], 2),
        "by_hand_seconds_of_all_folds": round(found["seconds"], 2),
    }


def _equal(lines: dict[str, Facts]) -> Facts:
    """Return the goal that speed costs no score, and which rungs differ."""
    differing = [name for name, line in lines.items() if not line["equal"]]
    goal = {"goal": "whole climb of the digits: each rung's score lies in the other's interval"}
    goal |= {"measured": len(lines) - len(differing), "unit": f"of {len(lines)} rungs"}
    return goal | {"reached": not differing, "differing": differing}


if __name__ == "__main__":
    main()

"""Two games: `python bench/play.py [GAME/RUNG ...]`.

CartPole of gymnasium and the product's own Breakout on 10 x 10 squares. Every rung is fitted with
its default recipe by the product's own reader, split and training, one thread, in three folds: runs
with other seeds and other games. Scores are full returns, unclipped, of the greedy policy in the
games of the validation rows, some 167 a run. The interquartile mean is of all of them, its interval
by the bootstrap with runs as strata. Writes bench/results/play.json after every rung; those that
are not named keep the lines they have. Minutes are those of the wall and of the processor: they
differ where the machine had other work.
"""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from contest.results import RESULTS, publish

from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions
from gradatim.data.read import read
from gradatim.data.splits import partition
from gradatim.models import RUNGS
from gradatim.ops.play.interquartile import interquartile_mean, stratified_interval
from gradatim.session.objects import task_for, work_for
from gradatim.train.fitting import Fitting

GAMES = ("CartPole-v1", "breakout10")
CLASSICAL = ("random_play", "hand_rule", "tabular_q", "linear_q")
DEEP = ("dqn", "double_dqn", "dueling_dqn", "n_step_dqn")
LEAST = {"CartPole-v1": (475.0, 3.0), "breakout10": (8.0, 15.0)}
"""Game -> the mean return that is asked for, and the minutes in which."""
RUNS, SEED = 3, 0

Line = dict[str, Any]


def main() -> int:
    """Fit what is asked for, write the results, return how many goals are missed."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    file = RESULTS / "play.json"
    lines: dict[str, Line] = json.loads(file.read_text())["rungs"] if file.exists() else {}
    goals: list[Line] = []
    for place in sys.argv[1:] or _all():
        game, rung = place.split("/")
        lines[place] = _line(game, rung)
        sys.stdout.write(f"{place}: {lines[place]}\n")
        sys.stdout.flush()
        ordered = {place: lines[place] for place in _all() if place in lines}
        goals = _goals(ordered)
        facts = {"goals": goals, "protocol": (__doc__ or "").split("\n\n")[1:], "rungs": ordered}
        publish("play", facts, trial=False)
    return sum(not goal["reached"] for goal in goals)


def _all() -> list[str]:
    """Return what there is to measure; a table holds no pictures."""
    places = [f"{game}/{rung}" for game in GAMES for rung in (*CLASSICAL, *DEEP)]
    return [place for place in places if place != "breakout10/tabular_q"]


def _line(game: str, name: str) -> Line:
    data = read(f"env:{game}", ReadOptions())
    runs, facts = [], []
    for returns, fact in _runs(data, name):
        runs.append(returns)
        facts.append(fact)
    low, high = stratified_interval(runs)
    return {
        "return": round(float(np.mean([run.mean() for run in runs])), 2),
        "returns": [round(float(run.mean()), 2) for run in runs],
        "iqm": round(interquartile_mean(np.concatenate(runs)), 2),
        "iqm_interval": [round(low, 2), round(high, 2)],
        "games": [len(run) for run in runs],
        "minutes": [round(fact["wall"] / 60, 2) for fact in facts],
        "processor_minutes": [round(fact["processor"] / 60, 2) for fact in facts],
        "steps": facts[0]["steps"],
    }


def _runs(data: Dataset, name: str) -> Iterator[tuple[np.ndarray, Line]]:
    """Yield the returns of each run's games, and what it took."""
    task, rung = task_for(data.signature), RUNGS[name]()
    _, split = partition(data, RUNS, 1, SEED)
    whole = work_for(rung, task, data.signature, len(split.training), SEED)
    for number, fold in enumerate(split.folds):
        work = whole.of_fold(number)
        samples = data.samples.take(fold.training)
        wall, processor = time.perf_counter(), time.process_time()
        fitting = Fitting(rung, task, samples, data.signature, work.recipe)
        for _ in fitting:
            pass
        took = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}
        took["steps"] = getattr(fitting, "steps", 0)
        yield task.answers(fitting.model, data.samples.take(fold.validation)), took


def _goals(lines: dict[str, Line]) -> list[Line]:
    """Return what is asked for, as far as the lines are there to say."""
    goals = []
    for game, (least, minutes) in LEAST.items():
        deep = [f"{game}/{rung}" for rung in DEEP if f"{game}/{rung}" in lines]
        if not deep:
            continue
        best = max(deep, key=lambda place: lines[place]["return"])
        line = lines[best]
        goals += [
            {
                "goal": f"{best}: mean return of {RUNS} runs >= {least:g}",
                "measured": line["return"],
                "unit": "points",
                "reached": line["return"] >= least,
            },
            {
                "goal": f"{best}: the slowest run in at most {minutes:g} minutes, one thread",
                "measured": max(line["minutes"]),
                "unit": "minutes",
                "reached": max(line["minutes"]) <= minutes,
            },
        ]
    return goals


if __name__ == "__main__":
    sys.exit(main())

"""Five folds of one network against the loops that others offer: `python bench/folds.py`.

Every contender trains the same network on the same folds, batches of the same size, with Adam at
the same rate for as many epochs. Preparing the data, compiling and validating are not counted, but
for `gradatim`, which is the climb's own function: worker processes of one thread, checkpoints,
predictions, scores, files. `gradatim_stacked` is the training alone, by the class that a climb
takes for dense rungs, with torch's own number of threads, or with one as in a worker.
"""

import tempfile
from pathlib import Path

from contest import data
from contest.race import race
from contest.results import Facts, publish, quick, ratio

FRAMEWORKS = ("lightning_trainer", "skorch_net", "keras_jax")
DENSE = ("gradatim_stacked", "gradatim_stacked:worker", "gradatim", "eager", "jax_scan", "scikit")
SLOW = dict.fromkeys((*FRAMEWORKS, "scikit"), 3)


def main() -> None:
    """Race three networks and write the results."""
    trial = quick()
    with tempfile.TemporaryDirectory() as folder:
        races = {
            "MLP 784-256-128-10": _dense(Path(folder), trial),
            "MLP 64-64-10 on digits": _tiny(Path(folder), trial),
            "LeNet-5": _lenet(Path(folder), trial),
        }
    dense, tiny, lenet = (race["contenders"] for race in races.values())
    goals = [
        _stacked("the MLP", 4.5, dense, "eager"),
        _stacked("the MLP", 1.5, dense, "jax_scan"),
        _stacked("the tiny MLP", 10, tiny, "eager"),
        ratio("five folds of LeNet-5, in a climb", 8, lenet, ["eager"]),
        ratio("five folds of LeNet-5, in a climb", 6, lenet, FRAMEWORKS),
    ]
    publish("folds", {"goals": goals, "races": races}, trial=trial)


def _stacked(name: str, factor: float, contenders: Facts, peer: str) -> Facts:
    """Return the goal of training stacked folds, and the same ratio of a whole climb."""
    goal = ratio(f"five folds of {name}, training", factor, contenders, [peer], "gradatim_stacked")
    climb = ratio("in a climb", factor, contenders, [peer])
    return goal | {"in_a_climb": climb["measured"]}


def _dense(folder: Path, trial: bool) -> Facts:
    rows = 1280 if trial else 10_240
    arrays, what = data.pictures(rows)
    job = {"widths": [256, 128], "inputs": 784, "batch": 128, "lr": 1e-3}
    job |= {"folds": 5, "epochs": 1 if trial else 3}
    job["data"] = data.saved(data.in_folds(arrays, 5), folder, "dense")
    return _raced((*DENSE, *FRAMEWORKS), job, 1 if trial else 5, what)


def _tiny(folder: Path, trial: bool) -> Facts:
    arrays = {name: values[:1760] for name, values in data.digits().items()}
    job = {"widths": [64], "inputs": 64, "batch": 32, "lr": 2e-3}
    job |= {"folds": 5, "epochs": 2 if trial else 15}
    job["data"] = data.saved(data.in_folds(arrays, 5), folder, "tiny")
    what = "1,760 digits, 8 x 8"
    return _raced((*DENSE, *FRAMEWORKS), job, 1 if trial else 5, what)


def _lenet(folder: Path, trial: bool) -> Facts:
    rows = 640 if trial else 5120
    arrays, what = data.pictures(rows, 32)
    job = {"network": "lenet", "batch": 64, "lr": 1e-3, "folds": 5, "epochs": 1 if trial else 3}
    job["data"] = data.saved(data.in_folds(arrays, 5), folder, "lenet")
    return _raced(("gradatim", "eager", *FRAMEWORKS), job, 1 if trial else 4, what)


def _raced(peers: tuple[str, ...], job: Facts, rounds: int, what: str) -> Facts:
    work = f"{what}; batches of {job['batch']}, Adam {job['lr']}, {job['epochs']} epochs a fold"
    return {"work": work, "contenders": race(peers, job, rounds, SLOW)}


if __name__ == "__main__":
    main()

"""Fits and climbs are killed at their operations on the disk, and end with the same bytes.

Each kill is a SIGKILL of a real process, before, after or in the middle of an operation, or at a
random time. The same call goes on. `bench/kills.py` runs all of it and writes the count down.
"""

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from gradatim.runs.files import verify

from ..runs.faults import KILLS, Dock, Ended, Fault, flip  # noqa: TID252
from .shell import records_of, timeless

TIMED = {"leaderboard.json", "fit.json", "result.json", "evaluation.json", "plan.json"}
# What tells the time or holds hashes of what does; their presence is compared all the same.
ASIDE = {"environment.json", "complete.json", "report.html", "README.md"}
SEEDED = random.Random(0)


def end_of(run: Path) -> dict[str, Any]:
    """Every file of a finished run, times aside."""
    paths = [p for p in run.rglob("*") if p.is_file()]
    return {str(p.relative_to(run)): _content(p) for p in paths}


def _content(path: Path) -> Any:
    if path.name in ASIDE:
        return "there"
    if path.name == "records.jsonl":
        return records_of(path)
    return timeless(json.loads(path.read_text())) if path.name in TIMED else path.read_bytes()


def differences(run: Path, other: Path) -> list[str]:
    mine, its = end_of(run), end_of(other)
    # A kill after complete.json leaves what would have been removed next: the run is finished.
    gone = {name for name in mine.keys() - its.keys() if name.startswith((".", "checkpoints/"))}
    names = (mine.keys() | its.keys()) - gone
    return sorted(name for name in names if mine.get(name) != its.get(name))


class Trial:
    """One call, and the ways in which it was killed."""

    def __init__(self, dock: Dock, folder: Path, *call: Any) -> None:
        self.dock, self.folder, self.call = dock, folder, call
        self.undisturbed = folder / "undisturbed"
        ended = self.ask(self.undisturbed)
        assert ended.how == "done", ended
        self.operations, self.seconds = len(ended.operations), ended.seconds
        self.runs, self.kills, self.equal = 0, 0, 0

    def ask(self, run: Path, **fault: Any) -> Ended:
        name, *given = self.call
        return self.dock(name, str(run), *given, **fault)

    def survive(self, *faults: dict[str, Any]) -> None:
        """Kill one run in these ways, one after the other; then let it end, and compare."""
        run, kills = self.folder / f"{self.runs}", 0
        self.runs += 1
        for fault in faults:
            if not (run / "complete.json").exists():
                kills += self.ask(run, **fault).how == "killed"
        if not (run / "complete.json").exists():
            ended = self.ask(run)
            assert ended.how == "done", (faults, ended)
        verify(run)
        found = differences(run, self.undisturbed)
        self.kills += kills
        self.equal += kills * (not found)
        assert not found, (faults, found)

    def points(self, count: int) -> list[Fault]:
        """Faults at points that are evenly spread, before, in and after operations in turn."""
        places = [1 + i * self.operations // count for i in range(count)]
        return [Fault(number, KILLS[i % 3]) for i, number in enumerate(places)]


@pytest.fixture(scope="module")
def dock():
    dock = Dock(Path(__file__).with_name("victims.py"))
    yield dock
    dock.close()


@pytest.fixture(scope="module")
def tally():
    """Counts of kills and of equal ends; written where GRADATIM_KILLS says."""
    counts: dict[str, list[int]] = {}
    yield counts
    where = os.environ.get("GRADATIM_KILLS")
    if where:
        Path(where).write_text(json.dumps(counts))


CALLS = {
    "fit": ("fit", True),
    "fit, saving beside the training": ("fit", False),
    "climb, folds one by one": ("climb", False),
    "climb, folds as one model": ("climb", True),
}


@pytest.fixture(params=CALLS)
def trial(request, dock, tally, tmp_path):
    trial = Trial(dock, tmp_path, *CALLS[request.param])
    yield trial
    kills, equal = tally.get(request.param, (0, 0))
    tally[request.param] = [kills + trial.kills, equal + trial.equal]


def test_killed_here_and_there(trial):
    for point in trial.points(3 if trial.call[0] == "climb" else 9):
        trial.survive({"fault": point})
    assert trial.kills >= 3


FIRST, *OTHERS = CALLS
SPARED = [FIRST, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]


@pytest.mark.parametrize("trial", SPARED, indirect=True)
@pytest.mark.parametrize("how", ["ENOSPC", "EIO", "EROFS"])
def test_a_disk_that_refuses_ends_with_exit_5_and_what_was_saved_is_kept(trial, how):
    """Cases 60, 61, 62: no fit is shown as failed because of the disk; it goes on when it can."""
    for point in trial.points(3):
        run = trial.folder / f"{how}-{point.number}"
        ended = trial.ask(run, fault=Fault(point.number, how))
        assert (ended.how, ended.code) == ("raised", 5), (point, ended)
        assert ended.value.startswith("ResourceError: cannot write ")
        assert len(ended.value.splitlines()) <= 3
        if how != "EROFS":
            assert not [p for p in run.rglob("*") if ".tmp-" in p.name]
        assert trial.ask(run).how == "done"
        assert not differences(run, trial.undisturbed)


@pytest.mark.parametrize("file", [".predictions.npy", "records.jsonl"])
def test_a_disk_that_was_full_for_a_moment_is_no_failure_of_a_rung(dock, tmp_path, file):
    """What was written down as failed would never be done again."""
    moment = Fault(2, "ENOSPC", rf"open .*/fits/mlp/.*{file}", once=True)
    ended = dock("climb", str(tmp_path / "run"), False, fault=moment)
    assert (ended.how, ended.code) == ("raised", 5), ended
    assert dock("climb", str(tmp_path / "run"), False).how == "done"
    board = json.loads((tmp_path / "run" / "leaderboard.json").read_text())
    assert [row["status"] for row in board["rungs"]] == ["ok", "ok"]


def test_damaged_checkpoints_of_a_fold_are_no_failure_of_its_rung(dock, tmp_path):
    run = tmp_path / "run"
    assert (
        dock("climb", str(run), False, fault=Fault(9, "before", "open .*/fits/mlp/")).how
        == "killed"
    )
    states = list(run.glob("fits/mlp/*/checkpoints/step-*/state.safetensors"))
    assert states
    for state in states:
        flip(state)
    ended = dock("climb", str(run), False)
    assert (ended.how, ended.code) == ("raised", 7), ended
    assert "begin anew" in ended.value


LANDMARKS = [
    # What was saved is declared complete, and its checkpoints are removed.
    *(r"replace .*/\.complete\.json", r"replace .*/checkpoints$", r"replace .*/stacks/[^/]*$"),
    *(r"rmdir .*\.checkpoints\.tmp-", r"replace .*/\.report\.html", r"unlink .*/\.lock"),
]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("what", LANDMARKS)
def test_killed_where_a_fit_is_finished(trial, what, how):
    """Case 53: in the moments in which one thing is done and the next one is not."""
    for number in (1, 3):
        trial.survive({"fault": Fault(number, how, what)})


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_everywhere(trial):
    for point in trial.points(50):
        trial.survive({"fault": point})
    assert trial.kills >= 40


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_twice(trial):
    for point in trial.points(8):
        again = Fault(SEEDED.randint(1, max(2, trial.operations // 2)), SEEDED.choice(KILLS))
        trial.survive({"fault": point}, {"fault": again})


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_random_times(trial):
    for _ in range(8):
        trial.survive(*({"after": SEEDED.uniform(0.005, trial.seconds)} for _ in range(2)))

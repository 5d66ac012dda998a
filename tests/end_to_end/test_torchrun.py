"""torchrun with real processes: killed, asked to stop, gone on with by fewer of them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .shell import gradatim, leftovers, records_of

# Some milliseconds a step, 200 steps; no dropout, for which every rank draws its own numbers.
FIT = ("fit", "digits", "--rung", "mlp", "--out", "run", "--set", "model.dropout=0")
FIT += ("--set", "model.width=512", "--set", "batch=256", "--set", "patience=40")
FIT += ("--set", "epochs=40")
CLOSE = 1e-6  # what sums of float32 in another order may change in 200 steps
SOON = 30.0


class Torchrun:
    """torchrun at work in a folder, and the processes that it has started."""

    def __init__(self, folder: Path, size: int, *arguments: str) -> None:
        self.folder, self.size = folder, size
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(size)]
        self.process = subprocess.Popen(
            [*command, "-m", "gradatim", *arguments],
            cwd=folder,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.ranks: dict[int, int] = {}

    def reach(self, more: int) -> None:
        """Wait until there are so many records more than now, and know the ranks."""
        wanted = self.records() + more
        while self.records() < wanted:
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.02)
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        for number in map(int, children.split()):
            said = Path(f"/proc/{number}/environ").read_bytes().split(b"\0")
            facts = dict(line.split(b"=", 1) for line in said if b"=" in line)
            self.ranks[int(facts[b"RANK"])] = number
        assert len(self.ranks) == self.size

    def records(self) -> int:
        """Count the records of the run so far."""
        path = self.folder / "run" / "records.jsonl"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def end(self) -> tuple[str, str, float]:
        """Wait for the end; return stdout, stderr and the seconds it took."""
        begun = time.monotonic()
        out, err = self.process.communicate(timeout=100)
        took = time.monotonic() - begun
        deadline = time.monotonic() + 2  # their parent is gone: init has to take note
        while any(map(alive, self.ranks.values())) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not [rank for rank, number in self.ranks.items() if alive(number)]
        return out, err, took


@contextmanager
def torchrun(folder: Path, size: int, *arguments: str) -> Iterator[Torchrun]:
    """Start ranks; whatever a test finds, none of them is left."""
    running = Torchrun(folder, size, *arguments)
    try:
        yield running
    finally:
        running.process.kill()
        for number in filter(alive, running.ranks.values()):
            os.kill(number, signal.SIGKILL)


def alive(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def note(name: str, figures: object) -> None:
    """Leave figures for bench/ranks.py, when it asks for them."""
    asked = os.environ.get("GRADATIM_RANKS")
    if asked:
        file = Path(asked)
        known = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps(known | {name: figures}))


def largest_difference(folder: Path, other: Path) -> float:
    """Compare steps, rates and values of all records; return the largest difference of a loss."""
    mine, theirs = (records_of(path / "run" / "records.jsonl") for path in (folder, other))
    assert [r["step"] for r in mine] == [r["step"] for r in theirs]
    assert [r["rate"] for r in mine] == [r["rate"] for r in theirs]
    return max(
        abs(one["values"][name] - two["values"][name])
        for one, two in zip(mine, theirs, strict=True)
        for name in ("loss", "validation_loss")
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    """The folder of a fit in one process that nobody disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    said = gradatim(folder, *FIT)
    assert said.code == 0, said.err
    return folder


def stopped(folder: Path, size: int, *flags: str, rank: int | None = None) -> str:
    """Train a while, ask torchrun or one rank to stop; return what was said on stderr."""
    with torchrun(folder, size, *FIT, *flags) as running:
        running.reach(4)
        number = running.process.pid if rank is None else running.ranks[rank]
        os.kill(number, signal.SIGTERM)
        _, err, took = running.end()
    assert took < SOON
    assert err.count("gradatim: interrupted") == 1, err
    assert list((folder / "run" / "checkpoints").glob("step-*"))
    return err


def finished(folder: Path, size: int, *flags: str) -> None:
    """Go on to the end; the leader alone speaks."""
    with torchrun(folder, size, *FIT, *flags) as running:
        out, err, _ = running.end()
    assert running.process.returncode == 0, err
    assert out.count("Run: run") == 1
    assert not leftovers(folder)
    assert gradatim(folder, "evaluate", "run").code == 0


def test_fewer_processes_go_on_with_a_stopped_run(tmp_path, undisturbed):
    """Two ranks, of which one is asked to stop; one process goes on as if nothing had been."""
    err = stopped(tmp_path, 2, rank=1)
    assert "exitcode  : 6" in err
    said = gradatim(tmp_path, *FIT)
    assert said.code == 0, said.err
    assert largest_difference(tmp_path, undisturbed) < CLOSE


def test_a_killed_rank_ends_all_and_is_named(tmp_path):
    with torchrun(tmp_path, 2, *FIT, "--set", "epochs=100000") as running:
        running.reach(2)
        os.kill(running.ranks[1], signal.SIGKILL)
        _, err, took = running.end()
    assert took < SOON
    assert err.count(f"gradatim: rank 1 (process {running.ranks[1]} on ") == 1, err
    root = err.split("Root Cause")[1]
    assert f"exitcode  : -9 (pid: {running.ranks[1]})" in root
    note("killed", took)


@pytest.mark.slow
@pytest.mark.parametrize("flags", [(), ("--shard",)], ids=["whole", "sharded"])
def test_four_ranks_then_two_then_one(tmp_path, undisturbed, flags):
    stopped(tmp_path, 4, *flags)
    stopped(tmp_path, 2, *flags)
    finished(tmp_path, 1, *flags)
    difference = largest_difference(tmp_path, undisturbed)
    note(f"restarted {' '.join(flags)}".strip(), difference)
    assert difference < CLOSE


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("flags", [(), ("--shard",)], ids=["whole", "sharded"])
def test_any_number_of_ranks_has_the_losses_of_one(tmp_path, undisturbed, size, flags):
    finished(tmp_path, size, *flags)
    difference = largest_difference(tmp_path, undisturbed)
    note(f"{size} ranks {' '.join(flags)}".strip(), difference)
    assert difference < CLOSE


@pytest.mark.slow
@pytest.mark.parametrize("lost", [0, 2, 3])
def test_any_of_four_ranks_may_be_killed(tmp_path, lost):
    with torchrun(tmp_path, 4, *FIT, "--set", "epochs=100000") as running:
        running.reach(2)
        os.kill(running.ranks[lost], signal.SIGKILL)
        _, err, took = running.end()
    assert took < SOON
    assert err.count(f"gradatim: rank {lost} (process {running.ranks[lost]} on ") == 1, err
    note(f"killed {lost} of 4", took)


@pytest.mark.slow
def test_ranks_stop_when_torchrun_is_killed(tmp_path):
    """Nobody is left to stop them: they save at one step and leave."""
    with torchrun(tmp_path, 2, *FIT, "--set", "epochs=100000") as running:
        running.reach(2)
        running.process.kill()
        deadline = time.monotonic() + SOON
        while any(map(alive, running.ranks.values())) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not any(map(alive, running.ranks.values()))
    assert list((tmp_path / "run" / "checkpoints").glob("step-*"))


@pytest.mark.slow
def test_a_rank_that_is_stopped_for_good_is_named(tmp_path):
    """SIGSTOP: the connections stand, and no sign of life comes through them."""
    with torchrun(tmp_path, 2, *FIT, "--set", "epochs=100000") as running:
        running.reach(2)
        os.kill(running.ranks[1], signal.SIGSTOP)
        deadline = time.monotonic() + 40
        while alive(running.ranks[0]) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not alive(running.ranks[0])
        os.kill(running.ranks[1], signal.SIGKILL)  # torchrun waits thirty seconds for it
        _, err, _ = running.end()
    assert "gradatim: rank 1 (process " in err
    assert "not heard of for 20 s" in err

"""One process a run folder; a lock whose holder is gone holds nothing."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

import gradatim.runs.lock as lock_room
from gradatim.core.errors import LockedError, ResourceError
from gradatim.runs import disk
from gradatim.runs.lock import locked

from .faults import Fault, FaultyOs

HOLDER = """
import sys
from pathlib import Path
from gradatim.runs.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def lock_of(folder: Path) -> dict[str, object]:
    return json.loads((folder / ".lock").read_text())


def dead_process() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.fixture
def other(tmp_path):
    """Another process that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_lock_is_there_while_the_block_runs_and_gone_after(tmp_path):
    folder = tmp_path / "new" / "run"
    with locked(folder):
        assert lock_of(folder)["pid"] == os.getpid()
    assert list(folder.iterdir()) == []


def test_the_lock_goes_when_the_block_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_living_process_keeps_its_folder(tmp_path, other):
    with (
        pytest.raises(LockedError, match=f"process {other.pid}") as caught,
        locked(tmp_path / "run"),
    ):
        pytest.fail("two at once")
    assert caught.value.exit_code == 8
    assert lock_of(tmp_path / "run")["pid"] == other.pid


def test_the_same_process_cannot_hold_it_twice(tmp_path):
    with locked(tmp_path), pytest.raises(LockedError), locked(tmp_path):
        pytest.fail("two at once")


def test_a_killed_process_holds_nothing(tmp_path, other):
    other.kill()
    other.wait()
    assert (tmp_path / "run" / ".lock").exists()
    with locked(tmp_path / "run"):
        assert lock_of(tmp_path / "run")["pid"] == os.getpid()


@pytest.mark.parametrize("key", ["start", "boot"])
def test_a_later_process_with_the_same_number_is_another(tmp_path, key):
    """The number of a dead process is given out again, after a restart most of all."""
    stale = lock_room._holder(os.getpid()) | {key: "of another"}
    (tmp_path / ".lock").write_text(json.dumps(stale))
    with locked(tmp_path):
        assert lock_of(tmp_path) != stale


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"pid": "x"}', '{"pid": null}', '{"pid": -1}']
)
def test_a_lock_that_names_nobody_holds_nothing(tmp_path, content):
    (tmp_path / ".lock").write_text(content)
    with locked(tmp_path):
        assert lock_of(tmp_path)["pid"] == os.getpid()


def test_taking_over_sweeps_what_the_dead_left_half_written(tmp_path):
    (tmp_path / ".lock").write_text(json.dumps({"pid": dead_process(), "start": "1", "boot": "x"}))
    (tmp_path / ".model.safetensors.tmp-7").write_bytes(b"half")
    with locked(tmp_path):
        assert [p.name for p in tmp_path.iterdir()] == [".lock"]


@pytest.mark.parametrize("how", ["EROFS", "EACCES", "ENOSPC", "EIO"])
def test_a_folder_that_cannot_be_written_is_a_matter_of_resources(tmp_path, monkeypatch, how):
    monkeypatch.setattr(disk, "os", FaultyOs(Fault(1, how)))
    with pytest.raises(ResourceError, match="cannot write"), locked(tmp_path / "run"):
        pytest.fail("it was not held")


def test_why_the_block_failed_is_told_even_where_the_lock_cannot_be_removed(tmp_path, monkeypatch):
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        monkeypatch.setattr(disk, "os", FaultyOs(Fault(1, "EROFS")))
        raise ZeroDivisionError


def test_a_dead_process_that_nobody_asked_about_holds_nothing(tmp_path):
    """Where nobody waits for orphans, as in many containers, a killed process stays listed."""
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    assert lock_room._holder(process.pid) == {}
    process.wait()


TAKER = """
import sys
from pathlib import Path
from gradatim.core.errors import LockedError
from gradatim.runs.lock import locked
print("ready", flush=True)
sys.stdin.readline()
try:
    with locked(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.readline()
except LockedError as error:
    print(error.exit_code, flush=True)
"""


def test_of_many_that_take_over_a_stale_lock_one_holds_it(tmp_path):
    """Two that saw the same dead holder must not both remove its lock: one would be the other's."""
    line = [sys.executable, "-c", TAKER, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    takers = [subprocess.Popen(line, **pipes) for _ in range(4)]
    assert [taker.stdout.readline() for taker in takers] == ["ready\n"] * 4
    stale = {"pid": dead_process(), "start": "1", "boot": "x"}
    (tmp_path / ".lock").write_text(json.dumps(stale))
    for taker in takers:
        taker.stdin.write("go\n")
        taker.stdin.flush()
    said = sorted(taker.stdout.readline() for taker in takers)
    for taker in takers:
        taker.communicate("")
    assert said == ["8\n", "8\n", "8\n", "held\n"]


def test_nobody_takes_a_lock_while_another_looks_at_it(tmp_path):
    """Between the look at a stale lock and its removal nobody may put his own there."""
    line = [sys.executable, "-c", TAKER, str(tmp_path)]
    taker = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert taker.stdout.readline() == "ready\n"
    with lock_room._alone(tmp_path):
        taker.stdin.write("go\n")
        taker.stdin.flush()
        assert not select.select([taker.stdout], [], [], 1.0)[0]
    assert taker.stdout.readline() == "held\n"
    taker.communicate("")

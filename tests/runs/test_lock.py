"""One process a run folder; a lock whose holder is gone holds nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import gradatim.runs.lock as lock_room
from gradatim.core.errors import LockedError, ResourceError
from gradatim.runs.lock import locked

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


def test_a_folder_that_cannot_be_written_is_a_matter_of_resources(tmp_path, monkeypatch):
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(lock_room.os, "open", refuse)
    with pytest.raises(ResourceError, match="Read-only"), locked(tmp_path):
        pytest.fail("it was not held")

"""A process that saves is killed at its operations on the disk: what it promised is there."""

from pathlib import Path

import pytest

from .faults import KILLS, Dock, Fault

STEPS = 5


@pytest.fixture(scope="module")
def dock():
    dock = Dock(Path(__file__).with_name("saving.py"))
    yield dock
    dock.close()


def promised(run: Path) -> int:
    """The last step of which `wait` said that it is on the disk."""
    path = run / "promised"
    return int(path.read_text()) if path.exists() else 0


def assert_whole(dock: Dock, run: Path) -> None:
    """What is restored is whole, no older than promised, and its records are those before it."""
    found = dock("look", str(run)).value
    step = found["step"] if found else 0
    assert found is None or found["same"]
    assert step >= promised(run)
    records = run / "records.jsonl"
    lines = records.read_text() if records.exists() else ""
    assert lines == "".join(f'{{"step": {i}}}\n' for i in range(1, step + 1))
    assert not [p for p in run.rglob("*") if ".tmp-" in p.name]


def kill_at(dock: Dock, folder: Path, fault: Fault, patiently: bool) -> bool:
    """Kill at a point, look, go on to the end; tell whether the point was reached."""
    run = folder / f"{fault.number}-{fault.how}-{patiently}"
    killed = dock("save_all", str(run), patiently, fault=fault).how == "killed"
    assert_whole(dock, run)
    assert dock("save_all", str(run), patiently).value == STEPS
    assert_whole(dock, run)
    assert promised(run) == STEPS
    return killed


def operations(dock: Dock, run: Path, patiently: bool) -> int:
    return len(dock("save_all", str(run), patiently).operations)


def test_the_dock_kills_where_it_is_told(dock, tmp_path):
    """The guard of the guards: without this every test here could be green for nothing."""
    assert dock("save_all", str(tmp_path / "a"), True, fault=Fault(4)).how == "killed"
    assert not (tmp_path / "a" / "records.jsonl").read_text()  # opened, and not yet written
    assert dock("save_all", str(tmp_path / "b"), True, fault=Fault(4, "middle")).how == "killed"
    assert (tmp_path / "b" / "records.jsonl").read_text() == '{"step'
    refused = dock("save_all", str(tmp_path / "c"), True, fault=Fault(4, "ENOSPC"))
    assert (refused.how, refused.code) == ("raised", 5)
    assert dock("save_all", str(tmp_path / "d"), True, after=0.001).how == "killed"


@pytest.mark.parametrize("part", range(4))
def test_killed_at_a_fifth_of_all_operations(dock, tmp_path, part):
    count = operations(dock, tmp_path / "undisturbed", True)
    assert count > 80
    for number in range(1 + part, count + 1, 20):
        how = KILLS[number % 3]
        assert kill_at(dock, tmp_path, Fault(number, how), True)


@pytest.mark.slow
@pytest.mark.parametrize("patiently", [True, False])
@pytest.mark.parametrize("how", KILLS)
def test_killed_at_every_operation(dock, tmp_path, how, patiently):
    count = operations(dock, tmp_path / "undisturbed", patiently)
    reached = [kill_at(dock, tmp_path, Fault(n, how), patiently) for n in range(1, count + 1)]
    # Without patience the number of checkpoints, and with it of operations, is a matter of chance.
    assert all(reached) or not patiently
    assert sum(reached) > 15


def test_killed_twice(dock, tmp_path):
    for number in (17, 33, 60):
        run = tmp_path / str(number)
        for again in (number, 9):
            assert dock("save_all", str(run), True, fault=Fault(again)).how == "killed"
            assert_whole(dock, run)
        assert dock("save_all", str(run), True).value == STEPS
        assert_whole(dock, run)


@pytest.mark.parametrize("how", ["ENOSPC", "EIO", "EROFS"])
def test_a_disk_that_refuses_ends_the_fit_and_keeps_its_checkpoints(dock, tmp_path, how):
    for number in range(8, 100, 13):
        run = tmp_path / str(number)
        ended = dock("save_all", str(run), True, fault=Fault(number, how))
        assert (ended.how, ended.code) == ("raised", 5), ended
        assert_whole(dock, run)
        assert dock("save_all", str(run), True).value == STEPS

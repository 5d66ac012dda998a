"""Checkpoints: what was saved comes back bit for bit, or a sentence says why not."""

import json
import os
import shutil
import threading
from pathlib import Path

import pytest
import torch

import gradatim.runs.checkpoints as room
from gradatim.core.errors import ConfigError, CorruptError, NumericError, ResourceError
from gradatim.runs import commit as protocol
from gradatim.runs import disk
from gradatim.runs.checkpoints import Checkpoints
from gradatim.runs.commit import committed
from gradatim.runs.files import sweep

from .faults import Fault, FaultyOs, flip
from .saving import state_at

MEANING = {"config": "a", "data": "b", "code": "c"}
STATE = "state.safetensors"


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.fixture
def home(tmp_path) -> Path:
    return tmp_path / "run" / "checkpoints"


def saved(home: Path, *steps: int) -> Checkpoints:
    """A store in which these steps were saved one by one, a line of records each."""
    checkpoints = Checkpoints(home, MEANING)
    disk.make_folder(home.parent)
    for step in steps:
        disk.append(home.parent / "records.jsonl", f'{{"step": {step}}}\n')
        checkpoints.save(step, state_at(step), records=home.parent / "records.jsonl")
        checkpoints.wait()
    return checkpoints


def restored(home: Path, **meaning: str | int) -> int:
    """The step that is restored, after a look whether the state is that of the step."""
    step, state = Checkpoints(home, MEANING | meaning).restore(home.parent / "records.jsonl")
    assert_same(state, state_at(step))
    return step


def assert_same(state: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert state.keys() == expected.keys()
    for name, tensor in expected.items():
        assert state[name].dtype == tensor.dtype
        assert state[name].shape == tensor.shape
        same = state[name].view(torch.uint8) if tensor.numel() and tensor.dim() else state[name]
        other = tensor.contiguous().view(torch.uint8) if tensor.numel() and tensor.dim() else tensor
        assert same.equal(other), name


KINDS = [
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.bool, torch.uint8),
    *(torch.int8, torch.int16, torch.int32, torch.int64),
]


def test_tensors_of_every_kind_and_shape_come_back(home):
    state = {f"{kind}": (torch.arange(6).reshape(2, 3) - 2).to(kind) for kind in KINDS}
    state |= {f"{kind} alone": torch.tensor(1).to(kind) for kind in KINDS}
    state |= {f"{kind} none": torch.empty(0, 3, dtype=kind) for kind in KINDS}
    state["turned"] = torch.randn(3, 4).T
    state["channels last"] = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    state["wide"] = torch.randn(1).expand(5)
    state["special"] = torch.tensor([float("nan"), float("inf"), -0.0])
    stack = torch.randn(3, 2, 2)
    state |= {f"fold {i}": part for i, part in enumerate(stack)}  # parts of one piece of memory
    state["a weight"] = torch.nn.Parameter(torch.randn(2, 2))
    checkpoints = Checkpoints(home, MEANING)
    checkpoints.save(7, state)
    checkpoints.wait()
    step, found = checkpoints.restore()
    assert step == 7
    assert_same(found, {name: tensor.detach() for name, tensor in state.items()})


def test_nothing_saved_is_nothing_to_restore(home):
    disk.make_folder(home.parent)
    records = home.parent / "records.jsonl"
    records.write_text('{"step": 1}\n')
    assert Checkpoints(home, MEANING).restore() is None
    assert records.exists()
    assert Checkpoints(home, MEANING).restore(records) is None
    assert not records.exists()  # they belong to steps that will be done again


def test_two_are_kept(home):
    saved(home, 1, 2, 3, 11)
    assert names(home) == ["LATEST", "step-11", "step-3"]
    assert (home / "LATEST").read_text() == "step-11\n"
    assert names(home / "step-11") == ["manifest.json", STATE]
    assert restored(home) == 11


def test_a_manifest_says_what_the_numbers_belong_to(home):
    saved(home, 3)
    manifest = json.loads((home / "step-3" / "manifest.json").read_text())
    assert manifest["step"] == 3
    assert manifest["meaning"] == MEANING | {"torch": torch.__version__, "threads": 1}
    size, digest = manifest["files"][STATE]
    assert size == (home / "step-3" / STATE).stat().st_size
    assert len(digest) == 64
    assert str(home.parent) not in (home / "step-3" / "manifest.json").read_text()


def test_the_protocol_in_its_order(home, monkeypatch):
    """Case 52: files, manifest, folder, rename, parent, LATEST, read back, prune."""
    saved(home, 1, 2)
    order: list[str] = []

    def told(name: str, honest):
        def call(*given: object):
            order.append(f"{name} {Path(str(given[0])).name.split('.tmp-')[0]}")
            return honest(*given)

        return call

    for name in ("create", "flush", "rename", "write", "remove_tree"):
        monkeypatch.setattr(disk, name, told(name, getattr(disk, name)))
    monkeypatch.setattr(protocol, "_read_back", told("read back", protocol._read_back))
    checkpoints = Checkpoints(home, MEANING)
    checkpoints.save(3, state_at(3), records=home.parent / "records.jsonl")
    checkpoints.wait()
    assert order == [
        "flush records.jsonl",
        *("create state.safetensors", "create manifest.json", "flush step-3", "rename step-3"),
        *("flush checkpoints", "write LATEST", "create .LATEST", "rename .LATEST"),
        *("flush checkpoints", "read back step-3", "remove_tree step-1", "rename step-1"),
    ]


FILES = [STATE, "manifest.json"]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.999])
def test_one_flipped_byte_falls_back_one(home, file, part):
    """Case 68."""
    saved(home, 1, 2)
    path = home / "step-2" / file
    flip(path, int(part * path.stat().st_size))
    checkpoints = Checkpoints(home, MEANING)
    assert checkpoints.restore()[0] == 1
    assert str(path) in checkpoints.notes[0]
    assert "went on from step-1" in checkpoints.notes[0]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", ["gone", "cut", "longer", "empty", "a folder"])
def test_other_damage_falls_back_one_too(home, file, damage):
    saved(home, 1, 2)
    path = home / "step-2" / file
    content = path.read_bytes()
    path.unlink()
    if damage == "a folder":
        path.mkdir()
    elif damage != "gone":
        path.write_bytes({"cut": content[:-9], "longer": content + b"\n", "empty": b""}[damage])
    assert restored(home) == 1


def test_a_flipped_byte_in_the_name_of_the_latest_changes_nothing(home):
    saved(home, 1, 2)
    flip(home / "LATEST", 3)
    assert restored(home) == 2
    (home / "LATEST").unlink()
    assert restored(home) == 2


def test_when_none_is_as_it_was_written_it_says_so(home):
    saved(home, 1, 2)
    for step in (1, 2):
        flip(home / f"step-{step}" / STATE)
    with pytest.raises(CorruptError) as caught:
        restored(home)
    text = str(caught.value)
    assert caught.value.exit_code == 7
    assert str(home / "step-2" / STATE) in text
    assert f"delete {home} to begin anew" in text
    assert len(text.splitlines()) <= 3
    shutil.rmtree(home)
    assert Checkpoints(home, MEANING).restore() is None


def resealed(folder: Path, **changes: object) -> None:
    """Change a manifest as somebody would who knows how it is sealed."""
    manifest = json.loads((folder / "manifest.json").read_text()) | changes
    del manifest["seal"]
    (folder / "manifest.json").write_bytes(protocol._sealed(manifest))


def test_a_manifest_names_no_file_elsewhere(home):
    saved(home, 1)
    (home / "secret").write_text("x")
    resealed(home / "step-1", files={"../secret": [1, "0"]})
    with pytest.raises(CorruptError, match="elsewhere"):
        restored(home)


def test_records_that_were_added_later_are_cut_off(home):
    saved(home, 1, 2)
    records = home.parent / "records.jsonl"
    before = records.read_bytes()
    records.write_bytes(before + b'{"step": 3}\n{"st')
    assert restored(home) == 2
    assert records.read_bytes() == before
    assert names(home.parent) == ["checkpoints", "records.jsonl"]


def test_records_belong_to_the_state_as_they_were_when_it_was_saved(home, monkeypatch):
    """Training goes on, and writes, before the state is on the disk."""
    records = home.parent / "records.jsonl"
    disk.make_folder(home.parent)
    records.write_text('{"step": 1}\n')
    door = threading.Event()
    honest = protocol.commit
    monkeypatch.setattr(room, "commit", lambda *given: door.wait(60) and honest(*given))
    checkpoints = Checkpoints(home, MEANING)
    checkpoints.save(1, state_at(1), records=records)
    disk.append(records, '{"step": 2}\n')
    door.set()
    checkpoints.wait()
    assert restored(home) == 1
    assert records.read_text() == '{"step": 1}\n'


def test_a_flipped_byte_in_new_records_falls_back_one(home):
    saved(home, 1, 2)
    flip(home.parent / "records.jsonl", -3)
    assert restored(home) == 1
    assert (home.parent / "records.jsonl").read_text() == '{"step": 1}\n'


def test_a_flipped_byte_in_old_records_is_corrupt(home):
    saved(home, 1, 2)
    flip(home.parent / "records.jsonl", 3)
    with pytest.raises(CorruptError, match=r"records\.jsonl is not what was written"):
        restored(home)


def test_what_was_given_up_does_not_come_back(home):
    """After a fall-back the damaged step is not kept as one of the two."""
    saved(home, 1, 9)
    flip(home / "step-9" / STATE)
    assert restored(home) == 1
    saved(home, 2)
    assert names(home) == ["LATEST", "step-1", "step-2"]


def test_never_fewer_than_two_good_ones(home):
    """Case 53: a damaged one does not count when old ones are removed."""
    saved(home, 1, 2)
    flip(home / "step-2" / STATE)
    saved(home, 3)
    assert names(home) == ["LATEST", "step-1", "step-3"]
    saved(home, 4)
    assert names(home) == ["LATEST", "step-3", "step-4"]
    flip(home / "step-4" / STATE)
    flip(home / "step-3" / STATE)
    saved(home, 5)
    assert [p.name for p in committed(home)] == ["step-5", "step-4", "step-3"]


def test_one_step_can_be_saved_before_and_after_its_record(home):
    saved(home, 1)
    checkpoints = Checkpoints(home, MEANING)
    for value in (1, 2, 3, 4):
        checkpoints.save(4, {"x": torch.tensor(value)})
        checkpoints.wait()
    assert names(home) == ["LATEST", "step-4-3", "step-4-4"]
    assert checkpoints.restore() == (4, {"x": torch.tensor(4)})


@pytest.mark.parametrize("key", ["config", "data", "code"])
def test_another_question_is_refused_with_the_difference(home, key):
    saved(home, 1)
    with pytest.raises(ConfigError) as caught:
        restored(home, **{key: "other"})
    assert f"{key}: {MEANING[key]} then, other now" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


@pytest.mark.parametrize(("key", "value"), [("torch", "2.0"), ("threads", 8)])
def test_another_machine_is_noted_and_not_refused(home, key, value):
    saved(home, 1)
    checkpoints = Checkpoints(home, MEANING | {key: value})
    assert checkpoints.restore()[0] == 1
    assert f"{key}: " in checkpoints.notes[0]
    assert f"{value} now" in checkpoints.notes[0]
    assert checkpoints.restore()
    assert len(checkpoints.notes) == 1


def test_a_run_that_was_moved_goes_on(home, tmp_path):
    """Case 67."""
    saved(home, 1, 2)
    moved = tmp_path / "elsewhere" / "another name"
    moved.parent.mkdir()
    home.parent.rename(moved)
    assert restored(moved / "checkpoints") == 2


@pytest.mark.parametrize("place", ["", "3."])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_parameters_that_are_no_numbers_are_not_saved(home, value, place):
    """Case 45; the second name is that of a fit among several."""
    checkpoints = saved(home, 1)
    broken = state_at(2) | {f"{place}learner.model.w": torch.tensor([0.0, value])}
    with pytest.raises(NumericError, match=r"^w holds NaN or infinite numbers at step 2"):
        checkpoints.save(2, broken)
    checkpoints.wait()
    assert names(home) == ["LATEST", "step-1"]
    # The best loss of early stopping may be infinite before the first look.
    checkpoints.save(2, state_at(2) | {"stopping.best": torch.tensor([value])})
    checkpoints.wait()
    assert names(home) == ["LATEST", "step-1", "step-2"]


# --- beside the training ------------------------------------------------------------------------


def test_one_is_written_at_a_time_and_the_latest_wins(home, monkeypatch):
    door, begun, inside, steps = threading.Event(), threading.Event(), [0], list[int]()
    honest = protocol.commit

    def slow(home: Path, step: int, *given: object) -> Path:
        inside[0] += 1
        assert inside[0] == 1
        begun.set()
        assert door.wait(60)
        steps.append(step)
        folder = honest(home, step, *given)
        inside[0] -= 1
        return folder

    monkeypatch.setattr(room, "commit", slow)
    checkpoints = Checkpoints(home, MEANING)
    checkpoints.save(1, state_at(1))
    assert begun.wait(60)
    for step in (2, 3, 4):
        checkpoints.save(step, state_at(step))  # returns: training does not wait
    door.set()
    checkpoints.wait()
    assert steps == [1, 4]
    assert names(home) == ["LATEST", "step-1", "step-4"]
    assert "checkpoints" not in {thread.name for thread in threading.enumerate()}


def break_disk(monkeypatch, how: str, number: int = 1) -> None:
    monkeypatch.setattr(disk, "os", FaultyOs(Fault(number, how)))


def test_what_the_writer_met_is_raised_by_wait_and_once(home, monkeypatch):
    checkpoints = saved(home, 1)
    break_disk(monkeypatch, "ENOSPC")
    checkpoints.save(2, state_at(2))
    with pytest.raises(ResourceError, match="No space left"):
        checkpoints.wait()
    monkeypatch.undo()
    checkpoints.wait()
    checkpoints.save(3, state_at(3))
    checkpoints.wait()
    assert restored(home) == 3


def test_what_the_writer_met_is_raised_by_the_next_save(home, monkeypatch):
    checkpoints = saved(home, 1)
    break_disk(monkeypatch, "EIO")
    checkpoints.save(2, state_at(2))
    checkpoints._writer.join()
    with pytest.raises(ResourceError, match="Input/output"):
        checkpoints.save(3, state_at(3))
    assert restored(home) == 1


@pytest.mark.parametrize("how", ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES"])
def test_a_disk_that_fails_at_any_operation_keeps_what_was_committed(home, monkeypatch, how):
    """Cases 60, 61, 62: two checkpoints are there; the third meets the fault at each operation."""
    number, refused = 0, 0
    saved(home, 1, 2)
    records = home.parent / "records.jsonl"
    while True:
        number += 1
        here = home.parent.with_name(f"run-{number}")
        shutil.copytree(home.parent, here)
        checkpoints = Checkpoints(here / "checkpoints", MEANING)
        disk.append(here / records.name, '{"step": 3}\n')
        break_disk(monkeypatch, how, number)
        checkpoints.save(3, state_at(3), records=here / records.name)
        try:
            checkpoints.wait()
        except ResourceError as error:
            refused += 1
            code, text = error.exit_code, str(error)
            assert (code, len(text.splitlines())) == (5, 2)
            assert text.startswith(f"cannot write {here}")
        else:
            code = 0
        reached = number <= len(disk.os.log)
        monkeypatch.undo()
        if code and how in ("ENOSPC", "EDQUOT", "EIO"):
            assert not [p for p in here.rglob("*") if ".tmp-" in p.name]
        assert restored(here / "checkpoints") >= 2
        if not code:
            assert restored(here / "checkpoints") == 3
        if not reached:
            break
    assert refused >= 5


class Forgetful(FaultyOs):
    """A disk that says it wrote, and kept something else."""

    def _call(self, name: str, real, *given):
        if name == "write" and b"seal" not in bytes(given[1]):
            super()._call(name, real, given[0], b"?" * len(given[1]))
            return len(given[1])
        return super()._call(name, real, *given)


def test_what_cannot_be_read_back_is_no_checkpoint(home, monkeypatch):
    checkpoints = saved(home, 1, 2)
    monkeypatch.setattr(disk, "os", Forgetful(Fault()))
    checkpoints.save(3, state_at(3))
    with pytest.raises(ResourceError, match=r"step-3: the disk did not keep"):
        checkpoints.wait()
    monkeypatch.undo()
    assert [p.name for p in committed(home)] == ["step-2", "step-1"]
    assert restored(home) == 2


def test_leftovers_are_swept(home):
    saved(home, 1)
    (home / "step-2.tmp-abc").mkdir()
    (home / "step-2.tmp-abc" / STATE).write_bytes(b"half")
    (home / ".LATEST.tmp-7").write_bytes(b"st")
    (home / "step-notes").mkdir()  # of somebody else
    assert restored(home) == 1
    assert names(home) == ["LATEST", "step-1", "step-notes"]


def test_cleared_is_as_if_nothing_had_been(home):
    checkpoints = saved(home, 1, 2)
    checkpoints.save(3, state_at(3))
    checkpoints.clear()
    assert names(home.parent) == ["records.jsonl"]
    checkpoints.clear()
    assert checkpoints.restore() is None


def test_a_folder_is_cleared_at_one_stroke(home, monkeypatch):
    """A kill in the middle of it must not leave checkpoints that are not whole."""
    checkpoints = saved(home, 1, 2)

    class Killing(FaultyOs):
        def _call(self, name: str, real, *given):
            if name == "unlink":
                raise KeyboardInterrupt
            return super()._call(name, real, *given)

    monkeypatch.setattr(disk, "os", Killing(Fault()))
    with pytest.raises(KeyboardInterrupt):
        checkpoints.clear()
    monkeypatch.undo()
    assert Checkpoints(home, MEANING).restore() is None
    sweep(home.parent)
    assert names(home.parent) == ["records.jsonl"]


def test_nothing_is_pickled(home):
    saved(home, 1)
    content = (home / "step-1" / STATE).read_bytes()
    length = int.from_bytes(content[:8], "little")
    assert json.loads(content[8 : 8 + length]).keys() == state_at(1).keys()
    assert os.listdir(home / "step-1")  # noqa: PTH208

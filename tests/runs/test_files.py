"""Writing is all or nothing, reading trusts nothing."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from gradatim.core.errors import CorruptError, ResourceError
from gradatim.runs import disk
from gradatim.runs.files import (
    finish,
    finish_all,
    is_finished,
    is_leftover,
    read_array,
    read_json,
    sweep,
    verify,
    write_array,
    write_arrays,
    write_bytes,
    write_json,
)


class Killed(BaseException):
    """Stands for a kill."""


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_crash_before_the_rename_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_bytes(path, b"old")

    def killed(old: Path, new: Path) -> None:
        raise Killed

    monkeypatch.setattr(disk, "rename", killed)
    with pytest.raises(Killed):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.json"]


def test_folders_are_made_on_the_way(tmp_path):
    write_bytes(tmp_path / "a" / "b" / "c", b"x")
    assert (tmp_path / "a" / "b" / "c").read_bytes() == b"x"


def test_a_file_where_a_folder_is_needed_is_a_matter_of_resources(tmp_path):
    (tmp_path / "a").write_text("a file")
    with pytest.raises(ResourceError, match="cannot write"):
        write_bytes(tmp_path / "a" / "b", b"x")


def test_equal_values_are_equal_bytes_and_nan_is_no_json(tmp_path):
    write_json(tmp_path / "a", {"b": 1, "a": [1.5, None, "é"]})
    write_json(tmp_path / "b", {"a": [1.5, None, "é"], "b": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read_json(tmp_path / "a") == {"a": [1.5, None, "é"], "b": 1}
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "c", float("nan"))
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[" * 100_000], ids=["empty", "cut", "bytes", "deep"]
)
def test_what_is_no_json_is_corrupt(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(CorruptError, match=r"a\.json") as caught:
        read_json(tmp_path / "a.json")
    assert caught.value.exit_code == 7


def test_a_missing_file_is_corrupt(tmp_path):
    with pytest.raises(CorruptError, match=r"gone\.json"):
        read_json(tmp_path / "gone.json")
    with pytest.raises(CorruptError, match=r"gone\.npy"):
        read_array(tmp_path / "gone.npy")


def test_arrays_survive_with_shape_and_type(tmp_path):
    array = np.arange(6, dtype=np.float64).reshape(2, 3)
    write_array(tmp_path / "a.npy", array)
    write_arrays(tmp_path / "b.npz", {"x": array, "y": np.array([1, 2])})
    np.testing.assert_array_equal(read_array(tmp_path / "a.npy"), array)
    both = read_array(tmp_path / "b.npz")
    assert list(both) == ["x", "y"]
    assert both["y"].dtype == np.int64


class Exploding:
    """Unpickling it runs code."""

    def __reduce__(self):
        return (os._exit, (99,))


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_pickles_in_arrays_are_refused_unopened(tmp_path, name):
    trap = np.array([Exploding()], dtype=object)
    save = np.save if name.endswith("npy") else np.savez
    save(tmp_path / name, trap, allow_pickle=True)
    with pytest.raises(CorruptError, match=name):
        read_array(tmp_path / name)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
@pytest.mark.parametrize("keep", [0, 10, -3])
def test_arrays_that_were_cut_are_corrupt(tmp_path, name, keep):
    write = write_array if name.endswith("npy") else lambda p, a: write_arrays(p, {"x": a})
    write(tmp_path / name, np.arange(10.0))
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:keep])
    with pytest.raises(CorruptError, match=name):
        read_array(tmp_path / name)


def folder_of_three(folder: Path) -> Path:
    for name in ("a", "b", "inner/c"):
        write_bytes(folder / name, name.encode())
    write_bytes(folder / ".hidden", b"x")
    finish_all(folder)
    return folder


def test_a_complete_folder_names_its_files(tmp_path):
    assert not is_finished(tmp_path)
    folder_of_three(tmp_path)
    assert is_finished(tmp_path)
    assert sorted(json.loads((tmp_path / "complete.json").read_text())) == ["a", "b", "inner/c"]
    verify(tmp_path)


def test_a_folder_that_will_go_and_what_is_below_hidden_ones_is_not_named(tmp_path):
    for name in ("a", "checkpoints/step-1/state", ".gone.tmp-1/b", "inner/checkpoints/c"):
        write_bytes(tmp_path / name, b"x")
    finish_all(tmp_path, without="checkpoints")
    named = json.loads((tmp_path / "complete.json").read_text())
    assert sorted(named) == ["a", "inner/checkpoints/c"]


@pytest.mark.parametrize("damage", ["one bit", "gone", "longer", "a folder"])
def test_any_damage_is_seen(tmp_path, damage):
    path = folder_of_three(tmp_path) / "inner" / "c"
    content = bytearray(path.read_bytes())
    path.unlink()
    if damage == "one bit":
        content[0] ^= 1
        path.write_bytes(content)
    elif damage == "longer":
        path.write_bytes(bytes(content) + b"\0")
    elif damage == "a folder":
        path.mkdir()
    with pytest.raises(CorruptError, match="inner/c"):
        verify(tmp_path)


@pytest.mark.parametrize("content", ["[]", '"a"', '{"a": 1}', "null"])
def test_a_list_of_hashes_that_is_none_is_corrupt(tmp_path, content):
    folder_of_three(tmp_path)
    (tmp_path / "complete.json").write_text(content)
    with pytest.raises(CorruptError):
        verify(tmp_path)


def test_finishing_names_only_what_is_named(tmp_path):
    folder_of_three(tmp_path)
    finish(tmp_path, ["a"])
    (tmp_path / "b").write_bytes(b"changed")
    verify(tmp_path)


def test_sweeping_removes_half_written_files_alone(tmp_path):
    kept = ["a", ".gitignore", "b.tmp-1", "inner/.hidden"]
    gone = [".a.tmp-1", "inner/.c.json.tmp-4711"]
    for name in kept + gone:
        write_bytes(tmp_path / name, b"x")
    write_bytes(tmp_path / ".checkpoints.tmp-2" / "step-1" / ".state.tmp-3", b"x")
    sweep(tmp_path)
    left = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*"))
    assert left == sorted([*kept, "inner"])
    assert [name for name in kept + gone if is_leftover(Path(name))] == gone

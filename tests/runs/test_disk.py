"""Every write is all or nothing, and every refusal of a disk is told in two lines."""

import errno
import os
from pathlib import Path

import pytest

from gradatim.core.errors import ResourceError
from gradatim.runs import disk

from .faults import Fault, FaultyOs


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.fixture
def broken(monkeypatch):
    """Make the operation of a number, and those after it, fail in some way."""

    def set_fault(how: str, number: int = 1) -> FaultyOs:
        faulty = FaultyOs(Fault(number, how))
        monkeypatch.setattr(disk, "os", faulty)
        return faulty

    yield set_fault
    monkeypatch.undo()


@pytest.fixture
def log(broken):
    """The operations, none of which fails."""
    return broken("before", 0).log


def test_a_file_is_on_the_disk_before_it_takes_its_name_and_the_name_after(tmp_path, log):
    """flush the file, rename it, flush the folder: any other order can lose both after a crash."""
    disk.write(tmp_path / "a", b"x")
    assert log == ["open", "write", "fsync", "replace", "fsync"]
    assert (tmp_path / "a").read_bytes() == b"x"


def test_new_folders_are_flushed_into_the_ones_above(tmp_path, log):
    disk.make_folder(tmp_path / "a" / "b")
    assert log == ["mkdir", "fsync", "mkdir", "fsync"]
    disk.make_folder(tmp_path / "a" / "b")
    assert len(log) == 4


def test_what_is_there_is_not_created(tmp_path):
    disk.create(tmp_path / "a", b"old")
    with pytest.raises(FileExistsError):
        disk.create(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"


def test_lines_are_added(tmp_path):
    disk.append(tmp_path / "a", "é\n")
    disk.append(tmp_path / "a", "two\n")
    assert (tmp_path / "a").read_text(encoding="utf-8") == "é\ntwo\n"


class Sparing:
    """An `os` that takes three bytes at a time, until it is full."""

    def __init__(self, room: int) -> None:
        self.room = room

    def __getattr__(self, name: str):
        return getattr(os, name)

    def write(self, handle: int, content: memoryview) -> int:
        if self.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        size = min(3, self.room)
        self.room -= size
        return os.write(handle, content[:size])


def test_a_disk_that_takes_a_part_is_asked_again(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "os", Sparing(100))
    disk.write(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_half_a_line_is_taken_back(tmp_path, monkeypatch):
    disk.append(tmp_path / "a", "whole\n")
    monkeypatch.setattr(disk, "os", Sparing(4))
    with pytest.raises(ResourceError, match="No space left"):
        disk.append(tmp_path / "a", "too long\n")
    assert (tmp_path / "a").read_text() == "whole\n"


FAULTS = ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES"]


# The five operations of a write are open, write, fsync, replace, fsync. After the fourth the new
# file has the name, and only the name may not be on the disk yet.
REFUSED = [(how, n, b"old") for how in ("ENOSPC", "EDQUOT") for n in (1, 2)]
REFUSED += [("EIO", n, b"old") for n in (1, 2, 3)] + [("EIO", n, b"new") for n in (4, 5)]
REFUSED += [(how, n, b"old") for how in ("EROFS", "EACCES") for n in (1, 2, 3, 4)]


@pytest.mark.parametrize(("how", "number", "left"), REFUSED)
def test_a_disk_that_refuses_leaves_the_old_file_and_no_other(tmp_path, broken, how, number, left):
    """Cases 60, 61 and 62: the disk is full, broken or closed from an operation on."""
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    broken(how, number)
    with pytest.raises(ResourceError, match=rf"cannot write {tmp_path}") as caught:
        disk.write(path, b"new")
    text = str(caught.value)
    assert caught.value.exit_code == 5
    assert os.strerror(getattr(errno, how)) in text
    assert ".tmp-" not in text
    assert len(text.splitlines()) == 2
    assert path.read_bytes() == left
    gone = how not in ("EROFS", "EACCES")  # there, nothing can be removed either
    assert not gone or names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("how", FAULTS)
def test_each_refusal_says_what_to_do(tmp_path, broken, how):
    broken(how)
    with pytest.raises(ResourceError) as caught:
        disk.write(tmp_path / "a", b"x")
    remedy = str(caught.value).splitlines()[1]
    told = {"ENOSPC": "free space", "EDQUOT": "free space", "EIO": "failing"}
    assert told.get(how, "--out") in remedy


def test_a_failed_flush_is_a_failed_save(tmp_path, broken):
    """Case 61: the system may drop what it could not write, and the next flush succeed."""
    broken("EIO")
    with pytest.raises(ResourceError, match="Input/output error"):
        disk.create(tmp_path / "a", b"x")
    assert names(tmp_path) == []


@pytest.mark.parametrize("call", ["append", "flush", "rename", "remove", "remove_tree"])
def test_all_functions_tell_it_alike(tmp_path, broken, call):
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "b"
    path.write_text("x")
    given = {"append": (path, "y"), "rename": (path, path), "remove_tree": (path.parent,)}
    broken("EIO" if call == "flush" else "EROFS")
    with pytest.raises(ResourceError, match=r"cannot write .*/a"):
        getattr(disk, call)(*given.get(call, (path,)))
    assert path.read_text() == "x"


def test_a_file_system_that_cannot_flush_folders_is_taken_as_it_is(tmp_path, monkeypatch):
    class NoFolders:
        def __getattr__(self, name: str):
            return getattr(os, name)

        def fsync(self, handle: int) -> None:
            if Path(f"/proc/self/fd/{handle}").is_dir():
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(disk, "os", NoFolders())
    disk.write(tmp_path / "a", b"x")
    assert names(tmp_path) == ["a"]


def test_trees_go_and_what_their_links_point_at_stays(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "inner" / "file").write_text("x")
    (tree / "link").symlink_to(outside)
    (tree / "broken").symlink_to(tmp_path / "nowhere")
    disk.remove_tree(tree)
    disk.remove_tree(tree)
    disk.remove(tmp_path / "nowhere")
    assert names(tmp_path) == ["outside", "outside/kept"]


def test_a_file_where_a_folder_is_needed_is_a_matter_of_resources(tmp_path):
    (tmp_path / "a").write_text("a file")
    for folder in (tmp_path / "a", tmp_path / "a" / "b"):
        with pytest.raises(ResourceError, match="cannot write"):
            disk.make_folder(folder)


def test_relative_folders_are_made_where_the_process_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    disk.write(Path("a/b"), b"x")
    assert names(tmp_path) == ["a", "a/b"]

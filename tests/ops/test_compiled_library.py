"""Compiling on demand: found again, safe among processes, refused where it is not safe."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gradatim.ops.compiled import library as module
from gradatim.ops.compiled.library import Unavailable, library

PROGRAM = "int answer(void) { return %d; }\n"

needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, module.COMPILERS)), reason="there is no C compiler"
)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A C file, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "program.c"
    file.write_text(PROGRAM % 42)
    return file


def made(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "gradatim").iterdir())


@needs_compiler
def test_compiles_once(source, tmp_path, monkeypatch):
    assert library(source).answer() == 42
    (file,) = made(tmp_path)
    assert file.suffix == ".so"
    assert file.parent.stat().st_mode & 0o777 == 0o700
    monkeypatch.delattr(module, "_compile")
    assert library(source).answer() == 42


@needs_compiler
def test_another_text_or_compiler_or_processor_is_another_file(source, tmp_path, monkeypatch):
    library(source)
    source.write_text(PROGRAM % 43)
    assert library(source).answer() == 43
    monkeypatch.setattr(module, "FLAGS", (*module.FLAGS, "-g"))
    library(source)
    monkeypatch.setattr(module, "_processor", lambda: "another")
    library(source)
    assert len(made(tmp_path)) == 4


@needs_compiler
def test_many_at_once(source, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: library(source).answer(), range(8)))
    assert answers == [42] * 8
    assert len(made(tmp_path)) == 1  # and nothing half made beside it


@needs_compiler
def test_half_a_file_is_made_anew(source, tmp_path, monkeypatch):
    library(source)
    (file,) = made(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    half = tmp_path / "other" / "gradatim" / file.name
    half.parent.mkdir(parents=True)
    half.write_bytes(file.read_bytes()[:100])
    assert library(source).answer() == 42
    assert half.stat().st_size == file.stat().st_size


@needs_compiler
def test_a_file_that_others_may_write_to_is_made_anew(source, tmp_path):
    library(source)
    (file,) = made(tmp_path)
    file.chmod(0o777)
    assert library(source).answer() == 42
    assert made(tmp_path)[0].stat().st_mode & 0o777 == 0o700


@needs_compiler
def test_a_folder_that_others_may_write_to_is_refused(source, tmp_path):
    library(source)
    (tmp_path / "cache" / "gradatim").chmod(0o777)
    with pytest.raises(Unavailable, match="others may write to it"):
        library(source)


@needs_compiler
@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_folder_of_somebody_else_is_refused(source, tmp_path):
    library(source)
    os.chown(tmp_path / "cache" / "gradatim", 12345, 12345)
    with pytest.raises(Unavailable, match="belongs to somebody else"):
        library(source)


@needs_compiler
def test_a_cache_that_is_a_file_is_no_crash(source, tmp_path):
    (tmp_path / "cache").write_text("")
    with pytest.raises(Unavailable, match=r"NotADirectoryError|FileExistsError"):
        library(source)


@needs_compiler
def test_a_relative_cache_is_not_believed(source, tmp_path, monkeypatch):
    """As the XDG base directory specification says."""
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    library(source)
    assert not (tmp_path / "cache").exists()
    assert len(list((tmp_path / "home" / ".cache" / "gradatim").iterdir())) == 1


@needs_compiler
def test_a_compiler_that_refuses(source, tmp_path):
    source.write_text("no C at all")
    with pytest.raises(Unavailable, match="CalledProcessError"):
        library(source)
    assert made(tmp_path) == []


def test_no_compiler(source, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match="no C compiler"):
        library(source)


@needs_compiler
def test_a_compiler_that_hangs(source, monkeypatch):
    def run(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("cc", 60)

    monkeypatch.setattr(module.subprocess, "run", run)
    with pytest.raises(Unavailable, match="TimeoutExpired"):
        library(source)

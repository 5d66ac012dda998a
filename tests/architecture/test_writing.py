"""Only runs/disk.py changes the disk: so the tests can fail, or kill, at each of its operations."""

import ast
import re
from pathlib import Path

import pytest

from .test_architecture import Source, sources  # noqa: F401  a fixture

WRITERS = {
    "numpy": {"save", "savez", "savez_compressed", "savetxt"},
    "os": {
        *("link", "makedirs", "mkdir", "mkfifo", "mknod", "remove", "removedirs", "rename"),
        *("renames", "replace", "rmdir", "symlink", "truncate", "unlink", "write"),
    },
    "safetensors.torch": {"save_file", "save_model"},
    "shutil": {"copy", "copy2", "copyfile", "copytree", "make_archive", "move", "rmtree"},
    "sqlite3": {"connect"},
    "tempfile": {"NamedTemporaryFile", "TemporaryDirectory", "mkdtemp", "mkstemp"},
}
WRITING_METHODS = {
    *("hardlink_to", "mkdir", "rmdir", "savefig", "symlink_to", "to_csv", "to_parquet", "touch"),
    *("unlink", "write_bytes", "write_text"),
}
WRITING_MODE = re.compile(r"[rbt]*[wax+][wax+rbt]*")
DISK = "gradatim/runs/disk.py"
# What else may write, with the reason: (file, call) of a library that writes itself.
MAY_WRITE = {
    ("gradatim/runs/files.py", "numpy.save"): "into memory",
    ("gradatim/runs/files.py", "numpy.savez"): "into memory",
    ("gradatim/cli/main.py", "os.open"): "/dev/null, in the place of a closed terminal",
    ("gradatim/train/distributed/joining.py", "Path(os.devnull).open"): "/dev/null",
    ("gradatim/train/distributed/watch.py", "os.write"): "to the terminal, before the end",
    # Folders of Dask and Ray for what they write themselves; they go when the cluster does.
    ("gradatim/compare/clusters/dask.py", "tempfile.TemporaryDirectory"): "scratch",
    ("gradatim/compare/clusters/ray.py", "tempfile.mkdtemp"): "scratch",
    ("gradatim/compare/clusters/ray.py", "shutil.rmtree"): "scratch",
    # The compiler writes; ops may not import runs; and a cache that fails costs time, not work.
    ("gradatim/ops/compiled/library.py", "folder.mkdir"): "a cache of machine code",
    ("gradatim/ops/compiled/library.py", "tempfile.mkstemp"): "a cache of machine code",
    ("gradatim/ops/compiled/library.py", "made.replace"): "a cache of machine code",
    ("gradatim/ops/compiled/library.py", "made.unlink"): "a cache of machine code",
}


def writing(source: Source) -> list[str]:
    if str(source.path) == DISK:
        return []
    calls = [(node, name) for node, name in source.calls() if writes(node, name)]
    return [
        f"line {node.lineno}: {name} (go through runs/disk.py)"
        for node, name in calls
        if (str(source.path), name) not in MAY_WRITE
    ]


def writes(node: ast.Call, name: str) -> bool:
    """Whether a call can change the disk, as far as its name and its literals tell."""
    room, _, last = name.rpartition(".")
    if last in WRITERS.get(room, ()):
        return True
    method = isinstance(node.func, ast.Attribute)
    if last == "open":
        return opens_to_write(node, name)
    if method and last in (
        "rename",
        "replace",
    ):  # of a path: that of a text takes two, of a frame none
        return len(node.args) == 1 and not node.keywords
    return method and last in WRITING_METHODS and not room.startswith("gradatim")


def opens_to_write(node: ast.Call, name: str) -> bool:
    # The mode stands second, but first where a path opens itself.
    first = 0 if isinstance(node.func, ast.Attribute) else 1
    given = [
        *node.args[first:],
        *(keyword.value for keyword in node.keywords if keyword.arg == "mode"),
    ]
    if name == "os.open":
        return any(flag in ast.unparse(node) for flag in ("O_WRONLY", "O_RDWR", "O_CREAT"))
    texts = [arg.value for arg in given if isinstance(arg, ast.Constant)]
    return any(isinstance(text, str) and WRITING_MODE.fullmatch(text) for text in texts)


WRITING = [
    "open('x', 'w')",
    "open('x', mode='ab')",
    "path.open('x')",
    "path.open('r+', encoding='utf-8')",
    "Path(x).write_text('y')",
    "path.parent.mkdir(parents=True)",
    "path.replace(other)",
    "path.rename(other)",
    "path.unlink(missing_ok=True)",
    "from os import replace as r\nr(a, b)",
    "import os\nos.open(p, os.O_WRONLY | os.O_CREAT)",
    "from shutil import rmtree\nrmtree(p)",
    "import tempfile as t\nt.mkdtemp()",
    "from safetensors.torch import save_file\nsave_file(x, p)",
    "import numpy as np\nnp.save(p, x)",
    "figure.savefig(p)",
]
NOT_WRITING = [
    "open('x')",
    "path.open('rb')",
    "Image.open(file, formats=['PNG'])",
    "import os\nos.open(p, os.O_RDONLY)",
    "'text'.replace('a', 'b')",
    "replace(record, step=1)",
    "frame.rename(columns=names)",
    "sys.stdout.write('x')",
    "from gradatim.runs import disk\ndisk.write(p, b'x')",
    "from gradatim.runs.files import write_bytes\nwrite_bytes(p, b'x')",
]


def test_only_one_module_writes(sources):  # noqa: F811
    found = [f"{source.path}: {text}" for source in sources for text in writing(source)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("text", WRITING)
def test_writing_is_seen(text):
    assert writing(Source(Path("gradatim/x.py"), text))
    assert not writing(Source(Path(DISK), text))


@pytest.mark.parametrize("text", NOT_WRITING)
def test_reading_is_no_writing(text):
    assert not writing(Source(Path("gradatim/x.py"), text))


def test_what_may_write_still_does(sources):  # noqa: F811
    """An entry that nobody needs any more is a hole."""
    named = {str(source.path): source for source in sources}
    for path, call in MAY_WRITE:
        calls = named[path].calls()
        assert any(name == call and writes(node, name) for node, name in calls), (path, call)

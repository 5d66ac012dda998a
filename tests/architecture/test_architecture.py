"""The rules of the design that no linter knows, over every file of src/.

Each rule is a function from one file to its violations; `test_rule_catches_an_offender` shows
that none of them is blind.
"""

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"
VAGUE_ROOMS = {"utils", "util", "misc", "common", "helpers", "helper", "tools", "stuff"}
# Running code from a file, or a saved model that is code: safetensors and JSON are what we keep.
UNSAFE_MODULES = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "shelve", "marshal"}
UNSAFE_CALLS = {
    "eval",
    "exec",
    "torch.save",
    "torch.load",
    "torch.hub.load",
    "joblib.dump",
    "joblib.load",
    "pandas.read_pickle",
}
# Published weights come as pickles of torch. One file may read them, and only with torch's
# restricted reader, which runs nothing: the keyword must stand there as a literal.
READER_OF_WEIGHTS = Path("gradatim/runs/foreign.py")
HEAVY = {"torch", "sklearn", "scipy", "matplotlib", "pandas", "pyarrow", "skimage", "joblib"}


class Source:
    """One file of src/, read and parsed once."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.text, self.tree = path, text, ast.parse(text)
        self.nodes = list(ast.walk(self.tree))

    @property
    def module(self) -> str:
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def imports(self) -> Iterator[tuple[str, str]]:
        """Every (name here, dotted name of what it is)."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.split(".")[0]
                    yield alias.asname or top, alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    yield alias.asname or alias.name, f"{node.module}.{alias.name}"

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Every call with the dotted name of what is called, seen through import aliases."""
        origin = dict(self.imports())
        for node in self.nodes:
            if isinstance(node, ast.Call):
                head, dot, rest = ast.unparse(node.func).partition(".")
                yield node, origin.get(head, head) + dot + rest


def vague_room(source: Source) -> list[str]:
    return [part for part in source.module.split(".") if part in VAGUE_ROOMS]


def long_init(source: Source) -> list[str]:
    lines = len(source.text.splitlines())
    return [f"{lines} lines"] if source.path.name == "__init__.py" and lines >= 40 else []


def long_file(source: Source) -> list[str]:
    lines = len(source.text.splitlines())
    return [f"{lines} lines"] if lines > 300 else []


def missing_docstring(source: Source) -> list[str]:
    return [] if ast.get_docstring(source.tree) else ["no module docstring"]


def unsafe_import(source: Source) -> list[str]:
    return [name for _, name in source.imports() if name.split(".")[0] in UNSAFE_MODULES]


def unsafe_call(source: Source) -> list[str]:
    calls = list(source.calls())
    unsafe = [
        (node.lineno, name)
        for node, name in calls
        if name in UNSAFE_CALLS and not (name == "torch.load" and restricted(source, node))
    ]
    unsafe += [
        (node.lineno, "allow_pickle")
        for node, _ in calls
        for keyword in node.keywords
        if keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False"
    ]
    return [f"line {line}: {name}" for line, name in unsafe]


def restricted(source: Source, node: ast.Call) -> bool:
    """Whether a torch.load stands in the one file that may have it and reads tensors alone."""
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    return source.path == READER_OF_WEIGHTS and given.get("weights_only") == "True"


def bare_except(source: Source) -> list[str]:
    handlers = [node for node in source.nodes if isinstance(node, ast.ExceptHandler)]
    return [f"line {node.lineno}: bare except" for node in handlers if node.type is None]


def print_outside_cli(source: Source) -> list[str]:
    if source.module.startswith("gradatim.cli"):
        return []
    return [f"line {node.lineno}: print" for node, name in source.calls() if name == "print"]


def shapes_as_strings(source: Source) -> list[str]:
    """With postponed annotations the shapes in signatures are strings, and go unchecked."""
    names = {name for _, name in source.imports()}
    shapes = any(name.startswith("jaxtyping") for name in names)
    return ["__future__.annotations"] if shapes and "__future__.annotations" in names else []


OFFENDERS = {
    vague_room: ("gradatim/utils/x.py", ""),
    long_init: ("gradatim/x/__init__.py", "\n" * 40),
    long_file: ("gradatim/x.py", "\n" * 301),
    missing_docstring: ("gradatim/x.py", "import os"),
    unsafe_import: ("gradatim/x.py", "def f():\n    from pickle import loads"),
    unsafe_call: ("gradatim/x.py", "import torch as t\nt.load('x')"),
    bare_except: ("gradatim/x.py", "try:\n    x\nexcept:\n    y"),
    print_outside_cli: ("gradatim/x.py", "print('x')"),
    shapes_as_strings: (
        "gradatim/x.py",
        "from __future__ import annotations\nfrom jaxtyping import Float",
    ),
}
OTHER_UNSAFE_CALLS = [
    "eval('x')",
    "from torch import save\nsave(x, 'y')",
    "import numpy as np\nnp.load('x', allow_pickle=True)",
    "import pandas as pd\npd.read_pickle('x')",
]


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    files = sorted((SRC / "gradatim").rglob("*.py"))
    assert files, f"no source under {SRC}"
    return [Source(file.relative_to(SRC), file.read_text("utf-8")) for file in files]


@pytest.mark.parametrize("rule", OFFENDERS, ids=lambda rule: rule.__name__)
def test_rule_holds(rule, sources):
    found = [f"{source.path}: {text}" for source in sources for text in rule(source)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("rule", OFFENDERS, ids=lambda rule: rule.__name__)
def test_rule_catches_an_offender(rule):
    path, text = OFFENDERS[rule]
    assert rule(Source(Path(path), text))


@pytest.mark.parametrize("text", OTHER_UNSAFE_CALLS)
def test_unsafe_calls_are_seen_through_imports(text):
    assert unsafe_call(Source(Path("gradatim/x.py"), text))


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("gradatim/runs/model_folder.py", "weights_only=True"),
        ("gradatim/x/foreign.py", "weights_only=True"),
        (str(READER_OF_WEIGHTS), ""),
        (str(READER_OF_WEIGHTS), "weights_only=False"),
        (str(READER_OF_WEIGHTS), "weights_only=safe"),
        (str(READER_OF_WEIGHTS), "**{'weights_only': True}"),
    ],
)
def test_torch_load_is_unsafe_but_for_tensors_in_one_file(path, arguments):
    assert unsafe_call(Source(Path(path), f"import torch\ntorch.load(x, {arguments})"))


def test_the_reader_of_published_weights_may_read_tensors():
    text = "import torch\ntorch.load(x, weights_only=True)"
    assert not unsafe_call(Source(READER_OF_WEIGHTS, text))


def test_eval_of_a_module_is_no_unsafe_call():
    assert not unsafe_call(Source(Path("gradatim/x.py"), "model.eval()\nnp.load('x')"))


def test_names_in_all_exist(sources):
    declared = [source.module for source in sources if "__all__" in source.text]
    modules = [importlib.import_module(name) for name in declared]
    absent = [f"{m.__name__}.{n}" for m in modules for n in m.__all__ if not hasattr(m, n)]
    assert not absent, "\n".join(absent)


def loaded_after(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after running the code."""
    code += "\nimport json, sys; sys.stderr.write('\\n' + json.dumps([*sys.modules]))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return {name.split(".")[0] for name in json.loads(run.stderr.splitlines()[-1])}


def test_package_alone_loads_nothing_heavy():
    assert not loaded_after("import gradatim") & HEAVY


def test_help_loads_nothing_heavy():
    help_ = "import gradatim.cli\ntry: gradatim.cli.main(['--help'])\nexcept SystemExit: pass"
    assert not loaded_after(help_) & HEAVY


def test_loaded_after_sees_an_import():
    assert "sqlite3" in loaded_after("import sqlite3")

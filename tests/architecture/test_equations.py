"""The equation map: docs/equations.md is what its source says, and the source is true of the code.

`faults` reads one entry; `test_faults_catch_a_broken_entry` shows that it is not blind.
"""

import ast
import importlib
import importlib.util
import tomllib
from functools import cache, reduce
from itertools import groupby
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NUMBERS = [*map(str, range(1, 63)), "5.2.1", "5.2.2", "5.2.3"]
# Misprinted or short of a condition, as a reading of both documents found: the page must say so.
MISPRINTED = {2, 3, 4, 5, 6, 8, 11, 14, 16, 17, 18, 20, 22, 26, 27, 28, 29, 30, 31, 33, 35, 37, 40}
MISPRINTED |= {41, 42, 44, 46, 53, 54, 56, 57, 58, 59, 60, 61, 62, "5.2.1"}
KEYS = {"document", "section", "number", "place", "title", "printed", "right", "note"}
KEYS |= {"code", "tests"}
WHOLE = {
    "document": "000",
    "section": "Convolution",
    "number": "12",
    "title": "discrete convolution",
    "right": "(f * g)[n] = Σ_m f[m] g[n − m]",
    "code": ["gradatim.ops.convolution.convolve"],
    "tests": ["tests/architecture/test_equations.py::test_faults_catch_a_broken_entry[no code]"],
}


def faults(entry: dict) -> list[str]:
    """What is wrong with one entry: all of it, in words."""
    found = [f"unknown key {key}" for key in entry.keys() - KEYS]
    if ("number" in entry) == ("place" in entry):
        found.append("expected a number or a place, one of them")
    found += [
        f"no {key}" for key in ("document", "section", "title", "right") if not entry.get(key)
    ]
    code, tests = entry.get("code", []), entry.get("tests", [])
    if not any(name.startswith("gradatim.") for name in code):
        found.append("no code of gradatim")
    if not tests:
        found.append("no test")
    return found + unknown_names(code) + unknown_tests(tests)


def unknown_names(names: list[str]) -> list[str]:
    return [f"no code is called {name}" for name in names if not resolves(name)]


def resolves(name: str) -> bool:
    """Is this the name of something that can be imported, through modules and attributes?"""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        return (
            reduce(lambda thing, part: getattr(thing, part, None), parts[end:], module) is not None
        )
    return False


def unknown_tests(names: list[str]) -> list[str]:
    return [f"no test is called {name}" for name in names if not is_test(name)]


def is_test(name: str) -> bool:
    file, _, function = name.partition("::")
    return function.split("[")[0] in functions(ROOT / file)


@cache
def functions(file: Path) -> frozenset[str]:
    """The tests of a file; none where there is no file."""
    if not file.is_file():
        return frozenset()
    body = ast.parse(file.read_text("utf-8")).body
    names = [node.name for node in body if isinstance(node, ast.FunctionDef)]
    return frozenset(name for name in names if name.startswith("test_"))


def misnumbered(entries: list[dict]) -> list[str]:
    """Numbers that are missing, repeated or not of the course."""
    given = [entry["number"] for entry in entries if "number" in entry]
    wrong = [f"({n}) stands {given.count(n)} times" for n in NUMBERS if given.count(n) != 1]
    return wrong + [f"({n}) is no number of the course" for n in given if n not in NUMBERS]


@pytest.fixture(scope="module")
def source() -> dict:
    return tomllib.loads((ROOT / "docs/equations.toml").read_text("utf-8"))


def test_the_page_is_what_the_generator_writes(source):
    """`python docs/equations.py` after every change of docs/equations.toml."""
    spec = importlib.util.spec_from_file_location("equations", ROOT / "docs/equations.py")
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    assert (ROOT / "docs/equations.md").read_text("utf-8") == generator.page(source)


def test_every_number_stands_once(source):
    assert not misnumbered(source["equation"])


def test_every_heading_stands_once(source):
    """The page opens a heading where the section changes: entries of one stand together."""
    headings = [(entry["document"], entry["section"]) for entry in source["equation"]]
    runs = [heading for heading, _ in groupby(headings)]
    assert len(runs) == len(set(runs))


def test_every_misprint_is_told(source):
    told = {e["number"] for e in source["equation"] if "number" in e and e.get("printed")}
    assert not {str(number) for number in MISPRINTED} - told


def test_every_equation_has_code_and_a_test(source):
    found = [
        f"{entry.get('number', entry.get('place'))}: {fault}"
        for entry in source["equation"]
        for fault in faults(entry)
    ]
    assert not found, "\n".join(found)


def test_names_in_words_exist(source):
    for entry in source["words"]:
        assert all(entry.get(key) for key in ("document", "place", "printed", "right"))
        assert not unknown_names(entry.get("code", [])), entry
        assert not unknown_tests(entry.get("tests", [])), entry


def test_faults_find_nothing_in_a_whole_entry():
    assert not faults(WHOLE)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param({"code": []}, "no code of gradatim", id="no code"),
        pytest.param({"code": ["torch.nn.Conv2d"]}, "no code of gradatim", id="code of others"),
        pytest.param(
            {"code": ["gradatim.ops.convolution.gone"]}, "no code is called", id="function"
        ),
        pytest.param({"code": ["gradatim.ops.gone.convolve"]}, "no code is called", id="module"),
        pytest.param({"code": ["gradatim.core.learner.Learner.gone"]}, "no code is", id="method"),
        pytest.param({"tests": []}, "no test", id="no test"),
        pytest.param({"tests": ["tests/gone.py::test_x"]}, "no test is called", id="test file"),
        pytest.param({"tests": [__file__ + "::faults"]}, "no test is called", id="test function"),
        pytest.param({"right": ""}, "no right", id="no right form"),
        pytest.param({"place": "as well"}, "one of them", id="number and place"),
        pytest.param({"test": "misspelt"}, "unknown key test", id="unknown key"),
    ],
)
def test_faults_catch_a_broken_entry(change, fault):
    (found,) = faults(WHOLE | change)
    assert fault in found


@pytest.mark.parametrize(
    ("numbers", "count"),
    [(NUMBERS, 0), (NUMBERS[1:], 1), ([*NUMBERS, "7"], 1), ([*NUMBERS, "63"], 1)],
    ids=["whole", "missing", "repeated", "unknown"],
)
def test_misnumbered_counts(numbers, count):
    assert len(misnumbered([{"number": number} for number in numbers])) == count

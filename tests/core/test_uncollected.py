"""Torch imported while the collector rests: frozen, and nothing else changed."""

import gc
import subprocess
import sys

import pytest

from gradatim.core.uncollected import FirstImport, resting

LIBRARY = """\
import gc
during = gc.isenabled()
kept = [[] for _ in range(1000)]
"""


def told(code: str) -> str:
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    return said.stdout.strip()


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library that nobody has imported yet."""
    (tmp_path / "slow_library.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(tmp_path)
    finders = list(sys.meta_path)
    yield "slow_library"
    sys.modules.pop("slow_library", None)
    sys.meta_path[:] = finders
    gc.unfreeze()


@pytest.mark.parametrize(
    "first", ["gradatim", "gradatim.core.samples", "gradatim.train.fitting", "gradatim.cli.main"]
)
def test_torch_is_frozen_however_this_package_is_entered(first):
    said = told(f"import gc, {first}, torch; print(gc.get_freeze_count(), gc.isenabled())")
    count, enabled = said.split()
    assert int(count) > 50_000
    assert enabled == "True"


def test_who_imports_torch_first_keeps_the_collector_as_it_is():
    assert told("import gc, torch, gradatim.core.samples; print(gc.get_freeze_count())") == "0"


def test_torch_knows_nothing_of_it():
    said = told(
        "import sys, gradatim, importlib.util as u, inspect\n"
        "asked = u.find_spec('torch')\n"
        "assert asked.loader.get_filename() == asked.origin\n"
        "import torch\n"
        "assert type(torch.__loader__).__name__ == 'SourceFileLoader' == "
        "type(torch.__spec__.loader).__name__\n"
        "assert 'torch' in inspect.getsource(torch)\n"
        "print([f for f in sys.meta_path if 'FirstImport' in type(f).__name__])"
    )
    assert said == "[]"


def test_the_collector_rests_and_wakes(library):
    finder = FirstImport(library)
    finder.await_it()
    finder.await_it()
    assert sys.meta_path.count(finder) == 1
    before = gc.get_freeze_count()
    module = __import__(library)
    assert module.during is False
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + 1000
    assert finder not in sys.meta_path
    finder.await_it()  # it is imported already
    assert finder not in sys.meta_path


def test_a_library_that_fails_leaves_the_collector_awake(library, tmp_path):
    (tmp_path / "slow_library.py").write_text("raise ValueError('broken')")
    FirstImport(library).await_it()
    with pytest.raises(ValueError, match="broken"):
        __import__(library)
    assert gc.isenabled()


def test_other_imports_are_none_of_its_business():
    assert FirstImport("torch").find_spec("json") is None
    assert FirstImport("no_such_library").find_spec("no_such_library") is None


def test_a_collector_that_was_switched_off_stays_off():
    gc.disable()
    try:
        with resting():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()


def test_garbage_of_before_is_not_kept():
    class Cycle:
        gone = 0

        def __init__(self):
            self.me = self

        def __del__(self):
            Cycle.gone += 1

    gc.collect()
    gc.disable()  # so that nothing but `resting` takes it
    try:
        Cycle()
        with resting():
            assert Cycle.gone == 1
    finally:
        gc.enable()
        gc.unfreeze()

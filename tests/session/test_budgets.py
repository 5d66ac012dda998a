"""Budgets end a command with exit code 5 before the machine does, and keep what is finished."""

import signal
import time

import numpy as np
import pytest

import gradatim
from gradatim.core.errors import ConfigError, ResourceError
from gradatim.session.budgets import Budgets, kept, memory_left, memory_used
from gradatim.session.evaluate import evaluate


def test_memory_is_that_of_this_process_and_those_below_it():
    before = memory_used()
    block = np.ones(60_000_000)  # 0.48 GB
    assert memory_used() - before == pytest.approx(0.48, abs=0.1)
    del block
    assert memory_left() > 0


def test_too_much_memory_ends_the_block_and_says_what_to_do(tmp_path):
    limit = memory_used() + 0.2
    too_much = pytest.raises(ResourceError, match=r"--memory .* GB;\n.*--rows")
    with too_much as told, kept(Budgets(memory=limit), tmp_path):
        block = np.ones(80_000_000)
        time.sleep(5)
        pytest.fail(f"{block.nbytes} bytes were allowed")
    assert told.value.exit_code == 5


def test_too_full_a_folder_ends_the_block(tmp_path):
    too_full = pytest.raises(ResourceError, match=r"more than --disk 0.00")
    with too_full, kept(Budgets(disk=0.001), tmp_path):
        (tmp_path / "large").write_bytes(bytes(2_000_000))
        time.sleep(3)
        pytest.fail("it went on")


def test_it_ends_where_ctrl_c_is_ignored_and_ignores_it_itself(tmp_path):
    """A shell has SIGINT ignored for what it runs in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(ResourceError), kept(Budgets(memory=1e-6), tmp_path):
            signal.raise_signal(signal.SIGINT)
            time.sleep(3)
            pytest.fail("it went on")
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_block_within_its_budgets_is_left_alone(tmp_path):
    with kept(Budgets(memory=memory_used() + 1, disk=1.0), tmp_path):
        time.sleep(0.5)
    with pytest.raises(KeyboardInterrupt), kept(Budgets(), tmp_path):
        raise KeyboardInterrupt


def test_a_fit_that_runs_out_of_time_has_a_usable_model(tmp_path, monkeypatch):
    import gradatim.session.fit as room

    monkeypatch.setattr(room, "REST", 0.0)
    plan = ["epochs=100000", "patience=100000", "schedule.name=constant"]
    result = gradatim.fit("iris", rung="mlp", settings=plan, minutes=0.08, out=tmp_path / "run")
    assert "the time was over" in result.summary["note"]
    assert not (tmp_path / "run" / "checkpoints").exists()
    assert evaluate(tmp_path / "run")["scores"]["accuracy"] > 0.8


@pytest.mark.parametrize("name", ["minutes", "memory", "disk"])
def test_budgets_are_positive(name, tmp_path):
    with pytest.raises(ConfigError, match=f"--{name}"):
        gradatim.fit("iris", rung="mlp", out=tmp_path / "run", **{name: 0.0})

"""Several processes train one model: the losses, the weights and the end are those of one."""

import json
import os
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gradatim.core.errors import ConfigError
from gradatim.train.distributed.joining import _told_threads as told_threads
from gradatim.train.distributed.joining import together
from gradatim.train.distributed.party import ALONE

from .ranks_at_work import STEPS, curve, fitting

SCRIPT = Path(__file__).with_name("ranks_at_work.py")
# Sums over ranks round otherwise than sums over rows: some units in the last place of float32.
CLOSE = 1e-6


def ranks(folder: Path, scenes: str, size: int) -> list[subprocess.CompletedProcess[str]]:
    """Play scenes in so many processes, started as torchrun would."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "LOCAL_WORLD_SIZE": str(size)}
    place |= {"OMP_NUM_THREADS": "1", "WORLD_SIZE": str(size)}
    command = [sys.executable, str(SCRIPT), scenes, str(folder)]
    started = [
        subprocess.Popen(
            command,
            env=os.environ | place | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]
    said = [process.communicate(timeout=200) for process in started]
    return [
        subprocess.CompletedProcess(command, process.returncode, *words)
        for process, words in zip(started, said, strict=True)
    ]


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> dict[str, Any]:
    """What two ranks saw in all scenes, how they ended, and what one rank read afterwards."""
    folder = tmp_path_factory.mktemp("ranks")
    scenes = "curves,meetings,words,nan,refusals,norm,curves+,parts+,refusals+,norm+,raises"
    ended = ranks(folder, scenes, 2)
    assert (folder / "refusals+.json").is_file(), ended
    (last,) = ranks(folder, "reread+", 1)
    assert last.returncode == 0, last.stderr
    return {p.stem: json.loads(p.read_text()) for p in folder.glob("*.json")} | {"ended": ended}


@cache
def alone() -> dict[str, Any]:
    """The same fits in this process."""
    return {"uneven": curve(fitting()), "empty": curve(fitting(rows=50, batch=1), 1)}


def assert_close(one: dict[str, list[float]], other: dict[str, list[float]]) -> None:
    for name in ("loss", "norm", "held", "weights"):
        assert one[name] == pytest.approx(other[name], rel=CLOSE, abs=CLOSE), name


def assert_same_fits(curves: dict[str, Any]) -> None:
    assert len(curves["uneven"]["loss"]) >= STEPS
    for name in ("uneven", "empty"):
        assert_close(curves[name], alone()[name])


def test_ranks_lose_as_one_process_does(seen):
    """Batches of 51 rows and of 1 on two ranks: shares are uneven, and one is empty."""
    assert_same_fits(seen["curves"])


def test_ranks_with_parts_of_the_network_lose_as_one_process_does(seen):
    assert_same_fits(seen["curves+"])


def test_ranks_drop_different_units(seen):
    """The first loss with half the units dropped is that of one process only for its own rows."""
    assert seen["curves"]["dropout"][0] != curve(fitting(dropout=0.5), 1)["loss"][0]


def test_ranks_pause_and_stop_at_the_same_steps(seen):
    """Only rank 1 got the signal; the scene asks both whether their steps are equal."""
    seen = seen["meetings"]
    assert seen["heard"]
    assert len(seen["pauses"]) >= 3
    assert seen["stopped"] >= seen["pauses"][2]


def test_ranks_agree(seen):
    seen = seen["words"]
    assert (seen["any"], seen["none"]) == (True, False)
    assert (seen["told"], seen["nothing"]) == ("said by 0", "")
    assert "same data" in seen["differ"]


def test_a_nan_on_one_rank_stops_all_at_that_step(seen):
    seen = seen["nan"]
    assert seen["step"] == 3
    assert seen["unmoved"]
    assert "loss is nan at step 3" in seen["error"]
    assert "Rows " in seen["error"]


def test_what_ranks_cannot_do_is_refused(seen):
    for name in ("lbfgs", "newton", "evolution"):
        assert "another optimizer" in seen["refusals"][name]
    assert seen["refusals"]["sgd"] == seen["refusals"]["muon"] == ""
    assert "whole matrices" in seen["refusals+"]["muon"]


@pytest.mark.parametrize("scene", ["norm", "norm+"])
def test_batch_normalisation_is_over_the_rows_of_all_ranks(seen, scene):
    """Gradients, parameters and running statistics, in float64, on shares of 3 and 4 rows."""
    assert seen[scene]["largest"] < 1e-12


def test_checkpoints_in_parts_go_on(seen):
    seen = seen["parts+"]
    assert seen["nothing"]
    assert seen["again"] == pytest.approx(seen["sums"][-1], rel=1e-12)
    assert seen["kept"] == {"parts": 2, "step": 2}


def test_a_damaged_part_is_passed_over(seen):
    seen = seen["parts+"]
    assert seen["older"] < seen["step"]
    assert seen["before"] == pytest.approx(seen["sums"][-2], rel=1e-12)
    rest = seen["rest"]
    end = alone()["uneven"]["loss"][seen["older"] :][: len(rest)]
    assert rest == pytest.approx(end, abs=CLOSE)


def test_fewer_ranks_go_on_from_the_parts_of_more(seen):
    seen, before = seen["reread+"], seen["parts+"]
    assert seen["step"] == before["older"]
    assert seen["sums"] == pytest.approx(before["before"], rel=1e-12)
    rest = seen["rest"]["loss"]
    end = alone()["uneven"]["loss"][seen["step"] :][: len(rest)]
    assert rest == pytest.approx(end, abs=CLOSE)


def test_when_one_rank_fails_all_leave_and_the_leader_names_it(seen):
    leader, other = seen["ended"]
    assert (leader.returncode, other.returncode) == (5, 5)
    assert leader.stderr.splitlines()[-1].startswith("ResourceError: rank 1: out of memory; use")
    assert not other.stderr


def test_one_process_is_a_party_of_its_own(monkeypatch):
    """And imports nothing that ranks need, which takes seconds."""
    monkeypatch.setitem(sys.modules, "gradatim.train.distributed.ranks", None)
    with together() as party:
        assert party.leads
        assert (party.size, party.agree(True), party.agree(False)) == (1, True, False)
        assert party.told(lambda: b"x") == b"x"
    assert fitting().learner.model is not None
    assert ALONE.seed(7) == 7


def test_threads_of_the_user_are_kept(monkeypatch):
    """torchrun sets one thread a rank where nobody asked: only it knows who did."""
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert told_threads()
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert not told_threads()


def test_shard_needs_several_processes():
    with pytest.raises(ConfigError, match="torchrun --nproc-per-node"), together(shard=True):
        pass

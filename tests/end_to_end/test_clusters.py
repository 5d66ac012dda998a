"""A climb on Ray or Dask: the same bytes as here, clear refusals, and no process left behind."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import resource_tracker
from pathlib import Path

import numpy as np
import pytest

import gradatim.compare.clusters.arrival as arrival_room
import gradatim.compare.clusters.hire as hire_room
from gradatim.compare.clusters.arrival import arrived
from gradatim.compare.clusters.hire import hired
from gradatim.compare.pool import HERE, workers
from gradatim.core.errors import ConfigError, ResourceError

from .shell import board_of, command, gradatim, leftovers, records_of, sales
from .test_interrupted import alive, descendants, wait_for

FEW = ("--target", "kind", "--rungs", "majority,knn,mlp", "--folds", "2")
LONG = ("climb", "digits", "--rungs", "lenet5", "--folds", "2", "--out", "run")
PACKAGE = {"ray": "ray", "dask": "distributed"}
CLUSTERS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            importlib.util.find_spec(package) is None,
            reason=f'no {package}: pip install "gradatim[{name}]"',
        ),
    )
    for name, package in PACKAGE.items()
]


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    return sales(tmp_path_factory.mktemp("table") / "sales.csv")


@pytest.fixture(scope="module")
def here(tmp_path_factory, table) -> Path:
    """The run that worker processes here made."""
    folder = tmp_path_factory.mktemp("here")
    assert gradatim(folder, "climb", str(table), *FEW, "--out", "run").code == 0
    return folder / "run"


def assert_same(run: Path, other: Path) -> None:
    """Equal to the byte, times aside; folds that were stacked in one run alone, nearly."""
    plans = [json.loads((each / "plan.json").read_text()) for each in (run, other)]
    same = {name for name in plans[0] if plans[0][name]["stacked"] == plans[1][name]["stacked"]}
    assert same >= {"majority", "knn"}
    for rung in ("majority", "knn", "mlp"):
        for fold in (f"fits/{rung}/0-0", f"fits/{rung}/0-1"):
            ours, theirs = run / fold, other / fold
            if rung in same:
                one, two = ((each / "predictions.npy").read_bytes() for each in (ours, theirs))
                assert one == two
                assert records_of(ours / "records.jsonl") == records_of(theirs / "records.jsonl")
            one, two = (np.load(each / "predictions.npy") for each in (ours, theirs))
            np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)
    scores = [[row["score"] for row in board_of(each)["rungs"]] for each in (run, other)]
    assert scores[0] == pytest.approx(scores[1], rel=1e-6)
    assert board_of(run)["verdict"]["rung"] == board_of(other)["verdict"]["rung"]
    weights = [(each / "model" / "model.safetensors").read_bytes() for each in (run, other)]
    assert weights[0] == weights[1], "the chosen rung is fitted alone, and so the same way"


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_climb_on_a_cluster_of_this_machine_gives_the_same_bytes(tmp_path, table, here, cluster):
    resource_tracker.ensure_running()  # it is this process's, and lives as long
    before = descendants(os.getpid())
    said = gradatim(tmp_path, "climb", str(table), *FEW, "--out", "run", "--on", cluster)
    assert said.code == 0, said.err
    assert_same(tmp_path / "run", here)
    wait_for(lambda: not alive(descendants(os.getpid()) - before))


# --- what is there already --------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def dask_scheduler(threads: int) -> Iterator[str]:
    """A scheduler and its workers, as somebody else would start them."""
    from distributed import LocalCluster

    with LocalCluster(2, threads_per_worker=threads, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


@pytest.mark.skipif(not importlib.util.find_spec("distributed"), reason="no distributed")
def test_a_dask_scheduler_that_is_there_is_used_and_stays(tmp_path, table, here):
    with dask_scheduler(1) as address:
        ask = ("climb", str(table), *FEW, "--out", "run", "--on", address)
        said = gradatim(tmp_path, *ask)
        assert said.code == 0, said.err
        with hired(address) as crew:
            assert workers(crew) == 2
    assert_same(tmp_path / "run", here)


@pytest.mark.skipif(not importlib.util.find_spec("distributed"), reason="no distributed")
def test_dask_workers_of_several_threads_are_refused(tmp_path):
    """The generator of torch belongs to a process: two fits in one would draw from each other."""
    with dask_scheduler(2) as address:
        said = gradatim(tmp_path, "climb", "iris", "--on", address)
    assert said.code == 2, said.err
    assert "2 threads" in said.err
    assert "--nthreads 1" in said.err
    assert list(tmp_path.iterdir()) == []


# --- what is not there ------------------------------------------------------------------------


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("silent", [False, True], ids=["nobody listens", "somebody is silent"])
def test_an_address_that_does_not_answer_is_said_soon(tmp_path, monkeypatch, cluster, silent):
    room = import_module(f"gradatim.compare.clusters.{cluster}")
    assert room.PATIENCE <= 5
    monkeypatch.setattr(room, "PATIENCE", 1.0)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        if silent:
            other.listen()
        scheme = {"ray": "ray", "dask": "tcp"}[cluster]
        address = f"{scheme}://127.0.0.1:{other.getsockname()[1]}"
        begun = time.monotonic()
        said = gradatim(tmp_path, "climb", "iris", "--rungs", "majority", "--on", address)
        assert time.monotonic() - begun < 60, "the client alone would wait for minutes, or for ever"
    assert said.code == 5, said.err
    assert address in said.err
    assert len(said.err.splitlines()) <= 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("on", "words"),
    [
        ("rai", ['"rai"', '"ray"']),
        ("spark://head:1", ['"spark://head:1"', "tcp://HOST:PORT"]),
        ("tcp://head", ["tcp://HOST:PORT"]),
        ("tcp://head:99999", ["tcp://HOST:PORT"]),
        ("ray://a b:1", ["ray://HOST:PORT"]),
    ],
)
def test_an_unknown_place_exits_2_before_anything_is_read(tmp_path, on, words):
    said = gradatim(tmp_path, "climb", "no such file.csv", "--on", on)
    assert said.code == 2, said.err
    assert all(word in said.err for word in words), said.err
    assert len(said.err.splitlines()) <= 3


@pytest.mark.parametrize(("on", "extra"), [("ray", "ray"), ("tcp://head:8786", "dask")])
def test_a_package_that_is_missing_is_named_with_the_command(tmp_path, monkeypatch, on, extra):
    monkeypatch.setattr(hire_room, "find_spec", lambda name: None)
    said = gradatim(tmp_path, "race", "iris", "--rung", "mlp", "--on", on)
    assert said.code == 2
    assert f'pip install "gradatim[{extra}]"' in said.err


def test_a_run_folder_that_workers_do_not_share_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(arrival_room, "PATIENCE", 0.2)
    with pytest.raises(ResourceError, match="share"):
        arrived(tmp_path / "fits" / "complete.json")
    (tmp_path / "there").touch()
    arrived(tmp_path / "there")


def test_workers_here_are_the_default():
    with hired() as crew:
        assert crew is HERE
    with pytest.raises(ConfigError), hired("nowhere"):
        pass


# --- cut off ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill"])
def test_no_worker_outlives_its_climb(tmp_path, cluster, number):
    process = subprocess.Popen(
        command(*LONG, "--on", cluster),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    run = tmp_path / "run"
    try:
        wait_for(lambda: list(run.glob("fits/lenet5/*/records.jsonl")), process)
        below = descendants(process.pid)
        assert len(alive(below)) >= 2
        os.killpg(process.pid, number) if number == signal.SIGINT else process.kill()
        _, err = process.communicate(timeout=60)
        if number == signal.SIGINT:
            assert process.returncode == 6, err
            assert "interrupted" in err.splitlines()[-1]
            assert "Traceback" not in err
            assert not leftovers(run)
        wait_for(lambda: not alive(below))
    finally:
        for pid in alive({process.pid, *descendants(process.pid)}):
            os.kill(pid, signal.SIGKILL)

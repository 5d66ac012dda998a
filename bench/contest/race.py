"""Contenders measured in turn: a process each, one at work at a time, the order turning."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from pathlib import Path
from statistics import mean, median
from typing import Any

BENCH = Path(__file__).parents[1]
PATIENCE = 300.0
"""Seconds that a preparation or a measurement may take before its process is ended."""

# Set on some machines for OpenBLAS builds older than the ones compared here, which they slow.
_OUTDATED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
# pip compiles what it installs. This package runs from its source, and where this is set it alone
# would be compiled anew in every process.
_HINDRANCES = (*_OUTDATED, "PYTHONDONTWRITEBYTECODE")

Facts = dict[str, Any]


class Failed(Exception):
    """A contender's process ended without an answer; the message says why."""


def environment() -> dict[str, str]:
    """Return the environment of every contender: the user's, as the libraries would find it."""
    kept = {k: v for k, v in os.environ.items() if k not in _HINDRANCES}
    return kept | {"KERAS_BACKEND": "jax", "PYTHONWARNINGS": "ignore"}


class Process:
    """One contender at work: `ready` waits for the warm-up, `measure` for one measurement."""

    def __init__(self, peer: str, job: Path) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed by `end`
        self._process = subprocess.Popen(
            _command(peer, "measure", job),
            cwd=BENCH,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def ready(self) -> None:
        """Wait until it is warm."""
        self._answer()

    def measure(self) -> Facts:
        """Return seconds and score of one fit."""
        assert self._process.stdin is not None, "it was opened with a pipe"
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        """Let it end: it has no more to read."""
        self._process.communicate()
        self._errors.close()

    def _answer(self) -> Facts:
        assert self._process.stdout is not None, "it was opened with a pipe"
        watch = threading.Timer(PATIENCE, self._process.kill)
        watch.start()
        line = self._process.stdout.readline()
        watch.cancel()
        if line:
            return json.loads(line)
        self._process.wait()
        self._errors.seek(0)
        last = self._errors.read().strip().splitlines()[-1:] or ["ended without a word"]
        late = f"no answer within {PATIENCE:.0f} s"
        raise Failed(late if self._process.returncode == -9 else last[0][:200])


def _command(peer: str, how: str, job: Path) -> list[str]:
    file, _, variant = peer.partition(":")
    return [sys.executable, "-m", f"peers.{file}", how, str(job), variant]


def race(
    peers: Sequence[str], job: Facts, rounds: int, fewer: Mapping[str, int] | None = None
) -> dict[str, Facts]:
    """Return what was measured of each contender: seconds and scores, or why there is nothing.

    Args:
        peers: names of files of `peers/`, some with a variant: "file:variant".
        job: the work, the same for all; arrays go by the path of a file.
        rounds: measurements of each, taken in turn.
        fewer: how many of the slow ones.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.json"
        path.write_text(json.dumps(job))
        runners, facts = _warm(peers, path)
        for turn in range(rounds):
            names = list(runners)
            for name in _turned(names, turn):
                if turn < (fewer or {}).get(name, rounds):
                    _measure(name, runners, facts)
        for runner in runners.values():
            runner.end()
    return {name: _summary(facts[name]) for name in peers}


def _turned(names: Sequence[str], turn: int) -> list[str]:
    """Return the names, another one first in every turn."""
    return [names[(turn + i) % len(names)] for i in range(len(names))]


def _warm(peers: Iterable[str], job: Path) -> tuple[dict[str, Process], dict[str, Facts]]:
    runners: dict[str, Process] = {}
    facts: dict[str, Facts] = {name: {"seconds": [], "scores": []} for name in peers}
    for name in peers:
        runner = Process(name, job)
        try:
            runner.ready()
            runners[name] = runner
        except Failed as error:
            facts[name]["failed"] = str(error)
            runner.end()
    return runners, facts


def _measure(name: str, runners: dict[str, Process], facts: dict[str, Facts]) -> None:
    try:
        found = runners[name].measure()
        facts[name]["seconds"].append(found["seconds"])
        facts[name]["scores"].append(found["score"])
    except Failed as error:
        facts[name]["failed"] = str(error)
        runners.pop(name).end()


def processes(
    peers: Sequence[str], job: Facts, rounds: int, *, cold: bool = True
) -> dict[str, Facts]:
    """As `race`, but every measurement is a whole process, from its start to its end.

    When `cold`, a first run that is not counted brings the files of the libraries into memory.
    """
    facts: dict[str, Facts] = {name: {"seconds": [], "scores": []} for name in peers}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.json"
        path.write_text(json.dumps(job))
        for turn in range(rounds + cold):
            for name in _turned(peers, turn):
                if "failed" not in facts[name]:
                    _whole(name, path, facts[name], job.get("accuracy", -inf), counts=turn >= cold)
    return {name: _summary(facts[name]) for name in peers}


def _whole(name: str, job: Path, facts: Facts, goal: float, *, counts: bool) -> None:
    options: dict[str, Any] = {"cwd": BENCH, "env": environment(), "timeout": PATIENCE}
    begun = time.perf_counter()
    try:
        done = subprocess.run(
            _command(name, "reach", job), capture_output=True, text=True, **options
        )
    except subprocess.TimeoutExpired:
        facts["failed"] = f"not there within {PATIENCE:.0f} s"
        return
    seconds = time.perf_counter() - begun
    if done.returncode:
        facts["failed"] = (done.stderr.strip().splitlines()[-1:] or ["ended without a word"])[0]
    elif counts:
        found = json.loads(done.stdout.splitlines()[-1])
        if found["score"] < goal:
            facts["failed"] = f"reached {found['score']:.4f} only, in {seconds:.1f} s"
            return
        facts["seconds"].append(seconds)
        facts["scores"].append(found.pop("score"))
        facts.update(found)


def _summary(facts: Mapping[str, Any]) -> Facts:
    seconds, scores = facts["seconds"], facts["scores"]
    rest = {k: v for k, v in facts.items() if k not in ("seconds", "scores")}
    if not seconds:
        return rest
    return {
        "median": round(median(seconds), 4),
        "spread": [round(min(seconds), 4), round(max(seconds), 4)],
        "score": round(mean(scores), 4),
        "rounds": len(seconds),
    } | rest

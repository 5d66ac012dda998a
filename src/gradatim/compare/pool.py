"""Worker processes of one thread each: two of them beat one process of two threads.

Here they are forked from one warm process where the system allows it (`compare.local`), else
joblib begins them anew; on a cluster joblib's backends hand the calls out.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gradatim.compare.local.staff import Call, WorkerKilled, available, forked
from gradatim.core.errors import ResourceError

__all__ = ["HERE", "Call", "Crew", "delayed", "side_by_side", "workers"]

# Killed workers of joblib leave shared arrays behind; the tracker that removes them says so.
QUIET = "ignore:resource_tracker"
GRACE = 10.0
"""Seconds that workers have to save a checkpoint when they are asked to leave."""


def delayed(function: Callable[..., Any], *given: Any, **named: Any) -> Call:
    """Return a call as `side_by_side` takes it, and joblib: function, arguments, keywords."""
    return function, given, named


@dataclass(frozen=True)
class Crew:
    """Processes that take calls, on this machine or on a cluster.

    Args:
        count: how many calls run side by side.
        backend: arguments of `joblib.parallel_config`.
        stop: ends the calls that are running and returns when no worker writes any more.
        packed: makes a call ready for the journey.
    """

    count: int
    backend: Mapping[str, Any]
    stop: Callable[[], None]
    packed: Callable[[Call], Call] = lambda call: call


def _cores() -> int:
    known = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1


def _dismiss() -> None:
    """Ask the workers to save and leave; end those that take longer than some seconds."""
    from joblib.externals.loky import get_reusable_executor

    executor = get_reusable_executor()
    processes = list(executor._processes.values())
    try:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
        end = time.monotonic() + GRACE
        while any(process.is_alive() for process in processes) and time.monotonic() < end:
            time.sleep(0.05)
    finally:
        executor.shutdown(kill_workers=True)


HERE = Crew(
    # A single worker would be this process itself, which must stay free for Ctrl-C.
    count=max(2, _cores()),
    backend={"backend": "loky", "inner_max_num_threads": 1},
    stop=_dismiss,
)
"""One process a core that this process may use, at least two."""


def workers(on: Crew = HERE) -> int:
    """Return how many fits run side by side."""
    return on.count


def side_by_side(calls: Iterable[Call], *, ordered: bool = True, on: Crew = HERE) -> Iterator[Any]:
    """Run calls in workers and yield their results.

    Calls are drawn when a worker is free, so an iterator may decide late what comes next. When the
    caller stops listening, the workers are ended.

    Args:
        calls: what to run, as `delayed` makes them.
        ordered: yield in the order of the calls; otherwise as they finish.
        on: who runs them.

    Raises:
        ResourceError: a worker here was killed.
    """
    try:
        if on is HERE and available():
            yield from forked(calls, on.count, ordered=ordered)
        else:
            yield from _by_joblib(calls, ordered, on)
    except WorkerKilled as error:
        raise ResourceError(
            "a worker process was killed, as the system does when memory is short;\n"
            "the same command goes on; give fewer rows, or leave out costly rungs"
        ) from error


def _by_joblib(calls: Iterable[Call], ordered: bool, on: Crew) -> Iterator[Any]:
    import joblib
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    os.environ.setdefault("PYTHONWARNINGS", QUIET)
    how = "generator" if ordered else "generator_unordered"
    with joblib.parallel_config(**on.backend):
        pool = joblib.Parallel(n_jobs=workers(on), return_as=how, pre_dispatch="n_jobs")
        try:
            yield from pool(map(on.packed, calls))
        except TerminatedWorkerError as error:
            on.stop()
            raise WorkerKilled from error
        except BaseException:
            on.stop()
            raise

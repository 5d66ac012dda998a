"""Worker processes of one thread each: two of them beat one process of two threads."""

import os
from collections.abc import Iterable, Iterator
from typing import Any

import joblib
from joblib.externals.loky import get_reusable_executor

__all__ = ["side_by_side", "workers"]

# Killed workers leave shared arrays behind; the tracker that removes them says so at the exit.
QUIET = "ignore:resource_tracker"


def workers() -> int:
    """Return how many fits run side by side: one a core that this process may use, at least two.

    A single worker would be this process itself, which must stay free for Ctrl-C.
    """
    known = hasattr(os, "sched_getaffinity")
    return max(2, len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1)


def side_by_side(calls: Iterable[Any], *, ordered: bool = True) -> Iterator[Any]:
    """Run `joblib.delayed` calls in workers and yield their results.

    Calls are drawn when a worker is free, so an iterator may decide late what comes next. When the
    caller stops listening, the workers are ended.

    Args:
        calls: what to run.
        ordered: yield in the order of the calls; otherwise as they finish.
    """
    os.environ.setdefault("PYTHONWARNINGS", QUIET)
    how = "generator" if ordered else "generator_unordered"
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        pool = joblib.Parallel(n_jobs=workers(), return_as=how, pre_dispatch="n_jobs")
        try:
            yield from pool(calls)
        except BaseException:
            get_reusable_executor().shutdown(kill_workers=True)
            raise

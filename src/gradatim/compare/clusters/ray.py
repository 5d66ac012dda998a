"""Ray: a local cluster of one-thread workers, or one that is already there.

Calls go through a backend for joblib of our own.

Source: joblib 1.6, "ParallelBackendBase"; Ray 2.60, "ray.init", "ray.remote".
Deviations: not `ray.util.joblib.register_ray`, whose pool refuses `return_as="generator"`, deals
    calls out in turn, to busy actors too, and maps arrays from a file that only this machine has.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from joblib import register_parallel_backend
from joblib.parallel import ParallelBackendBase

from gradatim.compare.clusters.guard import guarded
from gradatim.compare.pool import HERE, Crew
from gradatim.core.errors import ConfigError, ResourceError

__all__ = ["Tasks", "opened"]

PATIENCE = 5.0
"""Seconds for a cluster to answer."""
ONE = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@contextmanager
def opened(address: str | None) -> Iterator[Crew]:
    """Hold a crew on Ray while the block runs.

    Args:
        address: ray://HOST:PORT of a head node's client server; None starts a local cluster.

    Raises:
        ResourceError: no cluster answers there.
        ConfigError: this process uses Ray already.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    for what in ("INITIAL", "MAX"):  # a client tries three times, and `_reach` has tried before
        os.environ.setdefault(f"RAY_CLIENT_{what}_CONNECTION_TIMEOUT_S", "1")
    import ray

    if ray.is_initialized():
        raise ConfigError("this process uses Ray already; call ray.shutdown() before")
    # Sockets lie in it, whose names must be short: where this is long, Ray takes its own.
    short = len(tempfile.gettempdir()) < 30
    scratch = tempfile.mkdtemp(prefix="ray-") if short else None
    with nullcontext() if address else guarded():
        try:
            _begin(ray, address, scratch)
            register_parallel_backend("gradatim-ray", Tasks)
            tasks = Running(ray)
            yield Crew(
                count=max(1, int(ray.cluster_resources().get("CPU", 1))),
                backend={"backend": "gradatim-ray", "running": tasks},
                stop=tasks.stop if address else ray.shutdown,
            )
        finally:
            ray.shutdown()
            if scratch:
                shutil.rmtree(scratch, ignore_errors=True)


def _begin(ray: Any, address: str | None, scratch: str | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address is None:
        ray.init(num_cpus=HERE.count, include_dashboard=False, _temp_dir=scratch, **quiet)
        return
    _reach(address)
    try:
        ray.init(address, runtime_env={"env_vars": ONE}, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        text = f"the Ray cluster at {address} refuses: {reason}"
        remedy = "give it the token, if it asks for one: RAY_AUTH_MODE=token"
        raise ResourceError(f"{text}; {remedy}") from error


def _reach(address: str) -> None:
    """Look whether a server is there: Ray itself would try for longer than a user waits."""
    import grpc

    channel = grpc.insecure_channel(address.removeprefix("ray://"))
    try:
        grpc.channel_ready_future(channel).result(timeout=PATIENCE)
    except grpc.FutureTimeoutError as error:
        text = f"no Ray cluster answers at {address} within {PATIENCE:.0f} s"
        raise ResourceError(f"{text}; start one: ray start --head") from error
    finally:
        channel.close()


class Running:
    """Calls on their way, and what all of them read, kept once in Ray's memory."""

    def __init__(self, ray: Any) -> None:
        self.ray = ray
        self.task = ray.remote(num_cpus=1)(_call)
        self.references: set[Any] = set()
        self.sent: dict[int, tuple[Any, Any]] = {}
        # What follows a result must not run in the thread that Ray's client gets results by: it
        # hands out the next call, and that waits for this very thread.
        self.aside = ThreadPoolExecutor(1)

    def start(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> "Future[Any]":
        """Start a call where a worker is free."""
        reference = self.task.remote(function, *map(self._one, arguments))
        self.references.add(reference)
        future: Future[Any] = reference.future()
        self.then(future, lambda done: self.references.discard(reference))
        return future

    def then(self, future: "Future[Any]", what: Callable[[Any], None]) -> None:
        """Call `what` with a future when it is done."""
        future.add_done_callback(lambda done: self.aside.submit(what, done))

    def stop(self) -> None:
        """End the workers of all calls and wait until they are gone."""
        left = list(self.references)
        for reference in left:
            self.ray.cancel(reference, force=True)
        if left:
            self.ray.wait(left, num_returns=len(left), timeout=PATIENCE)

    def _one(self, value: Any) -> Any:
        if type(value) is not dict:
            return value
        if id(value) not in self.sent:
            self.sent[id(value)] = (value, self.ray.put(value))
        return self.sent[id(value)][1]


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


class Tasks(ParallelBackendBase):
    """joblib's calls as tasks of Ray.

    Args:
        running: of the cluster that is open.
    """

    supports_retrieve_callback = True

    def __init__(self, running: Running, **others: Any) -> None:
        super().__init__(**others)
        self.running = running

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return as many as were asked for: Ray queues what it has no worker for."""
        return n_jobs

    def submit(self, func: Any, callback: Callable[[Any], None] | None = None) -> "Future[Any]":
        """Start a batch, which is one call here."""
        ((function, arguments, keywords),) = func.items
        assert not keywords, "calls of the pool have positional arguments alone"
        future = self.running.start(function, arguments)
        if callback is not None:
            self.running.then(future, callback)
        return future

    def retrieve_result_callback(self, out: "Future[Any]") -> list[Any]:
        """Return the results of a batch."""
        return [out.result()]

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """End what is running."""
        with suppress(Exception):
            self.running.stop()

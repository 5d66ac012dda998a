"""Dask: a local cluster of one-thread workers, or a scheduler that is already there.

Calls go through joblib's own Dask backend.

Source: joblib 1.6, "joblib._dask"; distributed 2026.8, "LocalCluster", "Client".
"""

import asyncio
import logging
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any

from gradatim.compare.pool import HERE, Call, Crew
from gradatim.core.errors import ConfigError, ResourceError

__all__ = ["opened"]

PATIENCE = 4.0
"""Seconds for a scheduler to answer, and again for its first worker."""


class Sent(dict[str, Any]):
    """Rows that Dask sends once and keeps: a plain dict cannot be told apart from its copies."""

    __slots__ = ("__weakref__",)


@contextmanager
def opened(address: str | None) -> Iterator[Crew]:
    """Hold a crew on Dask while the block runs.

    Args:
        address: of a scheduler; None starts a local cluster.

    Raises:
        ResourceError: no scheduler answers there, or it has no workers.
        ConfigError: its workers have several threads. Chance in a model is that of a process, so
            two fits in one process would not be what each is alone.
    """
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with ExitStack() as open_:
        if address:
            _reach(address)
        cluster = None if address else open_.enter_context(_local())
        client = Client(cluster or address, set_as_default=False)
        open_.callback(partial(_closed, client))
        if address:
            _check(client, address)
        else:
            client.run(_deaf)
        yield Crew(
            count=max(1, sum(client.nthreads().values())),
            backend={"backend": "dask", "client": client},
            stop=cluster.close if cluster else partial(_restart, client),
            packed=_Packing(),
        )


@contextmanager
def _local() -> Iterator[Any]:
    from distributed import LocalCluster

    with tempfile.TemporaryDirectory(prefix="gradatim-dask-") as scratch:
        cluster = LocalCluster(
            n_workers=HERE.count,
            threads_per_worker=1,
            memory_limit=0,  # Dask would pause or end a worker by a share that fits do not know of
            dashboard_address=None,
            local_directory=scratch,
            silence_logs=logging.CRITICAL,
        )
        try:
            yield cluster
        finally:
            cluster.close(timeout=10)


def _deaf() -> None:
    """Ignore Ctrl-C: a terminal sends it to all processes, and only the climb itself may answer.

    Dask runs this in the main thread of a worker, where handlers of signals can be set.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _reach(address: str) -> None:
    """Look whether a scheduler is there: a client would wait for ever for one that is silent."""
    from distributed.comm import connect
    from distributed.security import Security

    async def greet() -> None:
        said = connect(address, PATIENCE, **Security().get_connection_args("client"))
        (await asyncio.wait_for(said, PATIENCE)).abort()

    try:
        with ThreadPoolExecutor(1) as aside:  # a notebook has an event loop in this thread
            aside.submit(lambda: asyncio.run(greet())).result()
    except (OSError, ValueError) as error:
        text = f"no Dask scheduler answers at {address} within {PATIENCE:.0f} s"
        raise ResourceError(f"{text}; start one: dask scheduler, then dask worker") from error


def _closed(client: Any) -> None:
    with suppress(OSError, TimeoutError):  # the cluster may be gone before
        client.close(timeout=5)


def _check(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        text = f"the Dask scheduler at {address} has no workers"
        raise ResourceError(f"{text}; start some: dask worker {address} --nthreads 1") from error
    most = max(client.nthreads().values())
    if most > 1:
        text = f"a Dask worker of {address} has {most} threads, and fits need processes of one"
        raise ConfigError(f"{text}; start them with: dask worker {address} --nthreads 1")


def _restart(client: Any) -> None:
    """Restart the workers that are busy with our calls: a thread cannot be ended otherwise."""
    mine = {str(key) for key in client.futures}
    busy = [at for at, keys in client.processing().items() if mine & {str(k) for k in keys}]
    client.cancel(list(client.futures.values()), force=True)
    with suppress(TimeoutError, ValueError):  # a worker without a nanny ends its fit first
        client.restart_workers(busy, timeout=PATIENCE, raise_for_error=False)


class _Packing:
    """Makes the rows of every call one object, so that joblib's backend sends them once."""

    def __init__(self) -> None:
        self.sent: dict[int, tuple[dict[str, Any], Sent]] = {}

    def __call__(self, call: Call) -> Call:
        function, arguments, keywords = call
        return function, tuple(map(self._one, arguments)), keywords

    def _one(self, value: Any) -> Any:
        if type(value) is not dict:
            return value
        return self.sent.setdefault(id(value), (value, Sent(value)))[1]

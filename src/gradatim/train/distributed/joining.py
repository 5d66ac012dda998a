"""Bringing the processes together that torchrun, or a cluster, has started."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from gradatim.core.errors import ConfigError, GradatimError, ResourceError
from gradatim.train.distributed.party import Party
from gradatim.train.interrupts import deaf

if TYPE_CHECKING:
    from gradatim.train.distributed.watch import Fault, Watch

__all__ = ["together"]

PATIENCE = timedelta(minutes=10)
"""How long a rank waits for the others at one operation; a lost one is noticed much earlier."""


@contextmanager
def together(shard: bool = False) -> Iterator[Party]:
    """Yield the party of this process: as torchrun has set up the environment, or of one.

    When one rank fails, all leave the block: the one with its own error, the others with an error
    of the same exit code that names the rank. The leader speaks; the others are silent.

    Args:
        shard: whether every rank shall hold a part of the network only.

    Raises:
        ConfigError: `shard` without torchrun.
        ResourceError: a rank was lost.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 and not (shard and "RANK" in os.environ):
        if shard:
            raise ConfigError(
                "--shard divides a network among processes that torchrun starts: "
                "torchrun --nproc-per-node N -m gradatim fit ... --shard"
            )
        yield Party()
        return
    # Only now: torch.distributed takes a second to import.
    from torch import distributed as dist

    from gradatim.train.distributed.ranks import Ranks
    from gradatim.train.distributed.watch import Watch

    _share_cores()
    device = _device()
    backend = "nccl" if device.type == "cuda" else "gloo"
    store, rank, size = next(dist.rendezvous("env://", timeout=PATIENCE))
    _silence(rank)
    watch = Watch(store.clone(), rank, size)
    try:
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)
        watch.processes  # noqa: B018  while all are alive
        yield Ranks(device, shard, watch)
    except BaseException as error:
        raise _explained(error, watch) from error
    dist.destroy_process_group()


def _explained(error: BaseException, watch: "Watch") -> BaseException:
    """Return the error to leave with: one's own, or that of the rank which left first."""
    from gradatim.train.distributed.watch import Fault

    with deaf():  # torchrun's request to stop must not hide the reason
        broken = isinstance(error, RuntimeError)
        if broken or isinstance(error, KeyboardInterrupt):
            fault = watch.culprit() if broken else watch.culprit(patience=0)
            if fault is not None:
                return _relayed(fault, watch)
        code = getattr(error, "exit_code", 6 if isinstance(error, KeyboardInterrupt) else 70)
        words = str(error) if code != 70 else f"{type(error).__name__}: {error}"
        watch.leave(Fault(watch.rank, code, words, traceback.format_exc()))
        return error

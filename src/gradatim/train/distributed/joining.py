"""Bringing the processes together that torchrun, or a cluster, has started."""

import os
import sys
import time
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
from gradatim.train.loop import out_of_memory

if TYPE_CHECKING:
    from gradatim.train.distributed.watch import Fault, Watch

__all__ = ["together"]

PATIENCE = timedelta(minutes=10)
"""How long a rank waits for the others at one operation; a lost one is noticed much earlier."""
LINGER = 0.5
"""Seconds by which the others outlive the rank that failed, for torchrun to see who was first."""
INTERRUPTED, BUG = 6, 70


@contextmanager
def together(shard: bool = False) -> Iterator[Party]:
    """Yield the party of this process: as torchrun has set up the environment, or a party of one.

    When one rank fails, all leave the block: that one with its own error, the others with an error
    of the same exit code that names the rank. The leader speaks, the others are silent.

    Args:
        shard: whether every rank shall hold a part of the network only.

    Raises:
        ConfigError: `shard` without torchrun.
        ResourceError: a rank was lost.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if shard and "RANK" not in os.environ:
        raise ConfigError(
            "--shard divides a network among processes, and there is one only\n"
            "start several: torchrun --nproc-per-node N -m gradatim fit ... --shard"
        )
    if size == 1 and not shard:
        yield Party()
        return
    # Not earlier: what ranks need takes seconds to import.
    from torch import distributed as dist
    from torch.distributed.rendezvous import rendezvous

    from gradatim.train.distributed.ranks import Ranks
    from gradatim.train.distributed.watch import Watch

    device, rank = _device(), int(os.environ["RANK"])
    _share_cores()
    _silence(rank)
    store, rank, size = next(rendezvous("env://", timeout=PATIENCE))
    watch = Watch(store.clone(), rank, size)
    backend = "nccl" if device.type == "cuda" else "gloo"
    try:
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)
        watch.meet()
        yield Ranks(device, shard, watch)
        dist.destroy_process_group()
    except BaseException as error:
        reason = _reason(error, watch)
        if reason is error:
            raise
        raise reason from error


def _reason(error: BaseException, watch: "Watch") -> BaseException:
    """Return the error to leave with: that of the rank which left first, or one's own."""
    from gradatim.train.distributed.watch import GRACE, Fault

    deaf()  # torchrun asks to stop when a rank fails; that must not hide why it failed
    if isinstance(error, RuntimeError) and out_of_memory(error):
        error = ResourceError(
            "out of memory; use more ranks, --shard, or a smaller --set batch=..."
        )
    if isinstance(error, RuntimeError | KeyboardInterrupt):
        broken = type(error).__name__.startswith("Dist") or "gloo" in str(error)
        fault = watch.culprit(GRACE if broken else 0.0)
        if fault is not None:
            return _relayed(fault, watch)
    code = getattr(error, "exit_code", INTERRUPTED if isinstance(error, KeyboardInterrupt) else BUG)
    words = f"{type(error).__name__}: {error}" if code == BUG else str(error)
    watch.leave(Fault(watch.rank, code, f"rank {watch.rank}: {words}", traceback.format_exc()))
    return error


def _relayed(fault: "Fault", watch: "Watch") -> BaseException:
    """Return a fault of another rank as an error of this one."""
    if fault.lost and watch.speaks(fault):
        sys.stderr = sys.__stderr__
    time.sleep(LINGER)
    kinds = {kind.exit_code: kind for kind in GradatimError.__subclasses__()}
    error: BaseException = RuntimeError(fault.message)
    if fault.code == INTERRUPTED:
        error = KeyboardInterrupt()
    elif fault.code in kinds:
        error = kinds[fault.code](fault.message)
    error.add_note(fault.trace)
    return error


def _silence(rank: int) -> None:
    """Have the leader alone speak."""
    if rank > 0:
        sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def _device() -> torch.device:
    """Return the CUDA device of this rank, where each rank of the machine can have one."""
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if torch.cuda.device_count() < int(os.environ.get("LOCAL_WORLD_SIZE", "1")):
        return torch.device("cpu")
    torch.cuda.set_device(local)
    return torch.device("cuda", local)


def _share_cores() -> None:
    """Give each rank of this machine as many threads as there are cores for it, unless told."""
    if not _told_threads():
        local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // local))


def _told_threads() -> bool:
    """Tell whether the user has set OMP_NUM_THREADS; torchrun sets 1 where nobody has."""
    name = "OMP_NUM_THREADS"
    if "TORCHELASTIC_RUN_ID" in os.environ:
        with suppress(OSError):
            started = Path(f"/proc/{os.getppid()}/environ").read_bytes().split(b"\0")
            return any(line.startswith(f"{name}=".encode()) for line in started)
    return name in os.environ

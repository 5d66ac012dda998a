"""`Ranks`: several processes, each with a number, that train one model."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.learner import Optimizer
from gradatim.core.randomness import seed_for
from gradatim.train.distributed.party import Party
from gradatim.train.distributed.spread import Spread
from gradatim.train.distributed.watch import Watch
from gradatim.train.interrupts import asked
from gradatim.train.loop import Record

__all__ = ["Ranks"]

MEET = 0.05
"""Seconds between two meetings at which ranks ask each other whether to pause, or one step."""


class Ranks(Party):
    """The processes of a process group, seen from one of them.

    Without `shard` every rank has the whole network and gradients are averaged
    (`DistributedDataParallel`); with it every rank has a part of every parameter, its gradient and
    its state in the optimizer (`fully_shard`, called FSDP2).

    Args:
        device: of this rank's part of the work.
        shard: as above.
        watch: notices lost ranks.
    """

    def __init__(self, device: torch.device, shard: bool, watch: Watch) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.device, self.shard, self.watch = device, shard, watch

    def check(self, optimizer: type[Optimizer], name: str) -> None:
        if optimizer.looks_again:
            raise ConfigError(
                f"{name} looks at a batch several times a step, which ranks cannot do together\n"
                "choose another optimizer, or fit in one process"
            )
        if self.shard and not optimizer.elementwise:
            raise ConfigError(
                f"{name} needs whole matrices, which no rank has under --shard\n"
                "choose another optimizer, or leave --shard out"
            )

    def spread(self, network: nn.Module) -> nn.Module:
        for name, module in network.named_modules():
            if isinstance(module, _BatchNorm):
                raise ConfigError(
                    f"batch normalisation ({name}) needs all rows of a batch, a rank has a share\n"
                    "use another, such as --set model.normalisation=layer, or fit in one process"
                )
        network.to(self.device)
        if self.shard:
            return Spread(network, _sharded(network, self.device), self.device)
        mine = [self.device] if self.device.type == "cuda" else None
        # Buffers are the same everywhere: nothing here counts what it has seen.
        wrapped = DistributedDataParallel(network, device_ids=mine, broadcast_buffers=False)
        return Spread(network, wrapped, self.device)

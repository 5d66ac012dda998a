"""`Ranks`: several processes, each with a number, that train one model."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.learner import Optimizer
from gradatim.core.randomness import seed_for
from gradatim.runs.checkpoints import Checkpoints
from gradatim.train import interrupts
from gradatim.train.distributed.normalisation import joint
from gradatim.train.distributed.parts import Parts, Shared
from gradatim.train.distributed.party import Party, Store
from gradatim.train.distributed.spread import Spread
from gradatim.train.distributed.watch import Watch
from gradatim.train.loop import Record

__all__ = ["Ranks"]

MEET = 0.05
"""Seconds from one meeting, at which ranks ask each other whether to pause, to the next."""


class Ranks(Party):
    """The processes of a process group, seen from one of them.

    Without `shard` every rank has the whole network, and gradients are averaged
    (`DistributedDataParallel`); with it every rank has a part of each parameter, of its gradient
    and of its state in the optimizer (`fully_shard`, called FSDP2).

    Args:
        device: of this rank's part of the work.
        shard: as above.
        watch: notices lost ranks.

    Source: Li et al. 2020, "PyTorch distributed"; Zhao et al. 2023, "PyTorch FSDP".
    """

    def __init__(self, device: torch.device, shard: bool, watch: Watch) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.device, self.shard, self.watch = device, shard, watch

    def check(self, optimizer: Optimizer) -> None:
        name = type(optimizer).__name__.lower()
        if optimizer.looks_again:
            raise ConfigError(
                f"{name} looks at a batch several times a step, which ranks do not do together\n"
                "choose another optimizer, or fit in one process"
            )
        if self.shard and not optimizer.elementwise:
            raise ConfigError(
                f"{name} needs whole matrices, and no rank has one under --shard\n"
                "choose another optimizer, or leave --shard out"
            )

    def spread(self, network: nn.Module) -> nn.Module:
        joint(network)
        network.to(self.device)
        if self.shard:
            for parameter in network.parameters():  # channels first: parts are cut from rows
                parameter.data = parameter.data.contiguous()
            self._divide(network)
            return Spread(network, network, self.device)
        mine = [self.device] if self.device.type == "cuda" else None
        return Spread(network, DistributedDataParallel(network, device_ids=mine), self.device)

    @torch.no_grad()
    def whole(self, network: nn.Module, empty: Callable[[], nn.Module]) -> nn.Module:
        answer = empty()
        into = answer.state_dict()
        for name, tensor in network.state_dict().items():
            full = _plain(tensor)  # of all ranks; the leader alone needs room for the whole
            if self.leads:
                into[name].copy_(full)
        return answer

    def seed(self, seed: int) -> int:
        return seed_for(seed, "rank", self.rank) if self.rank else seed

    def paced(
        self, records: Callable[[float], Iterator[Record | None]], pause: float
    ) -> Iterator[Record | None]:
        """Return records, and None at pauses; before each, ranks have met.

        Ranks pause after every step and most of them go on at once. How many steps lie between two
        meetings follows from the time the slowest rank took for the last ones: the same everywhere.
        """
        due, met, steps, stride = time.monotonic() + pause, time.monotonic(), 0, 1
        for record in records(-1.0):
            steps += 1
            if record is None and steps < stride:
                continue
            late, took = self._meet(time.monotonic() > due, time.monotonic() - met)
            stride, steps = max(1, int(steps * MEET / took)), 0
            if record is not None or late:
                yield record
                due = time.monotonic() + pause
            met = time.monotonic()

    def checkpoints(
        self,
        folder: Path,
        meaning: Mapping[str, str | int],
        like: Callable[[], Mapping[str, Tensor]],
    ) -> Store:
        store = Checkpoints(folder, meaning)
        return Parts(self, store, like) if self.shard else Shared(self, store)

    def agree(self, flag: bool) -> bool:
        return bool(self._most(float(flag))[0])

    def told(self, say: Callable[[], bytes]) -> bytes:
        mine = say() if self.leads else b""
        length = torch.tensor([len(mine)], device=self.device)
        dist.broadcast(length, 0)
        said = torch.empty(int(length), dtype=torch.uint8, device=self.device)
        if mine:
            said.copy_(torch.frombuffer(bytearray(mine), dtype=torch.uint8))
        dist.broadcast(said, 0)
        return said.cpu().numpy().tobytes()

    def same(self, what: str, text: str) -> None:
        digest = hashlib.blake2b(text.encode(), digest_size=6).digest()
        number = float(int.from_bytes(digest, "big"))  # below 2^53: exact
        highest, lowest = self._most(number, -number)
        if highest != -lowest:
            raise DataError(
                f"the ranks do not have the same {what}\n"
                "every machine must see the same files and run the same version"
            )

    @contextmanager
    def watching(self) -> Iterator[None]:
        with self.watch.over(), interrupts.jointly():
            yield

    def _meet(self, late: bool, took: float) -> tuple[bool, float]:
        """Tell whether a rank wants to pause, and how long the slowest took since the last time."""
        asked, some, most = self._most(interrupts.heard(), late, took)
        if asked:
            interrupts.agreed()
        return bool(asked or some), max(most, 1e-9)

    def _most(self, *numbers: float) -> list[float]:
        """Return the largest of each number over the ranks."""
        each = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        dist.all_reduce(each, dist.ReduceOp.MAX)
        return each.tolist()

    def _divide(self, network: nn.Module) -> None:
        """Leave this rank a part of every parameter; a step gathers one block after the other."""
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh(self.device.type, (self.size,))
        for block in _blocks(network):
            fully_shard(block, mesh=mesh)
        fully_shard(network, mesh=mesh)


def _blocks(network: nn.Module) -> list[nn.Module]:
    """Return what a network is a row of: the parts of its outermost sequences that have weights."""
    if isinstance(network, nn.Sequential | nn.ModuleList):
        return [part for part in network if any(True for _ in part.parameters())]
    return [block for child in network.children() for block in _blocks(child)]


def _plain(tensor: Tensor) -> Tensor:
    from torch.distributed.tensor import DTensor

    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor

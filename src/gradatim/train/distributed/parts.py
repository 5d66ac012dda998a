"""Checkpoints of a fit on several ranks: the leader writes one for all, or each rank its part."""

import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, load_file, save
from torch import Tensor
from torch.distributed.checkpoint.hf_storage import (
    HuggingFaceStorageReader,
    HuggingFaceStorageWriter,
)
from torch.distributed.checkpoint.state_dict_loader import load as read_parts
from torch.distributed.checkpoint.state_dict_saver import save as write_parts
from torch.distributed.tensor import DTensor

from gradatim.core.errors import CorruptError, NumericError
from gradatim.runs import disk
from gradatim.runs.checkpoints import STATE, Checkpoints
from gradatim.runs.commit import committed
from gradatim.runs.files import sha256
from gradatim.train.distributed.party import Party

__all__ = ["Parts", "Shared"]

MODEL, BEST = "learner.model.", "stopping.weights."
"""Names in a state begin so: the parameters, and those that early stopping keeps."""

State = Mapping[str, Tensor]


class Shared:
    """Checkpoints of a state that is the same on all ranks: those of one process, by the leader.

    So a fit goes on with any number of ranks, or in one process.

    Args:
        party: of these ranks.
        store: of the leader; the others leave it alone.
    """

    def __init__(self, party: Party, store: Checkpoints) -> None:
        self.party, self.store = party, store

    def save(self, step: int, state: State, *, records: Path | None = None) -> None:
        """Have the leader write."""
        if self.party.leads:
            self.store.save(step, state, records=records)

    def restore(self, records: Path | None = None) -> tuple[int, dict[str, Tensor]] | None:
        """Return what the leader finds, sent to all: machines need no common disk."""
        said = self.party.told(lambda: _packed(self.store.restore(records)))
        return (int(load(said)["learner.step"]), load(said)) if said else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about the state that `restore` returned."""
        return self.store.notes

    def wait(self) -> None:
        """Wait for the leader's writer, on the leader."""
        self.store.wait()


class Parts(Shared):
    """Checkpoints of which every rank writes its part; all ranks need the same disk.

    `parts-N-*` holds a safetensors file a rank, by torch.distributed.checkpoint; an ordinary
    checkpoint is committed after it, which holds the hashes of these files. Another number of
    ranks reads the pieces that it needs.

    Args:
        party: of these ranks.
        store: of the leader, for the checkpoint that names the parts.
        like: gives the state of the fit as it is divided now.
    """

    def __init__(self, party: Party, store: Checkpoints, like: Callable[[], State]) -> None:
        super().__init__(party, store)
        self.like = like

    def save(self, step: int, state: State, *, records: Path | None = None) -> None:
        """Write all parts, then the checkpoint that names them; training waits.

        Raises:
            NumericError: a parameter is NaN or infinite on some rank; nothing is written.
        """
        learnt = [_local(tensor) for name, tensor in state.items() if name.startswith(MODEL)]
        if self.party.agree(not all(bool(torch.isfinite(part).all()) for part in learnt)):
            raise NumericError(
                f"a parameter is NaN or infinite at step {step}; it was not saved, and the "
                "checkpoint before is kept.\nTry a lower learning rate: --set optimizer.lr=..."
            )
        name = self.party.told(lambda: f"parts-{step}-{secrets.token_hex(3)}".encode()).decode()
        writer = HuggingFaceStorageWriter(str(self.store.folder / name), save_distributed=True)
        write_parts(dict(state), storage_writer=writer)
        if self.party.leads:
            self.store.save(step, {"parts": self._index(name)}, records=records)
            self.store.wait()
            self._prune()

    def restore(self, records: Path | None = None) -> tuple[int, dict[str, Tensor]] | None:
        """Return the state of the newest checkpoint whose parts are as they were written."""
        name = self.party.told(lambda: self._newest(records)).decode()
        if not name:
            return None
        reader = HuggingFaceStorageReader(str(self.store.folder / name))
        state, like = {}, self.like()
        for key, meta in reader.read_metadata().state_dict_metadata.items():
            state[key] = _blank(key, meta, like)
        read_parts(state, storage_reader=reader)
        return int(state["learner.step"]), state

    def _index(self, name: str) -> Tensor:
        """Return name, sizes and hashes of parts, as the bytes of a JSON text."""
        files = sorted((self.store.folder / name).glob("*.safetensors"))
        facts = {path.name: [path.stat().st_size, sha256(path)] for path in files}
        text = json.dumps({"name": name, "files": facts})
        return torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)

    def _newest(self, records: Path | None) -> bytes:
        """Return the name of the newest parts, or nothing; what is damaged is taken away."""
        damaged: list[str] = []
        while (found := self.store.restore(records)) is not None:
            index = _read(found[1]["parts"])
            name = index["name"]
            if bytes(self._index(name).tolist()) == bytes(found[1]["parts"].tolist()):
                return str(name).encode()
            damaged.append(name)
            disk.remove_tree(committed(self.store.folder)[0])
        if damaged:
            raise CorruptError(
                f"no checkpoint in {self.store.folder} is as it was written ({damaged[0]} is not)\n"
                f"restore its files, or delete {self.store.folder} to begin anew"
            )
        return b""

    def _prune(self) -> None:
        """Remove parts that no checkpoint names any more."""
        homes = committed(self.store.folder)
        named = {_read(load_file(home / STATE)["parts"])["name"] for home in homes}
        for folder in self.store.folder.glob("parts-*"):
            if folder.name not in named:
                disk.remove_tree(folder)


def _packed(found: tuple[int, State] | None) -> bytes:
    return save({name: t.contiguous() for name, t in found[1].items()}) if found else b""


def _read(parts: Tensor) -> dict[str, Any]:
    index: dict[str, Any] = json.loads(bytes(parts.tolist()))
    return index


def _local(tensor: Tensor) -> Tensor:
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def _blank(name: str, meta: Any, like: State) -> Tensor:
    """Return a tensor to read into: divided as its model is, or whole."""
    model = like.get(name, like.get(name.replace(BEST, MODEL)))
    if isinstance(model, DTensor):
        return torch.zeros_like(model)
    return torch.empty(meta.size, dtype=meta.properties.dtype)

"""Checkpoints of a fit: its state at a step, written beside the training, two of them kept."""

import hashlib
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from gradatim.core.errors import ConfigError, CorruptError, NumericError
from gradatim.runs import disk
from gradatim.runs.commit import commit, committed, manifest_of, prune, sweep

__all__ = ["Checkpoints"]

STATE = "state.safetensors"
LEARNT = re.compile(r"(\d+\.)?learner\.model\.")
"""Names of what is learnt; a number before them says which of several fits it is."""
SOFT = ("torch", "threads")
"""What may differ when a fit goes on: then the last bits of its numbers may differ too."""

Meaning = Mapping[str, str | int]


@dataclass(frozen=True)
class _Snapshot:
    step: int
    state: Mapping[str, Tensor]
    records: Path | None
    length: int


class Checkpoints:
    """The checkpoints in a folder.

    Nothing in the folder says where it is, so a run that was moved goes on.

    Args:
        folder: of these checkpoints alone, made when the first one is saved.
        meaning: what the numbers belong to: hashes of config, data and code. torch's version and
            the number of threads are added.
    """

    def __init__(self, folder: Path, meaning: Meaning) -> None:
        self.folder = folder
        here: dict[str, str | int]
        here = {"torch": str(torch.__version__), "threads": torch.get_num_threads()}
        self.meaning = here | dict(meaning)
        self.notes: tuple[str, ...] = ()
        """What a user should know about the state that `restore` returned."""
        self._turn = threading.Lock()
        self._next: _Snapshot | None = None
        self._writer: threading.Thread | None = None
        self._error: Exception | None = None

    def save(self, step: int, state: Mapping[str, Tensor], *, records: Path | None = None) -> None:
        """Have a state written while training goes on.

        One is written at a time. A newer one waits for it, and takes the place of one that waits.

        Args:
            step: finished steps.
            state: copies that nobody changes any more.
            records: the file of the fit's records, which belong to the state as they are now.

        Raises:
            NumericError: a parameter is NaN or infinite; nothing is written.
            ResourceError: an earlier one could not be written.
        """
        _check_finite(step, state)
        self._complain()
        length = records.stat().st_size if records is not None and records.is_file() else 0
        with self._turn:
            self._next = _Snapshot(step, state, records, length)
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="checkpoints")
                self._writer.start()

    def wait(self) -> None:
        """Return when everything is written.

        Raises:
            ResourceError: something could not be written.
        """
        writer = self._writer
        if writer is not None:
            writer.join()
        self._complain()

    def restore(self, records: Path | None = None) -> tuple[int, dict[str, Tensor]] | None:
        """Return step and state of the newest checkpoint that is as written; None without any.

        Args:
            records: the file that was given to `save`; what was added later is cut off.

        Raises:
            CorruptError: there are checkpoints, and none is as it was written.
            ConfigError: the newest belongs to another config, data or code.
        """
        self.notes = ()
        sweep(self.folder)
        found = committed(self.folder)
        if not found:
            _cut(records, 0)
            return None
        damage: list[CorruptError] = []
        for folder in found:
            try:
                manifest = manifest_of(folder)
                _compare_records(records, manifest["records"])
            except CorruptError as error:
                damage.append(error)
                continue
            self._check_meaning(manifest["meaning"], folder.name)
            if damage:
                self.notes += (f"{damage[0]}; went on from {folder.name}",)
            if manifest["records"] is not None:
                _cut(records, manifest["records"][0])
            return manifest["step"], _load(folder / STATE)
        raise CorruptError(
            f"no checkpoint in {self.folder} is as it was written: {damage[0]};\n"
            f"restore that file, or delete {self.folder} to begin anew"
        )

    def clear(self) -> None:
        """Remove all checkpoints: the fit is done. What the writer met no longer matters."""
        writer = self._writer
        if writer is not None:
            writer.join()
        disk.remove_tree(self.folder)

    def _write(self) -> None:
        """Commit what waits until nothing does; the body of the thread."""
        while True:
            with self._turn:
                snapshot, self._next = self._next, None
                if snapshot is None:
                    self._writer = None
                    return
            try:
                self._commit(snapshot)
            except Exception as error:  # noqa: BLE001  it is raised again where the caller is
                self._error = error

    def _commit(self, snapshot: _Snapshot) -> None:
        records = _flushed(snapshot.records, snapshot.length)
        content = save({name: _packed(t) for name, t in snapshot.state.items()})
        facts = {"meaning": self.meaning, "records": records}
        prune(self.folder, commit(self.folder, snapshot.step, {STATE: content}, facts))

    def _complain(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _check_meaning(self, then: Meaning, name: str) -> None:
        names = sorted(then.keys() | self.meaning.keys())
        differ = [n for n in names if then.get(n) != self.meaning.get(n)]
        told = [f"{n}: {then.get(n)} then, {self.meaning.get(n)} now" for n in differ]
        if set(differ) - set(SOFT):
            raise ConfigError(
                f"{self.folder / name} belongs to another fit ({'; '.join(told)});\n"
                "ask as it was asked then, or choose another --out"
            )
        if differ:
            self.notes += (f"{'; '.join(told)}: the last bits may come out otherwise",)


def _check_finite(step: int, state: Mapping[str, Tensor]) -> None:
    for name, tensor in state.items():
        learnt = LEARNT.match(name) if tensor.is_floating_point() else None
        if learnt and not bool(torch.isfinite(tensor).all()):
            raise NumericError(
                f"{name[learnt.end() :]} holds NaN or infinite numbers at step {step}; "
                "it was not saved, and the checkpoint before is kept.\n"
                "Try a lower learning rate: --set optimizer.lr=..."
            )


def _packed(tensor: Tensor) -> Tensor:
    """Return a tensor on its own: safetensors refuses two that share memory."""
    tensor = tensor.detach().cpu().contiguous()
    alone = tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
    return tensor if alone else tensor.clone()


def _load(path: Path) -> dict[str, Tensor]:
    try:
        # Copies: numbers at other addresses in memory may round otherwise.
        return {name: tensor.clone() for name, tensor in load_file(path).items()}
    except (SafetensorError, OSError) as error:
        raise CorruptError(f"cannot read {path}: {error}; delete its folder") from error


def _flushed(records: Path | None, length: int) -> list[Any] | None:
    """Flush the records and return size and hash of those that belong to a state."""
    if records is None:
        return None
    if length:
        disk.flush(records)
    return [length, _digest(records, length) if length else ""]


def _digest(records: Path, length: int) -> str:
    with records.open("rb") as file:
        return hashlib.sha256(file.read(length)).hexdigest()


def _compare_records(records: Path | None, facts: list[Any] | None) -> None:
    if records is None or facts is None:
        return
    length, digest = facts
    if length and (not records.is_file() or _digest(records, length) != digest):
        raise CorruptError(f"{records} is not what was written (its SHA-256 differs)")


def _cut(records: Path | None, length: int) -> None:
    """Drop the records of steps that will be done again, and a line that was cut off."""
    if records is None or not records.is_file():
        return
    if not length:
        disk.remove(records)
    elif records.stat().st_size > length:
        with records.open("rb") as file:
            content = file.read(length)
        disk.write(records, content)

"""The state of a fit that was cut off: one safetensors file, and the records up to it."""

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from gradatim.core.errors import CorruptError
from gradatim.runs.files import write_bytes

__all__ = ["restore", "save_checkpoint"]

CHECKPOINT, RECORDS = "checkpoint.safetensors", "records.jsonl"


def save_checkpoint(folder: Path, state: Mapping[str, Tensor]) -> None:
    """Write all that changes while training, whole or not at all."""
    write_bytes(folder / CHECKPOINT, save({k: v.contiguous() for k, v in state.items()}))


def restore(folder: Path) -> dict[str, Tensor] | None:
    """Return the last checkpoint, dropping records that were written after it; None without one.

    Raises:
        CorruptError: the checkpoint cannot be read.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        (folder / RECORDS).unlink(missing_ok=True)
        return None
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CorruptError(f"cannot read {path}: {error}; delete it to begin anew") from error
    step = int(state["learner.step"])
    kept = [line for line in _lines(folder / RECORDS) if json.loads(line)["step"] <= step]
    write_bytes(folder / RECORDS, "".join(f"{line}\n" for line in kept).encode())
    return state


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    # A line that was cut off by a crash has no end; it belongs to a step that will be redone.
    return [line for line in path.read_text().split("\n")[:-1] if line]

"""What the children of `test_checkpoints_killed.py` do: save the state of five steps."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gradatim.runs import disk
from gradatim.runs.checkpoints import Checkpoints

STEPS = 5


def state_at(step: int) -> dict[str, Tensor]:
    """A state that tells its step."""
    chance = torch.Generator().manual_seed(step)
    weights = torch.randn(40, 5, generator=chance)
    return {"learner.model.w": weights, "learner.step": torch.tensor(step)}


def save_all(run: str, patiently: bool) -> int:
    """Go on from what is there to the last step; note, aside, what was promised to be there."""
    home = Path(run)
    disk.make_folder(home)
    records = home / "records.jsonl"
    checkpoints = Checkpoints(home / "checkpoints", {"config": "a"})
    restored = checkpoints.restore(records)
    for step in range(restored[0] + 1 if restored else 1, STEPS + 1):
        disk.append(records, f'{{"step": {step}}}\n')
        checkpoints.save(step, state_at(step), records=records)
        if patiently:
            checkpoints.wait()
            _promise(home, step)
    checkpoints.wait()
    _promise(home, STEPS)
    return STEPS


def look(run: str) -> dict[str, Any] | None:
    """What is restored, as plain values."""
    home = Path(run)
    restored = Checkpoints(home / "checkpoints", {"config": "a"}).restore(home / "records.jsonl")
    if restored is None:
        return None
    step, state = restored
    same = {name: bool(state[name].equal(tensor)) for name, tensor in state_at(step).items()}
    return {"step": step, "same": same == dict.fromkeys(state, True)}


def _promise(home: Path, step: int) -> None:
    part = home / "promised.part"
    part.write_text(str(step))
    part.replace(home / "promised")

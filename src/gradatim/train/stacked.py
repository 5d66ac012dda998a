"""Many fits at once: all folds, seeds and recipes of a dense rung trained as one model."""

import time
from collections.abc import Iterator, Mapping, Sequence
from math import inf

import torch
from torch import Tensor

from gradatim.core.errors import NumericError
from gradatim.core.recipe import Augmentation
from gradatim.core.task import Supervised
from gradatim.data.batches import Batches
from gradatim.layers.stack import stackable
from gradatim.train.distributed.party import ALONE
from gradatim.train.fitting import Fitting
from gradatim.train.loop import Record, Sums
from gradatim.train.team import Team

__all__ = ["Stacked", "alike"]


def alike(fittings: Sequence[Fitting]) -> bool:
    """Tell whether fits can be trained as one model: dense, of one shape, an epoch equally long."""
    first = fittings[0]
    return all(
        isinstance(fitting.trainee, Supervised)
        and type(fitting.trainee).step is Supervised.step
        and stackable(fitting.model.network)
        and isinstance(fitting.draw, Batches)
        and fitting.every == fitting.draw.per_epoch
        and not fitting.recipe.settle
        and fitting.rung == first.rung
        and fitting.draw.per_epoch == first.draw.per_epoch
        and fitting.draw.size == first.draw.size
        and fitting.learner.optimizers["model"].elementwise
        for fitting in fittings
    )


class Stacked:
    """Iterate for (place, record) of every fit, an epoch at a time; then all of them are fitted.

    Every fit keeps its own learner, order, schedule and early stopping, and gives what it would
    have given alone, up to the rounding of batched products. One that has ended leaves the stack;
    so does one whose loss is not finite any more, and is found in `failed`.

    Args:
        fittings: `alike`; their parameters become views of the stack's.
    """

    party = ALONE

    def __init__(self, fittings: Sequence[Fitting]) -> None:
        # In the order of recipes, so that those of one recipe lie side by side in the stack.
        places = sorted(range(len(fittings)), key=lambda i: fittings[i].recipe.model_dump_json())
        self.fittings = {i: fittings[i] for i in places}
        self.failed: dict[int, NumericError] = {}
        self.plain = all(f.draw.changes == Augmentation() and not f.draw.seen for f in fittings)

    def __iter__(self) -> Iterator[tuple[int, Record]]:
        """Fit all, yielding the records of every epoch."""
        return ((place, record) for said in self.run() for place, record in said.items())

    def run(self, pause: float = inf) -> Iterator[dict[int, Record]]:
        """Fit all, yielding the records of an epoch, and none whenever `pause` seconds passed."""
        start, places, team = time.monotonic(), list[int](), None
        while going := [i for i in self.fittings if self._going(i)]:
            if team is None or going != places:
                places, team = going, Team([self.fittings[i] for i in going], self.plain)
            done, broken = team.advance(time.monotonic() + pause)
            self.failed |= {places[i]: error for i, error in broken.items()}
            seconds = time.monotonic() - start
            yield {i: self._record(self.fittings[i], seconds) for i in places if done}
        self.finish()

    def finish(self) -> None:
        """End the training here: every fit with the weights that early stopping kept."""
        for place, fitting in self.fittings.items():
            if place not in self.failed:
                fitting.finish()

    @property
    def step(self) -> int:
        """How many steps the farthest has done."""
        return max(fitting.step for fitting in self.fittings.values())

    def state_dict(self) -> dict[str, Tensor]:
        """Return a copy of all that changes, as tensors: enough to go on bit for bit."""
        members = {i: fitting.state_dict() for i, fitting in self.fittings.items()}
        state = {f"{i}.{k}": v for i, own in members.items() for k, v in own.items()}
        texts = {f"failed.{i}": str(error).encode() for i, error in self.failed.items()}
        return state | {k: torch.tensor(list(v), dtype=torch.uint8) for k, v in texts.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict` returned, in a stack made from the same arguments."""
        for i, fitting in self.fittings.items():
            own = {k: v for k, v in state.items() if k.startswith(f"{i}.")}
            fitting.load_state_dict({k.removeprefix(f"{i}."): v for k, v in own.items()})
            if f"failed.{i}" in state:
                self.failed[i] = NumericError(bytes(state[f"failed.{i}"].tolist()).decode())

    def _going(self, place: int) -> bool:
        fitting = self.fittings[place]
        ended = fitting.step >= fitting.steps or fitting.stopping.exhausted
        return not ended and place not in self.failed

    def _record(self, fitting: Fitting, seconds: float) -> Record:
        learner = fitting.learner
        rate, means = learner.schedule(learner.step - 1), Sums(learner.memory).means()
        return fitting.watched(Record(learner.step, fitting.steps, rate, seconds, means))

"""The fits that a stack trains now: one batch, one loss, one update for all of them."""

import time
from collections.abc import Sequence
from itertools import groupby
from math import isfinite

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from gradatim.core.errors import NumericError
from gradatim.core.learner import not_finite
from gradatim.core.randomness import seed_for
from gradatim.core.samples import Samples
from gradatim.layers.stack import Stack
from gradatim.train.fitting import Fitting
from gradatim.train.group import Group
from gradatim.train.loop import PREFIX
from gradatim.train.rows import Rows

__all__ = ["Team"]

REPORTED = ("loss", "gradient_norm", "evaluations", "steps")


class Team:
    """Fits in step, side by side: those of one recipe are neighbours.

    Args:
        fittings: alike, and at the same step.
        plain: whether batches are rows as they lie, not changed on the way.
    """

    def __init__(self, fittings: Sequence[Fitting], plain: bool) -> None:
        self.fittings, self.first = list(fittings), fittings[0]
        self.stack = Stack([fitting.model.network for fitting in fittings])
        self.groups = _groups(self.fittings, self.stack)
        self.rows = Rows(self.fittings) if plain else None
        self.penalties = torch.tensor([f.recipe.l2 / 2 for f in fittings])
        self.penalised = any(f.recipe.l2 for f in fittings)
        clips = [f.recipe.clip or torch.inf for f in fittings]
        self.clips, self.unclipped = torch.tensor(clips), not any(f.recipe.clip for f in fittings)
        self.tasks = [fitting.supervisor for fitting in self.fittings]
        self.report = torch.ones(len(REPORTED), len(self.fittings))

    def advance(self, until: float) -> tuple[bool, dict[int, NumericError]]:
        """Take steps to the end of the epoch, but not after `until` and not past a broken fit.

        Returns:
            Whether the epoch has ended, and what broke, by the place in the team.
        """
        totals = self._totals()
        per_epoch = self.first.draw.per_epoch
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            while True:
                broken = self._step(totals)
                done = not broken and self.first.learner.step % per_epoch == 0
                if done or broken or time.monotonic() > until:
                    return done, broken

    def _step(self, totals: Tensor) -> dict[int, NumericError]:
        step = self.first.learner.step
        losses, norms = self.report[0], self.report[1]
        self._differentiate(self._batch(step))
        if not all(map(isfinite, self.report[:2].flatten().tolist())):
            places = enumerate(zip(losses, norms, strict=True))
            return {i: self._error(i, *told) for i, told in places if not _finite(told)}
        self._clip(norms)
        for group in self.groups:
            group.update(step)
        totals += self.report
        for fitting in self.fittings:
            fitting.learner.step += 1
        return {}

    def _batch(self, step: int) -> Samples:
        """Return the batches of all members, stacked."""
        if self.rows:
            return self.rows.batch(step)
        batches = [f.draw(step) for f in self.fittings]
        inputs = torch.stack([b.inputs for b in batches])
        return Samples(inputs, torch.stack([b.targets for b in batches]))

    def _differentiate(self, batch: Samples) -> None:
        """Leave gradients in the stack, and the losses and norms of all members in the report."""
        masks = self._masks(batch.inputs.shape[1])
        with torch.enable_grad():
            outputs = self.stack.answers(batch.inputs, masks)
        losses, slopes = self._slopes(outputs, batch.targets)
        norms = self.stack.differentiate(slopes)
        if self.penalised:
            for block in self.stack.blocks:
                if block.deep:
                    losses = losses + self.penalties * block.values.square().sum(1)
                    block.slopes.addcmul_(block.values, 2 * self.penalties[:, None])
            norms = self.stack.norms()
        self.report[0], self.report[1] = losses, norms

    def _slopes(
        self, outputs: Float[Tensor, "members rows outputs"], targets: Tensor
    ) -> tuple[Float[Tensor, " members"], Float[Tensor, "members rows outputs"]]:
        """Return the mean losses, and their gradients by the outputs."""
        if all(task is self.tasks[0] for task in self.tasks):
            each = self.tasks[0].slopes(outputs.flatten(0, 1), targets.flatten(0, 1))
            losses, slopes = (told.unflatten(0, outputs.shape[:2]) for told in each)
        else:
            own = zip(self.tasks, outputs, targets, strict=True)
            pairs = [task.slopes(z, t) for task, z, t in own]
            losses, slopes = (torch.stack(told) for told in zip(*pairs, strict=True))
        return losses.mean(1), slopes.div_(outputs.shape[1])

    def _masks(self, rows: int) -> Sequence[Tensor | None]:
        """Draw what dropout keeps, as each member alone would: by its seed and step."""
        layers = self.stack.dropouts()
        if not any(p for p, _ in layers):
            return [None] * len(layers)
        own = [(f.learner.seed, f.learner.step) for f in self.fittings]
        drawn: dict[tuple[int, int], list[Tensor]] = {}
        for seed, step in dict.fromkeys(own):
            torch.default_generator.manual_seed(seed_for(seed, "model", step))
            drawn[seed, step] = [F.dropout(torch.ones(rows, width), p) for p, width in layers]
        if len(drawn) == 1:
            return drawn[own[0]]
        return [torch.stack(each) for each in zip(*(drawn[k] for k in own), strict=True)]

    def _clip(self, norms: Tensor) -> None:
        if self.unclipped or not bool((norms > self.clips).any()):
            return
        scales = (self.clips / norms).clamp_max(1)
        for block in self.stack.blocks:
            block.slopes.mul_(scales[:, None])

    def _error(self, place: int, loss: Tensor, norm: Tensor) -> NumericError:
        """Say what broke a member, naming the rows of its batch."""
        fitting = self.fittings[place]
        broken = ("a gradient", norm) if loss.isfinite() else ("the loss", loss)
        error = not_finite(*broken, fitting.learner.step)
        batch = fitting.draw(fitting.learner.step)
        return fitting.supervisor.blaming(error, fitting.model.network, batch)

    def _totals(self) -> Float[Tensor, "reported members"]:
        """Return the sums of all members in float64; their own become views of them."""
        memories = [fitting.learner.memory for fitting in self.fittings]
        totals = torch.zeros(len(REPORTED), len(memories), dtype=torch.float64)
        for name, line in zip(REPORTED, totals, strict=True):
            for memory, own in zip(memories, line, strict=True):
                own += memory.get(f"{PREFIX}{name}", 0)
                memory[f"{PREFIX}{name}"] = own
        return totals


def _groups(fittings: Sequence[Fitting], stack: Stack) -> list[Group]:
    """Return one group a recipe."""
    groups, start = list[Group](), 0
    for _, neighbours in groupby(fittings, key=lambda fitting: fitting.recipe):
        members = list(neighbours)
        groups.append(Group(members, stack, start))
        start += len(members)
    return groups


def _finite(numbers: Sequence[Tensor]) -> bool:
    return all(bool(number.isfinite()) for number in numbers)

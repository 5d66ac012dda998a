"""The fits that a stack trains now: one batch, one loss, one update for all of them."""

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, groupby
from math import isfinite

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.errors import NumericError
from gradatim.core.learner import not_finite
from gradatim.core.randomness import seed_for
from gradatim.core.samples import Samples
from gradatim.data.batches import Batches
from gradatim.layers.stack import Stack
from gradatim.optim import OPTIMIZERS
from gradatim.train.fitting import Fitting
from gradatim.train.loop import ONE, PREFIX, Sums

__all__ = ["Rows", "Team"]

REPORTED = ("loss", "gradient_norm", "evaluations", "steps")


class Team:
    """Fits in step, side by side: those of one recipe are neighbours.

    Args:
        fittings: alike, and at the same step.
        rows: where their samples lie; None when batches are changed on the way.
    """

    def __init__(self, fittings: Sequence[Fitting], rows: "Rows | None") -> None:
        self.fittings, self.first = list(fittings), fittings[0]
        self.stack = Stack([fitting.model.network for fitting in fittings])
        self.groups = _groups(self.fittings, self.stack)
        self.rows = rows
        self.penalties = torch.tensor([f.recipe.l2 / 2 for f in fittings])
        self.penalised = any(f.recipe.l2 for f in fittings)
        clips = [f.recipe.clip or torch.inf for f in fittings]
        self.clips, self.unclipped = torch.tensor(clips), not any(f.recipe.clip for f in fittings)
        self.orders: tuple[int, Tensor] = (-1, torch.empty(0))

    def advance(self, until: float) -> tuple[bool, dict[int, NumericError]]:
        """Take steps to the end of the epoch, but not after `until` and not past a broken fit.

        Returns:
            Whether the epoch has ended, and what broke, by the place in the team.
        """
        sums = self._sums()
        per_epoch = self.first.draw.per_epoch
        with torch.random.fork_rng(devices=[]):
            while True:
                broken = self._step(sums)
                done = not broken and self.first.learner.step % per_epoch == 0
                if done or broken or time.monotonic() > until:
                    return done, broken

    def _step(self, sums: Sums) -> dict[int, NumericError]:
        step = self.first.learner.step
        batch = self._batch(step)
        masks = self._masks(len(batch.inputs[0]))
        losses = self._losses(self.stack(batch.inputs, masks), batch.targets)
        for number in self.stack.numbers.values():
            number.grad = None
        losses.sum().backward()
        said = torch.stack((losses.detach(), self._norms()))
        broken = [i for i, told in enumerate(zip(*said.tolist(), strict=True)) if not _finite(told)]
        if broken:
            return {i: self._error(i, *said[:, i]) for i in broken}
        self._clip(said[1])
        for group in self.groups:
            group.update(step)
        sums.add({"loss": said[0], "gradient_norm": said[1], "evaluations": ONE})
        for fitting in self.fittings:
            fitting.learner.step += 1
        return {}

    def _batch(self, step: int) -> Samples:
        """Return the batches of all members, stacked."""
        if self.rows is None:
            batches = [f.draw(step) for f in self.fittings]
            inputs = torch.stack([b.inputs for b in batches])
            return Samples(inputs, torch.stack([b.targets for b in batches]))
        epoch, place = divmod(step, self.first.draw.per_epoch)
        if self.orders[0] != epoch:
            orders = [_order(f, epoch) + self.rows.starts[id(f)] for f in self.fittings]
            self.orders = (epoch, torch.stack(orders, 1))
        samples, order = self.rows.samples, self.orders[1][place]
        shape, index = order.shape, order.flatten()
        inputs, targets = (t.index_select(0, index) for t in (samples.inputs, samples.targets))
        return Samples(inputs.unflatten(0, shape), targets.unflatten(0, shape))

    def _losses(self, outputs: Tensor, targets: Tensor) -> Float[Tensor, " members"]:
        """Return the mean loss of every member with its penalty."""
        tasks = [fitting.supervisor for fitting in self.fittings]
        if all(task is tasks[0] for task in tasks):
            rows = tasks[0].losses(outputs.flatten(0, 1), targets.flatten(0, 1))
            losses = rows.view(len(tasks), -1).mean(1)
        else:
            each = zip(tasks, outputs, targets, strict=True)
            losses = torch.stack([task.loss(z, t) for task, z, t in each])
        if self.penalised:
            weights = [w for w in self.stack.numbers.values() if w.dim() > 1]
            squares = torch.stack([w.square().sum((1, 2)) for w in weights]).sum(0)
            losses = losses + self.penalties * squares
        return losses

    def _masks(self, rows: int) -> list[Tensor]:
        """Draw what dropout keeps, as each member alone would: by its seed and step."""
        layers = self.stack.dropouts()
        if not any(p for p, _ in layers):
            return [ONE.expand(rows, width) for _, width in layers]
        own = [(f.learner.seed, f.learner.step) for f in self.fittings]
        drawn: dict[tuple[int, int], list[Tensor]] = {}
        for seed, step in dict.fromkeys(own):
            torch.default_generator.manual_seed(seed_for(seed, "model", step))
            drawn[seed, step] = [F.dropout(torch.ones(rows, width), p) for p, width in layers]
        if len(drawn) == 1:
            return drawn[own[0]]
        return [torch.stack(each) for each in zip(*(drawn[k] for k in own), strict=True)]

    def _norms(self) -> Float[Tensor, " members"]:
        size = len(self.fittings)
        parts = [
            torch.linalg.vector_norm(n.grad.view(size, -1), dim=1)
            for n in self.stack.numbers.values()
            if n.grad is not None
        ]
        return torch.stack(parts).norm(dim=0)

    def _clip(self, norms: Tensor) -> None:
        if self.unclipped or not bool((norms > self.clips).any()):
            return
        scales = (self.clips / norms).clamp_max(1)
        for number in self.stack.numbers.values():
            if number.grad is not None:
                number.grad.view(len(scales), -1).mul_(scales[:, None])

    def _error(self, place: int, loss: Tensor, norm: Tensor) -> NumericError:
        """Say what broke a member, naming the rows of its batch."""
        fitting = self.fittings[place]
        broken = ("a gradient", norm) if loss.isfinite() else ("the loss", loss)
        error = not_finite(*broken, fitting.learner.step)
        batch = fitting.draw(fitting.learner.step)
        return fitting.supervisor.blaming(error, fitting.model.network, batch)

    def _sums(self) -> Sums:
        """Return the sums of all members; their own become views of them."""
        memories = [fitting.learner.memory for fitting in self.fittings]
        zero, united = torch.zeros((), dtype=torch.float64), dict[str, Tensor]()
        for name in (f"{PREFIX}{name}" for name in REPORTED):
            united[name] = torch.stack([memory.get(name, zero) for memory in memories])
            for memory, own in zip(memories, united[name], strict=True):
                memory[name] = own
        return Sums(united)


def _order(fitting: Fitting, epoch: int) -> Tensor:
    assert isinstance(fitting.draw, Batches), "only such fits are stacked"
    return fitting.draw.order(epoch)


class Rows:
    """The samples of all fits one after the other: a batch of every member is one look-up."""

    def __init__(self, fittings: Sequence[Fitting]) -> None:
        parts = [fitting.draw.samples for fitting in fittings]
        lengths = [len(part) for part in parts]
        self.samples = Samples(
            torch.cat([part.inputs for part in parts]), torch.cat([part.targets for part in parts])
        )
        self.starts = dict(zip(map(id, fittings), accumulate([0, *lengths]), strict=False))
        inputs, targets = (t.split(lengths) for t in (self.samples.inputs, self.samples.targets))
        for fitting, part, x, t in zip(fittings, parts, inputs, targets, strict=True):
            fitting.draw.samples = replace(part, inputs=x, targets=t)


class Group:
    """Neighbours of one recipe with one optimizer, whose state is that of all of them.

    Args:
        fittings: the neighbours.
        stack: of the whole team.
        start: place of the first neighbour.
    """

    def __init__(self, fittings: Sequence[Fitting], stack: Stack, start: int) -> None:
        self.schedule, whole = fittings[0].learner.schedule, stack.numbers.values()
        self.whole, self.members, self.start = list(whole), stack.members, start
        self.count = len(fittings)
        self.numbers = [nn.Parameter(self._own(number.detach())) for number in whole]
        choice = fittings[0].recipe.optimizer
        self.optimizer = OPTIMIZERS[choice.name](self.numbers, choice)
        states = [fitting.learner.optimizers["model"].state for fitting in fittings]
        for name, tensors in self.optimizer.state.items():
            tensors[:] = [
                _shared([state[name] for state in states], i) for i in range(len(tensors))
            ]

    def update(self, step: int) -> None:
        """Move the neighbours' numbers by the gradients of the stack."""
        for own, number in zip(self.numbers, self.whole, strict=True):
            own.grad = None if number.grad is None else self._own(number.grad)
        rate = self.schedule(step)
        self.optimizer.update(rate, _never)

    def _own(self, tensor: Tensor) -> Tensor:
        """Return the neighbours' part of a tensor of the stack."""
        if self.count == self.members:
            return tensor
        size = len(tensor) // self.members
        return tensor[self.start * size : (self.start + self.count) * size]


def _groups(fittings: Sequence[Fitting], stack: Stack) -> list[Group]:
    """Return one group a recipe."""
    groups, start = list[Group](), 0
    for _, neighbours in groupby(fittings, key=lambda fitting: fitting.recipe):
        members = list(neighbours)
        groups.append(Group(members, stack, start))
        start += len(members)
    return groups


def _shared(states: Sequence[list[Tensor]], place: int) -> Tensor:
    """Return one tensor of state for all neighbours, of which their own become views.

    A count of steps is the same for all of them.
    """
    own = [state[place] for state in states]
    if own[0].dim() == 0:
        united = own[0].clone()
        parts = (united,) * len(own)
    else:
        united = torch.stack(own)
        parts = united.unbind()
    for state, part in zip(states, parts, strict=True):
        state[place] = part
    return united.flatten() if united.dim() == 2 else united


def _finite(numbers: Sequence[float]) -> bool:
    return all(map(isfinite, numbers))


def _never() -> Tensor:
    raise AssertionError("an optimizer that looks again cannot be stacked")

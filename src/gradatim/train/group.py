"""Members of a stack with one recipe: one optimizer moves them all."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gradatim.layers.stack import Block, Stack
from gradatim.optim import OPTIMIZERS
from gradatim.train.fitting import Fitting

__all__ = ["Group"]

States = Sequence[dict[str, Tensor]]
"""One state of the optimizer of every member, by the names of the parameters."""


class Group:
    """Neighbours of one recipe with one optimizer, whose state is that of all of them.

    Its parameters are the neighbours' lines of the stack's blocks: two tensors, few operations.

    Args:
        fittings: the neighbours.
        stack: of the whole team.
        start: place of the first neighbour.
    """

    def __init__(self, fittings: Sequence[Fitting], stack: Stack, start: int) -> None:
        self.schedule, self.own = fittings[0].learner.schedule, slice(start, start + len(fittings))
        self.lines = [(self._line(b, b.values), self._line(b, b.slopes)) for b in stack.blocks]
        parameters = [nn.Parameter(values) for values, _ in self.lines]
        for parameter, (_, slopes) in zip(parameters, self.lines, strict=True):
            parameter.grad = slopes
        choice = fittings[0].recipe.optimizer
        self.optimizer = OPTIMIZERS[choice.name](parameters, choice)
        for name, tensors in self.optimizer.state.items():
            states = [_named(fitting, name) for fitting in fittings]
            tensors[:] = [_shared(states, block) for block in stack.blocks]
            for fitting, state in zip(fittings, states, strict=True):
                fitting.learner.optimizers["model"].state[name][:] = state.values()

    def update(self, step: int) -> None:
        """Move the neighbours' numbers by the gradients of the stack."""
        self.optimizer.update(self.schedule(step), _never)

    def _line(self, block: Block, whole: Tensor) -> Tensor:
        """Return the neighbours' lines; vectors as one vector, which tells them from matrices."""
        lines = whole[self.own]
        return lines if block.deep else lines.flatten()


def _named(fitting: Fitting, name: str) -> dict[str, Tensor]:
    """Return a state of a fit's optimizer by the names of its parameters."""
    names = [name for name, _ in fitting.model.network.named_parameters()]
    return dict(zip(names, fitting.learner.optimizers["model"].state[name], strict=True))


def _shared(states: States, block: Block) -> Tensor:
    """Return one state for all neighbours' lines of a block, of which their own become views.

    A count of steps is the same for all of them.
    """
    own = [state[name] for state in states for name in block.parts]
    if own[0].dim() == 0:
        whole = own[0].clone()
        for state in states:
            state |= dict.fromkeys(block.parts, whole)
        return whole
    whole = torch.stack([block.line(state) for state in states])
    for name, part in block.split(whole).items():
        for state, view in zip(states, part, strict=True):
            state[name] = view
    return whole if block.deep else whole.flatten()


def _never() -> Tensor:
    raise AssertionError("an optimizer that looks again cannot be stacked")

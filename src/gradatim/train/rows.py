"""Batches of several fits whose rows are not changed on the way: one look-up for all of them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from gradatim.core.samples import Samples
from gradatim.data.batches import Batches
from gradatim.ops.compiled.step import look_up, obstacle
from gradatim.train.fitting import Fitting

__all__ = ["Rows"]


class Rows:
    """The rows of fits in step: the batch of each, in the order that it alone would take.

    Args:
        fittings: alike; their samples stay where they are.
    """

    def __init__(self, fittings: Sequence[Fitting]) -> None:
        self.draws = [_batches(fitting) for fitting in fittings]
        self.inputs = [draw.samples.inputs for draw in self.draws]
        self.targets = [draw.samples.targets for draw in self.draws]
        members, size = len(self.draws), self.draws[0].size
        self.room = self.inputs[0].new_empty((members, size, *self.inputs[0].shape[1:]))
        self.direct = obstacle() is None and all(x.is_contiguous() for x in self.inputs)
        self.epoch = -1
        self.orders = self.meant = torch.empty(0)

    def batch(self, step: int) -> Samples:
        """Return the batches of all members at a step, in room that the next call writes to."""
        epoch, place = divmod(step, self.draws[0].per_epoch)
        if epoch != self.epoch:
            self._begin(epoch)
        order = self.orders[place]
        if self.direct:
            look_up(self.inputs, order, self.room)
        else:
            for x, own, room in zip(self.inputs, order, self.room, strict=True):
                torch.index_select(x, 0, own, out=room)
        return Samples(self.room, self.meant[place])

    def _begin(self, epoch: int) -> None:
        """Draw the order of an epoch; targets are small enough to be put into it at once."""
        orders = [draw.order(epoch) for draw in self.draws]
        each = zip(self.targets, orders, strict=True)
        self.epoch, self.orders = epoch, torch.stack(orders, 1)
        self.meant = torch.stack([_in_order(own, order) for own, order in each], 1)


def _in_order(targets: Tensor, order: Tensor) -> Tensor:
    return targets.index_select(0, order.flatten()).unflatten(0, order.shape)


def _batches(fitting: Fitting) -> Batches:
    assert isinstance(fitting.draw, Batches), "only such fits are stacked"
    return fitting.draw

"""Batches as a function of the step: the same order after a resume, with nothing saved."""

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Int64
from torch import Tensor

from gradatim.core.randomness import generator
from gradatim.core.recipe import Augmentation, Recipe
from gradatim.core.samples import Samples
from gradatim.data.augment import augment, check_fits
from gradatim.data.patches import cut

__all__ = ["Batches"]

Seen = Callable[[Samples, torch.Generator], Samples]


class Batches:
    """Shuffled mini-batches of tensors that are held in memory.

    Every epoch has its own permutation. A last batch that would be short is left out, so batch
    normalisation never sees a single row; the next epoch draws other rows.

    Args:
        samples: features and encoded targets, or what `seen` makes them of.
        recipe: says the size of a batch (at most all rows), the seed, patches and augmentation.
        outputs: classes of the targets, which mixup has to know.
        kind: of the output, which says how targets move with a picture.
        seen: makes features and encoded targets of a batch, where the samples hold raw ones; it
            may draw by chance.

    Raises:
        ConfigError: these features cannot be changed or cut like this.
    """

    def __init__(
        self,
        samples: Samples,
        recipe: Recipe,
        outputs: int = 0,
        kind: str = "category",
        seen: Seen | None = None,
    ) -> None:
        self.samples, self.recipe, self.seen = samples, recipe, seen
        self.outputs, self.kind, self.changes = outputs, kind, recipe.augmentation
        self.side = min(recipe.patch, *samples.inputs.shape[2:]) if recipe.patch else 0
        rows = len(samples) * (recipe.patches if self.side else 1)
        self.size = min(recipe.batch, rows)
        self.per_epoch, self._rows = rows // self.size, rows
        self._epoch, self._order = -1, torch.empty(0, 0, dtype=torch.int64)
        check_fits(self.changes, self._drawn(torch.zeros(1, dtype=torch.int64), 0).inputs, kind)

    def __call__(self, step: int) -> Samples:
        """Return the batch of a step, counted from 0 over all epochs."""
        epoch, place = divmod(step, self.per_epoch)
        batch = self._drawn(self.order(epoch)[place], step)
        if self.changes != Augmentation():
            chance = generator(self.recipe.seed, "augmentation", step)
            batch = augment(batch, self.changes, chance, self.outputs, self.kind)
        if batch.inputs.dim() == 4:
            # Small residual networks train 1.2 to 1.7 times as fast with the channels last.
            planes = batch.inputs.contiguous(memory_format=torch.channels_last)
            batch = replace(batch, inputs=planes)
        return batch

    def order(self, epoch: int) -> Int64[Tensor, "batches size"]:
        """Return which samples make up the batches of an epoch."""
        if epoch != self._epoch:
            chance = generator(self.recipe.seed, "order", epoch)
            order = torch.randperm(self._rows, generator=chance) % len(self.samples)
            self._order = order[: self.per_epoch * self.size].view(self.per_epoch, self.size)
            self._epoch = epoch
        return self._order

    def _drawn(self, rows: Int64[Tensor, " rows"], step: int) -> Samples:
        """Return features and encoded targets of these rows."""
        if self.side:
            chance = generator(self.recipe.seed, "patches", step)
            batch = cut(self.samples, rows, self.side, chance)
        else:
            batch = self.samples.take(rows)
        if self.seen is None:
            return batch
        return self.seen(batch, generator(self.recipe.seed, "renewal", step))

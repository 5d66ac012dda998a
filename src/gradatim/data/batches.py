"""Batches as a function of the step: the same order after a resume, with nothing saved."""

import torch

from gradatim.core.randomness import generator
from gradatim.core.recipe import Augmentation
from gradatim.core.samples import Samples
from gradatim.data.augment import augment

__all__ = ["Batches"]


class Batches:
    """Shuffled mini-batches of tensors that are held in memory.

    Every epoch has its own permutation. A last batch that would be short is left out, so batch
    normalisation never sees a single row; the next epoch draws other rows.

    Args:
        samples: features and encoded targets.
        size: rows a batch; at most all of them.
        seed: of the run.
        changes: augmentation of pictures.
    """

    def __init__(
        self, samples: Samples, size: int, seed: int, changes: Augmentation | None = None
    ) -> None:
        self.samples, self.size, self.seed = samples, min(size, len(samples)), seed
        self.changes = changes or Augmentation()
        self.per_epoch = len(samples) // self.size
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.int64)

    def __call__(self, step: int) -> Samples:
        """Return the batch of a step, counted from 0 over all epochs."""
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            chance = generator(self.seed, "order", epoch)
            self._order = torch.randperm(len(self.samples), generator=chance)
            self._epoch = epoch
        rows = self._order[place * self.size : (place + 1) * self.size]
        inputs = self.samples.inputs[rows]
        if inputs.dim() == 4 and self.changes != Augmentation():
            inputs = augment(inputs, self.changes, generator(self.seed, "augmentation", step))
        return Samples(inputs, self.samples.targets[rows])

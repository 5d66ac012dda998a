"""`TokenBatches`: sentence pairs of like length together, about equally many tokens a batch."""

from dataclasses import replace

import torch
from jaxtyping import Int64
from torch import Tensor

from gradatim.core.errors import ConfigError
from gradatim.core.randomness import generator
from gradatim.core.recipe import Augmentation, Recipe
from gradatim.core.samples import Samples
from gradatim.layers.text.tokens import PAD, trimmed

__all__ = ["TokenBatches"]


class TokenBatches:
    """Batches of sentence pairs, cut to their longest sentence.

    All pairs are put in the order of their lengths, drawn anew among equals in every epoch, and cut
    where the tokens are shared out evenly: short sentences come in larger batches than long ones.
    The batches of an epoch are shuffled, every pair is in one of them, and how many there are never
    changes.

    Args:
        samples: tokens of both sides, PAD after their ends.
        recipe: says how many pairs a batch has on average, and the seed.

    Raises:
        ConfigError: an augmentation is asked for.

    Source: Vaswani et al. 2017, section 5.1 (batches by length and by count of tokens).

    >>> t = torch.tensor([[5, 0, 0, 0], [5, 6, 0, 0], [5, 6, 7, 8], [9, 0, 0, 0]])
    >>> batches = TokenBatches(Samples(t, t), Recipe(batch=2))
    >>> sorted(tuple(batches(step).inputs.shape) for step in range(batches.per_epoch))
    [(1, 4), (3, 2)]
    """

    seen = None
    side = 0

    def __init__(self, samples: Samples, recipe: Recipe) -> None:
        self.samples, self.recipe, self.changes = samples, recipe, recipe.augmentation
        if self.changes != Augmentation():
            raise ConfigError("sentences are not changed while they are learnt; omit augmentation")
        self.size = min(recipe.batch, len(samples))
        self.per_epoch = len(samples) // self.size
        source, target = ((side != PAD).sum(1) for side in (samples.inputs, samples.targets))
        self._tokens, self._key = source + target, target * (1 + source.max()) + source
        self._epoch, self._order = -1, list[Tensor]()

    def __call__(self, step: int) -> Samples:
        """Return the batch of a step, counted from 0 over all epochs."""
        epoch, place = divmod(step, self.per_epoch)
        batch = self.samples.take(self.order(epoch)[place])
        return replace(batch, inputs=trimmed(batch.inputs), targets=trimmed(batch.targets))

    def order(self, epoch: int) -> list[Int64[Tensor, " pairs"]]:
        """Return which pairs make up each batch of an epoch."""
        if epoch != self._epoch:
            chance = generator(self.recipe.seed, "order", epoch)
            drawn = torch.randperm(len(self.samples), generator=chance)
            rows = drawn[self._key[drawn].argsort(stable=True)]
            batches = rows.tensor_split(self._cuts(rows))
            shuffled = torch.randperm(len(batches), generator=chance).tolist()
            self._epoch, self._order = epoch, [batches[i] for i in shuffled]
        return self._order

    def _cuts(self, rows: Int64[Tensor, " rows"]) -> Int64[Tensor, " cuts"]:
        """Return where the batches begin, the first left out; none of them is empty."""
        count, before = self.per_epoch, self._tokens[rows].cumsum(0)
        shares = torch.arange(1, count) * before[-1] // count
        place = torch.arange(1, count)
        cuts = (torch.searchsorted(before, shares) + 1 - place).clamp_min(0).cummax(0).values
        return torch.minimum(cuts + place, len(rows) - count + place)

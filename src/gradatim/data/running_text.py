"""`RunningText`: windows of a text that is read in several places at once."""

import torch
from jaxtyping import Int64
from torch import Tensor

from gradatim.core.errors import ConfigError
from gradatim.core.randomness import generator
from gradatim.core.recipe import Augmentation, Recipe
from gradatim.core.samples import Samples
from gradatim.layers.text.tokens import BEGIN, PAD
from gradatim.ops.text.running import beginnings, running

__all__ = ["RunningText"]

WINDOW = 64
"""Tokens a step of each stream, where the recipe says none."""


class RunningText:
    """Streams side by side, a window of each a step; the next window goes on where one ended.

    The passages are one text that ends where it begins, BEGIN before each that does not go on
    from the one above it. Every epoch the streams begin elsewhere: at an offset drawn anew, evenly
    spread over the text. What is left over at their ends is of another place each time.

    A batch is inputs (streams, window), the tokens; targets, the ones after them; `numbers`, the
    passage in which each window begins; and `times`, how far its stream has come: 0 where the
    state that is carried begins anew.

    Args:
        samples: tokens of passages, PAD after their ends; targets are not looked at.
        recipe: says how many streams, the window, and the seed.

    Raises:
        ConfigError: an augmentation is asked for.
    """

    seen = None
    side = 0

    def __init__(self, samples: Samples, recipe: Recipe) -> None:
        self.samples, self.recipe, self.changes = samples, recipe, recipe.augmentation
        if self.changes != Augmentation():
            raise ConfigError("a text is not changed while it is learnt; leave augmentation out")
        begins = beginnings(samples.numbers, len(samples))
        self.text = running(samples.inputs, begins, begin=BEGIN, pad=PAD)
        total = len(self.text.tokens)
        self.window = min(recipe.window or WINDOW, total)
        self.size = min(recipe.batch, total // self.window)
        self.per_epoch = total // (self.size * self.window)

    def __call__(self, step: int) -> Samples:
        """Return the batch of a step, counted from 0 over all epochs."""
        epoch, place = divmod(step, self.per_epoch)
        first = self.order(epoch)[place]
        where = (first[:, None] + torch.arange(self.window)) % len(self.text.tokens)
        rows = self.text.row[first]
        return Samples(
            self.text.before[where],
            self.text.tokens[where],
            times=torch.full((self.size,), float(place * self.window), dtype=torch.float64),
            numbers=rows if self.samples.numbers is None else self.samples.numbers[rows],
        )

    def order(self, epoch: int) -> Int64[Tensor, "batches streams"]:
        """Return where in the text each window of an epoch begins."""
        total = len(self.text.tokens)
        chance = generator(self.recipe.seed, "order", epoch)
        offset = torch.randint(total, (), generator=chance)
        begin = offset + torch.arange(self.size) * total // self.size
        steps = torch.arange(self.per_epoch) * self.window
        return (begin + steps[:, None]) % total

"""`NgramCounts`: what followed every short context, as sorted tensors."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

from gradatim.layers.text.reader import Reader
from gradatim.layers.text.tokens import PAD, UNKNOWN
from gradatim.ops.text.running import Running
from gradatim.ops.text.smoothing import discount, kneser_ney, witten_bell

__all__ = ["NgramCounts", "Smoothing"]

Smoothing = Literal["witten_bell", "kneser_ney"]
TOGETHER = 2**18
"""Probabilities that are worked out at a time: what a cache holds."""


class NgramCounts(Reader):
    """Log-probabilities of the next token after the last `order - 1`, smoothed.

    A context of k tokens is the context of the k - 1 latest of them and one token before these:
    its number is the place of the pair in `contexts_k`, which is sorted. What followed context i
    is in `words_k` and `counts_k` from `starts_k[i]` to `starts_k[i + 1]`. So looking up is a
    binary search for all places of a text at once. Below the shortest context lies the uniform
    distribution over all tokens that stand for something.

    Args:
        order: tokens of the longest n-gram, from 1.
        smoothing: how contexts of different length are mixed.
        count: different tokens.
        extents: how many contexts and pairs there are; {} before it is filled.
    """

    carries: ClassVar[bool] = False
    discounts: Tensor

    def __init__(
        self, order: int, smoothing: Smoothing, count: int, extents: Mapping[str, int]
    ) -> None:
        super().__init__()
        self.order, self.smoothing, self.count = order, smoothing, count
        for k in range(order):
            contexts, pairs = (extents.get(f"{name}_{k}", 0) for name in ("contexts", "pairs"))
            self._keep(
                k,
                torch.zeros(contexts, dtype=torch.int64),
                torch.zeros(contexts + 1, dtype=torch.int64),
                torch.zeros(pairs, dtype=torch.int32),
                torch.zeros(pairs),
            )
        self.register_buffer("discounts", torch.zeros(order, dtype=torch.float64))

    @property
    def extents(self) -> dict[str, int]:
        """How many contexts of each length there are, and how many words after them."""
        sizes = {f"contexts_{k}": len(self.of("contexts", k)) for k in range(self.order)}
        return sizes | {f"pairs_{k}": len(self.of("words", k)) for k in range(self.order)}

    def of(self, name: str, k: int) -> Tensor:
        """Return `contexts`, `starts`, `words` or `counts` of contexts of k tokens."""
        return self.get_buffer(f"{name}_{k}")

    def fill(self, text: Running) -> "NgramCounts":
        """Count a text."""
        where = torch.arange(len(text.tokens))
        context = torch.zeros_like(where)
        keys = torch.zeros(1, dtype=torch.int64)
        pairs: list[Tensor] = []
        counts: list[Tensor] = []
        for k in range(self.order):
            if k:
                # Nothing stands before a beginning: there is no such context of k tokens.
                reaches = text.place[where] >= k - 1
                where, context = where[reaches], context[reaches]
                longer = context * self.count + text.before[where - (k - 1)]
                keys, context = torch.unique(longer, return_inverse=True)
            found = context * self.count + text.tokens[where]
            pair, often = torch.unique(found, return_counts=True)
            pairs.append(pair)
            counts.append(often)
            starts = torch.searchsorted(pair, torch.arange(len(keys) + 1) * self.count)
            self._keep(k, keys, starts, (pair % self.count).int(), often.float())
        if self.smoothing == "kneser_ney":
            self._count_histories(pairs, counts)
        return self

    def read(
        self, tokens: Int64[Tensor, "rows places"], memory: Int64[Tensor, "rows seen"] | None = None
    ) -> tuple[Float32[Tensor, "rows places count"], Int64[Tensor, "rows seen"]]:
        """Return the log-probabilities of the token after each, and what was read last.

        Args:
            tokens: that follow one another.
            memory: the `order - 1` tokens before them; None when nothing stands there.
        """
        reach = self.order - 1
        if memory is None:
            memory = tokens.new_full((len(tokens), reach), PAD)
        both = torch.cat([memory, tokens], 1)
        width = tokens.shape[1]
        steps = max(1, TOGETHER // max(1, self.count * len(tokens)))
        logs = [
            self._logs(both[:, first : min(first + steps, width) + reach])
            for first in range(0, width, steps)
        ]
        none = torch.zeros(len(tokens), 0, self.count)
        return torch.cat(logs or [none], 1), both[:, width:]

    def _logs(self, tokens: Tensor) -> Tensor:
        """Return the log-probabilities after each token but the first `order - 1`."""
        reach = self.order - 1
        latest = tokens[:, reach:]
        context = torch.zeros(latest.numel(), dtype=torch.int64)
        said = torch.zeros(len(context), self.count, dtype=torch.float64)
        said[:, UNKNOWN:] = 1 / (self.count - UNKNOWN)
        for k in range(self.order):
            if k:
                token = tokens[:, reach - (k - 1) : tokens.shape[1] - (k - 1)]
                context = self._longer(k, context, token.flatten())
            said = self._mixed(k, self._counts(k, context), said)
        # What cannot be has the log of the smallest number, for a saved score must be finite.
        logs = said.clamp_min(torch.finfo(torch.float32).tiny).log().float()
        return logs.view(*latest.shape, self.count)

    def _mixed(self, k: int, counts: Tensor, lower: Tensor) -> Tensor:
        if self.smoothing == "witten_bell":
            return witten_bell(counts, lower)
        return kneser_ney(counts, lower, float(self.discounts[k]))

    def _longer(self, k: int, context: Tensor, token: Tensor) -> Tensor:
        """Return the contexts with one token before them; -1 for one that was never seen."""
        known = self.of("contexts", k)
        if not len(known):
            return torch.full_like(context, -1)
        key = context * self.count + token
        place = torch.searchsorted(known, key).clamp_max(len(known) - 1)
        return torch.where((context >= 0) & (known[place] == key), place, -1)

    def _counts(self, k: int, context: Tensor) -> Float64[Tensor, "places count"]:
        """Return how often each token followed; none did a context that was never seen."""
        starts, words, counts = (self.of(name, k) for name in ("starts", "words", "counts"))
        full = torch.zeros(len(context), self.count, dtype=torch.float64)
        seen = (context >= 0).nonzero()[:, 0]
        first = starts[context[seen]]
        many = starts[context[seen] + 1] - first
        row = seen.repeat_interleave(many)
        # The pairs of each context lie side by side: from the first one on, one after the other.
        ends = many.cumsum(0)
        place = torch.arange(len(row)) + (first - ends + many).repeat_interleave(many)
        full[row, words[place].long()] = counts[place].double()
        return full

    def _count_histories(self, pairs: list[Tensor], counts: list[Tensor]) -> None:
        """Replace how often shorter n-grams were seen by after how many different tokens.

        One that stands at a beginning has nothing before it, and keeps its count.
        """
        for k in range(self.order - 1):
            longer = pairs[k + 1]
            parent = self.of("contexts", k + 1)[longer // self.count] // self.count
            place = torch.searchsorted(pairs[k], parent * self.count + longer % self.count)
            histories = torch.bincount(place, minlength=len(pairs[k]))
            counts[k] = torch.where(histories > 0, histories, counts[k])
            self.of("counts", k).copy_(counts[k])
        self.discounts.copy_(torch.tensor([discount(each) for each in counts], dtype=torch.float64))

    def _keep(
        self, k: int, contexts: Tensor, starts: Tensor, words: Tensor, counts: Tensor
    ) -> None:
        kept = {"contexts": contexts, "starts": starts, "words": words, "counts": counts}
        for name, tensor in kept.items():
            self.register_buffer(f"{name}_{k}", tensor)

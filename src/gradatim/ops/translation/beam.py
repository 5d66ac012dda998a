"""Beam search: the likeliest sentence, or almost, of a model that says one word at a time."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

__all__ = ["Say", "State", "beam_search", "length_penalty"]

State = tuple[Tensor, ...]
"""What is remembered of the words so far: (rows, beams, ...) each."""
Say = Callable[[Tensor, State, State], tuple[Tensor, State]]
"""From the latest words (rows, beams), the state after those before them, and what is known of each
source (rows, ...), to logits of the next word (rows, beams, words) and the next state."""


def length_penalty(length: int, alpha: float) -> float:
    """Return ((5 + T) / 6)^alpha, by which the log probability of T words is divided.

    Longer sentences are less probable, whatever they say; alpha = 0 lets it be.

    Source: Wu et al. 2016, equation (14).

    >>> length_penalty(7, 1.0)
    2.0
    """
    return float(((5 + length) / 6) ** alpha)


@torch.no_grad()
def beam_search(
    say: Say,
    start: State,
    source: State,
    limits: Int64[Tensor, " rows"],
    *,
    begin: int,
    end: int,
    banned: Sequence[int] = (),
    beams: int = 4,
    alpha: float = 0.6,
) -> Int64[Tensor, "rows longest"]:
    """Return of each row the words y with the largest log p(y) / penalty that were found.

    In every step each of the `beams` best beginnings of a row is continued by each word, and the
    best `beams` of what comes out are kept; those that end leave the beam with their score. A row
    is done when so many have ended, when no beginning can overtake the best of them any more, or at
    its limit: then a beginning stands for a sentence where none has ended.

    Args:
        say: the model; see `Say`.
        start: state before any word, (rows, ...) each; () where there is none.
        source: what is known of each row's source, (rows, ...) each.
        limits: the most words of each row, END included, from 1.
        begin: the word that stands before the first.
        end: the word that ends a sentence.
        banned: words that are never said.
        beams: beginnings that are kept; 1 takes the likeliest word each time.
        alpha: of the penalty, >= 0.

    Returns:
        Words without `begin` and `end`, 0 after the last.

    Source: Graves 2012, section 2.5; Sutskever, Vinyals & Le 2014, section 3.2; Wu et al. 2016,
        section 7 (the penalty).

    Deviations: no penalty for words of the source that were passed over; no cut of beginnings that
        are far behind the best.
    """
    search = _Search(start, source, limits, begin, beams, alpha)
    while len(search.rows):
        search.step(say, end, banned)
    return pad_sequence(search.best, batch_first=True)


class _Search:
    """The beginnings of the rows that are not done, best first, and the best sentence of each."""

    def __init__(
        self, start: State, source: State, limits: Tensor, begin: int, beams: int, alpha: float
    ) -> None:
        count, device = len(limits), limits.device
        self.beams, self.alpha, self.source, self.limits = beams, alpha, source, limits
        self.state = tuple(part[:, None].expand(-1, beams, *part.shape[1:]) for part in start)
        self.rows = torch.arange(count, device=device)
        self.words = torch.full((count, beams, 1), begin, dtype=torch.int64, device=device)
        self.scores = torch.full((count, beams), -torch.inf, device=device)
        self.scores[:, 0] = 0  # all beams begin alike, so only one of them counts
        self.best = [self.words.new_zeros(0)] * count
        self.height = torch.full((count,), -torch.inf, device=device)  # the score of the best
        self.ended = torch.zeros_like(limits)

    def step(self, say: Say, end: int, banned: Sequence[int]) -> None:
        """Say one word more in every row."""
        logits, self.state = say(self.words[:, :, -1], self.state, self.source)
        logits[:, :, list(banned)] = -torch.inf
        found = self.scores[:, :, None] + logits.log_softmax(2)
        # Twice as many as go on: of each beginning one continuation ends.
        count = min(2 * self.beams, found[0].numel())
        scores, place = found.flatten(1).topk(count)
        beam, word = place // found.shape[2], place % found.shape[2]
        ends = word == end
        self._end(scores.masked_fill(~ends, -torch.inf)[:, : self.beams], beam)
        self._go_on(scores.masked_fill(ends, -torch.inf), beam, word)
        self._leave()

    def _end(self, scores: Float[Tensor, "rows beams"], beam: Int64[Tensor, "rows found"]) -> None:
        """Take the beginnings that have ended with these scores; -inf for those that have not."""
        self.ended[self.rows] += (scores > -torch.inf).sum(1)
        values, place = (scores / length_penalty(self.words.shape[2], self.alpha)).max(1)
        chosen = beam.gather(1, place[:, None])
        self._note(values, _picked(self.words, chosen)[:, 0, 1:])

    def _go_on(
        self,
        scores: Float[Tensor, "rows found"],
        beam: Int64[Tensor, "rows found"],
        word: Int64[Tensor, "rows found"],
    ) -> None:
        """Keep the best beginnings."""
        self.scores, place = scores.topk(min(self.beams, scores.shape[1]))
        beam, word = beam.gather(1, place), word.gather(1, place)
        self.words = torch.cat([_picked(self.words, beam), word[:, :, None]], dim=2)
        self.state = tuple(_picked(part, beam) for part in self.state)

    def _leave(self) -> None:
        """Let the rows go that are done."""
        limits, length = self.limits[self.rows], self.words.shape[2] - 1
        late = limits <= length
        silent = late & (self.ended[self.rows] == 0)
        penalty = length_penalty(length, self.alpha)
        self._note((self.scores[:, 0] / penalty).where(silent, -torch.inf), self.words[:, 0, 1:])
        # No beginning can overtake the best: at its limit it will be no likelier than it is now.
        at_best = torch.tensor([length_penalty(n, self.alpha) for n in limits.tolist()])
        beaten = self.scores[:, 0] / at_best.to(self.scores) <= self.height[self.rows]
        going = ~(late | beaten | (self.ended[self.rows] >= self.beams))
        if not bool(going.all()):
            self.rows, self.scores, self.words = (
                part[going] for part in (self.rows, self.scores, self.words)
            )
            self.state = tuple(part[going] for part in self.state)
            self.source = tuple(part[going] for part in self.source)

    def _note(self, values: Float[Tensor, " rows"], words: Int64[Tensor, "rows length"]) -> None:
        """Remember sentences where they are the best of their rows."""
        better = values > self.height[self.rows]
        self.height[self.rows[better]] = values[better].to(self.height)
        for row, sentence in zip(self.rows[better].tolist(), words[better], strict=True):
            self.best[row] = sentence


def _picked(part: Tensor, place: Int64[Tensor, "rows chosen"]) -> Tensor:
    """Return part[row, place[row, i], ...]."""
    rows = torch.arange(len(place), device=place.device)[:, None]
    return part[rows, place]

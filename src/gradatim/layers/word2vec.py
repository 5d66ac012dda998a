"""Skip-gram with negative sampling: words used in the same contexts get near vectors."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.errors import ConfigError

__all__ = ["SkipGram", "draw_negatives", "pairs"]


def pairs(tokens: Int64[Tensor, " tokens"], window: int) -> Int64[Tensor, "pairs 2"]:
    """Return (centre, context) for every two words at most `window` places apart.

    Args:
        tokens: a text, as numbers of words.
        window: places to each side, 1 or more.

    Source: Mikolov et al. 2013, equation (1).

    Deviations: the window is not shortened at random, and frequent words are not thinned out.

    >>> pairs(torch.tensor([7, 8, 9]), window=1).tolist()
    [[7, 8], [8, 9], [8, 7], [9, 8]]
    """
    shifts = range(1, min(window, len(tokens) - 1) + 1)
    ahead = [torch.stack([tokens[:-s], tokens[s:]], dim=1) for s in shifts]
    if not ahead:
        return tokens.new_empty(0, 2)
    forward = torch.cat(ahead)
    return torch.cat([forward, forward.flip(1)])


def draw_negatives(
    counts: Int64[Tensor, " words"], pairs: int, negatives: int, generator: torch.Generator
) -> Int64[Tensor, "pairs negatives"]:
    """Draw words that are taken for wrong contexts: P(w) proportional to count(w)^(3/4).

    Args:
        counts: of each word in the text, 0 or more.
        pairs: rows to draw.
        negatives: words a row.
        generator: seeded.

    Raises:
        ConfigError: no word was counted.

    Source: Mikolov et al. 2013, section 2.2.

    Deviations: a drawn word may be the right context; the code of the authors leaves it out then.
    """
    if not counts.sum():
        raise ConfigError("no word was counted; expected a text of two words or more")
    share = counts.double().pow(0.75)
    drawn = torch.multinomial(share, pairs * negatives, replacement=True, generator=generator)
    return drawn.view(pairs, negatives)


class SkipGram(nn.Module):
    """Two vectors a word: v when it is the centre, u when it is the context.

    loss = mean over pairs of -log s(u_o . v_c) - sum over negatives k of log s(-u_k . v_c)

    Args:
        words: of the vocabulary.
        dim: of a vector.

    Source: Mikolov et al. 2013, "Distributed representations of words and phrases", equation (4);
    course 000, "Attention layer" (word2vec). The first values are those of its code: v uniform in
    +- 1 / (2 dim), u = 0.
    """

    def __init__(self, words: int, dim: int) -> None:
        super().__init__()
        self.centre = nn.Embedding(words, dim)
        self.context = nn.Embedding(words, dim)
        nn.init.uniform_(self.centre.weight, -0.5 / dim, 0.5 / dim)
        nn.init.zeros_(self.context.weight)

    def forward(
        self, pairs: Int64[Tensor, "pairs 2"], negatives: Int64[Tensor, "pairs negatives"]
    ) -> Float[Tensor, ""]:
        """Return the loss of the pairs, in nats a pair.

        Args:
            pairs: from `pairs`.
            negatives: from `draw_negatives`.
        """
        v, u = self.centre(pairs[:, 0]), self.context(pairs[:, 1])
        right = F.logsigmoid((u * v).sum(1))
        wrong = F.logsigmoid(-(self.context(negatives) @ v[:, :, None])[..., 0]).sum(1)
        return -(right + wrong).mean()

    def near(self, word: int, count: int = 1) -> Int64[Tensor, " count"]:
        """Return the words whose centre vectors point most nearly as that of `word` (cosine)."""
        with torch.no_grad():
            unit = F.normalize(self.centre.weight, dim=1)
            likeness = unit @ unit[word]
            likeness[word] = -torch.inf
            return likeness.topk(count).indices

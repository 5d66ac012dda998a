"""A translation memory: the translation of the sentence that is most alike."""

from collections import Counter
from collections.abc import Sequence

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.nn import functional as F

from gradatim.layers.translation.by_sentence import BySentence
from gradatim.layers.translation.lines import Lines
from gradatim.ops.translation.words import bare, words_of

__all__ = ["Memory", "counted"]

AT_ONCE = 64  # sentences


def counted(sentence: str) -> Counter[str]:
    """Return how often each word stands in a sentence; capitals do not count."""
    return Counter(bare(word).lower() for word in words_of(sentence, elided=True))


class Memory(BySentence):
    r"""Sentences with their translations, found by the words that they share.

        weight(w, s) = count(w, s) log((1 + N) / (1 + N_w)) + count(w, s),    cosine of the weights

    N sentences, N_w of them with the word. Words that are unknown have no weight. Of sentences
    that are equally alike, the first is taken.

    Args:
        source: alphabet of what it reads.
        target: alphabet of what it writes.
        extents: `sentences`, `words`, `entries` (words of all sentences), `word_bytes` and
            `translation_bytes`.

    Source: Salton & Buckley 1988, "Term-weighting approaches in automatic text retrieval".
    """

    rarity: Tensor
    starts: Tensor
    places: Tensor
    weights: Tensor

    def __init__(self, source: str, target: str, extents: dict[str, int]) -> None:
        super().__init__(source, target)
        self.words = Lines(extents.get("word_bytes", 0))
        self.translations = Lines(extents.get("translation_bytes", 0))
        words, entries = extents.get("words", 0), extents.get("entries", 0)
        self.register_buffer("rarity", torch.zeros(words, dtype=torch.float64))
        self.register_buffer("starts", torch.zeros(extents.get("sentences", 0), dtype=torch.int64))
        self.register_buffer("places", torch.zeros(entries, dtype=torch.int64))
        self.register_buffer("weights", torch.zeros(entries, dtype=torch.float64))

    def fill(
        self, words: Sequence[str], sentences: Sequence[Counter[str]], translations: Sequence[str]
    ) -> "Memory":
        """Keep the words, and the sentences as counts of them, with what they mean."""
        self.words.fill(words)
        self.translations.fill(translations)
        place = {word: i for i, word in enumerate(words)}
        lengths = torch.tensor([len(sentence) for sentence in sentences], dtype=torch.int64)
        self.starts.copy_(lengths.cumsum(0) - lengths)
        self.places.copy_(torch.tensor([place[w] for one in sentences for w in one]).long())
        there = torch.bincount(self.places, minlength=len(words)).double()
        self.rarity.copy_(((1 + len(sentences)) / (1 + there)).log() + 1)
        counts = torch.tensor([n for one in sentences for n in one.values()], dtype=torch.float64)
        raw = counts * self.rarity[self.places]
        row = torch.arange(len(sentences)).repeat_interleave(lengths)
        norm = raw.new_zeros(len(sentences)).index_add_(0, row, raw.square()).sqrt()
        self.weights.copy_(raw / norm[row])
        return self

    def translate(self, sentences: Sequence[str]) -> list[str]:
        """Return the translation of the nearest sentence."""
        place = {word: i for i, word in enumerate(self.words.texts())}
        known, said = self.translations.texts(), list[str]()
        for first in range(0, len(sentences), AT_ONCE):
            asked = self._weighed(sentences[first : first + AT_ONCE], place)
            # The product of the kept sentences, a sparse matrix, with the weights that are asked.
            alike = F.embedding_bag(
                self.places, asked, self.starts, mode="sum", per_sample_weights=self.weights
            )
            said += [known[row] for row in alike.argmax(0).tolist()]
        return said

    def _weighed(
        self, sentences: Sequence[str], place: dict[str, int]
    ) -> Float64[Tensor, "words sentences"]:
        """Return the weights of the words; the length of a question does not change its nearest."""
        weights = self.rarity.new_zeros(len(place), len(sentences))
        for column, sentence in enumerate(sentences):
            for word, count in counted(sentence).items():
                if word in place:
                    weights[place[word], column] = count * self.rarity[place[word]]
        return weights

"""Word by word: each word of the sentence becomes the one that it most likely means."""

from collections.abc import Sequence

import torch
from torch import Tensor

from gradatim.layers.translation.by_sentence import BySentence
from gradatim.layers.translation.lines import Lines
from gradatim.ops.translation.words import bare, joined, words_of

__all__ = ["WordTable", "source_words", "target_words"]


def source_words(sentence: str) -> list[str]:
    """Return the words that are looked up, with marks where no space stands between two."""
    return words_of(sentence, elided=True)


def target_words(sentence: str) -> list[str]:
    """Return the words that are said, marks and all: they tell how to join them again."""
    return words_of(sentence)


class WordTable(BySentence):
    """The likeliest word of the target for each word of the source.

    A word that is not in the table is looked up without capitals, then with one in front, and is
    copied when that fails: names and numbers mean themselves.

    Args:
        source: alphabet of what it reads.
        target: alphabet of what it writes.
        words: how many source words there are.
        source_bytes: that they take.
        target_bytes: that their meanings take.
    """

    chance: Tensor

    def __init__(
        self, source: str, target: str, words: int, source_bytes: int, target_bytes: int
    ) -> None:
        super().__init__(source, target)
        self.words, self.meanings = Lines(source_bytes), Lines(target_bytes)
        self.register_buffer("chance", torch.zeros(words, dtype=torch.float64))

    def fill(self, words: Sequence[str], meanings: Sequence[str], chance: Tensor) -> "WordTable":
        """Keep the words, what each most likely means, and how likely that is."""
        self.words.fill(words)
        self.meanings.fill(meanings)
        self.chance.copy_(chance)
        return self

    def translate(self, sentences: Sequence[str]) -> list[str]:
        """Return the sentences, word by word."""
        table = dict(zip(self.words.texts(), self.meanings.texts(), strict=True))
        return [
            joined([self._meaning(word, table) for word in source_words(sentence)])
            for sentence in sentences
        ]

    @staticmethod
    def _meaning(word: str, table: dict[str, str]) -> str:
        key = bare(word)
        spellings = (key, key.lower(), key.capitalize())
        return next((table[known] for known in spellings if known in table), word)

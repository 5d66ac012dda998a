"""Translators that work on sentences as strings: characters in, characters out."""

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Sequence

from jaxtyping import Int32
from torch import Tensor, nn

from gradatim.ops.text.characters import STRANGE, coded, written

__all__ = ["BySentence", "Copying", "Unchanged"]


class Unchanged(nn.Module):
    """Preprocessing and output of a network that reads and writes characters: nothing to do."""

    def fit(self, rows: Tensor) -> "Unchanged":
        """Learn nothing."""
        return self

    def encode(self, targets: Tensor) -> Tensor:
        """Return the targets as they are."""
        return targets

    def forward(self, rows: Tensor) -> Tensor:
        """Return the rows as they are."""
        return rows


class BySentence(nn.Module, ABC):
    """A network whose layers are sentences.

    Args:
        source: alphabet of what it reads.
        target: alphabet of what it writes.
    """

    def __init__(self, source: str, target: str) -> None:
        super().__init__()
        self.source, self.target = source, target
        self._letters = frozenset(target)

    @abstractmethod
    def translate(self, sentences: Sequence[str]) -> list[str]:
        """Return the translation of each sentence, none of which is empty."""

    def forward(self, rows: Int32[Tensor, "rows length"]) -> Int32[Tensor, "rows longest"]:
        """Return the characters of the translations, -1 after the end; nothing for nothing."""
        sentences = [text.replace(STRANGE, "").strip() for text in written(rows, self.source)]
        said = iter(self.translate([text for text in sentences if text]))
        answers = [self._spelt(next(said)) if text else "" for text in sentences]
        return coded(answers, self.target, max(1, *map(len, answers)) if answers else 1)

    def _spelt(self, text: str) -> str:
        """Return a text in the letters of the target.

        Of a letter with marks that the target does not have, the letter stays; what has no
        counterpart at all is left out.
        """
        if self._letters.issuperset(text):
            return text
        whole = (c if c in self._letters else unicodedata.normalize("NFKD", c) for c in text)
        return "".join(c for c in "".join(whole) if c in self._letters)


class Copying(BySentence):
    """Say again what was said."""

    def translate(self, sentences: Sequence[str]) -> list[str]:
        """Return the sentences."""
        return list(sentences)

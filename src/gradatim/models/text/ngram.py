"""N-grams: what followed the last few characters, so far."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from gradatim.layers.text.ngram_counts import Smoothing
from gradatim.models.text._counting import Counting

__all__ = ["RUNG", "Ngram"]


class Ngram(Counting):
    """Count what followed each context of up to n - 1 tokens, and mix long with short ones.

    Witten and Bell: p(w | h) = (c(h, w) + k(h) p(w | h')) / (c(h) + k(h)); Kneser and Ney:
    p(w | h) = (max(c(h, w) - D, 0) + D k(h) p(w | h')) / c(h). h' is h without its first token,
    k(h) counts the different tokens that followed h. See `ops.text.smoothing`.

    Idea: no parameters at all; a text goes on as it did where the last few characters were these.
    Cost: a few numbers for each different n-gram; one sort an order, n binary searches an answer.
    Fails when: what decides stands further back than n - 1 tokens, or in words of the same
        meaning.
    """

    place: ClassVar[int] = 10
    idea: ClassVar[str] = "remembers what followed the last few characters, and backs off smoothly"
    source: ClassVar[str] = (
        "Shannon 1948; Witten & Bell 1991, method C; Kneser & Ney 1995; Chen & Goodman 1999"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "below single tokens lies the uniform distribution over all tokens",
        "Kneser-Ney interpolated, with one discount an order from the counts of 1 and 2",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"order": 3}}

    order: Annotated[int, Field(ge=1, le=32)] = 6
    """n: tokens of the longest n-gram, the one that is foretold among them."""
    smoothing: Smoothing = "witten_bell"
    """How contexts of different length are mixed."""

    @property
    def longest(self) -> int:
        """As the setting says."""
        return self.order

    @property
    def mixing(self) -> Smoothing:
        """As the setting says."""
        return self.smoothing


RUNG = Ngram

"""Kneser-Ney: a short context counts by how many different places it was met in."""

from collections.abc import Mapping
from typing import ClassVar

from gradatim.layers.text.ngram_counts import Smoothing
from gradatim.models.text.ngram import Ngram

__all__ = ["RUNG", "KneserNey"]


class KneserNey(Ngram):
    """N-grams that give up a constant of each count: p(w|h) = (max(c - D, 0) + D k p(w|h')) / c(h).

    c(h, w) is a count for the longest contexts alone; for a shorter one it is the number of
    different tokens that were met before h w. What always follows one word is no likely beginning.

    Idea: n-grams at their best, and the rung that a network has to beat.
    Cost: as ngram.
    Fails when: as ngram.
    """

    place: ClassVar[int] = 12
    idea: ClassVar[str] = "counts shorter contexts by the different places they were met in"
    source: ClassVar[str] = "Kneser & Ney 1995; Chen & Goodman 1999, section 2.8"
    deviations: ClassVar[tuple[str, ...]] = (
        "interpolated, with one discount an order from the n-grams that were met once and twice",
        "below single tokens lies the uniform distribution over all tokens",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"order": 3}}

    smoothing: Smoothing = "kneser_ney"


RUNG = KneserNey

"""Unigram: how common each character is, whatever stands before it."""

from collections.abc import Mapping
from typing import ClassVar

from gradatim.models.text._counting import Counting

__all__ = ["RUNG", "Unigram"]


class Unigram(Counting):
    """Answer with the shares of the tokens in the training text: p(w) = (c(w) + k / V) / (n + k).

    k different ones were met, of V that there are: those that were not share k votes.

    Idea: the score to beat; a rung that does not is not reading.
    Cost: one number a token; one count.
    Fails when: what was read says anything about what comes.
    """

    place: ClassVar[int] = 0
    dummy: ClassVar[bool] = True
    idea: ClassVar[str] = "counts characters, without looking at what stands before: to be beaten"
    source: ClassVar[str] = "Shannon 1951, first-order approximation; Witten & Bell 1991, method C"
    deviations: ClassVar[tuple[str, ...]] = ()
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {}}

    @property
    def longest(self) -> int:
        """A token alone."""
        return 1


RUNG = Unigram

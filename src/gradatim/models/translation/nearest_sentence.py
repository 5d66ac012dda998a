"""Nearest sentence: a translation memory."""

from collections.abc import Mapping
from typing import ClassVar

from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature
from gradatim.layers.translation.lines import bytes_for
from gradatim.layers.translation.memory import Memory, counted
from gradatim.models.translation._by_sentence import OnSentences, alphabets, sentences

__all__ = ["RUNG", "NearestSentence"]


class NearestSentence(OnSentences):
    """Find the training sentence that shares the most telling words; say its translation.

    Alike is the cosine of tf-idf weights of words (`layers.translation.memory`).

    Idea: whoever has seen the sentence before has its translation, and it is good English.
    Cost: all training pairs are kept; one sparse product with them a sentence.
    Fails when: sentences are new, as nearly all are: the answer is fluent and about another thing.
    """

    place: ClassVar[int] = 10
    idea: ClassVar[str] = "answers with the translation of the training sentence most like it"
    source: ClassVar[str] = (
        "Nagao 1984, translation by the analogy principle; Salton & Buckley 1988"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "the neighbour's translation is taken whole; Nagao replaces the words that differ",
        "idf is smoothed: log((1 + N) / (1 + N_w)) + 1",
    )

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return an empty memory of the sizes in the extents."""
        return self.model(Memory(*alphabets(signature), dict(extents)), extents)

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Keep all pairs."""
        sources, targets = sentences(samples, signature)
        kept = [counted(sentence) for sentence in sources]
        words = sorted(set().union(*kept))
        extents = {
            "sentences": len(kept),
            "words": len(words),
            "entries": sum(map(len, kept)),
            "word_bytes": bytes_for(words),
            "translation_bytes": bytes_for(targets),
        }
        model = self.build(signature, extents)
        model.network.fill(words, kept, targets)  # type: ignore[operator]
        return model


RUNG = NearestSentence

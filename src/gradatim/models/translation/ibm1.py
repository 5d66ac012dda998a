"""IBM model 1: a dictionary that was learnt from sentence pairs, word by word."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import torch
from pydantic import Field

from gradatim.core.randomness import generator
from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature
from gradatim.layers.translation.lines import bytes_for
from gradatim.layers.translation.word_table import WordTable, source_words, target_words
from gradatim.models.translation._by_sentence import OnSentences, alphabets, sentences
from gradatim.ops.translation.alignment import ibm1, likeliest
from gradatim.ops.translation.words import bare

__all__ = ["RUNG", "Ibm1"]

NOTHING = ""
"""The source word that words of the target come from when they come from none."""


class Ibm1(OnSentences):
    """Say for each word f the word e with the largest t(e | f), in the order of the source.

        p(e_1 ... e_m | f_1 ... f_l) ~ prod_j sum_i t(e_j | f_i),

    fitted by expectation-maximisation (`ops.translation.alignment`).

    Idea: what stands together in pair after pair means the same.
    Cost: one word and one number a source word; steps x meeting words to fit, one look-up a word.
    Fails when: word order differs, a word becomes two or none, or its meaning hangs on the others.
    """

    place: ClassVar[int] = 20
    idea: ClassVar[str] = "learns a dictionary from sentence pairs and translates word by word"
    source: ClassVar[str] = "Brown et al. 1993, model 1; Koehn 2010, chapter 4"
    deviations: ClassVar[tuple[str, ...]] = (
        "no language model chooses among the meanings: the likeliest is said, each word by itself",
        "words keep their capitals; one that is unknown is looked up without, then copied",
        "punctuation of the target is learnt with the mark that joins it to its word",
        "above 100,000 sentence pairs, so many are drawn: all words that meet are held in memory",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"steps": 3, "most": 100}}

    steps: Annotated[int, Field(ge=1, le=1000)] = 10
    """Of expectation-maximisation."""
    most: Annotated[int, Field(ge=10, le=10_000_000)] = 100_000
    """The most sentence pairs that are learnt from."""

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return an empty table of the sizes in the extents."""
        sizes = [extents.get(name, 0) for name in ("words", "source_bytes", "target_bytes")]
        return self.model(WordTable(*alphabets(signature), *sizes), extents)

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Learn t(e | f), keep the best e of each f."""
        drawn = torch.randperm(len(samples), generator=generator(seed, "pairs"))[: self.most]
        some = samples if len(samples) <= self.most else samples.take(drawn.sort().values)
        sources, targets = sentences(some, signature)
        said = [[NOTHING, *map(bare, source_words(sentence))] for sentence in sources]
        due = [target_words(sentence) for sentence in targets]
        known, meant = _vocabulary(said), _vocabulary(due)
        table = ibm1(_numbers(said, known), _numbers(due, meant), self.steps)
        best = likeliest(table)
        real = best.source != known.index(NOTHING)
        words = [known[i] for i in best.source[real].tolist()]
        meanings = [meant[i] for i in best.target[real].tolist()]
        extents = {"words": len(words), "source_bytes": bytes_for(words)}
        model = self.build(signature, extents | {"target_bytes": bytes_for(meanings)})
        model.network.fill(words, meanings, best.chance[real])  # type: ignore[operator]
        return model


def _vocabulary(sentences: Sequence[Sequence[str]]) -> list[str]:
    return sorted(set().union(*sentences))


def _numbers(sentences: Sequence[Sequence[str]], words: Sequence[str]) -> list[list[int]]:
    place = {word: i for i, word in enumerate(words)}
    return [[place[word] for word in sentence] for sentence in sentences]


RUNG = Ibm1

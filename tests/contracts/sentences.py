"""Sentences with their translations, for the contracts.

Every word has one translation, but the adjective stands behind its noun in one language and before
it in the other: a table of words comes near, and the order has to be learnt.
"""

import numpy as np

from gradatim.core.samples import Samples
from gradatim.core.signature import Signature, Text, Translation
from gradatim.ops.text.characters import coded

__all__ = ["SENTENCES", "sentences"]

NOUNS = {"chat": "cat", "chien": "dog", "mur": "wall", "train": "train"}
ADJECTIVES = {"noir": "black", "petit": "small", "vieux": "old"}
VERBS = {"dort": "sleeps", "tombe": "falls"}
LETTERS = tuple(
    "".join(sorted({*" .", *"".join(word for table in tables for word in table)}))
    for tables in (
        (NOUNS, ADJECTIVES, VERBS, ["un"]),
        ([*NOUNS.values()], [*ADJECTIVES.values()], [*VERBS.values()], ["a"]),
    )
)
SENTENCES = {
    "text-translation": Signature(
        input=Text(length=24, alphabet=LETTERS[0], language="fr"),
        output=Translation(length=24, alphabet=LETTERS[1], language="en"),
    )
}


def sentences(
    signature: Signature, rows: int, chance: np.random.Generator, shuffled: bool = False
) -> Samples:
    """Rows that fit a signature; shuffled translations cannot be learnt."""
    pairs = [_pair(chance) for _ in range(rows)]
    order = chance.permutation(rows) if shuffled else np.arange(rows)
    sources = coded([source for source, _ in pairs], LETTERS[0], 24)
    return Samples(sources, coded([pairs[i][1] for i in order], LETTERS[1], 24))


def _pair(chance: np.random.Generator) -> tuple[str, str]:
    noun, adjective, verb = (
        list(words)[chance.integers(len(words))] for words in (NOUNS, ADJECTIVES, VERBS)
    )
    if chance.random() < 0.5:
        return f"un {noun} {verb}.", f"a {NOUNS[noun]} {VERBS[verb]}."
    said = f"a {ADJECTIVES[adjective]} {NOUNS[noun]} {VERBS[verb]}."
    return f"un {noun} {adjective} {verb}.", said

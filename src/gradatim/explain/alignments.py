"""Where a translator looks: a map from each word it writes to the words of the source."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from gradatim.core.chunks import evaluating
from gradatim.core.errors import ConfigError, DataError
from gradatim.core.rung import Model
from gradatim.core.signature import Signature, Text
from gradatim.layers.text.tokens import END, PAD, Tokens
from gradatim.layers.translation.words import Words
from gradatim.layers.translation.writer import Attending
from gradatim.ops.text.characters import coded

__all__ = ["Alignment", "alignment", "grouped"]


@dataclass(frozen=True)
class Alignment:
    """Words of a sentence, words of its translation, and how much each of these looks at those.

    `weights` (target, source) are at least 0 and sum to 1 in each row; `translation` is what the
    words of the target are as a text.
    """

    translation: str
    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]


def alignment(
    model: Model, signature: Signature, sentence: str, translation: str | None = None
) -> Alignment:
    """Return the map of a sentence and its translation.

    A word of several tokens has the sum of their weights where it is looked at, and the mean where
    it looks.

    Args:
        model: that translates by looking at words.
        signature: of its data.
        sentence: to translate.
        translation: what it is shown as the right one; its own when left out.

    Raises:
        ConfigError: the model does not look at words.
        DataError: the sentence or the translation has no words.

    Source: Bahdanau, Cho & Bengio 2015, figure 3; course 000, "Attention layer" (weights b).
    """
    network, read, words = model.network, model.preprocess, model.output
    if not isinstance(network, Attending):
        raise ConfigError(
            "this model does not look at the words of a sentence as it translates; "
            "fit attention_seq2seq or translator"
        )
    assert isinstance(read, Tokens), "what attends reads tokens"
    assert isinstance(words, Words), "what attends writes words"
    assert isinstance(signature.input, Text), "what attends reads text"
    with evaluating(model):
        asked = read(coded([sentence], signature.input.alphabet))
        if not asked.shape[1]:
            raise DataError("the sentence is empty; give some words to translate")
        if translation is None:
            said = words.encode(words(network(asked)))
        else:
            said = words.encode(coded([translation], words.alphabet))
        weights = network.alignments(asked, said[:, :-1])[0]
    target = said[0, 1:][(said[0, 1:] != END) & (said[0, 1:] != PAD)]
    if not len(target):
        raise DataError("there are no words in the translation; show one by --translation")
    return _by_words(_pieces(read, asked[0]), words.pieces(target), weights[: len(target)])


def grouped(pieces: Sequence[str]) -> list[list[int]]:
    """Return which neighbouring pieces make up each word: letters and digits without a space.

    A space by itself belongs to what follows it.

    >>> grouped([" ter", "rier", ",", " ", "l'", "eau"])
    [[0, 1], [2], [3, 4], [5]]
    """
    groups: list[list[int]] = []
    last = ""
    for place, piece in enumerate(pieces):
        if last.isspace() or (piece[:1].isalnum() and last[-1:].isalnum()):
            groups[-1].append(place)
        else:
            groups.append([place])
        last = piece
    return groups


def _pieces(tokens: Tokens, row: Int64[Tensor, " count"]) -> list[str]:
    known = tokens.pieces()
    return [known[token] for token in row.tolist()]


def _by_words(
    source: Sequence[str], target: Sequence[str], weights: Float[Tensor, "targets sources"]
) -> Alignment:
    read, written = grouped(source), grouped(target)
    across = torch.stack([weights[:, word].sum(1) for word in read], dim=1)
    whole = torch.stack([across[word].mean(0) for word in written])
    return Alignment(
        "".join(target),
        tuple("".join(source[i] for i in word).strip() for word in read),
        tuple("".join(target[i] for i in word).strip() for word in written),
        tuple(map(tuple, whole.tolist())),
    )

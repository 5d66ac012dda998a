"""What the rungs share that translate sentences as strings."""

from collections.abc import Mapping
from typing import ClassVar

from torch import nn

from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature, Text, Translation
from gradatim.layers.translation.by_sentence import Unchanged
from gradatim.ops.text.characters import written

__all__ = ["OnSentences", "alphabets", "sentences"]


class OnSentences(Solved):
    """A rung without gradient that reads sentences and writes sentences."""

    reads: ClassVar[tuple[str, ...]] = ("text",)
    answers: ClassVar[tuple[str, ...]] = ("translation",)

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any pair of languages."""
        return None

    def model(self, network: nn.Module, extents: Mapping[str, int]) -> Model:
        """Return a model around a network that reads and writes characters."""
        return Model(Unchanged(), network, Unchanged(), extents)


def alphabets(signature: Signature) -> tuple[str, str]:
    """Return the characters of the source and of the target."""
    assert isinstance(signature.input, Text)
    assert isinstance(signature.output, Translation)
    return signature.input.alphabet, signature.output.alphabet


def sentences(samples: Samples, signature: Signature) -> tuple[list[str], list[str]]:
    """Return the sentences of both sides."""
    source, target = alphabets(signature)
    return written(samples.inputs, source), written(samples.targets, target)

"""What the rungs that count share: tokens, counts and what they are made into."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature, Text
from gradatim.layers.text.bpe import Bpe
from gradatim.layers.text.next_tokens import NextTokens
from gradatim.layers.text.ngram_counts import NgramCounts, Smoothing
from gradatim.layers.text.tokens import BEGIN, PAD, Characters, Tokens
from gradatim.ops.text.running import beginnings, running

__all__ = ["Counting"]


class Counting(Solved):
    """Count what follows contexts of a length; what that length is, a rung says."""

    reads: ClassVar[tuple[str, ...]] = ("text",)
    answers: ClassVar[tuple[str, ...]] = ("continuation",)

    tokens: Literal["characters", "bpe"] = "characters"
    """What is counted: characters, or pieces of words (byte pair encoding)."""
    vocabulary: Annotated[int, Field(ge=8, le=1_000_000)] = 1000
    """Different pieces of words."""

    @property
    @abstractmethod
    def longest(self) -> int:
        """Tokens of the longest n-gram."""

    @property
    def mixing(self) -> Smoothing:
        """How contexts of different length are mixed."""
        return "witten_bell"

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any text."""
        return None

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return tensors for as many contexts as were met."""
        tokens = self._tokens(signature, extents)
        counts = NgramCounts(self.longest, self.mixing, tokens.count, extents)
        return Model(tokens, counts, NextTokens(), extents)

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Count."""
        model = self.build(signature, {})
        tokens, counts = model.preprocess, model.network
        assert isinstance(tokens, Tokens)
        assert isinstance(counts, NgramCounts)
        begins = beginnings(samples.numbers, len(samples))
        passages = tokens.fit(samples.inputs)(samples.inputs)
        counts.fill(running(passages, begins, begin=BEGIN, pad=PAD))
        model.extents |= {**tokens.extents, **counts.extents}
        return model

    def _tokens(self, signature: Signature, extents: Mapping[str, int]) -> Tokens:
        field = signature.input
        assert isinstance(field, Text), "joins() lets no others through"
        if self.tokens == "characters":
            return Characters(field.alphabet)
        return Bpe(field.alphabet, self.vocabulary, bytes=extents.get("bpe_bytes", 0))

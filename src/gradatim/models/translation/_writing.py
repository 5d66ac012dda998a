"""What the networks share that translate: tokens of both languages, model and recipe."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gradatim.core.recipe import LossChoice, OptimizerChoice, Recipe, Schedule
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Trained
from gradatim.core.signature import Signature, Text, Translation
from gradatim.layers.text.bpe import Bpe
from gradatim.layers.text.tokens import Characters, Tokens
from gradatim.layers.translation.words import Words
from gradatim.layers.translation.writer import Writer

__all__ = ["Writing"]

PAIRS = 30_000
"""Sentence pairs for which `epochs` is meant; more are read less often, fewer more often."""
MOST_EPOCHS, FEWEST_EPOCHS = 100, 2


class Writing(Trained):
    """Read a sentence as tokens, write another: a subclass gives the network.

    In training it is shown the right token before each; a model is asked without, and the tokens
    that it writes are chosen by beam search.
    """

    reads: ClassVar[tuple[str, ...]] = ("text",)
    answers: ClassVar[tuple[str, ...]] = ("translation",)
    rate: ClassVar[float]
    """The learning rate."""
    epochs: ClassVar[int]
    """Of 30,000 sentence pairs."""

    tokens: Literal["bpe", "characters"] = "bpe"
    """What is read and written: pieces of words (byte pair encoding), or characters."""
    vocabulary: Annotated[int, Field(ge=8, le=1_000_000)] = 3000
    """Different pieces of words, of each language."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    beams: Annotated[int, Field(ge=1, le=1000)] = 5
    """Beginnings of a translation that are kept while it is written."""
    alpha: Annotated[float, Field(ge=0, le=10)] = 0.6
    """How much longer translations are favoured: 0 not at all."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any pair of languages."""
        return None

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return fewer epochs for more pairs, to the last one.

        As many as the root of the pairs falls. Nothing is held out: translations still get better
        when the held-out loss no longer does.
        """
        epochs = round(self.epochs * (PAIRS / max(1, rows)) ** 0.5)
        return Recipe(
            optimizer=OptimizerChoice(lr=self.rate),
            schedule=Schedule(name="cosine", warmup=0.05),
            loss=LossChoice(label_smoothing=0.1),
            epochs=min(MOST_EPOCHS, max(FEWEST_EPOCHS, epochs)),
            batch=64,
            validation=0.0,
        )

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the network between tokens of the two languages."""
        source, target = signature.input, signature.output
        assert isinstance(source, Text), "joins() lets no others through"
        assert isinstance(target, Translation), "joins() lets no others through"
        read = self._tokens("source", source.alphabet, extents)
        written = self._tokens("target", target.alphabet, extents)
        network = self.network(read.count, written.count)
        return Model(read, network, Words(target.alphabet, written), extents)

    @abstractmethod
    def network(self, sources: int, targets: int) -> Writer:
        """Return the network for so many different tokens of the two languages."""

    def _tokens(self, name: str, alphabet: str, extents: Mapping[str, int]) -> Tokens:
        if self.tokens == "characters":
            return Characters(alphabet)
        return Bpe(alphabet, self.vocabulary, name, extents.get(f"{name}_bytes", 0))

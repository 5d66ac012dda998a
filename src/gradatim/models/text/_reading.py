"""What networks share that say how a text goes on: tokens, model and recipe."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import nn

from gradatim.core.recipe import OptimizerChoice, Recipe
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Trained
from gradatim.core.signature import Signature, Text
from gradatim.layers.text.bpe import Bpe
from gradatim.layers.text.next_tokens import NextTokens
from gradatim.layers.text.recurrent_reader import RecurrentReader
from gradatim.layers.text.tokens import Characters, Tokens

__all__ = ["Reading", "Recurring"]

STREAMS, FEWEST_STEPS = 32, 40
"""Parts of a text that are read side by side; fewer where an epoch had less than so many steps."""
MOST_EPOCHS, FEWEST_EPOCHS = 60, 2
MILLION = 1_000_000


class Reading(Trained):
    """Read a text token by token; after each, a network gives logits of the next one."""

    reads: ClassVar[tuple[str, ...]] = ("text",)
    answers: ClassVar[tuple[str, ...]] = ("continuation",)
    optimizer: ClassVar[OptimizerChoice]
    epochs: ClassVar[int]
    """Of a text of a million characters."""
    window: ClassVar[int] = 64
    """Tokens of a stream that are learnt from at a time."""

    tokens: Literal["characters", "bpe"] = "characters"
    """What is read and foretold: characters, or pieces of words (byte pair encoding)."""
    vocabulary: Annotated[int, Field(ge=8, le=1_000_000)] = 1000
    """Different pieces of words."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any text."""
        return None

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return fewer epochs for longer texts, ended early as the held-out loss says.

        As many as the root of the length falls: ten times the text is read a third as often. A part
        of the text that is held out tells when a short one is known by heart.
        """
        field = signature.input
        assert isinstance(field, Text), "joins() lets no others through"
        length = max(1, rows * field.length)
        epochs = round(self.epochs * (MILLION / length) ** 0.5)
        streams = length // (FEWEST_STEPS * self.window)
        return Recipe(
            optimizer=self.optimizer,
            epochs=min(MOST_EPOCHS, max(FEWEST_EPOCHS, epochs)),
            batch=min(STREAMS, max(1, streams)),
            window=self.window,
            validation=0.04,
            patience=5,
        )

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the network behind a tokeniser."""
        tokens = self._tokens(signature, extents)
        return Model(tokens, self.network(tokens.count), NextTokens(), extents)

    @abstractmethod
    def network(self, vocabulary: int) -> nn.Module:
        """Return the network for this many different tokens."""

    def _tokens(self, signature: Signature, extents: Mapping[str, int]) -> Tokens:
        field = signature.input
        assert isinstance(field, Text), "joins() lets no others through"
        if self.tokens == "characters":
            return Characters(field.alphabet)
        return Bpe(field.alphabet, self.vocabulary, bytes=extents.get("bpe_bytes", 0))


class Recurring(Reading):
    """Read with a recurrent cell; gradients go back through one window, states go on."""

    cell: ClassVar[str]
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"width": 16, "embedding": 8},
        "small": {"width": 128, "embedding": 32},
        "large": {"width": 512},
    }

    width: Annotated[int, Field(ge=1, le=8192)] = 256
    """Numbers of the state."""
    depth: Annotated[int, Field(ge=1, le=16)] = 1
    """Cells on top of each other; each reads the states of the one below."""
    embedding: Annotated[int, Field(ge=1, le=4096)] = 64
    """Numbers of the vector that a token becomes."""

    def network(self, vocabulary: int) -> nn.Module:
        """Return the cell, with tokens before and logits after it."""
        return RecurrentReader(
            self.cell, vocabulary, self.embedding, self.width, self.depth, self.dropout
        )

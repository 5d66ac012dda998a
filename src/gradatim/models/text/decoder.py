"""Transformer decoder: each token looks back at the latest ones, all at once."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator
from torch import nn

from gradatim.core.recipe import OptimizerChoice
from gradatim.layers.text.causal_decoder import CausalDecoder
from gradatim.models.text._reading import Reading

__all__ = ["RUNG", "Decoder"]


class Decoder(Reading):
    """Vectors of tokens, blocks of attention to what came before, logits with the same vectors.

    Idea: what was read is not squeezed into one state: each token looks up what it needs of it.
    Cost: v w + (4 + 2 r) w^2 parameters a block at width w with r w hidden units, v w for v tokens;
        as many multiply-adds a token, and 2 c w more a block to look at c tokens.
    Fails when: texts are short: it has to find out what to look at, and a recurrent state begins
        with the latest tokens in it.
    """

    place: ClassVar[int] = 130
    idea: ClassVar[str] = "looks back at every token of its context, and learns where to look"
    source: ClassVar[str] = (
        "Vaswani et al. 2017; Radford et al. 2018 and 2019; Dai et al. 2019 (memory of earlier "
        "windows); Su et al. 2021 (positions); Press & Wolf 2017 (tied embeddings)"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "places are told by turning queries and keys, where GPT learns a vector for each place",
        "keys and values of the window before are kept, where Dai et al. keep states",
        "no biases in attention, and its weights are not dropped",
        "Muon (Jordan 2024) instead of Adam: as good after half of the steps",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"width": 16, "depth": 2, "heads": 2, "context": 16},
        "small": {"width": 64, "depth": 2, "heads": 2, "context": 64},
        "large": {"width": 256, "depth": 6, "heads": 8, "context": 256},
    }
    optimizer: ClassVar[OptimizerChoice] = OptimizerChoice(
        name="muon", lr=6e-3, weight_decay=0.1, momentum=0.95
    )
    epochs: ClassVar[int] = 5

    width: Annotated[int, Field(ge=2, le=8192)] = 128
    depth: Annotated[int, Field(ge=1, le=96)] = 4
    heads: Annotated[int, Field(ge=1, le=128, validate_default=True)] = 4
    ratio: Annotated[int, Field(ge=1, le=16)] = 4
    """Hidden units for each number of a token."""
    context: Annotated[int, Field(ge=1, le=65_536)] = 64
    """Tokens that a token sees in a block, itself among them."""

    @field_validator("heads")
    @classmethod
    def _divide(cls, heads: int, others: Any) -> int:
        width = others.data.get("width", 2 * heads)  # absent when it is wrong itself
        if width % (2 * heads):
            raise ValueError(f"width = {width} must be a multiple of twice the heads")
        return heads

    def network(self, vocabulary: int) -> nn.Module:
        """Return the blocks, with tokens before and logits after them."""
        return CausalDecoder(
            vocabulary,
            self.width,
            self.depth,
            self.heads,
            self.ratio * self.width,
            self.context,
            self.dropout,
        )


RUNG = Decoder

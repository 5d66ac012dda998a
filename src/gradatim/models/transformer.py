"""Transformer: every column or step looks at every other, as much as it finds useful."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import torch
from jaxtyping import Float
from pydantic import Field, field_validator
from torch import Tensor, nn

from gradatim.core.recipe import OptimizerChoice, Recipe
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Trained
from gradatim.core.signature import Image, Series, Signature, Sound, Table
from gradatim.layers.attention import MultiHeadAttention
from gradatim.layers.columns import Columns
from gradatim.layers.linear import Linear
from gradatim.layers.outputs import output_for
from gradatim.layers.positions import SinusoidalPositions
from gradatim.layers.sound.log_mel import BANDS, LogMel
from gradatim.layers.steps import Steps
from gradatim.layers.tokens import ColumnTokens

__all__ = ["RUNG", "Block", "Summary", "Transformer"]

MOST = 256  # tokens: weights are kept for every pair of them


class Block(nn.Module):
    """x' = x + D(A(N(x))), y = x' + D(W2 D(gelu(W1 N(x') + b1)) + b2).

    N normalises each token, A is multi-head self-attention, D drops in training alone.

    Args:
        width: of a token, a multiple of `heads`.
        heads: attentions side by side.
        hidden: units between W1 and W2.
        dropout: share that D drops, in [0, 1).

    Source: Vaswani et al. 2017, section 3.1; Xiong et al. 2020 for the place of N.

    Deviations: no biases inside the attention; that of the keys would change nothing at all.
    """

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = MultiHeadAttention(width, heads, bias=False)
        self.feed = nn.Sequential(
            Linear(width, hidden), nn.GELU(), nn.Dropout(dropout), Linear(hidden, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "rows tokens width"]) -> Float[Tensor, "rows tokens width"]:
        """Return the tokens after a look at each other and a thought of their own."""
        tokens = self.norm1(x)
        x = x + self.dropout(self.attention(tokens, tokens, tokens)[0])
        return x + self.dropout(self.feed(self.norm2(x)))


class Summary(nn.Module):
    """Put one learnt token before the others, let all look at each other, return that one.

    Args:
        blocks: one after the other.
        width: of a token.
    """

    def __init__(self, blocks: list[Block], width: int) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.empty(width).normal_(std=0.02))
        self.blocks, self.norm = nn.Sequential(*blocks), nn.LayerNorm(width)

    def forward(self, x: Float[Tensor, "rows tokens width"]) -> Float[Tensor, "rows width"]:
        """Return the summary of the tokens of each row."""
        first = self.token.expand(len(x), 1, -1)
        return self.norm(self.blocks(torch.cat([first, x], dim=1))[:, 0])


class Transformer(Trained):
    """Columns or steps become tokens; blocks of attention; a linear layer on a summary token.

    Idea: what matters in one column or step may depend on any other, and that is learnt.
    Cost: 4 w^2 + 2 r w^2 + (r + 5) w parameters a block at width w with r w hidden units; for T
        tokens T times as many multiply-adds and 2 T^2 w more.
    Fails when: rows are few, or tokens are many: each pair of them is compared.
    """

    place: ClassVar[int] = 130
    idea: ClassVar[str] = "lets every column or step look at every other, and learns where to look"
    source: ClassVar[str] = (
        "Vaswani et al. 2017; Gorishniy et al. 2021 (tables); course 000, equation (20)"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "the encoder alone; normalisation comes before attention, GELU instead of ReLU or ReGLU",
        "attention has no biases, and its weights are not dropped",
        "a column's token is a linear map of its features: numbers, dates with their cycles, marks",
        "of a category the features are indicators, so that the map embeds its values",
        "a learnt summary token is read out; the first block normalises too, unlike FT-Transformer",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"width": 16, "depth": 1, "heads": 2}
    }
    reads: ClassVar[tuple[str, ...]] = ("table", "image", "sequence", "sound")

    width: Annotated[int, Field(ge=2, le=4096)] = 32
    depth: Annotated[int, Field(ge=1, le=64)] = 2
    heads: Annotated[int, Field(ge=1, le=64, validate_default=True)] = 4
    ratio: Annotated[int, Field(ge=1, le=16)] = 2
    """Hidden units for each number of a token."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1

    @field_validator("heads")
    @classmethod
    def _divide(cls, heads: int, others: Any) -> int:
        width = others.data.get("width", heads)  # absent when it is wrong itself
        if width % heads or width % 2:
            raise ValueError(f"width = {width} must be even and a multiple of the heads")
        return heads

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take tables and sequences of up to 256 tokens, and recordings."""
        field = signature.input
        if isinstance(field, Image):
            return Refusal("pixels are too many tokens to compare in pairs", "use vit or lenet5")
        if isinstance(field, Sound):
            return None
        if isinstance(field, Series):
            tokens, remedy = field.steps, "use recurrent"
        else:
            assert isinstance(field, Table), "refusal() lets no others through"
            tokens, remedy = len(field.columns), "use mlp"
        if tokens > MOST:
            return Refusal(f"{tokens} tokens are too many to compare in pairs", remedy)
        return None

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return sixty epochs, thirty for many rows, ended early as the held-out loss says."""
        epochs, batch = (60, 32) if rows < 5000 else (30, 64)
        return Recipe(optimizer=OptimizerChoice(lr=2e-3), epochs=epochs, batch=batch, patience=12)

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return tokens, blocks and head behind standardised columns, steps or spectra."""
        field = signature.input
        assert not isinstance(field, Image), "accepts() lets no pictures through"
        features: Columns | LogMel | Steps
        tokens: nn.Module
        if isinstance(field, Table):
            features = Columns(field, torch.float32)
            tokens = ColumnTokens(features, self.width)
        else:
            if isinstance(field, Series):
                features, numbers = Steps(field), field.channels
            else:
                assert isinstance(field, Sound), "refusal() lets no others through"
                features, numbers = LogMel(field, layout="steps"), BANDS
            embedding = nn.Linear(numbers, self.width)
            tokens = nn.Sequential(embedding, SinusoidalPositions())
        hidden = self.ratio * self.width
        blocks = [Block(self.width, self.heads, hidden, self.dropout) for _ in range(self.depth)]
        head = nn.Linear(self.width, signature.outputs)
        network = nn.Sequential(tokens, Summary(blocks, self.width), head)
        return Model(features, network, output_for(signature))


RUNG = Transformer

"""Transformer that translates: attention alone, for all words of a sentence at once."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator

from gradatim.layers.translation.transformer import TransformerWriter
from gradatim.models.translation._writing import Writing

__all__ = ["RUNG", "Translator"]


class Translator(Writing):
    """Blocks of attention over the source; blocks over what is written, which look at the source.

    Idea: no word waits for the one before it, so that all of a sentence is learnt at once.
    Cost: (4 + 2 r) w^2 parameters a block of the encoder, (8 + 2 r) w^2 of the decoder at width w
        with r w hidden units, w a token of either language; as many multiply-adds a token.
    Fails when: pairs are few: it has to learn that neighbours matter, which a recurrent one knows.
    """

    place: ClassVar[int] = 50
    idea: ClassVar[str] = "lets all words look at one another at once, in both languages and across"
    source: ClassVar[str] = (
        "Vaswani et al. 2017; Wu et al. 2016 (length penalty); course 000, slides 45 to 50"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "2 blocks of width 192 on each side in place of 6 of width 512",
        "normalisation comes before attention; no biases and no dropout inside of attention",
        "vectors of the target's tokens and the last layer are one matrix; the source's are not",
        "AdamW with a cosine schedule in place of Adam with the inverse root",
        "no average of checkpoints",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {
            "width": 16,
            "depth": 1,
            "heads": 2,
            "vocabulary": 60,
            "dropout": 0.0,
            "beams": 2,
        },
        "base": {
            "width": 512,
            "depth": 6,
            "heads": 8,
            "ratio": 4.0,
            "vocabulary": 30_000,
            "beams": 4,
        },
    }
    rate: ClassVar[float] = 2e-3
    epochs: ClassVar[int] = 6

    width: Annotated[int, Field(ge=2, le=4096)] = 192
    depth: Annotated[int, Field(ge=1, le=64)] = 2
    """Blocks of the encoder, and of the decoder."""
    heads: Annotated[int, Field(ge=1, le=64, validate_default=True)] = 4
    ratio: Annotated[float, Field(gt=0, le=16)] = 3.0
    """Hidden units of a block for each number of a token."""

    @field_validator("heads")
    @classmethod
    def _divide(cls, heads: int, others: Any) -> int:
        width = others.data.get("width", heads)  # absent when it is wrong itself
        if width % heads or width % 2:
            raise ValueError(f"width = {width} must be even and a multiple of the heads")
        return heads

    def network(self, sources: int, targets: int) -> TransformerWriter:
        """Return encoder and decoder."""
        return TransformerWriter(
            sources,
            targets,
            width=self.width,
            depth=self.depth,
            heads=self.heads,
            hidden=max(1, round(self.ratio * self.width)),
            dropout=self.dropout,
            beams=self.beams,
            alpha=self.alpha,
        )


RUNG = Translator

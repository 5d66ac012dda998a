"""Sequence to sequence with attention: look back at the sentence before every word."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from gradatim.layers.translation.recurrent import AttentionWriter
from gradatim.models.translation._writing import Writing

__all__ = ["RUNG", "AttentionSeq2Seq"]


class AttentionSeq2Seq(Writing):
    """As seq2seq, but each word is written from a mean of the encoder's states, weighted anew.

    Idea: a word of the translation comes from a few words of the source, and which is learnt.
    Cost: as seq2seq, and 3 w^2 parameters; S w multiply-adds more a token for S source tokens.
    Fails when: much is to be learnt at once: its steps follow one another, in training too.
    """

    place: ClassVar[int] = 40
    idea: ClassVar[str] = "looks at the words of the source again before it writes each word"
    source: ClassVar[str] = "Bahdanau, Cho & Bengio 2015; course 000, slides 41 to 44"
    deviations: ClassVar[tuple[str, ...]] = (
        "pieces of words in place of the 30,000 commonest words",
        "the first state comes from the mean of the encoder's states, in the paper from the first",
        "the last layer is the matrix of the target's vectors (tied), behind tanh, not maxout",
        "AdamW, a cosine schedule, dropout, label smoothing; beam search with a length penalty",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"width": 16, "vocabulary": 60, "dropout": 0.0, "beams": 2}
    }
    rate: ClassVar[float] = 2e-3
    epochs: ClassVar[int] = 6

    width: Annotated[int, Field(ge=1, le=4096)] = 192

    def network(self, sources: int, targets: int) -> AttentionWriter:
        """Return encoder, attention and decoder."""
        return AttentionWriter(
            sources,
            targets,
            width=self.width,
            dropout=self.dropout,
            beams=self.beams,
            alpha=self.alpha,
        )


RUNG = AttentionSeq2Seq

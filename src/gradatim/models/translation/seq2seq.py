"""Sequence to sequence: read the whole sentence, keep one vector, write from it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from gradatim.layers.translation.recurrent import GruWriter
from gradatim.models.translation._writing import Writing

__all__ = ["RUNG", "Seq2Seq"]


class Seq2Seq(Writing):
    """A GRU from each end of the source; their last states c; a GRU that writes, told c each time.

    Idea: whatever the words and their order, a sentence is a point; two networks meet there.
    Cost: 3 x (2 w^2 encoded + 4 w^2 written) parameters in the cells and w a token of either
        language; as many multiply-adds a token, one token after the other.
    Fails when: sentences are long: what the first words said is lost in one vector.
    """

    place: ClassVar[int] = 30
    idea: ClassVar[str] = "squeezes a sentence into one vector, and writes word after word from it"
    source: ClassVar[str] = "Cho et al. 2014; Sutskever, Vinyals & Le 2014"
    deviations: ClassVar[tuple[str, ...]] = (
        "pieces of words in place of the commonest words",
        "the source is read from both ends; in Cho et al. forwards, in Sutskever et al. backwards",
        "the last layer is the matrix of the target's vectors (tied), behind tanh, not maxout",
        "AdamW, a cosine schedule, dropout, label smoothing; beam search with a length penalty",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"width": 16, "vocabulary": 60, "dropout": 0.0, "beams": 2}
    }
    rate: ClassVar[float] = 2e-3
    epochs: ClassVar[int] = 6

    width: Annotated[int, Field(ge=1, le=4096)] = 256

    def network(self, sources: int, targets: int) -> GruWriter:
        """Return encoder and decoder."""
        return GruWriter(
            sources,
            targets,
            width=self.width,
            dropout=self.dropout,
            beams=self.beams,
            alpha=self.alpha,
        )


RUNG = Seq2Seq

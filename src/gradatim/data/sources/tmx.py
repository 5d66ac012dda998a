"""Sentence pairs of a translation memory."""

from typing import ClassVar

from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions, Source
from gradatim.data.files import checked_path
from gradatim.data.pairs.assembly import Corpus, pairs_dataset, refuse_columns
from gradatim.data.pairs.tmx import read_tmx

__all__ = ["SOURCE", "Tmx"]


class Tmx(Source):
    """Translation units with a segment a language; --from and --to choose among them."""

    summary: ClassVar[str] = "a translation memory (.tmx); --from fr --to en"

    def claims(self, location: str, options: ReadOptions) -> bool:
        """Claim translation memories."""
        return location.lower().endswith(".tmx") and options.job in (None, "translate")

    def read(self, location: str, options: ReadOptions) -> Dataset:
        """Read the units that have both languages."""
        refuse_columns(options)
        return pairs_dataset(self.corpus(location, options), location, options)

    def corpus(self, location: str, options: ReadOptions) -> Corpus:
        """Return the segments as they are in the file."""
        return read_tmx(checked_path(location, "file"), location, options)


SOURCE = Tmx()

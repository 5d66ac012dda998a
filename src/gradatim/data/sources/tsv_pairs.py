"""Sentence pairs in the two columns of a .tsv file."""

from typing import ClassVar

from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions, Source
from gradatim.data.files import checked_path
from gradatim.data.pairs.assembly import Corpus, pairs_dataset, refuse_columns
from gradatim.data.pairs.languages import asks_to_translate
from gradatim.data.pairs.tsv import read_tsv

__all__ = ["SOURCE", "TsvPairs"]


class TsvPairs(Source):
    """A sentence, a tab, its translation; the first line may name the languages."""

    summary: ClassVar[str] = "sentence pairs in a .tsv (.gz): --task translate, or --from and --to"

    def claims(self, location: str, options: ReadOptions) -> bool:
        """Claim .tsv when it is to be translated; else it is a table."""
        return asks_to_translate(options) and location.lower().endswith((".tsv", ".tsv.gz"))

    def read(self, location: str, options: ReadOptions) -> Dataset:
        """Read the pairs."""
        refuse_columns(options)
        return pairs_dataset(self.corpus(location, options), location, options)

    def corpus(self, location: str, options: ReadOptions) -> Corpus:
        """Return the sentences as they are in the file."""
        return read_tsv(checked_path(location, "file"), location, options)


SOURCE = TsvPairs()

"""Sentence pairs in line-aligned files; to ask a model, the lines of one file."""

from pathlib import Path
from typing import ClassVar

from gradatim.core.errors import DataError
from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions, Source
from gradatim.data.files import checked_path
from gradatim.data.naming import shown
from gradatim.data.pairs.assembly import Corpus, pairs_dataset, refuse_columns
from gradatim.data.pairs.languages import asks_to_translate
from gradatim.data.pairs.lines import aligned_files, holds_pairs, one_language, read_aligned

__all__ = ["SOURCE", "Lines"]

OTHERS = (".tsv", ".tsv.gz", ".tmx", ".po", ".pot")
"""Endings of files that other sources of sentence pairs read."""


class Lines(Source):
    """NAME.fr and NAME.en, also with .gz behind, in one folder; those called test are sealed.

    A file stands for itself and those of the same name beside it.
    """

    summary: ClassVar[str] = "sentence pairs: train.fr and train.en (.gz); --from fr --to en"

    def claims(self, location: str, options: ReadOptions) -> bool:
        """Claim line-aligned files, and any text that a translator is asked about."""
        path = Path(location)
        if options.job not in (None, "translate"):
            return False
        if path.is_dir():
            return asks_to_translate(options) or holds_pairs(path, options)
        if asks_to_translate(options):
            return not location.lower().endswith(OTHERS)
        return path.is_file() and bool(_beside(path, options))

    def read(self, location: str, options: ReadOptions) -> Dataset:
        """Read the pairs, or the lines of one file when a model is asked."""
        refuse_columns(options)
        return pairs_dataset(self.corpus(location, options), location, options)

    def corpus(self, location: str, options: ReadOptions) -> Corpus:
        """Return the sentences as they are in the files."""
        path = checked_path(location)
        if path.is_file() and options.signature is not None and not options.judged:
            return one_language(path, location, options)
        files = aligned_files(path, options) if path.is_dir() else _beside(path, options)
        if not files:
            raise DataError(
                f"{shown(location, 200)} has no line-aligned files\n"
                "put the sentences of each language into a file of its own, line by line: "
                "train.fr and train.en"
            )
        return read_aligned(files, location, options)


def _beside(path: Path, options: ReadOptions) -> dict[str, dict[str, Path]]:
    """Return a file and those of other languages that have its name."""
    files = aligned_files(path.parent, options)
    return {stem: dict(found) for stem, found in files.items() if path in found.values()}


SOURCE = Lines()

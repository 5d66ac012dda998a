"""Messages of a program with their translations, as gettext keeps them."""

from typing import ClassVar

from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions, Source
from gradatim.data.files import checked_path
from gradatim.data.pairs.assembly import Corpus, pairs_dataset, refuse_columns
from gradatim.data.pairs.messages import read_po

__all__ = ["SOURCE", "Po"]


class Po(Source):
    """A catalogue: msgid and msgstr. Placeholders such as %s and {name} are kept as they are."""

    summary: ClassVar[str] = "messages of programs: a gettext catalogue (.po); placeholders stay"

    def claims(self, location: str, options: ReadOptions) -> bool:
        """Claim catalogues."""
        named = location.lower().endswith((".po", ".pot"))
        return named and options.job in (None, "translate")

    def read(self, location: str, options: ReadOptions) -> Dataset:
        """Read the translated messages; to ask a model, those that lack a translation."""
        refuse_columns(options)
        return pairs_dataset(self.corpus(location, options), location, options)

    def corpus(self, location: str, options: ReadOptions) -> Corpus:
        """Return the messages, line by line, with their placeholders hidden."""
        return read_po(checked_path(location, "file"), location, options)


SOURCE = Po()

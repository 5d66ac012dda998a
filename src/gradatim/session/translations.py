"""What `predict` hands over of a translator: lines, pairs, or a catalogue filled in.

    OUT.tsv   sentences and translations, under the names of their languages
    OUT.tmx   a translation memory of both
    OUT.po    the catalogue that was asked about; what lacked a translation has one, marked fuzzy
    OUT.csv   the names of rows and their translations
    else      a translation a line

Placeholders of messages are put back wherever they go.
"""

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions
from gradatim.data.naming import shown
from gradatim.data.pairs.assembly import Corpus
from gradatim.data.pairs.languages import Way
from gradatim.data.pairs.lines import lines_bytes
from gradatim.data.pairs.messages import po_bytes
from gradatim.data.pairs.placeholders import restored
from gradatim.data.pairs.tmx import tmx_bytes
from gradatim.data.pairs.tsv import tsv_bytes
from gradatim.data.sources import lines, po, tmx, tsv_pairs
from gradatim.runs.files import write_bytes
from gradatim.session.asked_pictures import location

__all__ = ["check_translation", "translations", "write_translations"]

SOURCES: dict[str, po.Po | tmx.Tmx | tsv_pairs.TsvPairs | lines.Lines] = {
    "po": po.SOURCE,
    "tmx": tmx.SOURCE,
    "tsv_pairs": tsv_pairs.SOURCE,
    "lines": lines.SOURCE,
}
MESSAGES = (".po", ".pot")


def check_translation(data: str, out: Path | None) -> None:
    """Refuse, before anything is computed, a file that cannot be written.

    Raises:
        ConfigError: it is the data itself, a folder, or a catalogue of what is none.
    """
    if out is None:
        return
    place = location(data)
    if out.is_dir():
        raise ConfigError(f"--out {out} is a folder; name a file, such as {out / 'answers.txt'}")
    if out.exists() and place.exists() and out.samefile(place):
        raise ConfigError(f"--out {out} is what is asked about; name another file")
    if out.suffix.lower() in MESSAGES and place.suffix.lower() not in MESSAGES:
        raise ConfigError(f"{data} is no catalogue to fill in; name a .txt or a .tsv, not {out}")


def translations(data: Dataset, said: np.ndarray, encoding: str | None = None) -> np.ndarray:
    """Return the translations, as strings, with the placeholders of their sentences.

    Args:
        data: what a model was asked about.
        said: its answers.
        encoding: that the data was read with.
    """
    return np.array(_put_back(_corpus(data, encoding), said), str)


def write_translations(
    data: Dataset, said: np.ndarray, out: Path, encoding: str | None = None
) -> None:
    """Write the answers of a translator; the ending of the file says how.

    Args:
        data: what it was asked about.
        said: its answers.
        out: a file, replaced when it is there.
        encoding: that the data was read with.
    """
    corpus, ending = (
        _corpus(data, encoding),
        out.name.lower().removesuffix(".gz").rpartition(".")[2],
    )
    if f".{ending}" in MESSAGES:
        place = location(data.source)
        content = po_bytes(place, data.source, said.tolist(), encoding)
    else:
        asked = [restored(pair.source, pair.kept) for pair in corpus.pairs]
        content = _written(ending, asked, _put_back(corpus, said), _way(data))
    packed = out.name.lower().endswith(".gz")
    write_bytes(out, gzip.compress(content, mtime=0) if packed else content)


def _written(ending: str, asked: Sequence[str], answers: Sequence[str], way: Way) -> bytes:
    if ending == "tsv":
        return tsv_bytes(asked, answers, way)
    if ending == "tmx":
        return tmx_bytes(asked, answers, way)
    return lines_bytes(answers)


def _put_back(corpus: Corpus, said: np.ndarray) -> list[str]:
    pairs = zip(said.tolist(), corpus.pairs, strict=True)
    return [restored(text, pair.kept) for text, pair in pairs]


def _way(data: Dataset) -> Way:
    field, output = data.signature.input, data.signature.output
    return Way(getattr(field, "language", ""), getattr(output, "language", ""))


def _corpus(data: Dataset, encoding: str | None) -> Corpus:
    """Return the sentences as they stand in the files, which the data holds in a model's letters.

    Raises:
        DataError: the files have changed.
    """
    options = ReadOptions(encoding=encoding, signature=data.signature)
    kind, colon, place = data.source.partition(":")
    if not (colon and kind in SOURCES):
        place = data.source
        kind = next(name for name, source in SOURCES.items() if source.claims(place, options))
    corpus = SOURCES[kind].corpus(place, options)
    if corpus.fingerprint != data.fingerprint:
        raise DataError(f"{shown(data.source, 200)} has changed meanwhile; ask again")
    return corpus

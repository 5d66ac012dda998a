"""Sentence pairs become a data set: cleaned, coded, counted."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from gradatim.core.errors import ConfigError
from gradatim.core.samples import Dataset, Finding, Samples
from gradatim.core.signature import Signature, Text, Translation
from gradatim.core.source import ReadOptions
from gradatim.data.files import must_fit
from gradatim.data.naming import listed
from gradatim.data.origin import Origin, what_to_give
from gradatim.data.pairs.languages import Way
from gradatim.data.pairs.placeholders import CIRCLED
from gradatim.ops.text.characters import coded

__all__ = ["Corpus", "Pair", "pairs_dataset", "plain", "refuse_columns"]

LONGEST = 1000
"""Characters of a sentence that is learnt from; what is longer is no sentence."""
MOST = 10_000
"""Characters of a sentence that a model is asked about."""
SAME = 0.1
"""Share of pairs whose sides are alike above which somebody should look."""
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+")


@dataclass(frozen=True)
class Pair:
    """A sentence and its translation.

    Args:
        name: of the row, for people.
        source: the sentence.
        target: its translation; None where it is not known.
        sealed: whether it is of the data's own test part.
        kept: what the sentence's placeholders stand for, in their order.
    """

    name: str
    source: str
    target: str | None
    sealed: bool = False
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class Corpus:
    """Pairs of two languages, as a source has read them.

    Args:
        pairs: in order.
        way: their languages.
        fingerprint: sha256 of the files.
        kind: of the source.
        findings: remarks.
    """

    pairs: Sequence[Pair]
    way: Way
    fingerprint: str
    kind: str
    findings: tuple[Finding, ...] = field(default=())


def plain(text: str) -> str:
    r"""Return a sentence as models see it: accents composed, no control characters, no ends.

    >>> plain(" e\u0301t\u00e9\t\x00 ")
    '\xe9t\xe9'
    """
    return _CONTROLS.sub(" ", unicodedata.normalize("NFC", text)).strip()


def refuse_columns(options: ReadOptions) -> None:
    """Refuse what means nothing for sentence pairs.

    Raises:
        ConfigError: a column, or a pattern of file names, was asked for.
    """
    asked = [name for name in (options.target, options.group, options.time) if name]
    if asked and options.signature is None:
        raise ConfigError(f"sentence pairs have no columns; leave out {listed(asked)}")
    if options.names and options.signature is None:
        raise ConfigError("languages are told by --from and --to; leave out --names")


def pairs_dataset(corpus: Corpus, location: str, options: ReadOptions) -> Dataset:
    """Return the data set of a corpus.

    With the signature of a model all rows stay, and characters that it does not know are counted.
    Otherwise pairs with an empty or an endless side are left out.

    Raises:
        DataError: nothing is left, or a sentence is too long to be one.
    """
    cleaned = [_cleaned(pair) for pair in corpus.pairs]
    if options.signature is not None:
        return _asked(replace(corpus, pairs=cleaned), location, options, options.signature)
    good, findings = _usable(cleaned)
    origin = _origin(corpus, good, location)
    if not good:
        why = f": {findings[0].message}" if findings else ""
        trouble = f"none of {len(cleaned):,} pairs can be learnt from{why}"
        raise origin.error(trouble, "give sentences with their translations")
    if all(pair.sealed for pair in good):
        raise origin.error("all of it is a test part", "add train files to learn from")
    sources, targets = [pair.source for pair in good], [str(pair.target) for pair in good]
    text = Text(
        length=max(map(len, sources)), alphabet=_alphabet(sources), language=corpus.way.source
    )
    translation = Translation(
        length=max(map(len, targets)), alphabet=_alphabet(targets), language=corpus.way.target
    )
    signature = Signature(input=text, output=translation)
    samples = Samples(
        _coded(sources, text.alphabet, location), _coded(targets, translation.alphabet, location)
    )
    return origin.dataset(samples, signature, [*corpus.findings, *findings])


def _cleaned(pair: Pair) -> Pair:
    target = None if pair.target is None else plain(pair.target)
    return replace(pair, source=plain(pair.source), target=target)


def _origin(corpus: Corpus, pairs: Sequence[Pair], location: str) -> Origin:
    sealed = np.array([pair.sealed for pair in pairs], bool)
    names = [pair.name for pair in pairs]
    own = sealed if sealed.any() else None
    return Origin(location, names, corpus.kind, corpus.fingerprint, own)


def _usable(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Finding]]:
    """Return the pairs to learn from and judge by, and what is to be said of the others."""
    findings = []
    full = [pair for pair in pairs if pair.source and pair.target]
    if len(full) < len(pairs):
        lost = tuple(pair.name for pair in pairs if not (pair.source and pair.target))
        message = f"{len(lost):,} pairs have an empty side and are left out: {listed(lost, 3)}"
        findings.append(Finding("empty-sentences", "warning", message, "complete them", lost[:20]))
    good = [pair for pair in full if max(len(pair.source), len(pair.target or "")) <= LONGEST]
    if len(good) < len(full):
        short = {id(pair) for pair in good}
        lost = tuple(pair.name for pair in full if id(pair) not in short)
        message = f"{len(lost):,} pairs have over {LONGEST:,} characters and are left out: "
        remedy = "give one sentence a line"
        findings.append(
            Finding("long-sentences", "warning", message + listed(lost, 3), remedy, lost[:20])
        )
    same = tuple(pair.name for pair in good if pair.source == pair.target)
    if len(same) > SAME * len(good):
        message = f"{len(same):,} of {len(good):,} translations are the sentence itself"
        remedy = "look whether these are translated at all"
        findings.append(Finding("untranslated", "warning", message, remedy, same[:20]))
    return good, findings


def _asked(corpus: Corpus, location: str, options: ReadOptions, signature: Signature) -> Dataset:
    """Return sentences coded as a model has learnt them, with translations to judge by."""
    field, output = signature.input, signature.output
    pairs, findings = list(corpus.pairs), list(corpus.findings)
    if options.judged and all(pair.target is not None for pair in pairs):
        targets = [pair.target or "" for pair in pairs]
    else:
        targets = []
    origin = _origin(corpus, pairs, location)
    if not isinstance(field, Text) or not isinstance(output, Translation):
        raise origin.error("these are sentences", what_to_give(field))
    if not pairs:
        raise origin.error("there is nothing to translate", "give at least one sentence")
    for row, pair in enumerate(pairs):
        if max(len(pair.source), len(pair.target or "")) > MOST:
            trouble = f"{origin.row(row)} has over {MOST:,} characters"
            raise origin.error(trouble, "a model reads sentences: break it into them")
    sources = [pair.source for pair in pairs]
    for texts, alphabet in ((sources, field.alphabet), (targets, output.alphabet)):
        findings += _strange(texts, alphabet)
    samples = Samples(
        _coded(sources, field.alphabet, location), _coded(targets, output.alphabet, location)
    )
    return replace(origin, sealed=None).dataset(samples, signature, findings)


def _strange(texts: Sequence[str], alphabet: str) -> list[Finding]:
    unknown = sorted(set().union(*texts) - {*alphabet, *CIRCLED})  # placeholders always come back
    if not unknown:
        return []
    count = sum(text.count(character) for text in texts for character in unknown)
    message = f"characters that the model does not know: {listed(unknown)}; {count:,} in all"
    return [Finding("unknown-characters", "note", message)]


def _alphabet(texts: Sequence[str]) -> str:
    return "".join(sorted(set().union(*texts)))


def _coded(texts: Sequence[str], alphabet: str, location: str) -> Tensor:
    if not texts:
        return torch.empty(0, 1, dtype=torch.int32)
    longest = max(1, *map(len, texts))
    must_fit(8 * len(texts) * longest, location)
    return coded(texts, alphabet, longest)

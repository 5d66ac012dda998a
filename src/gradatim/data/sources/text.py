"""Running text: a file of it, or a folder of such files, cut into passages that follow on."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.samples import Dataset, Finding, Samples
from gradatim.core.signature import Continuation, Signature, Text
from gradatim.core.source import ReadOptions, Source
from gradatim.data.files import checked_path
from gradatim.data.naming import listed, shown
from gradatim.data.origin import Origin, what_to_give
from gradatim.data.text.files import Writing, read_writing
from gradatim.data.text.passages import LENGTH, SEALED, Cut, cut
from gradatim.data.text.telling import holds_text, is_prose
from gradatim.ops.text.characters import coded

__all__ = ["SOURCE", "RunningText"]

FEWEST = 4000
"""Characters of the shortest text that can be cut into folds."""


class RunningText(Source):
    """A row is a passage of 256 characters; the last tenth of the text is sealed."""

    summary: ClassVar[str] = "running text (.txt, .md, .text, .gz), or a folder of such files"

    def claims(self, location: str, options: ReadOptions) -> bool:
        path = Path(location)
        if options.job in (None, "model_text") and path.is_dir():
            return options.job is not None or holds_text(path)
        return is_prose(location, options)

    def read(self, location: str, options: ReadOptions) -> Dataset:
        path = checked_path(location)
        _refuse_columns(options)
        writing = read_writing(path, location, options.encoding)
        if options.signature is not None:
            return _code(writing, location, options.signature)
        return _learn(writing, location)


def _refuse_columns(options: ReadOptions) -> None:
    if options.signature is not None:
        return
    asked = [name for name in (options.target, options.group, options.time, options.names) if name]
    if asked:
        raise ConfigError(f"a text has no columns; leave out {listed(asked)}")
    if options.job not in (None, "model_text"):
        raise ConfigError(f"a running text is modelled; leave out --task {options.job}")


def _learn(writing: Writing, location: str) -> Dataset:
    text = writing.text
    if len(text) < FEWEST:
        trouble = f"{shown(location, 200)} has {len(text):,} characters"
        raise DataError(f"{trouble}; a comparison needs at least {FEWEST:,}: give a longer text")
    alphabet = "".join(sorted(set(text)))
    if len(alphabet) < 2:
        trouble = f"{shown(location, 200)} is {shown(alphabet)} again and again"
        raise DataError(f"{trouble}; give a text with something to foretell")
    parts = cut(writing.lengths)
    signature = Signature(input=Text(length=LENGTH, alphabet=alphabet), output=Continuation())
    files = f" of {len(writing.lengths)} files" if len(writing.lengths) > 1 else ""
    told = f"{len(text):,} characters{files}, {len(alphabet)} different ones, in "
    told += f"{len(parts.starts):,} passages of up to {LENGTH}; the last {SEALED:.0%} are sealed."
    finding = Finding("text", "note", told)
    return _dataset(writing, parts, location, signature, [finding])


def _code(writing: Writing, location: str, signature: Signature) -> Dataset:
    field = signature.input
    if not isinstance(field, Text) or not isinstance(signature.output, Continuation):
        raise DataError(f"{shown(location, 200)}: {what_to_give(field)}")
    strange = sorted(set(writing.text) - set(field.alphabet))
    findings = []
    if strange:
        many = sum(writing.text.count(character) for character in strange)
        told = f"{many:,} characters are none of those learnt from: {listed(strange, 5)}"
        findings.append(Finding("unknown-characters", "warning", told))
    parts = cut(writing.lengths, field.length, share=0.0)
    return _dataset(writing, parts, location, signature, findings)


def _dataset(
    writing: Writing, parts: Cut, location: str, signature: Signature, findings: list[Finding]
) -> Dataset:
    field = signature.input
    assert isinstance(field, Text), "both ways here know it"
    flat = coded([writing.text], field.alphabet)[0].numpy()
    place = parts.starts[:, None] + np.arange(field.length)
    codes = np.where(place < parts.ends[:, None], flat[np.minimum(place, len(flat) - 1)], -1)
    passages = torch.from_numpy(codes.astype(np.int32))
    samples = Samples(passages, passages, groups=torch.from_numpy(parts.sections))
    sealed = parts.sealed if parts.sealed.any() else None
    names = writing.lines(parts.starts.tolist())
    origin = Origin(location, names, "text", writing.fingerprint, sealed)
    return origin.dataset(samples, signature, [*findings, *writing.findings])


SOURCE = RunningText()

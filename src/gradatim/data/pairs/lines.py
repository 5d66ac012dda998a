"""Line-aligned files: NAME.fr and NAME.en, line n of one the translation of line n of the other.

Source: the layout of Moses, OPUS and the shared tasks of WMT.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gradatim.core.errors import DataError
from gradatim.core.samples import Finding
from gradatim.core.source import ReadOptions
from gradatim.data.files import content_of
from gradatim.data.naming import listed, plain_name, shown, sorted_names
from gradatim.data.pairs.assembly import Corpus, Pair, plain
from gradatim.data.pairs.languages import CODES, matching, way_among, way_told
from gradatim.data.tables.delimited import decoded

__all__ = ["Aligned", "aligned_files", "holds_pairs", "lines_bytes", "lines_in"]
__all__ += ["one_language", "read_aligned"]

GROWTH = 12.0
"""Bytes of memory for a byte of text."""
TEST = {"test", "testing", "newstest", "tst"}
HELD = {"val", "valid", "validation", "dev", "devel"}

Aligned = Mapping[str, Mapping[str, Path]]
"""Name without ending -> language -> file."""


@dataclass(frozen=True)
class _Text:
    lines: list[str]
    content: bytes


def lines_in(text: str, name: str) -> list[str]:
    """Return the lines of text, whatever ends them.

    Raises:
        DataError: a NUL byte, which no text has.
    """
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        trouble = f"{shown(name, 200)}: line {line} holds a NUL byte"
        raise DataError(f"{trouble}; give sentences as UTF-8 text, one a line")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def lines_bytes(texts: Sequence[str]) -> bytes:
    """Return a file with a sentence a line."""
    return "".join(f"{plain(text)}\n" for text in texts).encode("utf-8", "backslashreplace")


def aligned_files(root: Path, options: ReadOptions) -> Aligned:
    """Return the files of a folder that stand beside another language of the same name.

    An ending counts as a language when it is a code of two letters, or is asked for.
    """
    told = [code for code in way_told(options) if code] if _knows(options) else []
    found: dict[str, dict[str, Path]] = {}
    for path in _files(root):
        stem, language = _stem_and_language(path, told)
        if language and path.is_file():
            found.setdefault(stem, {}).setdefault(language, path)
    both = {stem: files for stem, files in found.items() if len(files) > 1}
    order = sorted(both, key=lambda stem: (_part(stem), sorted_names(both).index(stem)))
    return {stem: both[stem] for stem in order}


def holds_pairs(root: Path, options: ReadOptions) -> bool:
    """Tell whether a folder has line-aligned files."""
    return root.is_dir() and bool(aligned_files(root, options))


def read_aligned(files: Aligned, location: str, options: ReadOptions) -> Corpus:
    """Return the pairs of a folder's files; those called test are sealed.

    Validation files are learnt from like the others, for the folds are drawn anew.

    Raises:
        ConfigError: it is not clear which way to translate.
        DataError: files of one name differ in their numbers of lines, or cannot be read.
    """
    way = way_among({one for found in files.values() for one in found}, options, location)
    wanted = [code for code in way if code]
    usable = {stem: found for stem, found in files.items() if set(wanted) <= set(found)}
    pairs, digest = list[Pair](), hashlib.sha256("\0".join(way).encode())
    for stem, found in usable.items():
        sides = [_text(found[code], str(found[code]), options.encoding) for code in wanted]
        _check_counts([found[code] for code in wanted], sides)
        sealed = _part(stem) == 2 and options.signature is None
        digest.update(f"{plain_name(stem)}\0{sealed}\0".encode())
        for side in sides:
            digest.update(hashlib.sha256(side.content).digest())
        name = "" if len(usable) == 1 else f"{plain_name(stem)}, "
        for number, texts in enumerate(zip(*(side.lines for side in sides), strict=True), 1):
            target = texts[1] if len(texts) > 1 else None
            pairs.append(Pair(f"{name}line {number}", texts[0], target, sealed))
    findings = _remarks(files, usable) if options.signature is None else []
    return Corpus(pairs, way, digest.hexdigest(), "lines", tuple(findings))


def one_language(path: Path, location: str, options: ReadOptions) -> Corpus:
    """Return the lines of one file, without translations."""
    text = _text(path, location, options.encoding)
    pairs = [Pair(f"line {n}", line, None) for n, line in enumerate(text.lines, 1)]
    return Corpus(pairs, way_told(options), hashlib.sha256(text.content).hexdigest(), "lines")


def _knows(options: ReadOptions) -> bool:
    return options.signature is None or options.signature.output.kind == "translation"


def _files(root: Path) -> list[Path]:
    """Return what a folder shows, without links that lead out of it."""
    try:
        whole = root.resolve()
        shown_ones = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    except OSError:
        return []
    return [p for p in shown_ones if not p.is_symlink() or p.resolve().is_relative_to(whole)]


def _stem_and_language(path: Path, told: Sequence[str]) -> tuple[str, str]:
    stem, dot, ending = path.name.removesuffix(".gz").rpartition(".")
    kind = ending.casefold().replace("_", "-")
    if not (dot and stem):
        return "", ""
    usual = re.fullmatch(r"[a-z]{2}(-[a-z]{2,4})?", kind) and kind[:2] in CODES
    return (stem, ending) if usual or any(matching(code, [ending]) for code in told) else ("", "")


def _part(stem: str) -> int:
    """Return 0 for what teaches, 1 for validation, 2 for tests."""
    words = set(re.findall(r"[a-z]+", stem.casefold()))
    return 2 if words & TEST else 1 if words & HELD else 0


def _text(path: Path, name: str, encoding: str | None) -> _Text:
    content = content_of(path, growth=GROWTH)
    text = decoded(content, name, encoding)
    return _Text(lines_in(text, name), content)


def _check_counts(paths: Sequence[Path], sides: Sequence[_Text]) -> None:
    if len({len(side.lines) for side in sides}) > 1:
        first, second = (
            f"{shown(path, 200)} has {len(side.lines):,} lines"
            for path, side in zip(paths, sides, strict=True)
        )
        raise DataError(
            f"{first} and {second}: these are no pairs\n"
            "line n of one must be the translation of line n of the other; mend the files"
        )


def _remarks(files: Aligned, usable: Aligned) -> list[Finding]:
    findings = []
    held = [stem for stem in usable if _part(stem) == 1]
    if held:
        message = f"{listed(held)} is learnt from like train; the folds are drawn anew"
        findings.append(Finding("validation-part", "note", message))
    lost = [stem for stem in files if stem not in usable]
    if lost:
        message = f"{listed(lost)} lack one of the two languages and are left out"
        findings.append(Finding("unpaired", "warning", message, "add the language", tuple(lost)))
    return findings

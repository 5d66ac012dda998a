"""Files that name the classes of masks: plain names, numbers and names, or names and colours."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gradatim.core.errors import DataError
from gradatim.data.files import content_of
from gradatim.data.masks.levels import Level
from gradatim.data.naming import listed, shown

__all__ = ["ClassList", "class_list", "parse_class_list"]

FILES = (
    *("classes.txt", "class_names.txt", "labels.txt"),
    *("labelmap.txt", "label_colors.txt", "class_dict.csv"),
)
VOID = {"ignore", "ignored", "unlabeled", "unlabelled", "void"}
_COLOUR_FIRST = re.compile(r"(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\S.*)")
_COLOUR_LAST = re.compile(r"(.*[^\s:,])[\s:,]+(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\s*(?::.*)?")
_NUMBERED = re.compile(r"(\d{1,5})\s*[:,\t ]\s*(\S.*)")


@dataclass(frozen=True)
class ClassList:
    """Classes as a file names them.

    Args:
        names: in the order of the file, without those that mean "ignored".
        levels: the colour (3 numbers) or the number (1) of each; none where the order counts.
        void: levels of what is to be ignored.
        file: its name, for messages.
    """

    names: tuple[str, ...]
    levels: tuple[Level, ...]
    void: frozenset[Level]
    file: str


def class_list(root: Path) -> ClassList | None:
    """Return the first list of classes in a folder; None when there is none.

    Raises:
        DataError: it is empty, no text, or names a class or a colour twice.
    """
    path = next((root / name for name in FILES if (root / name).is_file()), None)
    return None if path is None else parse_class_list(content_of(path), str(path))


def parse_class_list(content: bytes, file: str) -> ClassList:
    r"""Return what a list of classes says.

    Lines: `name`; `0 name`; `name: 255,0,0` (CVAT adds `::`); `255 0 0 name` (CamVid). Lines that
    begin with # and a header `name,r,g,b` do not count.

    >>> parse_class_list(b"sky:0,0,255::\nvoid:9,9,9::", "labelmap.txt").levels
    ((0, 0, 255),)
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        trouble = f"{shown(file, 200)} is no UTF-8 at byte {error.start}"
        raise DataError(f"{trouble}; save it as UTF-8") from error
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and line[0] != "#"]
    if lines and re.fullmatch(r"name[\s,]+r[\s,]+g[\s,]+b", lines[0].casefold()):
        lines = lines[1:]
    pairs = [_line(line) for line in lines]
    if any(level is None for _, level in pairs):
        pairs = [(line, None) for line in lines]
    return _list(pairs, file)


def _line(line: str) -> tuple[str, Level | None]:
    if found := _COLOUR_FIRST.fullmatch(line):
        return found[4], (int(found[1]), int(found[2]), int(found[3]))
    if found := _COLOUR_LAST.fullmatch(line):
        return found[1], (int(found[2]), int(found[3]), int(found[4]))
    if found := _NUMBERED.fullmatch(line):
        return found[2], (int(found[1]),)
    return line, None


def _list(pairs: Sequence[tuple[str, Level | None]], file: str) -> ClassList:
    kept = [(name, level) for name, level in pairs if name.casefold() not in VOID or level is None]
    names = [name for name, _ in kept]
    levels = [level for _, level in kept if level is not None]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not names or twice or len(set(levels)) < len(levels) or len(set(map(len, levels))) > 1:
        trouble = f"names {listed(twice)} twice" if twice else "names no class, or one level twice"
        raise DataError(f"{shown(file, 200)} {trouble}; give one class a line, each once")
    void = frozenset(level for name, level in pairs if level and name.casefold() in VOID)
    return ClassList(tuple(names), tuple(levels), void, file)

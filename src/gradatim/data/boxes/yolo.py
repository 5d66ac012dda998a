"""YOLO: a text file a picture, a line a box: class, middle, width and height as shares.

A line with more pairs of numbers is the outline of an object; its box is the one around it. A file
that is empty or not there means a picture without boxes.

Source: the format of darknet (Redmon et al. 2016, "You Only Look Once"), as Ultralytics documents
it; `data.yaml` names the classes and the parts.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np

from gradatim.core.errors import DataError
from gradatim.data.boxes.marks import Mark, Sheet
from gradatim.data.naming import shown

__all__ = ["DataYaml", "parse_data_yaml", "parse_yolo", "yolo_txt"]

PARTS = ("path", "train", "val", "test")
_QUOTED = r"""(?<!\w)"[^"]*"|(?<!\w)'[^']*'"""  # it's no quote inside of a word
_ENTRY = re.compile(r"(?:-(?:\s+|$)|(\d+)\s*:\s*)(.*)")
_KEY = re.compile(r"([A-Za-z_]\w*)\s*:\s*(.*)")


def parse_yolo(
    text: str, picture: PurePosixPath, name: str, names: Sequence[str], *, sealed: bool = False
) -> Sheet:
    """Return what a file of boxes says.

    Args:
        text: of the file.
        picture: the picture that it is about.
        name: of the file, for messages.
        names: of the classes, by their number; none where numbers are all that is known.
        sealed: whether the picture is of the test part.
    """
    marks, troubles = list[Mark](), list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            mark = _mark(line.split(), f"{shown(name, 200)}, line {number}", names)
            if isinstance(mark, Mark):
                marks.append(mark)
            else:
                troubles.append(mark)
    return Sheet(picture, tuple(marks), None, sealed, tuple(troubles))


def _mark(words: Sequence[str], where: str, names: Sequence[str]) -> Mark | str:
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return f"{where}: it holds something else than numbers"
    if len(numbers) != 5 and (len(numbers) < 7 or len(numbers) % 2 == 0):
        return f"{where}: it has {len(numbers)} numbers, expected class, x, y, width, height"
    code = numbers[0]
    if not code.is_integer() or code < 0 or (names and code >= len(names)):
        known = f"expected 0 to {len(names) - 1}" if names else "expected a whole number"
        return f"{where}: its class is {words[0][:20]}, {known}"
    label = names[int(code)] if names else str(int(code))
    return Mark(label, _edges(numbers[1:]), where)


def _edges(numbers: Sequence[float]) -> tuple[float, float, float, float]:
    if len(numbers) == 4:
        x, y, width, height = numbers
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    xs, ys = numbers[::2], numbers[1::2]
    return min(xs), min(ys), max(xs), max(ys)


def yolo_txt(boxes: np.ndarray) -> bytes:
    """Return boxes as a file of YOLO: class, middle, width, height, and how sure, if that is known.

    Args:
        boxes: (boxes, 5) as targets: edges as shares, class; or (boxes, 6) as found: edges, how
            sure, class. Rows whose class is negative are none.
    """
    lines = []
    for left, top, right, bottom, *score, code in boxes[boxes[:, -1] >= 0].astype(float).tolist():
        shares = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, *score)
        lines.append(" ".join([str(int(code)), *(f"{share:.6f}" for share in shares)]) + "\n")
    return "".join(lines).encode()


@dataclass
class DataYaml:
    """What data.yaml says: class names by number, and the folders of each part."""

    names: list[str] = field(default_factory=list)
    parts: dict[str, list[str]] = field(default_factory=dict)


def parse_data_yaml(text: str, name: str) -> DataYaml:
    """Return names and parts of a data.yaml.

    Of YAML it reads what such files use: plain and quoted words, lists in brackets or a dash a
    line, and a number with each name. Everything else is passed over.

    Raises:
        DataError: the names are not numbered 0, 1, ... or cannot be read.

    >>> parse_data_yaml("names: [cat, 'big dog']  # two", "data.yaml").names
    ['cat', 'big dog']
    """
    values, key = dict[str, list[tuple[str | None, str]]](), ""
    for line in text.splitlines():
        bare = _without_comment(line)
        found, entry = _KEY.fullmatch(bare), _ENTRY.fullmatch(bare.strip())
        if found:
            key = found[1]
            values[key] = [(number, word) for number, word in _inline(found[2].strip())]
        elif entry and key:
            values[key].append((entry[1], _unquoted(entry[2])))
    made = DataYaml(_names(values.get("names", []), name))
    made.parts = {part: [w for _, w in values[part] if w] for part in PARTS if part in values}
    return made


def _without_comment(line: str) -> str:
    found = re.match(rf"(?:{_QUOTED}|[^#]|(?<=\S)#)*", line)
    return found[0].rstrip() if found else ""


def _inline(text: str) -> list[tuple[str | None, str]]:
    """Return the entries of a value on the line of its key."""
    if not text:
        return []
    if text[0] not in "[{":
        return [(None, _unquoted(text))]
    words = re.findall(rf"(?:{_QUOTED}|[^,])+", text.strip("[]{} "))
    if text[0] == "[":
        return [(None, _unquoted(word)) for word in words]
    pairs = [word.partition(":") for word in words]
    return [(number.strip(), _unquoted(word)) for number, _, word in pairs]


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _names(entries: Sequence[tuple[str | None, str]], name: str) -> list[str]:
    numbered: Mapping[str, str] = {n: word for n, word in entries if n is not None}
    if not numbered:
        names = [word for _, word in entries]
    else:
        names = [numbered.get(str(code), "") for code in range(len(entries))]
    if not all(names) or len(set(names)) < len(names):
        trouble = f"{shown(name, 200)}: its names are not numbered from 0 on, or repeat"
        raise DataError(f"{trouble}; write names: [first, second]")
    return names

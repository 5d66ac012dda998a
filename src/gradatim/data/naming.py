"""Names that strangers gave: put in a natural order, shown safely, checked for twins."""

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = ["listed", "number_of", "plain_name", "shown", "sorted_names", "twins"]

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)


def number_of(text: str) -> float | None:
    """Return the number that a cell spells, or None.

    Only plain decimal notation counts: `1_000`, `0x1F` and `1,5` are text. Too large is infinite.

    >>> number_of("-1e3"), number_of("1_000"), number_of("1e400")
    (-1000.0, None, inf)
    """
    spelled = _NUMBER.fullmatch(text) or _INFINITE.fullmatch(text)
    return float(text) if spelled else None


def sorted_names(names: Iterable[str]) -> list[str]:
    """Return names in the order a person expects: numbers by size, also inside of words.

    >>> sorted_names(["10", "2", "-1"]), sorted_names(["b10", "b9", "a"])
    (['-1', '2', '10'], ['a', 'b9', 'b10'])
    """
    known = list(names)
    numbers = {name: number_of(name) for name in known}
    if all(number is not None for number in numbers.values()):
        return sorted(known, key=lambda name: (numbers[name], name))
    return sorted(known, key=_natural)


def _natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    # Digits compare by length, then as text: int() refuses more than 4300 of them.
    parts = re.split(r"([0-9]+)", name.casefold())
    digits = [part.lstrip("0") for part in parts]
    pairs = [
        (0, len(short), short) if part.isdigit() and part.isascii() else (1, 0, part)
        for part, short in zip(parts, digits, strict=True)
    ]
    return pairs, name


def shown(text: object, limit: int = 60) -> str:
    r"""Return text for a message: in quotes, on one line, inert in a terminal, not too long.

    >>> print(shown("a\nb"), shown("abcdefghij", 4))
    "a\nb" "ab...ij"
    """
    whole = str(text)
    half = limit // 2
    cut = whole if len(whole) <= limit else f"{whole[:half]}...{whole[-half:]}"
    return '"' + "".join(c if c.isprintable() else _escaped(c) for c in cut) + '"'


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def listed(names: Sequence[str], limit: int = 10) -> str:
    """Return up to `limit` names for a message, and how many more there are.

    >>> listed(["a", "b", "c"], 2)
    '"a", "b" and 1 more'
    """
    first = ", ".join(shown(name) for name in names[:limit])
    return first + (f" and {len(names) - limit} more" if len(names) > limit else "")


def plain_name(name: str) -> str:
    r"""Return a file's name as valid Unicode; bytes that are no UTF-8 show as `\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def twins(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of names that differ only by case, Unicode form or spelling of a number.

    >>> twins(["cat", "Cat", "dog", "1", "1.0"])
    [('cat', 'Cat'), ('1', '1.0')]
    """
    seen: dict[object, str] = {}
    pairs = []
    for name in names:
        number = number_of(name)
        key = unicodedata.normalize("NFC", name).casefold() if number is None else number
        if key in seen:
            pairs.append((seen[key], name))
        seen.setdefault(key, name)
    return pairs

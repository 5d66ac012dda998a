"""Placeholders of messages, such as %s and {name}: hidden from a model, and put back.

Each placeholder of a sentence becomes a number in a circle, which a model carries along like a
name. Whatever it does with them, what is put back passes gettext's check of formats: every
placeholder of the sentence is there once, and those that are filled in by their order keep it.

Source: GNU gettext, section "c-format"; Python, "printf-style formatting" and "format strings".
"""

import re
from collections import Counter
from collections.abc import Sequence

__all__ = ["CIRCLED", "fits", "hidden", "restored"]

CIRCLED = "".join(
    chr(point)
    for points in ((0x2460, 20), (0x3251, 15), (0x32B1, 15))
    for point in range(points[0], points[0] + points[1])
)
"""1 to 50 in circles."""
_SHAPE = r"[-+0#]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh?|ll?|[qjztL])?"
_PRINTF = rf"%(?:\(\w+\)|\d+\$)?{_SHAPE}[diouxXeEfFgGaAcspnr%@]"
_BRACES = r"\$?\{[^{}\s]*\}"
_TAG = r"</?[A-Za-z][^<>]*>"
_ANY = re.compile(rf"{_PRINTF}|{_BRACES}|{_TAG}|[{CIRCLED}]")
_IN_ORDER = re.compile(rf"%{_SHAPE}[diouxXeEfFgGaAcspnr@]|\{{(?:[!:][^{{}}]*)?\}}")
"""Placeholders without number or name: the first value goes to the first of them."""


def hidden(text: str, kept: Sequence[str] | None = None) -> tuple[str, tuple[str, ...]]:
    r"""Return a text with its placeholders hidden, and what was hidden.

    Args:
        text: a message, or its translation.
        kept: what was hidden in the message, to hide it alike in its translation.

    Returns:
        The text as it is where it has over 50 placeholders.

    >>> [part.encode("ascii", "namereplace") for part in (hidden("%d of {all}")[0],)]
    [b'\\N{CIRCLED DIGIT ONE} of \\N{CIRCLED DIGIT TWO}']
    """
    found = tuple(match.group() for match in _ANY.finditer(text))
    known = found if kept is None else tuple(kept)
    if len(known) > len(CIRCLED):
        return text, ()
    free = [*known]

    def number(match: re.Match[str]) -> str:
        if match.group() not in free:
            return match.group()
        place = free.index(match.group())
        free[place] = ""  # each stands for one place
        return CIRCLED[place]

    return _ANY.sub(number, text), known


def restored(text: str, kept: Sequence[str]) -> str:
    """Return a translation with the placeholders of its message.

    Those that the translation lacks are put at its end, those it has too often are left out.

    >>> restored(CIRCLED[1] + " von " + CIRCLED[0] + CIRCLED[0], ["%(n)d", "{all}"])
    '{all} von %(n)d'
    >>> restored("nichts", ["%s"])
    'nichts %s'
    """
    used: list[int] = []
    parts = []
    for part in re.split(f"([{CIRCLED}])", text):
        place = CIRCLED.find(part) if len(part) == 1 else -1
        if place < 0:
            parts.append(part)
        elif place < len(kept) and place not in used:
            used.append(place)
            parts.append(part)
    missing = [place for place in range(len(kept)) if place not in used]
    said = " ".join(["".join(parts), *(CIRCLED[place] for place in missing)]).strip()
    by_order = iter([one for one in kept if _IN_ORDER.fullmatch(one)])

    def back(match: re.Match[str]) -> str:
        one = kept[CIRCLED.index(match.group())]
        return next(by_order) if _IN_ORDER.fullmatch(one) else one

    return re.sub(f"[{CIRCLED}]", back, said) if kept else said


def fits(message: str, translation: str) -> bool:
    """Tell whether a translation has the placeholders of its message, as gettext checks it.

    >>> fits("%s has %d", "%d: %s"), fits("{a} and {b}", "{b} und {a}")
    (False, True)
    """
    said, due = (_ANY.findall(text) for text in (translation, message))
    ordered = [[one for one in found if _IN_ORDER.fullmatch(one)] for found in (said, due)]
    return Counter(said) == Counter(due) and ordered[0] == ordered[1]

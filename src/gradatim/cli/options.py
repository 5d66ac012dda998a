"""Flags that several commands share."""

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token

__all__ = [
    "SAID",
    "Flag",
    "Json",
    "Whole",
    "Words",
    "comma",
    "command_line",
    "inert",
    "print_json",
]

SAID: ContextVar[tuple[str, ...]] = ContextVar("SAID", default=())
"""The arguments of the command that is running."""


def _whole(kind: type, tokens: Sequence[Token]) -> int:
    """Read a whole number; 2.5 is none, although it could be rounded."""
    text = tokens[0].value
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text} is no whole number") from None


Whole = Annotated[int, Parameter(converter=_whole)]
Words = Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=False)]
Json = Annotated[bool, Parameter(name="--json", negative=())]
Flag = Annotated[bool, Parameter(negative=())]


def command_line() -> str:
    """Return the command that is running, ready to be pasted into a shell."""
    return shlex.join(["gradatim", *SAID.get()])


def inert(text: object) -> str:
    """Return text that moves no cursor and changes no colour, whoever chose the name in it."""
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in str(text))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout."""
    sys.stdout.write(json.dumps(value, allow_nan=False, default=_plain) + "\n")


def _plain(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def comma(text: str | None) -> list[str] | None:
    """Return the names in `a,b,c`; None for nothing."""
    return [part.strip() for part in text.split(",") if part.strip()] if text else None

"""Flags that several commands share."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

__all__ = ["Json", "Words", "print_json"]

Words = Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=False)]
Json = Annotated[bool, Parameter(name="--json", negative=())]
Flag = Annotated[bool, Parameter(negative=())]


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

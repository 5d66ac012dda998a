"""Passages tinted by how much each character surprised every rung, and sentences translated."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from gradatim.report.evidence import Evidence, entries, number, text
from gradatim.report.qualities import measured, measured_as
from gradatim.report.svg import short

__all__ = ["Line", "Passage", "Piece", "Sentence", "passages", "sentences"]

STEPS = (0.1, 0.5, 1.0, 2.0, 3.0, 4.5)
"""Nats of a character from which on its tint is deeper: probabilities of .90 .61 .37 .14 .05 .01"""
MARKED = (0.5, 1.5)
"""Nats that one rung needs less than the other, from which on a character is tinted."""

LONGEST = 600  # letters of a sentence


@dataclass(frozen=True)
class Piece:
    """Some characters with one tint: 0 is none, 1 to 6 are deeper; -1 and -2 are a loss."""

    text: str
    tint: int

    @property
    def word(self) -> bool:
        """Tell whether there is a letter or a number in it."""
        return any(letter.isalnum() for letter in self.text)


@dataclass(frozen=True)
class Line:
    """What one rung made of a row."""

    name: str
    pieces: tuple[Piece, ...]
    note: str
    chosen: bool
    best: bool


@dataclass(frozen=True)
class Passage:
    """A passage in the eyes of every rung; `gain` is the chosen one against the rung below."""

    row: str
    why: str
    lines: tuple[Line, ...]
    gain: tuple[Piece, ...]
    rungs: tuple[str, str]


@dataclass(frozen=True)
class Sentence:
    """A sentence, a person's translation, and what the rungs made of it."""

    row: str
    why: str
    source: str
    reference: str
    lines: tuple[Line, ...]


def passages(
    evidence: Evidence, rungs: Sequence[str], chosen: str, budget: int
) -> tuple[list[Passage], int]:
    """Return the passages that a run kept, and how many were left out.

    Args:
        evidence: the run.
        rungs: to be shown, in ladder order.
        chosen: the one that the verdict names.
        budget: how many characters passages may take on the page.
    """
    stored: Mapping[str, np.ndarray] = evidence.array("gallery.npz") or {}
    rows = _rows(evidence, "passages")
    found = [one for row in rows if (one := _passage(evidence, row, stored, rungs, chosen))]
    kept = found[: _affordable([one.lines for one in found], budget)]
    return kept, len(found) - len(kept)


def _affordable(rows: Sequence[Sequence[Line]], budget: int) -> int:
    """Return how many rows, from the first on, surely fit; a letter may take six characters."""
    for place, lines in enumerate(rows):
        pieces = [piece for line in lines for piece in line.pieces]
        budget -= sum(6 * len(piece.text) + 40 for piece in pieces) + 200 * len(lines)
        if budget < 0:
            return place
    return len(rows)


def _rows(evidence: Evidence, kind: str) -> list[dict[str, Any]]:
    rows = entries(evidence.document("gallery.json").get(kind))
    return [row for row in rows if number(row.get("row")) is not None]


def _passage(
    evidence: Evidence,
    row: Mapping[str, Any],
    stored: Mapping[str, np.ndarray],
    rungs: Sequence[str],
    chosen: str,
) -> Passage | None:
    written = text(row.get("text"))
    nats = {rung: stored.get(f"{int(row['row'])}/{rung}") for rung in rungs}
    known = {rung: n for rung, n in nats.items() if n is not None and _fits(n, written)}
    if not known or not written:
        return None
    means = {rung: float(n.mean()) for rung, n in known.items()}
    lines = tuple(
        Line(
            name=rung,
            pieces=_pieces(written, np.searchsorted(STEPS, n, "right")),
            note=f"{means[rung]:.2f}",
            chosen=rung == chosen,
            best=means[rung] == min(means.values()),
        )
        for rung, n in known.items()
    )
    gain, pair = _gain(written, known, chosen)
    return Passage(_name(evidence, row), text(row.get("why")), lines, gain, pair)


def _fits(nats: np.ndarray, written: str) -> bool:
    return nats.shape == (len(written),) and bool(np.isfinite(nats).all())


def _gain(
    written: str, nats: Mapping[str, np.ndarray], chosen: str
) -> tuple[tuple[Piece, ...], tuple[str, str]]:
    """Return where the chosen rung knew better than the rung below it, and where worse."""
    names = list(nats)
    place = names.index(chosen) if chosen in names else 0
    if not place:
        return (), ("", "")
    below, now = names[place - 1], chosen
    change = nats[below] - nats[now]
    size = np.searchsorted(MARKED, np.abs(change), "right")
    return _pieces(written, np.sign(change).astype(int) * size), (below, now)


def _pieces(written: str, tints: np.ndarray) -> tuple[Piece, ...]:
    """Join neighbours of one tint; the end of a line is made visible."""
    runs = groupby(zip(written, tints.tolist(), strict=True), key=lambda pair: pair[1])
    pieces = (("".join(letter for letter, _ in run), tint) for tint, run in runs)
    return tuple(Piece(letters.replace("\n", "↵\n"), int(tint)) for letters, tint in pieces)


def sentences(
    evidence: Evidence, rungs: Sequence[str], chosen: str, budget: int
) -> tuple[list[Sentence], int]:
    """Return the sentences that a run kept, and how many were left out; as for `passages`."""
    measure, rows = measured_as(evidence), _rows(evidence, "sentences")
    found = [_sentence(evidence, row, rungs, chosen, measure) for row in rows]
    kept = found[: _affordable([one.lines for one in found], budget)]
    return kept, len(found) - len(kept)


def _sentence(
    evidence: Evidence, row: Mapping[str, Any], rungs: Sequence[str], chosen: str, measure: str
) -> Sentence:
    said, graded = (_named(row.get(name)) for name in ("said", "quality"))
    values = {rung: number(graded.get(rung)) for rung in rungs}
    known = [value for rung, value in values.items() if value is not None and rung in said]
    reference = text(row.get("reference"))
    lines = tuple(
        Line(
            name=rung,
            pieces=_compared(short(text(said[rung]), LONGEST), reference),
            note=measured(values[rung], measure),
            chosen=rung == chosen,
            best=bool(known) and values[rung] == max(known),
        )
        for rung in rungs
        if rung in said
    )
    source, why = short(text(row.get("source")), LONGEST), text(row.get("why"))
    return Sentence(_name(evidence, row), why, source, short(reference, LONGEST), lines)


def _named(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _compared(said: str, reference: str) -> tuple[Piece, ...]:
    """Tint the words that the reference has too, upper and lower case alike."""
    words = set(re.findall(r"\w+", reference.casefold()))
    parts = [part for part in re.split(r"(\w+)", said) if part]
    tints = (int(part.casefold() in words) for part in parts)
    return tuple(Piece(part, tint) for part, tint in zip(parts, tints, strict=True))


def _name(evidence: Evidence, row: Mapping[str, Any]) -> str:
    place, names = int(row["row"]), evidence.row_names
    return text(names[place]) if 0 <= place < len(names) else f"row {place}"

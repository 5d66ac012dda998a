"""What the data doctor found, how the classes are filled, and what the columns hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from gradatim.report.evidence import Evidence, entries, number, text
from gradatim.report.figures.bars import share_bar
from gradatim.report.words import count, plain, share

__all__ = ["Finding", "Findings", "findings", "flat"]

CLASSES, COLUMNS, FINDINGS, ROWS, FACTS = 30, 40, 30, 5, 40
COLUMN_FACTS = ("name", "kind", "missing", "distinct", "minimum", "maximum", "mean")
WEIGHTS = {"blocking": 0, "warning": 1, "note": 2}


@dataclass(frozen=True)
class Finding:
    """One thing the doctor found."""

    weight: str
    message: str
    remedy: str
    rows: str


@dataclass(frozen=True)
class Findings:
    """The data section, written out."""

    findings: tuple[Finding, ...]
    hidden_findings: int
    balance: tuple[tuple[str, str, str, Markup], ...]
    hidden_classes: int
    columns: tuple[tuple[str, ...], ...]
    hidden_columns: int
    facts: tuple[tuple[str, str], ...]


def findings(evidence: Evidence) -> Findings:
    """Return what the inspection of the data says."""
    inspection = evidence.inspection
    field, target = (_part(inspection, name) for name in ("input", "target"))
    found = sorted(entries(inspection.get("findings")), key=_weight)
    columns = entries(inspection.get("columns") or field.get("columns"))
    classes = _counts(inspection.get("classes") or target.get("classes"))
    known = len(_part(evidence.signature, "input").get("columns") or [])
    return Findings(
        findings=tuple(_finding(item) for item in found[:FINDINGS]),
        hidden_findings=max(0, len(found) - FINDINGS),
        balance=_balance(classes),
        hidden_classes=max(0, max(len(classes), len(evidence.classes)) - CLASSES),
        columns=tuple(_column(column) for column in columns[:COLUMNS]),
        hidden_columns=max(0, max(len(columns), known) - COLUMNS),
        facts=tuple(_facts(inspection)),
    )


def _weight(item: dict[str, Any]) -> int:
    return WEIGHTS.get(text(item.get("weight")), 2)


def _finding(item: dict[str, Any]) -> Finding:
    rows = item.get("rows")
    listed = [text(row) for row in rows] if isinstance(rows, list) else []
    more = f" and {len(listed) - ROWS:,} more" if len(listed) > ROWS else ""
    where = f"rows {', '.join(listed[:ROWS])}{more}" if listed else ""
    if not listed and number(rows):
        where = f"{count(number(rows))} rows"
    return Finding(
        text(item.get("weight")) or "note",
        text(item.get("message")),
        text(item.get("remedy")),
        where,
    )


def _part(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = document.get(name)
    return part if isinstance(part, dict) else {}


def _counts(classes: Any) -> list[tuple[str, float]]:
    items = list(classes.items()) if isinstance(classes, dict) else []
    items += [(item.get("name"), item.get("count")) for item in entries(classes)]
    return [(text(name), number(value) or 0.0) for name, value in items]


def _balance(classes: list[tuple[str, float]]) -> tuple[tuple[str, str, str, Markup], ...]:
    total = sum(number for _, number in classes) or 1.0
    most = max((number for _, number in classes), default=1.0) or 1.0
    shown = classes
    if len(classes) > CLASSES:
        shown = sorted(classes, key=lambda item: (-item[1], item[0]))[:CLASSES]
    return tuple((name, count(n), share(n / total), share_bar(n / most)) for name, n in shown)


def _column(column: dict[str, Any]) -> tuple[str, ...]:
    return tuple(_fact(column.get(name)) for name in COLUMN_FACTS)


def _fact(value: Any) -> str:
    known = number(value)
    if value is None:
        return "–"
    if known is None:
        return text(value)
    return count(known) if known == int(known) and abs(known) < 1e15 else plain(known)


def _facts(inspection: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what is known beyond findings, columns and classes, which have their own tables."""
    skip = {"findings", "columns", "classes", "fingerprint", "truncated", "name", "source"}
    facts = {name: value for name, value in inspection.items() if name not in skip and value}
    facts.setdefault("duplicates", inspection.get("duplicates"))
    for name in ("input", "target"):
        part = _part(inspection, name)
        if part:
            facts[name] = {
                k: v for k, v in part.items() if k not in skip | {"quantities", "ranges"}
            }
        for quantity in entries(part.get("quantities")):
            facts[text(quantity.get("name"))] = quantity.get("quantiles")
        for place, limits in enumerate(entries(part.get("ranges"))):
            facts[f"channel {place}"] = limits
    lines = [(name.replace(".", " ").replace("_", " "), value) for name, value in flat(facts)]
    return [(name, value) for name, value in lines[:FACTS] if value]


def flat(
    values: Mapping[str, Any], prefix: str = "", write: Callable[[Any], str] = _fact
) -> list[tuple[str, str]]:
    """Return nested settings as lines of dotted names."""
    lines = list[tuple[str, str]]()
    for name, value in values.items():
        if isinstance(value, dict):
            lines += flat(value, f"{prefix}{name}.", write)
        elif isinstance(value, list):
            lines.append((prefix + name, ", ".join(write(item) for item in value[:20])))
        elif value is not None:
            lines.append((prefix + name, write(value)))
    return lines

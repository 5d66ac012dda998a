"""What a first pass tells people: the part of the doctor's summary that sums give."""

from dataclasses import asdict
from typing import Any

from gradatim.core.signature import Category, Table
from gradatim.data.streams.parquet import Stream
from gradatim.data.streams.survey import Survey

__all__ = ["inspection_of"]

LISTED = 1_000


def inspection_of(stream: Stream, survey: Survey, name: str) -> dict[str, Any]:
    """Return a summary with the keys of `data.doctor.inspection`, ready for JSON.

    Copies of rows are not counted, nor are the distinct values of a column.
    """
    output = survey.signature.output
    target: dict[str, Any] = {"kind": output.kind, "name": survey.target.name}
    if not isinstance(output, Category):
        known = survey.target.numbers()
        limits = {"minimum": known.least, "mean": known.mean, "maximum": known.greatest}
        quantity = {"name": survey.target.name, "quantiles": limits}
        target = {"kind": output.kind, "quantities": [quantity]}
    return {
        "name": name,
        "source": stream.location,
        "fingerprint": "",
        "rows": survey.target.rows,
        "sealed": 0,
        "groups": None,
        "timed": False,
        "duplicates": None,
        "input": {"kind": "table", "columns": _columns(survey)},
        "target": target,
        "truncated": [],
        "findings": [asdict(finding) | {"rows": [*finding.rows]} for finding in survey.findings],
    }


def _columns(survey: Survey) -> list[dict[str, Any]]:
    assert isinstance(survey.signature.input, Table)
    lines = []
    for column, numbers, missing in zip(
        survey.signature.input.columns, survey.numbers, survey.counts, strict=True
    ):
        line: dict[str, Any] = {"name": column.name, "kind": column.kind, "missing": missing}
        line |= dict.fromkeys(("distinct", "minimum", "maximum", "mean"))
        if numbers is not None and numbers.least == numbers.least and column.kind == "numeric":
            limits = {"minimum": numbers.least, "maximum": numbers.greatest, "mean": numbers.mean}
            line |= limits
        lines.append(line)
    return lines[:LISTED]

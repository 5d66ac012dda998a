"""Leaks: one column that alone gives the target away.

A column leaks from 0.999 on of its measure:

    number, class: AUC of neighbouring classes in the order of their mean ranks, the worst pair;
    number, quantity: absolute rank correlation (Spearman);
    category, class: share right when each value means its commonest class, the worst class;
    category, quantity: correlation ratio of the target's ranks.

Missing cells count as a category of their own: a cell that is filled in only when the answer is
known is a leak too. A leak must also be more than luck: the share of all orders of the targets
that would look as good, times the number of columns, is below 1/1000. So an id that is different in
every row, or any column of six rows, is none.
"""

from collections.abc import Iterator

import numpy as np

from gradatim.core.samples import Dataset, Finding
from gradatim.data.doctor.columns import dropping
from gradatim.data.doctor.giveaways import luck, score
from gradatim.data.doctor.view import cells, class_names, columns, listing, open_rows, targets

__all__ = ["leaks"]

LEAK, HINT = 0.999, 0.99
LUCK = np.log(1e-3)
FIRST_LOOK = 2_000  # rows that clear most columns of suspicion


def leaks(dataset: Dataset) -> list[Finding]:
    """Find columns that alone give the target away, outside the data's own test part.

    It blocks a climb, unless there is no other column: then using it is the job.
    """
    answers, own, rows = targets(dataset), columns(dataset), open_rows(dataset)
    if answers is None or not own or len(rows) < 2:
        return []
    table, classes = cells(dataset)[rows], bool(class_names(dataset))
    found: dict[int, str] = {}
    for answer in answers[rows].T:
        for i, column in enumerate(own):
            for what, values, category in _readings(column.kind, table[:, i]):
                if _leaks(values, answer, category, classes, len(own)):
                    measure = score(values, answer, category, classes)
                    found.setdefault(i, f'"{column.name}" ({what} {measure:.4f})')
    if not found:
        return []
    text = f"The target can be read off one column alone: {listing(list(found.values()))}."
    remedy = f"{dropping(own[i] for i in [*found][:5])} if it would not be known when predicting, "
    remedy += "or --allow-leak if it would"
    return [Finding("leak", "blocking" if len(own) > 1 else "warning", text, remedy)]


def _readings(kind: str, values: np.ndarray) -> Iterator[tuple[str, np.ndarray, bool]]:
    """Yield a column's readings: what it measures, values (NaN to leave out), is it a category."""
    gaps = np.isnan(values)
    if kind in ("category", "boolean"):
        yield "by value", np.where(gaps, -2, values), True
        return
    yield "by order", values, False
    if gaps.any():
        yield "by its missing cells", gaps.astype(np.float64), True


def _leaks(
    values: np.ndarray, answer: np.ndarray, category: bool, classes: bool, tried: int
) -> bool:
    """Tell whether values give the answer away, by a first look at some rows and then at all."""
    kept = ~np.isnan(values)
    values, answer = values[kept], answer[kept]
    step = max(1, len(values) // FIRST_LOOK)
    return (
        len(np.unique(answer)) > 1
        and len(np.unique(values)) > 1
        and score(values[::step], answer[::step], category, classes) >= HINT
        and score(values, answer, category, classes) >= LEAK
        and np.log(tried) + luck(values, answer, category, classes) < LUCK
    )

"""`inspect`: the data doctor, and how long each rung would take here."""

from typing import Any, Literal

from gradatim.compare.climb import arrays, forecasts
from gradatim.compare.pool import workers
from gradatim.core.source import ReadOptions
from gradatim.data.doctor import inspection
from gradatim.data.splits import partition
from gradatim.session.objects import (
    check_numbers,
    choose_metric,
    choose_rungs,
    open_data,
    task_for,
    work_for,
)

__all__ = ["inspect"]


def inspect(
    data: Any,
    target: str | None = None,
    *,
    task: Literal["classify", "regress"] | None = None,
    group: str | None = None,
    time: str | None = None,
    rows: int | None = None,
    folds: int = 5,
    encoding: str | None = None,
    timing: bool = True,
) -> dict[str, Any]:
    """Look the data over.

    Args:
        data: as for `climb`.
        target: the column to predict.
        task: overrides what the target asks for.
        group: column whose equal rows stay on one side of every split.
        time: column that orders rows.
        rows: draw this many of the rows to learn from.
        encoding: of text files, when it is not UTF-8.
        folds: that a climb would use; a rung's seconds are for all of them.
        timing: measure a small part of each rung to tell how long the whole will take.

    Returns:
        The doctor's summary, the default task and metric, the split, and for each rung the
        forecast seconds of one fit and of the climb, or why it refuses.
    """
    check_numbers(folds=folds, rows=rows)
    options = ReadOptions(target, group, time, task, encoding)
    dataset, split = partition(open_data(data, options, rows=rows, allow_leak=True), folds)
    job = task_for(dataset.signature)
    facts = inspection(dataset) | {
        "data": dataset.source,
        "task": job.name,
        "metric": choose_metric(job, None, dataset).name,
        "train_rows": len(split.training),
        "test_rows": len(split.test),
        "folds": len(split.folds),
        "split_hash": split.hash,
    }
    ladder = choose_rungs(None)
    refused = {r.name: r.accepts(dataset.signature) for r in ladder}
    works = [
        work_for(r, job, dataset.signature, len(split.training), 0)
        for r in ladder
        if refused[r.name] is None
    ]
    seconds = forecasts(works, arrays(dataset.samples), split.folds[0].training) if timing else {}
    facts["rungs"] = [
        {
            "name": name,
            "fit_seconds": seconds.get(name),
            "climb_seconds": seconds[name] * len(split.folds) / workers()
            if seconds.get(name) is not None
            else None,
            "reason": refusal.reason if refusal else None,
            "remedy": refusal.remedy if refusal else None,
        }
        for name, refusal in refused.items()
    ]
    return facts

"""`inspect`: the data doctor, and how long each rung would take here."""

from dataclasses import replace
from typing import Any, Unpack

from gradatim.compare.climb import arrays, forecasts
from gradatim.compare.pool import workers
from gradatim.data.doctor import inspection
from gradatim.data.splits import partition
from gradatim.session.data_options import Chosen, LookOptions
from gradatim.session.objects import (
    choose_metric,
    choose_rungs,
    task_for,
    work_for,
)

__all__ = ["inspect"]


def inspect(
    data: Any,
    target: str | None = None,
    *,
    folds: int = 5,
    timing: bool = True,
    **options: Unpack[LookOptions],
) -> dict[str, Any]:
    """Look the data over.

    Args:
        data: as for `climb`.
        target: the column to predict.
        folds: that a climb would use; a rung's seconds are for all of them.
        timing: measure a small part of each rung to tell how long the whole will take.
        options: keywords of `LookOptions`, such as group and rows.

    Returns:
        The doctor's summary, the default task and metric, the split, and for each rung the
        forecast seconds of one fit and of the climb, or why it refuses.
    """
    chosen = replace(Chosen.of(inspect, target, options), folds=folds, allow_leak=True)
    chosen.check()
    dataset, split = partition(chosen.open(data), folds)
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
    ladder = choose_rungs(None, signature=dataset.signature)
    refused = {r.name: r.refusal(dataset.signature) for r in ladder}
    works = [
        work_for(r, job, dataset.signature, len(split.training), 0)
        for r in ladder
        if refused[r.name] is None
    ]
    told = forecasts(works, arrays(dataset.samples), split.folds[0].training) if timing else {}
    seconds = {name: forecast.seconds for name, forecast in told.items()}
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

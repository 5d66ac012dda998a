"""The leaderboard of a fake run, from the scores of its folds."""

import numpy as np

from .fake_data import LADDER, Data

__all__ = ["leaderboard"]


def _pair(other: str, difference: float) -> dict[str, object]:
    return {
        "rung": other,
        "difference": difference,
        "low": difference - 0.01,
        "high": difference + 0.01,
        "p": 0.012,
        "p_holm": 0.036 if difference > 0.01 else 0.4,
        "worse": 0.01,
        "equal": 0.24,
        "better": 0.75,
    }


def _rung(data: Data, place: int, scores: dict[str, list[float]]) -> dict[str, object]:
    names = list(scores)
    name, values = names[place], scores[names[place]]
    means = {other: float(np.mean(v)) for other, v in scores.items()}
    sign = 1 if data.higher else -1
    best = max(means, key=lambda other: sign * means[other])
    spread = 2 * float(np.std(values)) + 1e-3
    below = (
        _pair(names[place - 1], sign * (means[name] - means[names[place - 1]])) if place else None
    )
    note = (
        "64 columns were made of 8 × 8 pixels"
        if name in ("softmax", "mlp") and data.pictures
        else None
    )
    return {
        "name": name,
        "place": place,
        "idea": LADDER.get(name, (0, "adds an idea of its own"))[1],
        "status": "ok",
        "score": means[name],
        "low": means[name] - spread,
        "high": means[name] + spread,
        "fold_scores": values,
        "scores": {data.metric: means[name]},
        "parameters": 10 ** (place + 1) * 3,
        "multiply_adds": 10 ** (place + 1) * 5,
        "fit_seconds": 0.002 * 4.2**place,
        "predict_seconds_1": 0.00008 * 1.7**place,
        "predict_seconds_256": 0.001 * 2.0**place,
        "bytes": 900 * 4**place,
        "reason": None,
        "remedy": None,
        "note": note,
        "notes": [],
        "below": below,
        "best": None if name == best else _pair(best, sign * (means[name] - means[best])),
    }


def leaderboard(data: Data, scores: dict[str, list[float]]) -> dict[str, object]:
    rungs = [_rung(data, place, scores) for place in range(len(scores))]
    last = list(scores)[-1]
    rungs += [
        {
            "name": "vit",
            "place": 90,
            "idea": "attention over patches",
            "status": "refused",
            "reason": "pictures of 8 × 8 pixels hold no 16 × 16 patch",
            "remedy": "give larger pictures",
        },
        {
            "name": "vgg16",
            "place": 91,
            "status": "not tried",
            "reason": "the time budget of 60 s was used up",
            "remedy": "give --budget 10m",
        },
    ]
    test = {
        "score": 0.983 if data.higher else 55.1,
        "low": 0.964 if data.higher else 50.2,
        "high": 0.992 if data.higher else 60.3,
        "openings": 1,
        "scores": {},
    }
    return {
        "data": data.name,
        "task": data.task,
        "metric": data.metric,
        "direction": "higher" if data.higher else "lower",
        "rope": 0.01 if data.higher else 1.0,
        "split_hash": "3f2a" * 16,
        "folds": data.folds,
        "repeats": 1,
        "seed": 0,
        "rows": data.rows,
        "train_rows": data.rows * 4 // 5,
        "test_rows": data.rows // 5,
        "classes": list(data.classes),
        "seconds": 63.2,
        "command": f"gradatim climb {data.name}",
        "notes": ["3 exact copies are kept in one fold"],
        "rungs": rungs,
        "verdict": {
            "rung": last,
            "headline": f"{last} pays on {data.name}",
            "reason": "It is the simplest rung that is not worse than the best by more than 0.01.",
            "clear": True,
            "deep": "pays",
        },
        "test": test,
        "run": "runs/x",
        "report": "runs/x/report.html",
    }

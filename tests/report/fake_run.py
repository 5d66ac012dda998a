"""A factory of plausible run folders: the report's input without a climb."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradatim.runs.files import finish, write_array, write_arrays, write_json

HOSTILE = "<script>alert(1)</script>"
BREAKOUT = "\"'><img src=x onerror=alert(1)></style></title></svg><svg onload=alert(1)>{{ 7*7 }}"
TERMINAL = "red \x1b[31m\u202e\x00 end \ud800"

LADDER = {
    "majority": (0.10, "says the commonest class"),
    "softmax": (0.951, "a linear score for each class"),
    "polynomial": (0.974, "products of columns"),
    "kernel_svm": (0.986, "a kernel instead of products, with a margin"),
    "knn": (0.984, "asks the nearest rows"),
    "mlp": (0.972, "learns its own features"),
    "lenet5": (0.983, "shares weights across the picture"),
    "resnet_small": (0.989, "adds shortcuts, so that depth can be trained"),
}
REGRESSION = {"mean": 77.0, "ridge": 55.2, "polynomial": 56.0, "boosted_trees": 57.9, "mlp": 54.8}


@dataclass
class Data:
    """What a fake run is about."""

    name: str = "digits"
    task: str = "classify"
    metric: str = "accuracy"
    rows: int = 900
    classes: Sequence[str] = tuple("0123456789")
    columns: Sequence[str] = ()
    folds: int = 5
    pictures: bool = True
    rungs: Sequence[str] = tuple(LADDER)
    side: int = 8

    @property
    def higher(self) -> bool:
        return self.metric == "accuracy"


def table(**changes: object) -> Data:
    """A classification of a table with two classes."""
    names = ("mean radius", "texture", "smoothness", "area", "symmetry")
    values = {"name": "cancer.csv", "classes": ("benign", "malignant"), "columns": names}
    return Data(**{**values, "rows": 560, "pictures": False, **changes})  # type: ignore[arg-type]


def regression(**changes: object) -> Data:
    """A regression of a table."""
    values = {"name": "diabetes", "task": "regress", "metric": "rmse", "classes": ()}
    names = ("age", "sex", "bmi", "pressure")
    more = {"columns": names, "rows": 440, "pictures": False, "rungs": tuple(REGRESSION)}
    return Data(**{**values, **more, **changes})  # type: ignore[arg-type]


def hostile() -> Data:
    """Names that try to become code, everywhere a name can stand."""
    classes = (HOSTILE, BREAKOUT, TERMINAL, "עברית", "a\nb", "x" * 5000)
    return Data(
        name=HOSTILE + BREAKOUT,
        classes=classes,
        columns=(HOSTILE, BREAKOUT, TERMINAL),
        pictures=False,
        rungs=("majority", "softmax", "<b>mlp", "a&b\"'"),
    )


def write_run(folder: Path, data: Data, finished: bool = True) -> Path:
    """Write a run folder; an unfinished one has two rungs and no verdict."""
    rng = np.random.default_rng(7)
    folder.mkdir(parents=True)
    rungs = data.rungs if finished else data.rungs[:2]
    targets = _targets(data, rng)
    split = _split(data, rng)
    write_array(folder / "targets.npy", targets)
    write_arrays(folder / "split.npz", split)
    _describe(folder, data, targets)
    scores = {rung: _fits(folder, data, rung, targets, split, rng) for rung in rungs}
    _gallery(folder, data, rng)
    if finished:
        write_json(folder / "leaderboard.json", _leaderboard(data, scores))
        _evaluation(folder, data, rungs[-1], targets, split, rng)
        finish(folder, ["leaderboard.json"])
    return folder


def _targets(data: Data, rng: np.random.Generator) -> np.ndarray:
    if data.task == "regress":
        return rng.gamma(4, 40, data.rows)
    return rng.integers(0, len(data.classes), data.rows)


def _split(data: Data, rng: np.random.Generator) -> dict[str, np.ndarray]:
    order = rng.permutation(data.rows)
    test, training = np.sort(order[: data.rows // 5]), np.sort(order[data.rows // 5 :])
    split = {"training": training, "test": test}
    for fold in range(data.folds):
        validation = training[fold :: data.folds]
        split[f"validation_0_{fold}"] = validation
        split[f"train_0_{fold}"] = np.setdiff1d(training, validation)
    return split


def _level(data: Data, rung: str) -> float:
    if data.task == "regress":
        return REGRESSION.get(rung, 60.0)
    return LADDER.get(rung, (0.9, ""))[0]


def _predict(data: Data, rung: str, targets: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if data.task == "regress":
        return targets + rng.normal(0, _level(data, rung), len(targets))
    said = np.where(rng.random(len(targets)) < _level(data, rung), targets, rng.integers(0, len(data.classes), len(targets)))
    sure = rng.uniform(0.55, 0.999, len(targets))
    share = (1 - sure) / (len(data.classes) - 1)
    answers = np.tile(share[:, None], (1, len(data.classes)))
    answers[np.arange(len(targets)), said] = sure
    return answers.astype(np.float32)


def _score(data: Data, answers: np.ndarray, targets: np.ndarray) -> float:
    if data.task == "regress":
        return float(np.sqrt(np.mean((answers - targets) ** 2)))
    return float(np.mean(answers.argmax(axis=1) == targets))


def _fits(
    folder: Path,
    data: Data,
    rung: str,
    targets: np.ndarray,
    split: dict[str, np.ndarray],
    rng: np.random.Generator,
) -> list[float]:
    scores = []
    for fold in range(data.folds):
        home = folder / "fits" / rung / f"0-{fold}"
        truth = targets[split[f"validation_0_{fold}"]]
        answers = _predict(data, rung, truth, rng)
        scores.append(_score(data, answers, truth))
        result = {"rung": rung, "repeat": 0, "fold": fold, "seed": fold, "scores": {data.metric: scores[-1]}, "fit_seconds": 0.4, "rows": len(truth), "epochs": 30}
        if rung == "polynomial":
            x = list(range(1, 10))
            result["curve"] = {"name": "degree", "x": x, "training": [0.4 / k for k in x], "held_out": [0.5 / k + 0.02 * k**1.5 for k in x], "chosen": 4}
        write_array(home / "predictions.npy", answers)
        write_json(home / "result.json", result)
        _records(home, rung, rng)
        finish(home, ["predictions.npy", "result.json"])
    return scores


def _records(home: Path, rung: str, rng: np.random.Generator) -> None:
    if rung not in ("mlp", "lenet5", "resnet_small"):
        return
    lines = []
    for epoch in range(1, 41):
        loss = 2.3 * np.exp(-epoch / 8) + rng.uniform(0, 0.02)
        values = {"loss": loss, "validation_loss": loss + 0.05 + 0.001 * epoch}
        lines.append(json.dumps({"step": epoch * 20, "steps": 800, "rate": 1e-3, "seconds": epoch * 0.1, "values": values}))
    (home / "records.jsonl").write_text("\n".join(lines) + "\n")


def _describe(folder: Path, data: Data, targets: np.ndarray) -> None:
    classes = list(data.classes)
    output = {"kind": "category", "name": "label", "names": classes} if classes else {"kind": "quantity", "names": ["progression"]}
    columns = [{"name": name, "kind": "numeric"} for name in data.columns]
    picture = {"kind": "image", "channels": 1, "height": data.side, "width": data.side}
    write_json(folder / "signature.json", {"input": {"kind": "table", "columns": columns} if columns else picture, "output": output})
    words = [classes[int(t)] if classes else f"{t:.1f}" for t in targets]
    write_json(folder / "rows.json", {"names": [f"{data.name}[{k}]" for k in range(data.rows)], "targets": words})
    write_json(folder / "environment.json", {"gradatim": "0.1.0", "python": "3.11.9", "torch": "2.13.0", "numpy": "2.1.0", "scikit-learn": "1.7.0", "platform": "Linux x86_64", "threads": 1, "date": "2026-11-22"})
    write_json(folder / "question.json", {"data": data.name, "task": data.task, "metric": data.metric, "seed": 0, "fingerprint": "9c1b" * 16, "split_hash": "3f2a" * 16, "version": 1, "recipe": {"epochs": 50, "batch": 64, "optimizer": {"name": "adamw", "lr": 0.001}}})
    write_json(folder / "inspection.json", _inspection(data, targets))


def _inspection(data: Data, targets: np.ndarray) -> dict[str, object]:
    found = [
        {"code": "duplicates", "weight": "warning", "message": f"3 rows of {data.name} are exact copies", "remedy": "they are kept in the same fold", "rows": [3, 17, 44]},
        {"code": "constant", "weight": "note", "message": "column “id” is constant", "remedy": "drop it", "rows": []},
    ]
    document: dict[str, object] = {"rows": data.rows, "kind": "image" if data.pictures else "table", "target": "label", "duplicates": 3, "findings": found}
    if data.columns:
        document["columns"] = [{"name": name, "kind": "numeric", "missing": k, "distinct": 97, "minimum": 0.0, "maximum": 12.5, "mean": 3.14159} for k, name in enumerate(data.columns)]
    if data.classes:
        counts = np.bincount(targets, minlength=len(data.classes)).tolist()
        document["classes"] = dict(zip(data.classes, counts, strict=True))
    return document


def _gallery(folder: Path, data: Data, rng: np.random.Generator) -> None:
    rows = np.arange(min(data.rows, 400))
    if data.pictures:
        ink = rng.integers(0, 255, (len(rows), 1, data.side, data.side), dtype=np.uint8)
        write_arrays(folder / "gallery.npz", {"rows": rows, "pictures": ink})
    elif data.columns:
        cells = {str(k): [f"{v:.2f}" for v in rng.normal(10, 3, len(data.columns))] for k in rows}
        write_json(folder / "gallery.json", {"columns": list(data.columns), "cells": cells})


def _pair(other: str, difference: float) -> dict[str, object]:
    return {"rung": other, "difference": difference, "low": difference - 0.01, "high": difference + 0.01, "p": 0.012, "p_holm": 0.036 if difference > 0.01 else 0.4, "worse": 0.01, "equal": 0.24, "better": 0.75}


def _rung(data: Data, place: int, scores: dict[str, list[float]]) -> dict[str, object]:
    names = list(scores)
    name, values = names[place], scores[names[place]]
    means = {other: float(np.mean(v)) for other, v in scores.items()}
    sign = 1 if data.higher else -1
    best = max(means, key=lambda other: sign * means[other])
    spread = 2 * float(np.std(values)) + 1e-3
    below = _pair(names[place - 1], sign * (means[name] - means[names[place - 1]])) if place else None
    note = "64 columns were made of 8 × 8 pixels" if name in ("softmax", "mlp") and data.pictures else None
    return {"name": name, "place": place, "idea": LADDER.get(name, (0, "adds an idea of its own"))[1], "status": "ok", "score": means[name], "low": means[name] - spread, "high": means[name] + spread, "fold_scores": values, "scores": {data.metric: means[name]}, "parameters": 10 ** (place + 1) * 3, "multiply_adds": 10 ** (place + 1) * 5, "fit_seconds": 0.002 * 4.2**place, "predict_seconds_1": 0.00008 * 1.7**place, "predict_seconds_256": 0.001 * 2.0**place, "bytes": 900 * 4**place, "reason": None, "remedy": None, "note": note, "notes": [], "below": below, "best": None if name == best else _pair(best, sign * (means[name] - means[best]))}


def _leaderboard(data: Data, scores: dict[str, list[float]]) -> dict[str, object]:
    rungs = [_rung(data, place, scores) for place in range(len(scores))]
    last = list(scores)[-1]
    rungs += [
        {"name": "vit", "place": 90, "idea": "attention over patches", "status": "refused", "reason": "pictures of 8 × 8 pixels hold no 16 × 16 patch", "remedy": "give larger pictures"},
        {"name": "vgg16", "place": 91, "status": "not tried", "reason": "the time budget of 60 s was used up", "remedy": "give --budget 10m"},
    ]
    test = {"score": 0.983 if data.higher else 55.1, "low": 0.964 if data.higher else 50.2, "high": 0.992 if data.higher else 60.3, "openings": 1, "scores": {}}
    return {"data": data.name, "task": data.task, "metric": data.metric, "direction": "higher" if data.higher else "lower", "rope": 0.01 if data.higher else 1.0, "split_hash": "3f2a" * 16, "folds": data.folds, "repeats": 1, "seed": 0, "rows": data.rows, "train_rows": data.rows * 4 // 5, "test_rows": data.rows // 5, "classes": list(data.classes), "seconds": 63.2, "command": f"gradatim climb {data.name}", "notes": ["3 exact copies are kept in one fold"], "rungs": rungs, "verdict": {"rung": last, "headline": f"{last} pays on {data.name}", "reason": "It is the simplest rung that is not worse than the best by more than 0.01.", "clear": True, "deep": "pays"}, "test": test, "run": "runs/x", "report": "runs/x/report.html"}


def _evaluation(
    folder: Path,
    data: Data,
    rung: str,
    targets: np.ndarray,
    split: dict[str, np.ndarray],
    rng: np.random.Generator,
) -> None:
    rows = split["test"]
    write_array(folder / "test_rows.npy", rows)
    write_array(folder / "test_predictions.npy", _predict(data, rung, targets[rows], rng))
    opening = {"when": "2026-11-22", "rung": rung, "metric": data.metric, "score": 0.983, "low": 0.964, "high": 0.992, "scores": {}, "rows": len(rows)}
    write_json(folder / "evaluation.json", {"openings": [opening]})

"""A factory of plausible run folders: the report's input without a climb."""

import json
from pathlib import Path

import numpy as np

from gradatim.runs.files import finish, write_array, write_arrays, write_json

from .fake_board import leaderboard
from .fake_data import LADDER, REGRESSION, Data


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
        write_json(folder / "leaderboard.json", leaderboard(data, scores))
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
    said = np.where(
        rng.random(len(targets)) < _level(data, rung),
        targets,
        rng.integers(0, len(data.classes), len(targets)),
    )
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
        result = {
            "rung": rung,
            "repeat": 0,
            "fold": fold,
            "seed": fold,
            "scores": {data.metric: scores[-1]},
            "fit_seconds": 0.4,
            "rows": len(truth),
            "epochs": 30,
        }
        if rung == "polynomial":
            x = list(range(1, 10))
            result["curve"] = {
                "name": "degree",
                "x": x,
                "training": [0.4 / k for k in x],
                "held_out": [0.5 / k + 0.02 * k**1.5 for k in x],
                "chosen": 4,
            }
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
        lines.append(
            json.dumps(
                {
                    "step": epoch * 20,
                    "steps": 800,
                    "rate": 1e-3,
                    "seconds": epoch * 0.1,
                    "values": values,
                }
            )
        )
    (home / "records.jsonl").write_text("\n".join(lines) + "\n")


def _describe(folder: Path, data: Data, targets: np.ndarray) -> None:
    classes = list(data.classes)
    output = (
        {"kind": "category", "name": "label", "names": classes}
        if classes
        else {"kind": "quantity", "names": ["progression"]}
    )
    columns = [{"name": name, "kind": "numeric"} for name in data.columns]
    picture = {"kind": "image", "channels": 1, "height": data.side, "width": data.side}
    write_json(
        folder / "signature.json",
        {"input": {"kind": "table", "columns": columns} if columns else picture, "output": output},
    )
    words = [classes[int(t)] if classes else f"{t:.1f}" for t in targets]
    write_json(
        folder / "rows.json",
        {"names": [f"{data.name}[{k}]" for k in range(data.rows)], "targets": words},
    )
    write_json(
        folder / "environment.json",
        {
            "gradatim": "0.1.0",
            "python": "3.11.9",
            "torch": "2.13.0",
            "numpy": "2.1.0",
            "scikit-learn": "1.7.0",
            "platform": "Linux x86_64",
            "threads": 1,
            "date": "2026-11-22",
        },
    )
    write_json(
        folder / "question.json",
        {
            "data": data.name,
            "task": data.task,
            "metric": data.metric,
            "seed": 0,
            "fingerprint": "9c1b" * 16,
            "split_hash": "3f2a" * 16,
            "version": 1,
            "recipe": {"epochs": 50, "batch": 64, "optimizer": {"name": "adamw", "lr": 0.001}},
        },
    )
    write_json(folder / "inspection.json", _inspection(data, targets))


def _inspection(data: Data, targets: np.ndarray) -> dict[str, object]:
    found = [
        {
            "code": "duplicates",
            "weight": "warning",
            "message": f"3 rows of {data.name} are exact copies",
            "remedy": "they are kept in the same fold",
            "rows": [3, 17, 44],
        },
        {
            "code": "constant",
            "weight": "note",
            "message": "column “id” is constant",
            "remedy": "drop it",
            "rows": [],
        },
    ]
    document: dict[str, object] = {
        "rows": data.rows,
        "kind": "image" if data.pictures else "table",
        "target": "label",
        "duplicates": 3,
        "findings": found,
    }
    if data.columns:
        document["columns"] = [
            {
                "name": name,
                "kind": "numeric",
                "missing": k,
                "distinct": 97,
                "minimum": 0.0,
                "maximum": 12.5,
                "mean": 3.14159,
            }
            for k, name in enumerate(data.columns)
        ]
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
    opening = {
        "when": "2026-11-22",
        "rung": rung,
        "metric": data.metric,
        "score": 0.983,
        "low": 0.964,
        "high": 0.992,
        "scores": {},
        "rows": len(rows),
    }
    write_json(folder / "evaluation.json", {"openings": [opening]})

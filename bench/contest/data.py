"""The data of the benchmarks: MNIST when it is there, the digits of scikit-learn, or noise."""

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def pictures(rows: int, side: int = 28) -> tuple[Arrays, str]:
    """Return uint8 pictures (rows, 1, side, side) with labels, and what they are.

    MNIST from $GRADATIM_DATA/mnist, padded with 0 to `side`; else ten noisy patterns of that size.
    """
    root = os.environ.get("GRADATIM_DATA")
    folder = Path(root) / "mnist" if root else None
    if folder is None or not folder.is_dir():
        return made(rows, side), f"{rows} pictures of ten noisy patterns, {side} x {side}"
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        x = np.frombuffer(file.read(16 + rows * 784), np.uint8, offset=16)
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as file:
        y = np.frombuffer(file.read(8 + rows), np.uint8, offset=8)
    edge = (side - 28) // 2
    x = np.pad(x.reshape(rows, 1, 28, 28), [(0, 0), (0, 0), (edge, edge), (edge, edge)])
    return {"x": x, "y": y.astype(np.int64)}, f"{rows} pictures of MNIST, {side} x {side}"


def mnist_with_test(rows: int) -> Arrays:
    """Return the first rows of MNIST (`held` is 1) and its own test part (`held` is 0)."""
    folder = Path(os.environ["GRADATIM_DATA"]) / "mnist"
    learn, _ = pictures(rows)
    with gzip.open(folder / "t10k-images-idx3-ubyte.gz") as file:
        x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(folder / "t10k-labels-idx1-ubyte.gz") as file:
        y = np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int64)
    held = np.concatenate([np.ones(rows, np.int64), np.zeros(len(y), np.int64)])
    return {"x": np.concatenate([learn["x"], x]), "y": np.concatenate([learn["y"], y])} | {
        "held": held
    }


def made(rows: int, side: int, channels: int = 1) -> Arrays:
    """Return pictures of ten patterns under noise, uint8."""
    chance = np.random.default_rng(0)
    patterns = chance.integers(0, 256, (10, channels, side, side))
    y = chance.integers(0, 10, rows)
    noise = chance.integers(-128, 128, (rows, channels, side, side))
    x = np.clip(patterns[y] // 2 + 64 + noise, 0, 255).astype(np.uint8)
    return {"x": x, "y": y.astype(np.int64)}


def digits() -> Arrays:
    """Return the 1,797 digits of scikit-learn as uint8 pictures of 8 x 8, in a random order."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    order = np.random.default_rng(0).permutation(len(loaded.target))
    x = np.rint(loaded.images * (255 / 16)).astype(np.uint8)[:, None]
    return {"x": x[order], "y": loaded.target[order].astype(np.int64)}


def in_folds(arrays: Arrays, folds: int) -> Arrays:
    """Return the arrays with `held`, the fold that validates on each row; rows have no order."""
    return arrays | {"held": np.arange(len(arrays["y"])) % folds}


def table(rows: int, columns: int) -> Arrays:
    """Return correlated float64 columns and a noisy linear target."""
    chance = np.random.default_rng(0)
    mixing = chance.standard_normal((columns, columns)) / columns**0.5
    x = chance.standard_normal((rows, columns)) @ (np.eye(columns) + mixing)
    y = x @ chance.standard_normal(columns) + columns**0.5 * chance.standard_normal(rows)
    return {"x": x, "y": y}


def saved(arrays: Arrays, folder: Path, name: str) -> str:
    """Write arrays for the contenders and return the path."""
    path = folder / f"{name}.npz"
    np.savez(path, allow_pickle=False, **arrays)
    return str(path)


def opened(job: dict[str, Any]) -> Arrays:
    """Return the arrays of a job."""
    with np.load(job["data"], allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def standardised(x: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Return pictures as float32, by the mean and deviation of the training rows."""
    scaled = x.astype(np.float32) / np.float32(255)
    return (scaled - scaled[training].mean()) / scaled[training].std()

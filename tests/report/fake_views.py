"""Fake runs of the jobs whose answers are pictures, masks or boxes, made through the product."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from gradatim.compare.gallery import keep_evidence, keep_gallery
from gradatim.core.samples import Dataset, Samples
from gradatim.core.signature import Boxes, Image, Mask, Picture, Signature
from gradatim.core.task import Supervised
from gradatim.data.splits import Partition, partition
from gradatim.evaluate.answers import keep_answers
from gradatim.runs.files import finish, write_array, write_arrays, write_json
from gradatim.tasks import TASKS

from .fake_board import leaderboard
from .fake_data import Data

__all__ = ["JOBS", "write_views"]

ROWS, SIDE = 30, 40
Answer = Callable[[Samples, np.random.Generator], np.ndarray]


def _scene(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A picture of three bright squares on a soft ground, and their boxes in pixels."""
    ground = 60 + 40 * gaussian_filter(rng.normal(size=(SIDE, SIDE)), 4) / 0.07
    boxes = []
    for k in range(3):
        top, left, side = *rng.integers(0, SIDE - 12, 2), rng.integers(6, 12)
        ground[top : top + side, left : left + side] = 150 + 40 * k
        boxes.append((left, top, left + side, top + side, k % 2))
    return ground.clip(0, 255), np.array(boxes, np.float32)


def _scenes(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    pairs = [_scene(rng) for _ in range(ROWS)]
    return np.stack([p for p, _ in pairs]), np.stack([b for _, b in pairs])


def _sizes() -> torch.Tensor:
    """Rows are less high from one to the next, and start again."""
    return torch.tensor([[SIDE - row % 5, SIDE - 3] for row in range(ROWS)])


def _denoise(rng: np.random.Generator) -> tuple[Samples, Signature]:
    clean = _scenes(rng)[0][:, None].astype(np.float32)
    noisy = clean + rng.normal(0, 25, clean.shape).astype(np.float32)
    image = Image(channels=1, height=SIDE, width=SIDE, fit="pad")
    signature = Signature(input=image, output=Picture(channels=1, sigma=25.0))
    return Samples(torch.from_numpy(noisy), torch.from_numpy(clean), sizes=_sizes()), signature


def _segment(rng: np.random.Generator) -> tuple[Samples, Signature]:
    scenes, boxes = _scenes(rng)
    masks = np.zeros(scenes.shape, np.uint8)
    for mask, row in zip(masks, boxes.astype(int), strict=True):
        for left, top, right, bottom, _ in row:
            mask[top:bottom, left:right] = 1
    pixels = torch.from_numpy(scenes[:, None].astype(np.uint8))
    image = Image(channels=1, height=SIDE, width=SIDE, fit="pad")
    signature = Signature(input=image, output=Mask(names=("ground", "square")))
    return Samples(pixels, torch.from_numpy(masks), sizes=_sizes()), signature


def _detect(rng: np.random.Generator) -> tuple[Samples, Signature]:
    scenes, boxes = _scenes(rng)
    boxes[..., :4] /= SIDE
    pixels = torch.from_numpy(scenes[:, None].astype(np.uint8).repeat(3, 1))
    image = Image(channels=3, height=SIDE, width=SIDE)
    signature = Signature(input=image, output=Boxes(names=("dark", "bright")))
    return Samples(pixels, torch.from_numpy(boxes)), signature


def _smoothed(samples: Samples, width: float) -> np.ndarray:
    said = [gaussian_filter(row[0], width)[None] for row in samples.inputs.numpy()]
    return np.stack(said)


def _flipped(samples: Samples, share: float, rng: np.random.Generator) -> np.ndarray:
    masks = samples.targets.numpy()
    return np.where(rng.random(masks.shape) < share, 1 - masks, masks).astype(np.uint8)


def _moved(samples: Samples, by: float, rng: np.random.Generator) -> np.ndarray:
    boxes = samples.targets.numpy()
    sure = rng.uniform(0.4, 1, (*boxes.shape[:2], 1))
    found = np.concatenate([boxes[..., :4], sure, boxes[..., 4:]], 2)
    found[..., :4] += rng.normal(0, by, (*boxes.shape[:2], 4))
    return found.clip(0, 1).astype(np.float32)


JOBS: Mapping[str, tuple[str, Callable, Mapping[str, Answer]]] = {
    "denoise": (
        "psnr",
        _denoise,
        {
            "noisy": lambda samples, rng: samples.inputs.numpy(),
            "gauss": lambda samples, rng: _smoothed(samples, 0.8),
            "dncnn": lambda samples, rng: (
                0.6 * samples.targets.numpy() + 0.4 * samples.inputs.numpy()
            ),
        },
    ),
    "segment": (
        "miou",
        _segment,
        {
            "threshold": lambda samples, rng: _flipped(samples, 0.2, rng),
            "unet": lambda samples, rng: _flipped(samples, 0.02, rng),
        },
    ),
    "detect": (
        "ap",
        _detect,
        {
            "watershed": lambda samples, rng: _moved(samples, 0.06, rng),
            "centernet": lambda samples, rng: _moved(samples, 0.01, rng),
        },
    ),
}


def write_views(folder: Path, job: str, groups: bool = False) -> Path:
    """Write the run of a job; its rungs answer at once."""
    rng = np.random.default_rng(5)
    metric, make, rungs = JOBS[job]
    samples, signature = make(rng)
    names = [f"scene {row}.png" for row in range(ROWS)]
    data = Dataset(job, samples, signature, names, "f" * 64, job)
    if groups:
        codes = torch.arange(ROWS) % 6
        data = Dataset(
            job,
            Samples(samples.inputs, samples.targets, codes, sizes=samples.sizes),
            *(signature, names, "f" * 64, job),
            group_names=tuple(f"camera {k}" for k in range(6)),
        )
    task = TASKS[job].of(signature)
    split = partition(data, 3)[1]
    keep_evidence(folder, data, split)
    scores = {r: _fits(folder, data, split, task, metric, r, f) for r, f in rungs.items()}
    keep_gallery(folder, data, split, list(rungs), list(rungs)[-1], task)
    about = Data(job, job, metric, ROWS, classes=(), folds=3, rungs=tuple(rungs))
    write_json(folder / "leaderboard.json", leaderboard(about, scores))
    finish(folder, ["leaderboard.json"])
    return folder


def _fits(
    folder: Path,
    data: Dataset,
    split: Partition,
    task: Supervised,
    metric: str,
    rung: str,
    answer: Answer,
) -> list[float]:
    scores, rng = [], np.random.default_rng(1)
    for fold in split.folds:
        checked = data.samples.take(fold.validation)
        said = answer(checked, rng)
        reading = task.read(said, checked)
        scores.append(task.metrics[metric](*reading))
        home = folder / "fits" / rung / fold.name
        kept = keep_answers(home, checked, said, task.quality(reading))
        values = {name: score(*reading) for name, score in task.metrics.items()}
        result = {"rung": rung, "repeat": 0, "fold": fold.fold, "scores": values}
        write_json(home / "result.json", result | {"fit_seconds": 0.2, "rows": len(fold.training)})
        finish(home, [*kept, "result.json"])
    test = data.samples.take(split.test)
    said = answer(test, rng)
    write_array(folder / "test_rows.npy", split.test)
    reading = task.read(said, test)
    keep_answers(folder, test, said, task.quality(reading), "test_")
    if task.curve(reading):
        write_arrays(folder / "test_curve.npz", dict(task.curve(reading)))
    return scores

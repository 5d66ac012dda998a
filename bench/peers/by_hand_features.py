"""What the ladder written by hand does to pictures before an estimator sees them."""

from typing import Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from torch.nn import functional as F

__all__ = ["Standardised", "histograms", "planes", "rows"]


class Standardised(TransformerMixin, BaseEstimator):
    """(x - mean) / deviation over all pixels: an even background stays even."""

    def fit(self, x: np.ndarray, y: np.ndarray | None = None) -> Self:
        self.mean_, self.deviation_ = x.mean(), x.std()
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        return ((x - self.mean_) / self.deviation_).astype(np.float32)


def rows(x: np.ndarray) -> np.ndarray:
    """Return a row of pixels a picture."""
    return x.reshape(len(x), -1)


def planes(x: np.ndarray, side: int) -> np.ndarray:
    """Return pictures enlarged to side x side, with a channel."""
    small = torch.from_numpy(x)[:, None]
    return F.interpolate(small, (side, side), mode="bilinear", align_corners=False).numpy()


def histograms(x: np.ndarray, cell: int = 4) -> np.ndarray:
    """Return histograms of oriented gradients of 28 x 28: 9 directions, blocks of 2 x 2 cells."""
    picture = planes(x, 28)[:, 0].astype(np.float64)
    down, right = np.zeros_like(picture), np.zeros_like(picture)
    down[:, 1:-1] = picture[:, 2:] - picture[:, :-2]
    right[:, :, 1:-1] = picture[:, :, 2:] - picture[:, :, :-2]
    size = np.hypot(down, right)
    direction = (np.rad2deg(np.arctan2(down, right)) % 180 // 20).astype(int).clip(0, 8)
    votes = (direction[..., None] == np.arange(9)) * size[..., None]
    across = 28 // cell
    cells = votes.reshape(len(x), across, cell, across, cell, 9).mean((2, 4))
    parts = [cells[:, i : across - 1 + i, j : across - 1 + j] for i in (0, 1) for j in (0, 1)]
    blocks = _normed(np.concatenate(parts, axis=-1))
    return _normed(blocks.clip(max=0.2)).reshape(len(x), -1)


def _normed(blocks: np.ndarray) -> np.ndarray:
    return blocks / np.sqrt((blocks**2).sum(-1, keepdims=True) + 1e-10)

"""Pictures to regions: thresholds of grey and colour, and touching things told apart."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Float64, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.signature import Image

__all__ = ["WatershedRegions"]

_LEVELS = 3  # Otsu's classes of a plane: what is brighter than the first or second threshold
_EDGE = 4  # features that tell which borders a region touches


class WatershedRegions(nn.Module):
    """Boxes around regions that differ from their surroundings, with what is known of each.

    A plane is cut at the two thresholds that leave the least variance between them (multi-Otsu).
    What is above one is filled and smoothed; where it is farthest from its border, a basin begins,
    and the watershed of that distance tells apart what touches. Planes are the grey one, turned so
    that things are brighter than what is around them, and in colour how far the channels differ.

    Args:
        image: the pictures, as the signature has them.
        side: pixels of the long side that larger pictures are shrunk to.

    Source:
        Otsu 1979; Liao, Chen & Chung 2001 (several thresholds); Vincent & Soille 1991 (watershed);
        scikit-image's `threshold_multiotsu`, `peak_local_max` and `watershed`.
    """

    dark: Tensor
    apart: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self, image: Image, side: int) -> None:
        super().__init__()
        scale = min(1.0, side / max(image.height, image.width))
        self.size = tuple(max(1, round(scale * n)) for n in (image.height, image.width))
        self.planes = 1 if image.channels == 1 else 2
        self.sorts = self.planes * (_LEVELS - 1)
        self.measures = 4 + 2 * image.channels
        self.features = self.measures * (self.measures + 3) // 2 + _EDGE + self.sorts
        self.numbers = 4 + self.measures + _EDGE + self.sorts
        self.register_buffer("dark", torch.ones((), dtype=torch.bool))
        self.register_buffer("apart", torch.full((), 2, dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(self.measures, dtype=torch.float64))
        self.register_buffer("deviation", torch.ones(self.measures, dtype=torch.float64))

    def fit(self, pictures: UInt8[Tensor, "rows channels height width"]) -> "WatershedRegions":
        """Learn mean and deviation of what is measured of regions."""
        found = self._padded([self._regions(picture) for picture in pictures])
        measures = found[found[..., 4] >= 0][:, 4 : 4 + self.measures]
        if len(measures):
            self.mean.copy_(measures.mean(0))
            deviation = measures.std(0, correction=0)
            self.deviation.copy_(torch.where(deviation > 1e-9, deviation, 1.0))
        return self

    def look_at(
        self,
        pictures: UInt8[Tensor, "rows channels height width"],
        targets: Float[Tensor, "rows most 5"],
    ) -> None:
        """Learn from boxes whether things are darker, and how near their middles may be.

        They are when the mean grey level in boxes is below that of all pixels. Middles nearer
        than three tenths of the smaller side of a small box are taken for one.
        """
        inside, around, sides = [], [], []
        height, width = self.size
        for picture, boxes in zip(pictures, targets, strict=True):
            grey = self._shrunk(picture).mean(0)
            around.append(grey.mean())
            for left, top, right, bottom in boxes[boxes[:, 4] >= 0, :4].tolist():
                rows = slice(int(top * height), max(int(bottom * height), int(top * height) + 1))
                columns = slice(int(left * width), max(int(right * width), int(left * width) + 1))
                inside.append(grey[rows, columns].mean())
                sides.append(min((right - left) * width, (bottom - top) * height))
        if inside:
            self.dark.fill_(bool(np.mean(inside) <= np.mean(around)))
            self.apart.fill_(max(2, round(0.3 * float(np.quantile(sides, 0.1)))))

    def forward(
        self, pictures: UInt8[Tensor, "rows channels height width"]
    ) -> Float64[Tensor, "rows regions numbers"]:
        """Return box and features of every region; -1 where a picture has fewer than others.

        Features are logarithms of area, width and height, the filled share of the box, mean and
        deviation of each channel, all standardised, their products, the borders that are touched,
        and the plane and threshold that a region comes from.
        """
        found = self._padded([self._regions(picture) for picture in pictures])
        boxes, x, rest = found.split([4, self.measures, found.shape[2] - 4 - self.measures], 2)
        x = (x - self.mean) / self.deviation
        one, other = torch.triu_indices(self.measures, self.measures)
        numbers = torch.cat([boxes, x, x[..., one] * x[..., other], rest], 2)
        return torch.where(boxes[..., :1] >= 0, numbers, -1.0)

    def _padded(self, tables: list[np.ndarray]) -> Float64[Tensor, "rows regions numbers"]:
        most = max((len(table) for table in tables), default=0)
        rows = np.full((len(tables), most, self.numbers), -1.0)
        for row, table in zip(rows, tables, strict=True):
            row[: len(table)] = table
        return torch.from_numpy(rows)

    def _shrunk(self, picture: Tensor) -> Float64[np.ndarray, "channels height width"]:
        """Return a picture in whole levels: their histogram has one column a level."""
        planes = picture.float()[None]
        if planes.shape[2:] != self.size:
            planes = F.interpolate(planes, self.size, mode="bilinear", antialias=True)
        return planes[0].round().double().numpy()

    def _regions(self, picture: Tensor) -> Float64[np.ndarray, "regions numbers"]:
        """Return boxes, measures, borders touched and sort of all regions of a picture."""
        planes = self._shrunk(picture)
        grey = np.rint(planes.mean(0)).astype(np.int64)
        views = [255 - grey if bool(self.dark) else grey]
        if self.planes > 1:
            views.append((planes.max(0) - planes.min(0)).astype(np.int64))
        tables = []
        for k, view in enumerate(views):
            for level, labels in enumerate(_told_apart(view, int(self.apart))):
                sort = np.eye(self.sorts)[k * (_LEVELS - 1) + level]
                tables.append(_measured(labels, planes, sort))
        return np.concatenate([np.zeros((0, self.numbers)), *tables])


def _told_apart(view: np.ndarray, apart: int) -> Iterator[Int[np.ndarray, "height width"]]:
    """Yield the numbered regions above each threshold of a plane of levels."""
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.filters import threshold_multiotsu
    from skimage.segmentation import watershed

    counts = np.bincount(view.ravel(), minlength=256)
    if np.count_nonzero(counts) < _LEVELS:
        return  # too even for thresholds
    for threshold in threshold_multiotsu(hist=(counts, np.arange(256)), classes=_LEVELS):
        mask = ndimage.binary_opening(ndimage.binary_fill_holes(view > threshold))
        depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(mask), 1.0)
        islands, _ = ndimage.label(mask)
        peaks = peak_local_max(depth, min_distance=apart, labels=islands, exclude_border=False)
        seeds = np.zeros(view.shape, dtype=np.int64)
        seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
        yield watershed(-depth, seeds, mask=mask)


def _measured(
    labels: np.ndarray, planes: np.ndarray, sort: np.ndarray
) -> Float64[np.ndarray, "regions numbers"]:
    """Return box, measures, borders touched and sort of each region."""
    from scipy import ndimage

    height, width = labels.shape
    slices = [(n, s) for n, s in enumerate(ndimage.find_objects(labels), start=1) if s]
    if not slices:
        return np.zeros((0, 4 + 4 + 2 * len(planes) + _EDGE + len(sort)))
    numbers = np.array([n for n, _ in slices])
    box = np.array([[s[1].start, s[0].start, s[1].stop, s[0].stop] for _, s in slices], float)
    area = np.bincount(labels.ravel())[numbers].astype(float)
    means, squares = (
        [np.bincount(labels.ravel(), p.ravel() ** k)[numbers] / area for p in planes]
        for k in (1, 2)
    )
    spreads = [np.sqrt(np.maximum(s - m**2, 0)) for s, m in zip(squares, means, strict=True)]
    wide, high = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    measures = [np.log(area), np.log(wide), np.log(high), area / (wide * high), *means, *spreads]
    ends = np.array([0, 0, width, height])
    sorts = np.broadcast_to(sort, (len(box), len(sort)))
    shares = box / [width, height, width, height]
    return np.concatenate([shares, np.stack(measures, 1), box == ends, sorts], axis=1)

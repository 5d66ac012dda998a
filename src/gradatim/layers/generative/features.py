"""What drawn rows are compared in: features of a classifier, or principal components."""

from abc import abstractmethod

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.chunks import in_chunks
from gradatim.ops.generative.variety import nearest_distances

__all__ = ["ClassifierFeatures", "Features", "PrincipalFeatures", "Thumbnails"]

SIDE = 8  # pixels of a thumbnail
LEAST = 1e-12  # of a variance, beside the largest


class Features(nn.Module):
    """Raw rows -> numbers in which distances between them mean something.

    Args:
        known: features of training rows, with which new ones are compared; none by default.
    """

    known: Tensor

    def __init__(self, known: Float32[Tensor, "rows features"] | None = None) -> None:
        super().__init__()
        self.register_buffer("known", torch.zeros(0, 1) if known is None else known)

    @abstractmethod
    def forward(self, rows: Shaped[Tensor, "rows *shape"]) -> Float32[Tensor, "rows features"]:
        """Return the features of raw rows."""

    def classes(self, features: Float32[Tensor, "rows features"]) -> Int64[Tensor, " rows"]:
        """Return the class of each row; -1 where there are no classes."""
        return torch.full((len(features),), -1)

    def entries(
        self, rows: Shaped[Tensor, "rows *shape"], real: bool = False
    ) -> Float32[np.ndarray, "rows entry"]:
        """Return the features of each row, then its class and its distance to the nearest known.

        Args:
            rows: in the units of the data.
            real: whether they are rows of the data. Those of a validation fold are among the known
                ones, and are not compared with themselves.
        """
        features = in_chunks(self, rows)
        known = self.known if len(self.known) else features[:0]
        with torch.no_grad():
            extra = [self.classes(features), nearest_distances(features, known, real)]
        columns = [features, *(column[:, None].float() for column in extra)]
        return np.asarray(torch.cat(columns, 1).numpy())


class Thumbnails(Features):
    """Pictures averaged to at most 8 x 8 pixels; other rows as they are. Nothing is learnt.

    >>> Thumbnails()(torch.full((1, 1, 16, 16), 3, dtype=torch.uint8)).shape
    torch.Size([1, 64])
    """

    def forward(self, rows: Shaped[Tensor, "rows *shape"]) -> Float32[Tensor, "rows features"]:
        """Return the averages."""
        values = rows.float()
        if values.dim() == 4:
            height, width = (min(SIDE, side) for side in values.shape[2:])
            values = F.adaptive_avg_pool2d(values, (height, width))
        return values.flatten(1)


class PrincipalFeatures(Features):
    """Coordinates along the directions in which training rows vary most.

    f = V'(x - m) of the rows as flat vectors, with the eigenvectors V of their covariance.

    Args:
        mean: m.
        components: V, a column a direction.
        known: as for `Features`.

    Source: Pearson 1901; Hotelling 1933.
    """

    mean: Tensor
    components: Tensor

    def __init__(
        self,
        mean: Float32[Tensor, " numbers"],
        components: Float32[Tensor, "numbers features"],
        known: Float32[Tensor, "rows features"] | None = None,
    ) -> None:
        super().__init__(known)
        self.register_buffer("mean", mean)
        self.register_buffer("components", components)

    @classmethod
    def of(cls, rows: Shaped[Tensor, "rows *shape"], most: int = 64) -> "PrincipalFeatures":
        """Return those of these rows.

        Args:
            rows: to learn from; missing cells count as the mean.
            most: directions that are kept; those without variance never are.
        """
        flat = rows.flatten(1).double()
        mean = flat.nanmean(0).nan_to_num()
        centred = (flat - mean).nan_to_num()
        # Columns of a table have units: each counts the same. Pixels share theirs.
        scale = torch.ones_like(mean)
        if rows.dim() == 2:
            deviation = centred.std(0, correction=0)
            scale = torch.where(deviation > 0, deviation, 1.0)
        values, vectors = torch.linalg.eigh((centred / scale).T @ (centred / scale) / len(rows))
        kept = min(most, max(1, int((values > LEAST * values.amax()).sum())))
        directions = vectors[:, -kept:].flip(1) / scale[:, None]
        return cls(mean.float(), directions.float())

    def forward(self, rows: Shaped[Tensor, "rows *shape"]) -> Float32[Tensor, "rows features"]:
        """Return the coordinates."""
        return (rows.flatten(1).float() - self.mean).nan_to_num() @ self.components


class ClassifierFeatures(Features):
    """What the last layer of a classifier sees, and the class that it then names.

    Args:
        below: raw rows -> the numbers that the last layer sees.
        last: these -> logits of the classes.
        known: as for `Features`.

    Source: Heusel et al. 2017, section 4 (there Inception's pooling layer).
    """

    def __init__(
        self,
        below: nn.Module,
        last: nn.Module,
        known: Float32[Tensor, "rows features"] | None = None,
    ) -> None:
        super().__init__(known)
        self.below, self.last = below, last

    def forward(self, rows: Shaped[Tensor, "rows *shape"]) -> Float32[Tensor, "rows features"]:
        """Return the numbers below the last layer."""
        return self.below(rows)

    def classes(self, features: Float[Tensor, "rows features"]) -> Int64[Tensor, " rows"]:
        """Return the class with the largest logit."""
        return self.last(features).argmax(1)

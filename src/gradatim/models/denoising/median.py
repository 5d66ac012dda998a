"""Median: every pixel becomes the middle one of those around it."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from gradatim.models.denoising._restoring import Planes, Restoring

__all__ = ["RUNG", "Median"]


class Median(Restoring):
    """Take the median of a square window, whose side is chosen.

    Idea: a step edge is its own median, and a single wild pixel has no say.
    Cost: one number; sorting k^2 values a pixel.
    Fails when: there are thin lines and corners, which are fewer pixels than half of a window; and
    against Gaussian noise a mean uses the same pixels better.
    """

    place: ClassVar[int] = 12
    idea: ClassVar[str] = "takes the middle value of neighbours, so that edges stay sharp"
    source: ClassVar[str] = "Tukey 1977, Exploratory data analysis; scipy.ndimage.median_filter"
    deviations: ClassVar[tuple[str, ...]] = (
        "the side is the best of 1, 3, 5 and 7 on training pictures",
        "pictures are continued by reflection",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"pictures": 2}}
    grid: ClassVar[tuple[float, ...]] = (1.0, 3.0, 5.0, 7.0)

    def restore(self, picture: Planes, sigma: float, strength: float) -> np.ndarray:
        """Return the medians, of each channel alone."""
        from scipy.ndimage import median_filter

        return median_filter(picture, (1, int(strength), int(strength)))


RUNG = Median

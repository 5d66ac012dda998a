"""Gauss: every pixel becomes a weighted mean of those around it."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from gradatim.models.denoising._restoring import Planes, Restoring

__all__ = ["RUNG", "Gauss"]


class Gauss(Restoring):
    """Convolve with a Gaussian window, exp(-r^2 / (2 s^2)), whose width s is chosen.

    The mean over n pixels has the noise divided by root n, and the picture blurred.

    Idea: neighbours are mostly alike, their noise is not, so their mean keeps the picture.
    Cost: one number; two passes of a window 8 s + 1 wide.
    Fails when: there are edges: they are averaged as well.
    """

    place: ClassVar[int] = 11
    idea: ClassVar[str] = "averages neighbours, whose noise cancels out; edges blur"
    source: ClassVar[str] = "Gonzalez & Woods 2018, section 3.5; scipy.ndimage.gaussian_filter"
    deviations: ClassVar[tuple[str, ...]] = (
        "the width is the best of a grid on training pictures",
        "the window ends at four deviations, pictures are continued by reflection",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"pictures": 2}}
    grid: ClassVar[tuple[float, ...]] = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0)

    def restore(self, picture: Planes, sigma: float, strength: float) -> np.ndarray:
        """Return the blurred picture."""
        from scipy.ndimage import gaussian_filter

        return gaussian_filter(picture, (0, strength, strength))


RUNG = Gauss

"""Non-local means: average what looks alike, wherever it is."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from gradatim.models.denoising._restoring import Planes, Restoring

__all__ = ["RUNG", "NonLocalMeans"]


class NonLocalMeans(Restoring):
    """y_i = sum_j w_ij x_j / sum_j w_ij, w_ij = exp(-max(d_ij - 2 sigma^2, 0) / h^2).

    d_ij is the mean squared difference of the patches around pixels i and j; 2 sigma^2 of it is
    noise.

    Idea: pictures repeat themselves, so there are many noisy copies of every patch to average.
    Cost: one number; (2 distance + 1)^2 products a pixel.
    Fails when: a patch has no like within reach; its noise stays.
    """

    place: ClassVar[int] = 15
    idea: ClassVar[str] = "averages pixels whose surroundings look alike, near or far"
    source: ClassVar[str] = (
        "Buades, Coll & Morel 2005; Darbon et al. 2008; skimage.restoration.denoise_nl_means"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "all pixels of a patch weigh the same, which integral images make fast",
        "h is sigma times the best of a grid on training pictures",
        "searched within a window, not in the whole picture",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"pictures": 1, "distance": 2, "patch": 3}
    }
    grid: ClassVar[tuple[float, ...]] = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
    needs: ClassVar[Mapping[str, str]] = {"skimage": "scikit-image"}

    patch: Annotated[int, Field(ge=1, le=31)] = 5
    """Side of the squares that are compared, in pixels."""
    distance: Annotated[int, Field(ge=1, le=100)] = 6
    """How far away a like is looked for, in pixels."""

    def restore(self, picture: Planes, sigma: float, strength: float) -> np.ndarray:
        """Return the weighted means."""
        from skimage.restoration import denoise_nl_means

        if sigma == 0:
            return picture
        grey = len(picture) == 1
        answer = denoise_nl_means(
            # One channel of an axis of its own comes back transposed.
            (picture[0] if grey else picture) / 255,
            patch_size=self.patch,
            patch_distance=self.distance,
            h=strength * sigma / 255,
            sigma=sigma / 255,
            fast_mode=True,
            channel_axis=None if grey else 0,
        )
        return np.asarray(255 * answer).reshape(picture.shape)


RUNG = NonLocalMeans

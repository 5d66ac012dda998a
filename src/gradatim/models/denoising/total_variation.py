"""Total variation: the least wavy picture that is still near the noisy one."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from gradatim.models.denoising._restoring import Planes, Restoring

__all__ = ["RUNG", "TotalVariation"]


class TotalVariation(Restoring):
    """Minimise |y - x|^2 / (2 w) + sum over pixels of |gradient of y|, by Chambolle's iteration.

    Idea: a jump costs as much as a slope of the same height, so edges stay and ripples go.
    Cost: one number; up to 200 passes over the picture.
    Fails when: there is texture: it becomes flat patches.
    """

    place: ClassVar[int] = 14
    idea: ClassVar[str] = "looks for the least wavy picture nearby: flat patches with sharp edges"
    source: ClassVar[str] = (
        "Rudin, Osher & Fatemi 1992; Chambolle 2004; skimage.restoration.denoise_tv_chambolle"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "w is sigma times the best of a grid on training pictures",
        "ends when the energy changes by less than 2e-4 of its first value",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"pictures": 2, "most": 20}}
    grid: ClassVar[tuple[float, ...]] = (0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5)
    needs: ClassVar[Mapping[str, str]] = {"skimage": "scikit-image"}

    most: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Iterations at most."""

    def restore(self, picture: Planes, sigma: float, strength: float) -> np.ndarray:
        """Return the minimum; colours share one gradient."""
        from skimage.restoration import denoise_tv_chambolle

        if sigma == 0:
            return picture
        weight = strength * sigma / 255
        answer = denoise_tv_chambolle(
            picture / 255, weight=weight, max_num_iter=self.most, channel_axis=0
        )
        return np.asarray(255 * answer)


RUNG = TotalVariation

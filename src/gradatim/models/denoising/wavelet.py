"""Wavelet shrinkage: small coefficients are noise, large ones are the picture."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from gradatim.models.denoising._restoring import Planes, Restoring

__all__ = ["RUNG", "Wavelet"]


class Wavelet(Restoring):
    """Soft thresholds in a wavelet basis: c -> sign(c) max(|c| - T, 0), then back.

    BayesShrink sets T = sigma^2 / sigma_x in every band, where sigma_x is the deviation of the
    picture's own coefficients there; VisuShrink sets T = sigma sqrt(2 log n) everywhere.

    Idea: a picture is a few large coefficients, white noise is the same small ones everywhere.
    Cost: one number; a fast wavelet transform, O(pixels).
    Fails when: edges are slanted: they need many coefficients, and those cut off leave ripples.
    """

    place: ClassVar[int] = 13
    idea: ClassVar[str] = "shrinks small wavelet coefficients, which hold noise and little else"
    source: ClassVar[str] = (
        "Chang, Yu & Vetterli 2000; Donoho & Johnstone 1994; skimage.restoration.denoise_wavelet"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "sigma is multiplied by the best of a grid on training pictures",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"pictures": 2}}
    grid: ClassVar[tuple[float, ...]] = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5)
    needs: ClassVar[Mapping[str, str]] = {"skimage": "scikit-image", "pywt": "PyWavelets"}

    basis: Literal["haar", "db2", "db4", "sym4", "sym8", "bior4.4"] = "sym4"
    threshold: Literal["BayesShrink", "VisuShrink"] = "BayesShrink"

    def restore(self, picture: Planes, sigma: float, strength: float) -> np.ndarray:
        """Return the picture of the shrunken coefficients."""
        from skimage.restoration import denoise_wavelet

        if sigma == 0:
            return picture
        answer = denoise_wavelet(
            picture / 255,
            sigma=strength * sigma / 255,
            wavelet=self.basis,
            method=self.threshold,
            mode="soft",
            rescale_sigma=True,
            channel_axis=0,
        )
        return np.asarray(255 * answer)


RUNG = Wavelet

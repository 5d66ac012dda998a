"""Denoise: the same picture without its noise."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gradatim.core.errors import ConfigError
from gradatim.core.metric import Metric
from gradatim.core.recipe import LossChoice
from gradatim.core.samples import Samples
from gradatim.core.signature import Picture, Signature
from gradatim.core.task import Reading, Supervised
from gradatim.ops import losses
from gradatim.ops.checked import finite
from gradatim.ops.denoising.quality import (
    as_levels,
    mean_psnr,
    mean_ssim,
    psnr,
    squared_error,
    ssim,
)
from gradatim.ops.denoising.quality import typical_error as rmse

__all__ = ["METRICS", "TASK", "Denoise"]

METRICS: dict[str, Metric] = {
    "psnr": Metric("psnr", "higher", False, mean_psnr),
    "ssim": Metric("ssim", "higher", True, mean_ssim, lowest=-1.0),
    "rmse": Metric("rmse", "lower", False, rmse),
}
LOSSES = ("absolute", "huber", "squared")


@dataclass(frozen=True, eq=False)
class Denoise(Supervised):
    """Squared error of the pixels, in units of the white level, averaged over the batch.

    mean of ((y - t) / 255)^2. White noise of a known deviation is drawn anew for every batch; with
    noisy targets both the picture and what it is compared with have noise of their own, and since
    that noise has mean 0, the best answer is still the mean of the clean pictures (Noise2Noise).

    Scores compare what files would hold: answer and truth clipped to 0..255 and rounded, as the
    authors of DnCNN do. The noise of inputs is never clipped.

    Source: Zhang, Zuo, Chen, Meng & Zhang 2017 (DnCNN), section IV; Lehtinen et al. 2018
    (Noise2Noise), section 2.

    Deviations: the mean over pixels, not half of the sum, so that a rate fits patches of any size.
    """

    name: ClassVar[str] = "denoise"
    metrics: ClassVar[dict[str, Metric]] = METRICS
    quality_name: ClassVar[str] = "PSNR in dB"

    choice: LossChoice = field(default_factory=LossChoice)
    sigma: float | None = None
    noisy: bool = False

    @property
    def changing(self) -> bool:
        """Say that noise is drawn anew."""
        return True

    def suits(self, signature: Signature) -> bool:
        """Take whatever asks for a picture."""
        return isinstance(signature.output, Picture)

    def of(self, signature: Signature) -> Self:
        """Return the task that knows the noise of this data."""
        assert isinstance(signature.output, Picture)
        return replace(self, sigma=signature.output.sigma, noisy=signature.output.noisy)

    def losses(
        self,
        outputs: Float[Tensor, "rows channels height width"],
        targets: Float[Tensor, "rows channels height width"],
    ) -> Float[Tensor, " rows"]:
        """Return the losses of the choice; unless chosen otherwise, the squared errors."""
        said, meant = outputs.flatten(1) / 255, targets.flatten(1).to(outputs.dtype) / 255
        if self.choice.name == "absolute":
            return losses.absolute(said, meant)
        if self.choice.name == "huber":
            return losses.huber(said, meant, self.choice.delta)
        return losses.squared(said, meant)

    def with_loss(self, choice: LossChoice, targets: Tensor) -> Self:
        """Return this task trained with another loss."""
        if choice == self.choice:
            return self
        if choice.name not in ("own", *LOSSES):
            raise ConfigError(
                f"loss.name={choice.name} does not fit pictures; those that do: {', '.join(LOSSES)}"
            )
        if choice.label_smoothing or choice.class_weights != "none":
            raise ConfigError(
                "loss.label_smoothing and loss.class_weights are for classes; "
                "these targets are pictures: leave them out"
            )
        return replace(self, choice=choice)

    def renewed(self, batch: Samples, chance: torch.Generator) -> Samples:
        """Return the clean pictures of a batch under other noise, where its deviation is known."""
        if self.sigma is None:
            return batch
        clean = batch.targets
        inputs = clean + self.sigma * torch.randn(clean.shape, generator=chance)
        if not self.noisy:
            return replace(batch, inputs=inputs)
        again = clean + self.sigma * torch.randn(clean.shape, generator=chance)
        return replace(batch, inputs=inputs, targets=again)

    def decode(self, outputs: Float[Tensor, "rows channels height width"]) -> np.ndarray:
        """Return levels as they are, float32 of shape (rows, channels, height, width)."""
        return outputs.detach().float().numpy()

    def default_metric(self, samples: Samples) -> str:
        """Return the peak signal-to-noise ratio."""
        return "psnr"

    def read(self, predictions: np.ndarray, samples: Samples) -> Reading:
        """Return mean squared error and SSIM of each picture, and how many pixels it has.

        Raises:
            ValueError: an answer is not finite.
        """
        errors, pixels = np.zeros((len(samples), 2)), np.zeros(len(samples))
        for row in range(len(samples)):
            clean = samples.own(row).targets[0].numpy()
            truth, (height, width) = as_levels(clean), clean.shape[1:]
            said = as_levels(finite("levels", predictions[row, :, :height, :width]))
            errors[row] = squared_error(said, truth), ssim(said, truth)
            pixels[row] = height * width
        return errors, pixels

    def quality(self, reading: Reading) -> np.ndarray:
        """Return the peak signal-to-noise ratio of each picture."""
        return psnr(reading[0][:, 0])

    def picture(self, sample: Samples, prediction: np.ndarray | None) -> np.ndarray:
        """Return the answer, or the clean picture, as a file holds it."""
        own = sample.own(0)
        if prediction is None:
            return as_levels(own.targets[0].numpy())
        height, width = own.inputs.shape[2:]
        return as_levels(prediction.reshape(prediction.shape[-3:])[:, :height, :width])


TASK = Denoise()

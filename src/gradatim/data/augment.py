"""Changes to training samples that keep their meaning: what is drawn for each row of a batch."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gradatim.core.errors import ConfigError
from gradatim.core.recipe import Augmentation
from gradatim.core.samples import Samples
from gradatim.data.augmentation.cutout import blanked
from gradatim.data.augmentation.geometry import cropped, mirrored, rotated, shifted
from gradatim.data.augmentation.mixup import beta, mixed

__all__ = ["PICTURES_ONLY", "augment", "check_fits"]

PICTURES_ONLY = ("shift", "flip", "crop", "rotation", "cutout")


def augment(
    samples: Samples, changes: Augmentation, chance: torch.Generator, outputs: int
) -> Samples:
    """Return a batch, each row changed on its own.

    Args:
        samples: standardised features and encoded targets; 0 is the mean of a channel.
        changes: what may happen.
        chance: the generator of this step, the only source of chance.
        outputs: classes of the targets, where these are classes.

    Returns:
        The changed batch; mixup turns classes into shares of classes.
    """
    inputs, targets = samples.inputs, samples.targets
    for name, change in CHANGES.items():
        if getattr(changes, name):
            inputs = change(inputs, getattr(changes, name), chance)
    if changes.mixup:
        share = beta(changes.mixup, len(inputs), chance)
        partners = torch.randperm(len(inputs), generator=chance)
        if not targets.is_floating_point():
            targets = F.one_hot(targets, outputs).to(inputs.dtype)
        inputs, targets = mixed(inputs, share, partners), mixed(targets, share, partners)
    return replace(samples, inputs=inputs, targets=targets)


def check_fits(changes: Augmentation, inputs: Tensor) -> None:
    """Look whether these features can be changed like this.

    Raises:
        ConfigError: they are no planes of pixels, or no numbers that lie close together.
    """
    asked = [name for name in PICTURES_ONLY if getattr(changes, name)]
    if inputs.dim() != 4 and asked:
        names = ", ".join(f"augmentation.{name}" for name in asked)
        raise ConfigError(
            f"{names} changes planes of pixels, and this rung sees none here; "
            "leave it out, or use augmentation.mixup or augmentation.noise"
        )
    if not inputs.is_floating_point() and (changes.noise or changes.mixup):
        raise ConfigError(
            "augmentation.noise and augmentation.mixup change numbers, and this rung sees "
            "words; leave them out"
        )


def _flip(pictures: Tensor, _: bool, chance: torch.Generator) -> Tensor:
    return mirrored(pictures, torch.rand(len(pictures), generator=chance) < 0.5)


def _shift(pictures: Tensor, most: int, chance: torch.Generator) -> Tensor:
    up, left = torch.randint(2 * most + 1, (2, len(pictures)), generator=chance) - most
    return shifted(pictures, -up, -left)


def _crop(pictures: Tensor, most: float, chance: torch.Generator) -> Tensor:
    away, left, top = torch.rand(3, len(pictures), generator=chance)
    return cropped(pictures, 1 - most * away, left, top)


def _rotation(pictures: Tensor, most: float, chance: torch.Generator) -> Tensor:
    return rotated(pictures, most * (2 * torch.rand(len(pictures), generator=chance) - 1))


def _cutout(pictures: Tensor, share: float, chance: torch.Generator) -> Tensor:
    """The middle of the square may be any pixel, as in the paper; a part may fall outside."""
    rows, _, height, width = pictures.shape
    side = max(1, round(share * min(height, width)))
    top = torch.randint(height, (rows,), generator=chance) - side // 2
    left = torch.randint(width, (rows,), generator=chance) - side // 2
    return blanked(pictures, top, left, side)


def _noise(features: Tensor, deviation: float, chance: torch.Generator) -> Tensor:
    return features + deviation * torch.randn(
        features.shape, generator=chance, dtype=features.dtype
    )


CHANGES: dict[str, Callable[[Tensor, Any, torch.Generator], Tensor]] = {
    "flip": _flip,
    "shift": _shift,
    "crop": _crop,
    "rotation": _rotation,
    "cutout": _cutout,
    "noise": _noise,
}
"""In the order in which they happen; noise comes late, so that nothing smooths it."""

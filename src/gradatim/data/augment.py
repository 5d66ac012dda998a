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
from gradatim.data.augmentation.mixup import beta, mixed
from gradatim.data.augmentation.moves import MOVES
from gradatim.data.augmentation.spectral import SPECTRAL

__all__ = ["PICTURES_ONLY", "augment", "check_fits"]

PICTURES_ONLY = (*MOVES, *SPECTRAL, "cutout")
WORDS_ONLY = ("category", "quantity")


def augment(
    samples: Samples,
    changes: Augmentation,
    chance: torch.Generator,
    outputs: int,
    kind: str = "category",
) -> Samples:
    """Return a batch, each row changed on its own; what lies on a picture moves with it.

    Args:
        samples: standardised features and encoded targets; 0 is the mean of a channel.
        changes: what may happen.
        chance: the generator of this step, the only source of chance.
        outputs: classes of the targets, where these are classes.
        kind: of the output that the targets are.

    Returns:
        The changed batch; mixup turns classes into shares of classes.
    """
    inputs, targets = samples.inputs, samples.targets
    for name, draw in MOVES.items():
        if getattr(changes, name):
            move = draw(inputs, getattr(changes, name), chance)
            inputs, targets = move.planes(inputs), move.on_target(targets, kind)
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


def check_fits(changes: Augmentation, inputs: Tensor, kind: str = "category") -> None:
    """Look whether these features, with targets of this kind, can be changed like this.

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
    if changes.turn and inputs.shape[-1] != inputs.shape[-2]:
        raise ConfigError(
            "augmentation.turn turns squares by a quarter, and these are none; "
            "cut squares from them with patch, or leave it out"
        )
    if kind not in WORDS_ONLY and (changes.mixup or changes.cutout):
        raise ConfigError(
            f"augmentation.mixup and augmentation.cutout have no meaning for {kind}; leave them out"
        )
    if not inputs.is_floating_point() and (changes.noise or changes.mixup):
        raise ConfigError(
            "augmentation.noise and augmentation.mixup change numbers, and this rung sees "
            "words; leave them out"
        )


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
    **SPECTRAL,
    "cutout": _cutout,
    "noise": _noise,
}
"""In the order in which they happen; noise comes late, so that nothing smooths it."""

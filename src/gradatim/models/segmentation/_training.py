"""How networks learn masks: squares cut from few large pictures, seen from all sides."""

from gradatim.core.recipe import Augmentation, OptimizerChoice, Recipe

__all__ = ["on_patches"]

FEW = 100
"""Pictures below which every one of them teaches, and from all sides."""
CUT = 160
"""Squares an epoch, at least."""


def on_patches(rows: int, lr: float) -> Recipe:
    """Return thirty epochs of squares of 128 pixels.

    With few pictures none is held out to stop by (the rate falls to nothing anyway), several
    squares are cut from each in an epoch, and quarter turns and mirror images make up for what was
    not photographed. With many, mirror images of left and right are enough.

    Args:
        rows: training pictures.
        lr: learning rate.

    Source: Ronneberger, Fischer & Brox 2015, section 3.1 (little data, strong augmentation);
        Isensee et al. 2021 (patches, mirror images).
    """
    few = rows < FEW
    return Recipe(
        optimizer=OptimizerChoice(lr=lr),
        augmentation=Augmentation(flip=True, turn=few),
        epochs=30,
        batch=8,
        patch=128,
        patches=max(1, round(CUT / rows)),
        validation=0.0 if few else 0.1,
        patience=8,
    )

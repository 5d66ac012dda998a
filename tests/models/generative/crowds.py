"""Small pictures with two classes, for networks that draw."""

from collections.abc import Mapping

import torch

from gradatim.core.recipe import Recipe
from gradatim.core.samples import Samples
from gradatim.core.signature import Image, Signature, Synthesis
from gradatim.models import rung_named
from gradatim.tasks.synthesise import TASK
from gradatim.train.fitting import Fitting

__all__ = ["SIGNATURE", "bars", "fitting"]

SIGNATURE = Signature(
    input=Image(channels=1, height=10, width=9),
    output=Synthesis(names=("lying", "standing"), levels=17),
)


def bars(rows: int = 96, seed: int = 0) -> Samples:
    """Bright bars on dark ground: lying (class 0, two of three) or standing (class 1)."""
    chance = torch.Generator().manual_seed(seed)
    pictures = torch.randint(0, 4, (rows, 1, 10, 9), generator=chance, dtype=torch.uint8)
    labels = (torch.arange(rows) % 3 == 2).long()
    for picture, label in zip(pictures, labels, strict=True):
        place = int(torch.randint(1, 8, (1,), generator=chance))
        if label:
            picture[0, :, place] = 15
        else:
            picture[0, place] = 15
    return Samples(pictures, labels)


def fitting(
    name: str, *, settings: Mapping[str, object] | None = None, **changes: object
) -> Fitting:
    """A fitting of a small rung that has not begun."""
    rung = type(rung_named(name)).of_size("tiny")
    rung = type(rung).parse({**rung.model_dump(), **(settings or {})})
    recipe = rung.recipe(96, SIGNATURE).model_dump() | {"epochs": 3, "steps": 4, "batch": 24}
    return Fitting(rung, TASK.of(SIGNATURE), bars(), SIGNATURE, Recipe.parse(recipe | changes))

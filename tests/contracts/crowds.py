"""Rows without right answers, for the contracts: columns of numbers, and striped pictures.

Columns are continuous, on a grid, or 0 and 1; each depends on those before it.
"""

import numpy as np
import torch

from gradatim.core.samples import Samples
from gradatim.core.signature import Column, Density, Image, Signature, Synthesis, Table

__all__ = ["CROWDS", "crowd"]

NUMBERS = Table(
    columns=(
        Column(name="width", kind="numeric"),
        Column(name="height", kind="numeric"),
        Column(name="count", kind="numeric"),
        Column(name="sold", kind="boolean", values=("no", "yes")),
    )
)
CROWDS = {
    "numbers-density": Signature(input=NUMBERS, output=Density(grains=(0.0, 0.0, 1.0, 1.0))),
    "grey-density": Signature(
        input=Image(channels=1, height=4, width=6), output=Density(grains=(1.0,), levels=17)
    ),
    "colour-density": Signature(
        input=Image(channels=3, height=4, width=4), output=Density(grains=(1.0,))
    ),
    "grey-synthesis": Signature(
        input=Image(channels=1, height=8, width=6),
        output=Synthesis(names=("lying", "standing"), levels=17),
    ),
    "colour-synthesis": Signature(input=Image(channels=3, height=4, width=4), output=Synthesis()),
}


def crowd(signature: Signature, rows: int, chance: np.random.Generator) -> Samples:
    """Rows that fit a signature; there is nothing to shuffle."""
    targets = torch.zeros(rows, 1)
    if isinstance(signature.output, Synthesis):
        targets = torch.arange(rows) % max(1, len(signature.output.names))
    if isinstance(signature.input, Table):
        width = chance.normal(size=rows)
        height = 1e6 * (width + 0.3 * chance.normal(size=rows))
        count = chance.poisson(np.exp(width).clip(0, 20))
        cells = np.stack([width, height, count, count > 1], axis=1).astype(np.float64)
        return Samples(torch.from_numpy(cells), targets)
    image, top = signature.input, signature.output.levels - 1
    down, across = np.mgrid[: image.height, : image.width]
    stripes = np.stack([down // 2 % 2, across // 2 % 2])[np.arange(rows) % 2]
    shape = (rows, image.channels, image.height, image.width)
    levels = top * (0.2 + 0.6 * stripes[:, None]) + chance.normal(0, 0.1 * top, shape)
    return Samples(torch.from_numpy(levels.clip(0, top).astype(np.uint8)), targets)

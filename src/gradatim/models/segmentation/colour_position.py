"""Colour and position: how often each class was seen with this colour, in this part of pictures."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import nn

from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.signature import Image, Signature
from gradatim.layers.segmentation.pixel_tables import ColoursAndPlaces, PixelTable
from gradatim.models.segmentation._pixels import OnPixels, counts_by_code

__all__ = ["RUNG", "ColourPosition"]


class ColourPosition(OnPixels):
    """A table of frequencies: p(class | colour, cell of the picture).

    p(c | v, z) = (n_cvz + m p(c | v)) / (n_vz + m), p(c | v) = (n_cv + m p(c)) / (n_v + m): what
    was seen seldom leans on what was seen often.

    Idea: the sky is blue and above; brightness need not be cut at one level.
    Cost: one number for each cell, colour and class; one count.
    Fails when: classes differ by texture or shape, or things are anywhere.
    """

    place: ClassVar[int] = 20
    idea: ClassVar[str] = "counts which class has which colour in which part of the picture"
    source: ClassVar[str] = (
        "Swain & Ballard 1991 (colour histograms); Shotton et al. 2006 (location potentials)"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "pseudo-counts that lean on the colour alone, and of colours on all pixels",
        "cells of a grid over the whole picture, whatever its size",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"grid": 2, "shades": 4}}

    grid: Annotated[int, Field(ge=1, le=64)] = 8
    """Cells along each side of the picture."""
    shades: Annotated[int, Field(ge=0, le=256)] = 0
    """Parts of the levels of a channel; 0 is 32 for grey pictures and 8 for coloured ones."""
    strength: Annotated[float, Field(gt=0, le=1e6)] = 16.0
    """m: how many seen pixels outweigh what is leant on."""

    def network(self, signature: Signature, extents: Mapping[str, int]) -> nn.Module:
        """Return a score for each cell, colour and class."""
        assert isinstance(signature.input, Image)
        channels = signature.input.channels
        shades = self.shades or (32 if channels == 1 else 8)
        return PixelTable(ColoursAndPlaces(channels, self.grid, shades), signature.outputs)

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Count."""
        model = self.build(signature, {})
        assert isinstance(model.network, PixelTable)
        coder = model.network.coder
        assert isinstance(coder, ColoursAndPlaces)
        counts = counts_by_code(samples, coder, coder.codes, signature.outputs)
        n = counts.unflatten(0, (-1, coder.colours))
        everywhere = n.sum(0)
        all_classes = everywhere.sum(0) + 1
        of_all = all_classes / all_classes.sum()
        of_colour = self._shares(everywhere, of_all)
        model.network.scores.copy_(self._shares(n, of_colour).flatten(0, 1).log())
        return model

    def _shares(self, counts: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
        seen = counts.sum(-1, keepdim=True)
        return (counts + self.strength * expected) / (seen + self.strength)


RUNG = ColourPosition

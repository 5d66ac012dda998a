"""What rungs share that restore one picture after the other, with one number to choose."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Annotated, ClassVar

import numpy as np
import torch
from jaxtyping import Float32, Float64
from pydantic import Field
from torch import Tensor, nn

from gradatim.core.randomness import generator
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Picture, Signature
from gradatim.layers.denoising.levels import Levels, SameLevels
from gradatim.layers.denoising.noise_level import noise_level

__all__ = ["ByPicture", "Restore", "Restoring", "cut_out"]

Planes = Float32[np.ndarray, "channels height width"]
Restore = Callable[[Planes, float, float], np.ndarray]
"""From a picture, the deviation of its noise and a strength to the restored picture, in levels."""
MIDDLE = 180
"""Pixels a side of what is looked at of each training picture."""


class ByPicture(nn.Module):
    """Restore each picture on its own: a batch of n is n batches of one.

    Args:
        restore: the filter.
        sigma: deviation of the noise in levels; None estimates that of every picture.
    """

    strength: Tensor

    def __init__(self, restore: Restore, sigma: float | None) -> None:
        super().__init__()
        self.restore, self.sigma = restore, sigma
        self.register_buffer("strength", torch.ones((), dtype=torch.float64))

    def forward(
        self, levels: Float32[Tensor, "rows channels height width"]
    ) -> Float32[Tensor, "rows channels height width"]:
        """Return the restored pictures."""
        strength, answers = float(self.strength), torch.empty_like(levels)
        for row, picture in enumerate(levels):
            sigma = noise_level(picture[None]).item() if self.sigma is None else self.sigma
            planes = np.ascontiguousarray(picture.numpy())
            answers[row] = torch.from_numpy(np.asarray(self.restore(planes, sigma, strength)))
        return answers


class Restoring(Solved):
    """A filter that somebody thought out; its strength alone is learnt.

    The strength is the one of a grid with the least squared error on the middle of some training
    pictures.
    """

    reads: ClassVar[tuple[str, ...]] = ("image",)
    answers: ClassVar[tuple[str, ...]] = ("picture",)
    grid: ClassVar[tuple[float, ...]]
    """Strengths that are tried."""
    needs: ClassVar[Mapping[str, str]] = {}
    """Packages by the name of their module, from the extra `pictures`."""

    pictures: Annotated[int, Field(ge=1, le=10_000)] = 8
    """On how many training pictures the strengths are tried."""

    @abstractmethod
    def restore(self, picture: Planes, sigma: float, strength: float) -> np.ndarray:
        """Return a picture without noise of deviation sigma, in levels."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any picture, where the package is installed that knows the filter."""
        missing = [name for module, name in self.needs.items() if find_spec(module) is None]
        if not missing:
            return None
        remedy = 'pip install "gradatim[pictures]", or use median'
        return Refusal(f"it needs {missing[0]}, which is not installed", remedy)

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the filter with a strength still to be set."""
        assert isinstance(signature.output, Picture)
        return Model(Levels(), ByPicture(self.restore, signature.output.sigma), SameLevels())

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Try every strength."""
        model = self.build(signature, {})
        filters = model.network
        assert isinstance(filters, ByPicture)
        chance = generator(seed, "pictures to try strengths on")
        rows = torch.randperm(len(samples), generator=chance)[: self.pictures].tolist()
        seen = [cut_out(samples, row, MIDDLE) for row in rows]
        errors = torch.stack([_errors(filters, strength, seen) for strength in self.grid])
        filters.strength.fill_(self.grid[int(errors.mean(1).argmin())])
        return model


def _errors(
    filters: ByPicture, strength: float, seen: list[tuple[Tensor, Tensor]]
) -> Float64[Tensor, " pictures"]:
    """Return the mean squared error of each picture."""
    filters.strength.fill_(strength)
    differences = [filters(noisy) - clean for noisy, clean in seen]
    return torch.stack([difference.double().square().mean() for difference in differences])


def cut_out(samples: Samples, row: int, most: int) -> tuple[Tensor, Tensor]:
    """Return input and target of one row: what is real of it, at most its middle of `most` pixels.

    Args:
        samples: pictures on canvases.
        row: which.
        most: pixels a side.

    Returns:
        Two batches of one picture, float32.
    """
    own = samples.own(row)
    sides = own.inputs.shape[2:]
    down, across = (slice(max(0, (n - most) // 2), (n - most) // 2 + most) for n in sides)
    noisy, clean = (part[:, :, down, across].float() for part in (own.inputs, own.targets))
    return noisy, clean

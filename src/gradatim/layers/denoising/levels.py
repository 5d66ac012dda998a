"""Pictures in, pictures out: what every model that removes noise has around its network.

Features, encoded targets and answers are all levels from 0 to 255, never clipped: noise that is
drawn anew, patches and quarter turns then mean the same before and after preprocessing.
"""

import torch
from jaxtyping import Float, Float32, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.layers.denoising.noise_level import noise_level

__all__ = ["Levels", "OnLevels", "SameLevels"]

WHITE = 255.0
STRIP = 2**20
"""Pixels of a large picture that are worked on at a time, where the network allows for strips."""


class Levels(nn.Module):
    """Raw pictures as float32 levels. Nothing is learnt: levels have a scale of their own."""

    def fit(self, pictures: Shaped[Tensor, "rows channels height width"]) -> "Levels":
        """Learn nothing."""
        return self

    def forward(
        self, pictures: Shaped[Tensor, "rows channels height width"]
    ) -> Float32[Tensor, "rows channels height width"]:
        """Return the pictures as they are."""
        return pictures.to(torch.float32)


class SameLevels(nn.Module):
    """Answers of a network that speaks in levels already."""

    def fit(self, targets: Shaped[Tensor, "rows channels height width"]) -> "SameLevels":
        """Learn nothing."""
        return self

    def encode(
        self, targets: Float32[Tensor, "rows channels height width"]
    ) -> Float32[Tensor, "rows channels height width"]:
        """Return the targets as the network sees them: levels."""
        return targets

    def forward(
        self, levels: Float[Tensor, "rows channels height width"]
    ) -> Float[Tensor, "rows channels height width"]:
        """Return the answers."""
        return levels


class OnLevels(nn.Module):
    """A network on [0, 1] behind and before levels: y = x - 255 f(x / 255), or 255 f(x / 255).

    With residual learning f answers with the noise, which is simpler than the picture (Zhang et
    al. 2017). Pictures of any size pass: they are continued by reflection to a multiple of what
    the network halves, and cut again.

    Args:
        network: planes in [0, 1] -> planes of the same height and width.
        multiple: what height and width must be divisible by.
        residual: f is the noise, not the picture.
        mapped: give the network one more plane that is the deviation of the noise everywhere, as
            estimated from the picture (`gradatim.layers.denoising.noise_level`).
        reach: how many pixels away a pixel may matter, a multiple of `multiple`. Large pictures
            are then answered in strips that overlap by so much, in bounded memory; None never cuts.
    """

    def __init__(
        self,
        network: nn.Module,
        multiple: int = 1,
        *,
        residual: bool = True,
        mapped: bool = False,
        reach: int | None = None,
    ) -> None:
        super().__init__()
        self.network, self.multiple, self.reach = network, multiple, reach
        self.residual, self.mapped = residual, mapped

    def forward(
        self, levels: Float[Tensor, "rows channels height width"]
    ) -> Float[Tensor, "rows channels height width"]:
        """Return pictures without their noise."""
        height, width = levels.shape[2:]
        planes = levels / WHITE
        if self.mapped:
            sigma = noise_level(levels).to(levels) / WHITE
            planes = torch.cat([planes, sigma[:, None, None, None].expand(-1, 1, height, width)], 1)
        down, right = -height % self.multiple, -width % self.multiple
        if down or right:
            planes = F.pad(planes, (0, right, 0, down), mode="reflect")
        said = self._answer(planes)[:, :, :height, :width] * WHITE
        return levels - said if self.residual else said

    def _answer(
        self, planes: Float[Tensor, "rows given height width"]
    ) -> Float[Tensor, "rows channels height width"]:
        """Return the network's answer, of a large picture in strips."""
        height, width = planes.shape[2:]
        rows = max(1, STRIP // (width * self.multiple)) * self.multiple
        if self.training or self.reach is None or height <= rows:
            return self.network(planes)
        parts = []
        for top in range(0, height, rows):
            above = min(top, self.reach)
            strip = planes[:, :, top - above : top + rows + self.reach]
            parts.append(self.network(strip)[:, :, above : above + rows])
        return torch.cat(parts, 2)

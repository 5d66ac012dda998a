"""Scores of a pixel that are looked up in a table, by its level, its colour and its place."""

import torch
from jaxtyping import Float, Float64, Int64, Shaped
from torch import Tensor, nn

__all__ = ["ColoursAndPlaces", "ConstantMap", "GreyLevels", "PixelTable"]

LUMA = (0.299, 0.587, 0.114)


class ConstantMap(nn.Module):
    """Answer every pixel with the same scores.

    Args:
        classes: how many scores a pixel gets.
    """

    scores: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.register_buffer("scores", torch.zeros(classes, dtype=torch.float64))

    def forward(
        self, levels: Shaped[Tensor, "rows channels height width"]
    ) -> Float64[Tensor, "rows classes height width"]:
        """Return the scores once a pixel."""
        rows, _, height, width = levels.shape
        return self.scores[None, :, None, None].expand(rows, -1, height, width)


class GreyLevels(nn.Module):
    """The code of a pixel is its grey level, 0 to 255; of a colour, its luma (ITU-R BT.601)."""

    codes = 256

    def forward(
        self, levels: Float[Tensor, "rows channels height width"]
    ) -> Int64[Tensor, "rows height width"]:
        """Return the code of every pixel."""
        if levels.shape[1] == 3:
            weights = levels.new_tensor(LUMA)[:, None, None]
            levels = (levels * weights).sum(1, keepdim=True)
        return levels[:, 0].round().clamp(0, 255).long()


class ColoursAndPlaces(nn.Module):
    """The code of a pixel is its cell in the picture and, within it, its colour.

    code = cell * colours + colour; cells are squares of a grid over the whole picture, whatever
    its size; a colour is one of `shades` in each channel.

    Args:
        channels: of the pictures.
        grid: cells along each side.
        shades: parts that the levels of a channel are cut into.
    """

    def __init__(self, channels: int, grid: int, shades: int) -> None:
        super().__init__()
        self.grid, self.shades = grid, shades
        self.colours = shades**channels
        self.codes = grid * grid * self.colours

    def forward(
        self, levels: Float[Tensor, "rows channels height width"]
    ) -> Int64[Tensor, "rows height width"]:
        """Return the code of every pixel."""
        shade = (levels * (self.shades / 256)).floor().clamp(0, self.shades - 1).long()
        colour = shade[:, 0]
        for channel in range(1, levels.shape[1]):
            colour = colour * self.shades + shade[:, channel]
        down, across = (
            torch.arange(n, device=levels.device) * self.grid // n for n in levels.shape[2:]
        )
        return (down[:, None] * self.grid + across) * self.colours + colour


class PixelTable(nn.Module):
    """Scores by the code of a pixel.

    Args:
        coder: levels -> codes from 0 to `coder.codes` - 1.
        classes: how many scores a pixel gets.
    """

    scores: Tensor

    def __init__(self, coder: GreyLevels | ColoursAndPlaces, classes: int) -> None:
        super().__init__()
        self.coder = coder
        self.register_buffer("scores", torch.zeros(coder.codes, classes, dtype=torch.float64))

    def forward(
        self, levels: Float[Tensor, "rows channels height width"]
    ) -> Float64[Tensor, "rows classes height width"]:
        """Return the scores of every pixel."""
        return self.scores[self.coder(levels)].movedim(-1, 1)

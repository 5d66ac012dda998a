"""Networks that value every action in what is seen of a game."""

from jaxtyping import Float
from torch import Tensor, nn

from gradatim.core.signature import Game
from gradatim.layers.linear import Linear
from gradatim.ops.play.tiles import SIDE

__all__ = ["Dueling", "large", "trunk"]

LARGE = 42  # pixels
MNIH = ((32, 2, 1), (64, 4, 2), (64, 3, 1))
"""Kernels, their side and their stride, of the published network on pictures of 84 x 84. The first
one reads tiles: 2 x 2 of them are its 8 x 8 pixels, and one tile its stride of 4."""


def large(game: Game) -> bool:
    """Tell whether a game's pictures are so large that networks take them in tiles."""
    return len(game.shape) == 3 and min(game.shape[1:]) >= LARGE


def trunk(game: Game, kernels: int, width: int) -> nn.Sequential:
    """Return the layers from what is seen to `width` features.

    Numbers go through two dense layers, small planes through one convolution of 3 x 3 and a
    dense layer, as in Young & Tian 2019; pictures of 42 pixels or more through the three
    convolutions of Mnih et al. 2015, in tiles (`ops.play.tiles`).
    """
    if len(game.shape) == 1:
        first, second = nn.Linear(game.shape[0], width), nn.Linear(width, width)
        return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
    channels, *sides = game.shape
    tiles = large(game)
    if tiles:
        channels, sides = channels * SIDE**2, [s // SIDE for s in sides]
    layers: list[nn.Module] = []
    for count, side, stride in MNIH if tiles else ((kernels, 3, 1),):
        layers += [nn.Conv2d(channels, count, side, stride), nn.ReLU()]
        channels, sides = count, [(s - side) // stride + 1 for s in sides]
    flat = channels * sides[0] * sides[1]
    ordered = ByPlace() if tiles else nn.Flatten()
    return nn.Sequential(*layers, ordered, Linear(flat, width), nn.ReLU())


class ByPlace(nn.Module):
    """All channels of a place, place after place: as they lie in memory after a convolution."""

    def forward(
        self, planes: Float[Tensor, "rows channels down across"]
    ) -> Float[Tensor, "rows features"]:
        """Return one row of numbers a picture."""
        return planes.permute(0, 2, 3, 1).flatten(1)


class Dueling(nn.Module):
    """Q(s, a) = V(s) + A(s, a) - mean_a' A(s, a').

    Args:
        features: that come in.
        width: of the layer before V and before A.
        actions: to value.

    Source: Wang et al. 2016, "Dueling network architectures for deep reinforcement learning",
        equation (9).
    """

    def __init__(self, features: int, width: int, actions: int) -> None:
        super().__init__()

        def stream(outputs: int) -> nn.Sequential:
            return nn.Sequential(Linear(features, width), nn.ReLU(), nn.Linear(width, outputs))

        self.value, self.advantage = stream(1), stream(actions)

    def forward(self, features: Float[Tensor, "rows features"]) -> Float[Tensor, "rows actions"]:
        """Return the value of every action."""
        advantage: Tensor = self.advantage(features)
        value: Tensor = self.value(features)
        return value + advantage - advantage.mean(1, keepdim=True)

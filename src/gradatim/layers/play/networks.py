"""Networks that value every action in what is seen of a game."""

from jaxtyping import Float
from torch import Tensor, nn

from gradatim.core.signature import Game

__all__ = ["Dueling", "trunk"]

MNIH = ((32, 8, 4), (64, 4, 2), (64, 3, 1))
"""Kernels, their side and their stride, of the published network on pictures of 84 x 84."""


def trunk(game: Game, kernels: int, width: int) -> nn.Sequential:
    """Return the layers from what is seen to `width` features.

    Numbers go through two dense layers, small planes through one convolution of 3 x 3 and a
    dense layer, as in Young & Tian 2019; pictures of 42 pixels or more through the three
    convolutions of Mnih et al. 2015.
    """
    if len(game.shape) == 1:
        first, second = nn.Linear(game.shape[0], width), nn.Linear(width, width)
        return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
    layers: list[nn.Module] = []
    channels, *sides = game.shape
    for count, side, stride in MNIH if min(sides) >= 42 else ((kernels, 3, 1),):
        layers += [nn.Conv2d(channels, count, side, stride), nn.ReLU()]
        channels, sides = count, [(s - side) // stride + 1 for s in sides]
    flat = channels * sides[0] * sides[1]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(flat, width), nn.ReLU())


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
            return nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Linear(width, outputs))

        self.value, self.advantage = stream(1), stream(actions)

    def forward(self, features: Float[Tensor, "rows features"]) -> Float[Tensor, "rows actions"]:
        """Return the value of every action."""
        advantage: Tensor = self.advantage(features)
        value: Tensor = self.value(features)
        return value + advantage - advantage.mean(1, keepdim=True)

"""Rules of thumb for games, written by people."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["RULES", "FollowTheBall", "Lean", "WithTheMotion", "rule_for"]


class FollowTheBall(nn.Module):
    """Breakout on 10 x 10 squares: go to where the ball will be after the next move.

    It will be one column further along the line from where it was, but for the walls.
    """

    sides: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("sides", torch.tensor([0.0, -1.0, 1.0]))

    def forward(self, planes: Float[Tensor, "games 4 10 10"]) -> Float[Tensor, "games 3"]:
        """Return 1 for the action that brings the paddle nearer, else 0."""
        paddle, ball, before = (planes[:, plane].sum(1).argmax(1) for plane in range(3))
        there = (2 * ball - before).clamp(0, planes.shape[3] - 1)
        side = (there - paddle).sign().float()
        return (side[:, None] == self.sides).float()


class Lean(nn.Module):
    """A pole on a cart: push to the side to which the pole leans and falls.

    The value of pushing right is angle + angular velocity / 2 + what keeps the cart in its place:
    (position + velocity) / 20; that of pushing left is its opposite.
    """

    weights: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weights", torch.tensor([0.05, 0.05, 1.0, 0.5]))

    def forward(self, seen: Float[Tensor, "games 4"]) -> Float[Tensor, "games 2"]:
        """Return the values of left and right."""
        right = seen @ self.weights
        return torch.stack([-right, right], 1)


class WithTheMotion(nn.Module):
    """A car in a valley: push to the side to which it moves."""

    sides: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("sides", torch.tensor([-1.0, 0.0, 1.0]))

    def forward(self, seen: Float[Tensor, "games 2"]) -> Float[Tensor, "games 3"]:
        """Return the values of left, nothing and right."""
        return seen[:, 1:] * self.sides


RULES: dict[str, type[nn.Module]] = {
    "breakout10": FollowTheBall,
    "CartPole-v0": Lean,
    "CartPole-v1": Lean,
    "MountainCar-v0": WithTheMotion,
}
"""Games -> their rule; it takes what is seen, unchanged but for pixels in [0, 1]."""


def rule_for(name: str) -> nn.Module:
    """Return the rule of a game.

    >>> rule_for("CartPole-v1")(torch.tensor([[0.0, 0.0, 0.1, 0.0]])).argmax(1).tolist()
    [1]
    """
    return RULES[name]()

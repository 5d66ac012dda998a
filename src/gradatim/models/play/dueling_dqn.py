"""Dueling DQN: what a state is worth is learnt apart from what an action adds."""

from typing import ClassVar

from torch import nn

from gradatim.layers.play.networks import Dueling
from gradatim.models.play.double_dqn import DoubleDqn

__all__ = ["RUNG", "DuelingDqn"]


class DuelingDqn(DoubleDqn):
    """Q(s, a) = V(s) + A(s, a) - mean_a' A(s, a'), taught as double DQN is.

    Idea: in most states all actions are worth about the same: V learns from each of them.
    Cost: as double DQN, and a second dense layer.
    Fails when: there are few actions, each of which matters.
    """

    place: ClassVar[int] = 60
    idea: ClassVar[str] = "learns the worth of a state apart from what each action adds"
    source: ClassVar[str] = "Wang et al. 2016, Dueling network architectures for deep RL"
    deviations: ClassVar[tuple[str, ...]] = (
        *DoubleDqn.deviations,
        "gradients of the two streams are not rescaled by 1/sqrt(2)",
    )

    def head(self, features: int, actions: int) -> nn.Module:
        """Return the two streams."""
        return Dueling(features, features, actions)


RUNG = DuelingDqn

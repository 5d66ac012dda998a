"""Random play: all actions are worth the same."""

from collections.abc import Mapping
from typing import ClassVar

from torch import nn

from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Game, Signature
from gradatim.layers.constant import Constant
from gradatim.layers.play.values import Values
from gradatim.models.play._observed import Observed

__all__ = ["RUNG", "RandomPlay"]


class RandomPlay(Solved):
    """Q(s, a) = 0: whoever plays by that chooses by chance, each action as likely as any other.

    Idea: the score to beat; a rung that does not has learnt nothing.
    Cost: nothing.
    Fails when: an action matters.
    """

    place: ClassVar[int] = 0
    dummy: ClassVar[bool] = True
    idea: ClassVar[str] = "acts by chance, without looking: the score to beat"
    source: ClassVar[str] = "Bellemare et al. 2013, The Arcade Learning Environment, section 3.1"
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {}}
    reads: ClassVar[tuple[str, ...]] = ("game",)
    answers: ClassVar[tuple[str, ...]] = ("actions",)

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any game."""
        return None

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return zeros."""
        assert isinstance(signature.input, Game), "games are read"
        zeros = nn.Sequential(nn.Flatten(), Constant(signature.outputs))
        return Model(Observed(signature.input, scaled=False), zeros, Values())

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Learn nothing."""
        return self.build(signature, {})


RUNG = RandomPlay

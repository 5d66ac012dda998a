"""A rule of thumb that a person wrote for one game."""

from collections.abc import Mapping
from typing import ClassVar

from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Game, Signature
from gradatim.layers.play.rules import RULES, rule_for
from gradatim.layers.play.values import Values
from gradatim.models.play._observed import Observed

__all__ = ["RUNG", "HandRule"]


class HandRule(Solved):
    """Follow the ball, push to where the pole leans: the rules are in `layers.play.rules`.

    Idea: whoever knows the game needs no learning.
    Cost: nothing.
    Fails when: nobody has written a rule for the game, or the rule stops short of playing well.
    """

    place: ClassVar[int] = 10
    idea: ClassVar[str] = "plays by a rule of thumb that a person wrote for this game"
    source: ClassVar[str] = "none: the rules are this project's own"
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {}}
    reads: ClassVar[tuple[str, ...]] = ("game",)
    answers: ClassVar[tuple[str, ...]] = ("actions",)

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take the games that have a rule."""
        game = signature.input
        assert isinstance(game, Game), "games are read"
        if game.name in RULES:
            return None
        known = ", ".join(sorted(RULES))
        return Refusal(f"nobody has written a rule for it, but for {known}", "use random_play")

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the rule; the game it is for stands in the signature."""
        assert isinstance(signature.input, Game), "games are read"
        return Model(
            Observed(signature.input, scaled=False), rule_for(signature.input.name), Values()
        )

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Learn nothing: a rule reads what is seen as it is."""
        return self.build(signature, {})


RUNG = HandRule

"""Deep Q-network: a network in place of the table, a memory, and a target that stands still."""

from collections.abc import Callable
from typing import ClassVar

from jaxtyping import Float32
from torch import Tensor

from gradatim.models.play._deep_q import DeepQ

__all__ = ["RUNG", "Dqn"]


class Dqn(DeepQ):
    """y = r + gamma max_a' Q'(s', a'), where Q' is a copy of Q that is renewed now and then.

    Idea: features that are learnt; moments in any order from a memory, and aims that stand still.
    Cost: 2 forward passes and 1 backward pass a remembered moment; the memory.
    Fails when: rewards are rare, or the noise of max makes values grow without end.
    """

    place: ClassVar[int] = 40
    idea: ClassVar[str] = "learns features of what is seen, from a memory of moments"
    source: ClassVar[str] = "Mnih et al. 2015, Human-level control through deep RL, algorithm 1"
    deviations: ClassVar[tuple[str, ...]] = DeepQ.shared_deviations

    def future(
        self, said: Float32[Tensor, "rows actions"], ask: Callable[[], Tensor]
    ) -> Float32[Tensor, " rows"]:
        """Return max_a Q'(s', a)."""
        return said.max(1).values


RUNG = Dqn

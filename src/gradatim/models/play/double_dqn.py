"""Double DQN: the network chooses the best action, its copy says what that is worth."""

from collections.abc import Callable
from typing import ClassVar

from jaxtyping import Float32
from torch import Tensor

from gradatim.models.play._deep_q import DeepQ

__all__ = ["RUNG", "DoubleDqn"]


class DoubleDqn(DeepQ):
    """y = r + gamma Q'(s', argmax_a' Q(s', a')).

    Idea: the noise that makes an action look best is not the noise that says how good it is.
    Cost: 1 forward pass more than a deep Q-network.
    Fails when: both networks err in the same way.
    """

    place: ClassVar[int] = 50
    idea: ClassVar[str] = "lets one network choose and the other value: max flatters no noise"
    source: ClassVar[str] = "van Hasselt, Guez & Silver 2016, Deep RL with double Q-learning"
    deviations: ClassVar[tuple[str, ...]] = DeepQ.shared_deviations

    def future(
        self, said: Float32[Tensor, "rows actions"], ask: Callable[[], Tensor]
    ) -> Float32[Tensor, " rows"]:
        """Return Q'(s', argmax_a Q(s', a))."""
        best = ask().argmax(1, keepdim=True)
        return said.gather(1, best)[:, 0]


RUNG = DoubleDqn

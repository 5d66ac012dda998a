"""n-step DQN: rewards of several moves before the network says what the rest is worth."""

from typing import Annotated, ClassVar

from pydantic import Field

from gradatim.models.play.double_dqn import DoubleDqn

__all__ = ["RUNG", "NStepDqn"]


class NStepDqn(DoubleDqn):
    """y = r0 + gamma r1 + ... + gamma^n Q'(s_n, argmax_a Q(s_n, a)).

    Idea: a reward reaches n moves back at once, not one more with every copy of the network.
    Cost: as double DQN.
    Fails when: n is large and the moves in between were chosen by chance.
    """

    place: ClassVar[int] = 70
    idea: ClassVar[str] = "looks several moves ahead before it asks the network"
    source: ClassVar[str] = "Sutton 1988; Watkins 1989; Hessel et al. 2018, Rainbow, section 3"
    deviations: ClassVar[tuple[str, ...]] = (
        *DoubleDqn.deviations,
        "moves that were chosen by chance are not corrected for",
    )

    n: Annotated[int, Field(ge=1, le=100)] = 3


RUNG = NStepDqn

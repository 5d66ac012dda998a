"""Recurrent network of Elman: the state is a map of the token and of the state before."""

from typing import ClassVar

from gradatim.core.recipe import OptimizerChoice
from gradatim.models.text._reading import Recurring

__all__ = ["RUNG", "Rnn"]


class Rnn(Recurring):
    """h_t = tanh(W E[w_t] + U h_(t-1) + b); logits V h_t + c.

    Idea: a state that is written over at every token, with the same weights everywhere.
    Cost: v e + w (e + w + 2) + v (w + 1) parameters for v tokens, vectors of e numbers and a state
        of w; about twice as many operations a token, one after the other.
    Fails when: what decides stands more than about ten tokens back: each step squeezes what the
        state held, and gradients fade on the way back.
    """

    place: ClassVar[int] = 100
    idea: ClassVar[str] = "keeps a state of what it read, written anew at every token"
    source: ClassVar[str] = (
        "Elman 1990; Mikolov et al. 2010; Williams & Peng 1990 (truncated back-propagation)"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "the matrix of the state begins orthogonal (Saxe, McClelland & Ganguli 2014)",
        "AdamW instead of stochastic gradient descent",
    )
    cell: ClassVar[str] = "rnn"
    optimizer: ClassVar[OptimizerChoice] = OptimizerChoice(lr=2e-3)
    epochs: ClassVar[int] = 10


RUNG = Rnn

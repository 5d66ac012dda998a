"""Long short-term memory: gates decide what is kept, written and shown."""

from typing import ClassVar

from gradatim.core.recipe import OptimizerChoice
from gradatim.models.text._reading import Recurring

__all__ = ["RUNG", "Lstm"]


class Lstm(Recurring):
    """c' = f * c + i * g, h' = o * tanh(c') with i, f, o = sigmoid(W x + U h), g = tanh(W x + U h).

    Idea: what is remembered is added to, not written over, so that gradients pass many tokens.
    Cost: v e + 4 w (e + w + 2) + v (w + 1) parameters for v tokens, vectors of e numbers and a
        state of w; about twice as many operations a token, one after the other.
    Fails when: what decides stands hundreds of tokens back, or must be looked up word for word.
    """

    place: ClassVar[int] = 110
    idea: ClassVar[str] = "adds to a memory behind gates, instead of writing its state anew"
    source: ClassVar[str] = (
        "Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000 (forget gate); "
        "Zaremba, Sutskever & Vinyals 2014 (dropout); Williams & Peng 1990 (truncation)"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "the matrix of each gate for the state begins orthogonal (Saxe et al. 2014)",
        "the forget gate begins with a bias of 1 (Jozefowicz, Zaremba & Sutskever 2015)",
        "AdamW; no connections from the memory to the gates",
    )
    cell: ClassVar[str] = "lstm"
    optimizer: ClassVar[OptimizerChoice] = OptimizerChoice(lr=4e-3)
    epochs: ClassVar[int] = 10


RUNG = Lstm

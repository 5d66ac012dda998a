"""Gated recurrent unit: one gate mixes the old state with a new one, another forgets."""

from typing import ClassVar

from gradatim.core.recipe import OptimizerChoice
from gradatim.models.text._reading import Recurring

__all__ = ["RUNG", "Gru"]


class Gru(Recurring):
    """h' = (1 - z) * n + z * h with r, z = sigmoid(W x + U h) and n = tanh(W x + r * U h).

    Idea: the memory of an LSTM with three maps instead of four, and no second state.
    Cost: v e + 3 w (e + w + 2) + v (w + 1) parameters for v tokens, vectors of e numbers and a
        state of w; about twice as many operations a token, one after the other.
    Fails when: what decides stands hundreds of tokens back, or must be looked up word for word.
    """

    place: ClassVar[int] = 120
    idea: ClassVar[str] = "mixes the old state with a new one through a gate: three maps, not four"
    source: ClassVar[str] = (
        "Cho et al. 2014; Chung et al. 2014 (beside LSTM); Williams & Peng 1990 (truncation)"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "torch's GRU: the reset gate multiplies U h and its bias, in the paper it multiplies h",
        "the matrix of each gate for the state begins orthogonal (Saxe et al. 2014)",
        "AdamW; dropout as in Zaremba, Sutskever & Vinyals 2014",
    )
    cell: ClassVar[str] = "gru"
    optimizer: ClassVar[OptimizerChoice] = OptimizerChoice(lr=4e-3)
    epochs: ClassVar[int] = 10


RUNG = Gru

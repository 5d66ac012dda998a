"""Recurrent network: one cell that reads step after step and keeps what it needs."""

from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from gradatim.core.recipe import OptimizerChoice, Recipe
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Trained
from gradatim.core.signature import Image, Series, Signature, Sound
from gradatim.layers.outputs import output_for
from gradatim.layers.pixels import Pixels
from gradatim.layers.recurrent_cells import begin_recurrent
from gradatim.layers.sound.log_mel import BANDS, LogMel
from gradatim.layers.steps import Steps
from gradatim.models._pictures import within

__all__ = ["RUNG", "LastState", "Recurrent"]

CELLS: Mapping[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
LARGEST = 64  # pixels a side of a picture


class LastState(nn.Module):
    """h_t = cell(x_t, h_(t-1)) from h_0 = 0; the state after the last step.

    rnn:  h' = tanh(W x + U h)
    gru:  r, z = sigmoid(W x + U h), n = tanh(W_n x + r * U_n h), h' = (1 - z) * n + z * h
    lstm: i, f, o = sigmoid(W x + U h), g = tanh(W_g x + U_g h), c' = f * c + i * g,
          h' = o * tanh(c'), each product with its bias.

    Of a picture, each row of pixels with all its channels is one step, from top to bottom.

    Args:
        cell: rnn, gru or lstm.
        inputs: numbers a step.
        width: of the state.
        depth: cells on top of each other; each reads the states of the one below.
        bidirectional: read also from the last step to the first; both last states are returned.

    Source: Elman 1990 (rnn); Cho et al. 2014 (gru); Hochreiter & Schmidhuber 1997 (lstm).
    """

    def __init__(self, cell: str, inputs: int, width: int, depth: int, bidirectional: bool) -> None:
        super().__init__()
        self.cell = CELLS[cell](
            inputs, width, num_layers=depth, batch_first=True, bidirectional=bidirectional
        )
        self.ends = 1 + bidirectional
        begin_recurrent(self.cell)

    def forward(self, x: Float[Tensor, "rows *shape"]) -> Float[Tensor, "rows ends_width"]:
        """Return the last state of the top cell, both directions side by side.

        Args:
            x: sequences (steps, channels), or planes (channels, height, width).
        """
        if x.dim() == 4:
            x = x.transpose(1, 2).flatten(2)
        _, last = self.cell(x)
        states: Tensor = last[0] if isinstance(last, tuple) else last
        return torch.cat(list(states[-self.ends :]), dim=1)


class Recurrent(Trained):
    """A recurrent cell over the steps, then a linear layer on its last state.

    Idea: the same small map at every step, and a state that remembers.
    Cost: gates x w (c + w + 2) parameters for c numbers a step (3 gates in a GRU, 4 in an LSTM) and
        (w + 1) k for k outputs; as many multiply-adds a step, one step after the other.
    Fails when: what matters lies hundreds of steps back, or the order of the steps means nothing.
    """

    place: ClassVar[int] = 105
    idea: ClassVar[str] = (
        "reads step by step and keeps a memory, with the same weights at every step"
    )
    source: ClassVar[str] = (
        "Cho et al. 2014 (gru); Hochreiter & Schmidhuber 1997 (lstm); Elman 1990 (rnn); "
        "Le, Jaitly & Hinton 2015 (a picture as a sequence)"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "torch's GRU: the reset gate multiplies U h and its bias, in the paper it multiplies h",
        "the state's matrix of each gate begins orthogonal (Saxe, McClelland & Ganguli 2014)",
        "the forget gate of an LSTM begins with a bias of 1 (Jozefowicz, Zaremba & Sutskever 2015)",
        "a picture's rows of pixels are the steps, in the paper its pixels, through ReLU cells",
        "pictures above 64 pixels a side are reduced to 64",
        "a recording's log-mel spectra are the steps, 40 to 160 of them",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"width": 16}}
    reads: ClassVar[tuple[str, ...]] = ("table", "image", "sequence", "sound")

    cell: Literal["rnn", "gru", "lstm"] = "gru"
    width: Annotated[int, Field(ge=1, le=4096)] = 64
    depth: Annotated[int, Field(ge=1, le=16)] = 1
    bidirectional: bool = False

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take sequences, pictures and recordings."""
        if isinstance(signature.input, Image | Series | Sound):
            return None
        return Refusal("the columns of a table have no order to be read in", "use mlp")

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return fifty epochs, twenty for many rows, ended early as the held-out loss says."""
        epochs, batch = (50, 32) if rows < 5000 else (20, 64)
        return Recipe(optimizer=OptimizerChoice(lr=3e-3), epochs=epochs, batch=batch, patience=10)

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the cell and the linear layer behind standardised steps, pixels or spectra."""
        field = signature.input
        assert isinstance(field, Image | Series | Sound), "accepts() lets no others through"
        steps: nn.Module
        if isinstance(field, Series):
            steps, inputs = Steps(field), field.channels
        elif isinstance(field, Sound):
            steps, inputs = LogMel(field, layout="steps"), BANDS
        else:
            size = within(field, 1, LARGEST)
            steps, inputs = Pixels(field, size), field.channels * size[1]
        state = LastState(self.cell, inputs, self.width, self.depth, self.bidirectional)
        head = nn.Linear(self.width * state.ends, signature.outputs)
        return Model(steps, nn.Sequential(state, head), output_for(signature))


RUNG = Recurrent

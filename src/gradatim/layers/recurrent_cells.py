"""One step of a recurrent network, its equations written out. Parameters are named as torch's.

Each gate has a matrix W for the input, a matrix U for the state and two biases; torch stacks those
of all gates. Use `torch.nn.GRU` and `torch.nn.LSTM` for whole sequences: they are faster.
"""

import math
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gradatim.ops.products import linear

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "begin_recurrent"]


class _Cell(nn.Module):
    """The parameters of the gates, drawn uniformly from +- 1 / sqrt(hidden) as in torch."""

    gates: ClassVar[int]

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        rows, bound = self.gates * hidden, 1 / math.sqrt(hidden)
        self.weight_ih = nn.Parameter(torch.empty(rows, features).uniform_(-bound, bound))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden).uniform_(-bound, bound))
        self.bias_ih = nn.Parameter(torch.empty(rows).uniform_(-bound, bound))
        self.bias_hh = nn.Parameter(torch.empty(rows).uniform_(-bound, bound))

    def _from_input(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return W x + b of each gate."""
        return linear(x, self.weight_ih, self.bias_ih).chunk(self.gates, dim=1)

    def _from_state(self, h: Tensor) -> tuple[Tensor, ...]:
        """Return U h + b of each gate."""
        return linear(h, self.weight_hh, self.bias_hh).chunk(self.gates, dim=1)


class RNNCell(_Cell):
    """h' = tanh(W x + b + U h + c).

    Args:
        features: of the input.
        hidden: numbers of the state.

    Source: Elman 1990; Goodfellow, Bengio & Courville 2016, equations (10.8) and (10.9).
    """

    gates: ClassVar[int] = 1

    def forward(
        self, x: Float[Tensor, "rows features"], h: Float[Tensor, "rows hidden"]
    ) -> Float[Tensor, "rows hidden"]:
        """Return the next state."""
        (a,), (b,) = self._from_input(x), self._from_state(h)
        return torch.tanh(a + b)


class GRUCell(_Cell):
    """A state that a gate keeps or replaces.

    r = sigmoid(W_r x + U_r h) (reset), z = sigmoid(W_z x + U_z h) (update),
    n = tanh(W_n x + r * (U_n h)) (new), h' = (1 - z) * n + z * h; each product with its bias.

    Args:
        features: of the input.
        hidden: numbers of the state.

    Source: Cho et al. 2014, equations (5) to (8).

    Deviations: as in torch, r multiplies U_n h and its bias; in the paper it multiplies h.
    """

    gates: ClassVar[int] = 3

    def forward(
        self, x: Float[Tensor, "rows features"], h: Float[Tensor, "rows hidden"]
    ) -> Float[Tensor, "rows hidden"]:
        """Return the next state."""
        x_r, x_z, x_n = self._from_input(x)
        h_r, h_z, h_n = self._from_state(h)
        r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        n = torch.tanh(x_n + r * h_n)
        return (1 - z) * n + z * h


class LSTMCell(_Cell):
    """A memory c that a gate keeps, a gate writes and a gate shows.

    i, f, o = sigmoid(W x + U h) (input, forget, output), g = tanh(W_g x + U_g h),
    c' = f * c + i * g, h' = o * tanh(c'); each product with its bias.

    Args:
        features: of the input.
        hidden: numbers of the state and of the memory.

    Source: Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000 for the forget gate.

    Deviations: no connections from the memory to the gates; torch has none either.
    """

    gates: ClassVar[int] = 4

    def forward(
        self,
        x: Float[Tensor, "rows features"],
        h: Float[Tensor, "rows hidden"],
        c: Float[Tensor, "rows hidden"],
    ) -> tuple[Float[Tensor, "rows hidden"], Float[Tensor, "rows hidden"]]:
        """Return the next state and the next memory."""
        both = zip(self._from_input(x), self._from_state(h), strict=True)
        i, f, g, o = (a + b for a, b in both)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


@torch.no_grad()
def begin_recurrent(cell: nn.RNNBase) -> None:
    """Give each gate an orthogonal matrix for the state, and an LSTM's forget gate a bias of 1.

    An orthogonal matrix neither shrinks nor stretches a state, so that a gradient passes many
    steps; a forget gate that begins open keeps the memory.
    """
    width = cell.hidden_size
    for name, parameter in cell.named_parameters():
        if name.startswith("weight_hh"):
            for gate in parameter.split(width):
                nn.init.orthogonal_(gate)
        elif name.startswith("bias") and isinstance(cell, nn.LSTM):
            # torch orders the gates i, f, g, o and adds both biases.
            parameter[width : 2 * width] = 1.0 if name.startswith("bias_ih") else 0.0

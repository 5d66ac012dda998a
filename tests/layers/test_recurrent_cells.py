"""Recurrent cells by their equations, against torch's with the same weights."""

import pytest
import torch
from torch import nn

from gradatim.layers.recurrent_cells import GRUCell, LSTMCell, RNNCell


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


PAIRS = [(RNNCell, nn.RNNCell), (GRUCell, nn.GRUCell), (LSTMCell, nn.LSTMCell)]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_equals_torch_with_copied_weights(ours, theirs):
    mine, peer = ours(3, 5).double(), theirs(3, 5).double()
    mine.load_state_dict(peer.state_dict())
    x, h, c = normal(4, 3), normal(4, 5, seed=1), normal(4, 5, seed=2)
    if ours is LSTMCell:
        for one, two in zip(mine(x, h, c), peer(x, (h, c)), strict=True):
            torch.testing.assert_close(one, two)
    else:
        torch.testing.assert_close(mine(x, h), peer(x, h))


def test_twenty_steps_equal_the_sequence_layer_of_torch():
    layer = nn.LSTM(3, 5, dtype=torch.float64)
    cell = LSTMCell(3, 5).double()
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x = normal(20, 2, 3)
    h = c = torch.zeros(2, 5).double()
    for step in x:
        h, c = cell(step, h, c)
    torch.testing.assert_close(h, layer(x)[0][-1])


@pytest.mark.parametrize("ours", [pair[0] for pair in PAIRS])
def test_first_values_have_the_spread_of_torch(ours):
    """Uniform in +- 1/sqrt(hidden) has the variance 1/(3 hidden)."""
    torch.manual_seed(0)
    values = torch.cat([p.detach().flatten() for p in ours(64, 64).parameters()])
    assert float(values.abs().max()) <= 1 / 8
    # About 8,000 values: their variance has a relative error of 1 %.
    assert float(values.var()) == pytest.approx(1 / 192, rel=0.04)


def test_an_open_forget_gate_keeps_the_memory():
    cell = LSTMCell(2, 3).double()
    for p in cell.parameters():
        nn.init.zeros_(p)
    with torch.no_grad():
        cell.bias_ih[:3] = -100  # input gate shut
        cell.bias_ih[3:6] = 100  # forget gate open
    memory = normal(2, 3)
    torch.testing.assert_close(cell(normal(2, 2), normal(2, 3), memory)[1], memory)


def test_an_open_update_gate_keeps_the_state():
    cell = GRUCell(2, 3).double()
    with torch.no_grad():
        cell.bias_ih[3:6] = 100
    state = normal(2, 3)
    torch.testing.assert_close(cell(normal(2, 2), state), state)


@pytest.mark.parametrize("ours", [pair[0] for pair in PAIRS])
def test_slopes_and_their_slopes(ours, smooth):
    states = [normal(2, 3, seed=s) for s in range(2 if ours is LSTMCell else 1)]
    smooth(ours(2, 3), normal(2, 2), *states)

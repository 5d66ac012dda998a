"""The recurrent rung against its equations, its counts, and a task that only memory can do."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Image, Series, Signature, Table
from gradatim.models.recurrent import LastState, Recurrent
from gradatim.tasks import TASKS
from gradatim.train.fitting import Fitting

TWO = Category(names=("no", "yes"))
GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def parts(products: torch.Tensor, cell: str) -> tuple[torch.Tensor, ...]:
    return products.chunk(GATES[cell], dim=1)


def one_layer(cell: str, x: torch.Tensor, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the states of all steps, by the equations of the docstring."""
    width = weights["weight_hh"].shape[1]
    h = c = torch.zeros(len(x), width)
    states = []
    for step in x.unbind(1):
        from_x = parts(step @ weights["weight_ih"].T + weights["bias_ih"], cell)
        from_h = parts(h @ weights["weight_hh"].T + weights["bias_hh"], cell)
        if cell == "rnn":
            h = torch.tanh(from_x[0] + from_h[0])
        elif cell == "gru":
            r, z = (torch.sigmoid(from_x[k] + from_h[k]) for k in (0, 1))
            n = torch.tanh(from_x[2] + r * from_h[2])
            h = (1 - z) * n + z * h
        else:
            i, f, o = (torch.sigmoid(from_x[k] + from_h[k]) for k in (0, 1, 3))
            c = f * c + i * torch.tanh(from_x[2] + from_h[2])
            h = o * torch.tanh(c)
        states.append(h)
    return torch.stack(states, dim=1)


def layer(network: LastState, ending: str) -> dict[str, torch.Tensor]:
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return {kind: getattr(network.cell, f"{kind}_{ending}") for kind in kinds}


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("cell", GATES)
def test_is_its_equations_step_by_step(cell, depth, bidirectional):
    """Seven steps in float32, sums in another order: 1e-6."""
    torch.manual_seed(0)
    network, x = LastState(cell, 3, 5, depth, bidirectional), torch.randn(4, 7, 3)
    below = x
    for level in range(depth):
        forward = one_layer(cell, below, layer(network, f"l{level}"))
        last = forward[:, -1]
        if bidirectional:
            weights = layer(network, f"l{level}_reverse")
            backward = one_layer(cell, below.flip(1), weights).flip(1)
            forward, last = torch.cat([forward, backward], 2), torch.cat([last, backward[:, 0]], 1)
        below = forward
    torch.testing.assert_close(network(x), last, rtol=1e-5, atol=1e-6)


def test_the_steps_of_a_picture_are_its_rows_of_pixels():
    torch.manual_seed(0)
    network, planes = LastState("gru", 3 * 5, 4, 1, False), torch.randn(2, 3, 6, 5)
    rows = torch.stack([planes[:, :, y].flatten(1) for y in range(6)], dim=1)
    torch.testing.assert_close(network(planes), network(rows))


@pytest.mark.parametrize(("cell", "gates"), GATES.items())
@pytest.mark.parametrize("bidirectional", [False, True])
def test_parameters_are_as_many_as_the_docstring_says(cell, gates, bidirectional):
    w, c, k = 16, 2, 3
    signature = Signature(input=Series(channels=c, steps=9), output=Category(names=("a", "b", "c")))
    rung = Recurrent(cell=cell, width=w, bidirectional=bidirectional)
    count = sum(p.numel() for p in rung.build(signature, {}).parameters())
    ends = 1 + bidirectional
    assert count == ends * gates * w * (c + w + 2) + (ends * w + 1) * k


@pytest.mark.parametrize("cell", GATES)
def test_each_gate_begins_orthogonal(cell):
    for gate in LastState(cell, 3, 8, 1, False).cell.weight_hh_l0.detach().split(8):
        torch.testing.assert_close(gate @ gate.T, torch.eye(8), rtol=0, atol=1e-5)


def test_the_forget_gate_of_an_lstm_begins_open():
    cell = LastState("lstm", 3, 8, 2, True).cell
    for ending in ("l0", "l1", "l0_reverse", "l1_reverse"):
        total = getattr(cell, f"bias_ih_{ending}") + getattr(cell, f"bias_hh_{ending}")
        torch.testing.assert_close(total[8:16].detach(), torch.ones(8), rtol=0, atol=0)
        assert not torch.equal(total[:8].detach(), torch.ones(8))


def test_large_pictures_are_reduced_and_tables_refused():
    large = Signature(input=Image(channels=3, height=200, width=100), output=TWO)
    model = Recurrent().build(large, {})
    pictures = torch.zeros(2, 3, 200, 100, dtype=torch.uint8)
    assert model.preprocess(pictures).shape == (2, 3, 64, 64)
    assert model(pictures).shape == (2, 2)
    table = Signature(input=Table(columns=(Column(name="x", kind="numeric"),)), output=TWO)
    refusal = Recurrent().accepts(table)
    assert refusal is not None
    assert "mlp" in refusal.remedy


def remembering(rows: int, seed: int) -> Samples:
    """The first of 20 steps decides; the other 19 are noise of the same size."""
    chance = np.random.default_rng(seed)
    x = chance.normal(size=(rows, 20, 1))
    return Samples(torch.from_numpy(x), torch.from_numpy((x[:, 0, 0] > 0).astype(np.int64)))


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_remembers_the_first_step_to_the_last(cell):
    """A linear model of the last step is at chance: 200 rows, 4 standard deviations are 0.14."""
    training, unseen = remembering(600, 1), remembering(200, 2)
    signature = Signature(input=Series(channels=1, steps=20), output=TWO)
    rung = Recurrent(cell=cell, width=16)
    recipe = rung.recipe(600, signature).model_copy(update={"epochs": 25, "seed": 3})
    fitting = Fitting(rung, TASKS["classify"], training, signature, recipe)
    list(fitting)
    right = fitting.model(unseen.inputs).argmax(1) == unseen.targets
    linear = LogisticRegression().fit(training.inputs[:, -1], training.targets)
    assert abs(linear.score(unseen.inputs[:, -1], unseen.targets) - 0.5) < 0.14
    assert right.double().mean().item() > 0.9


def test_the_last_linear_layer_is_the_head():
    """Fitting begins its bias at the class shares."""
    signature = Signature(input=Series(channels=1, steps=20), output=TWO)
    network = Recurrent().build(signature, {}).network
    assert [m for m in network.modules() if isinstance(m, nn.Linear)][-1].out_features == 2

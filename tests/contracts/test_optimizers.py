"""What every optimizer promises, and that ours are those of the papers (and of torch)."""

import inspect

import pytest
import torch
from torch import nn

from gradatim.core.errors import NumericError
from gradatim.core.learner import Learner
from gradatim.core.recipe import OptimizerChoice
from gradatim.ops.schedules import schedule
from gradatim.optim import OPTIMIZERS

NAMES = OPTIMIZERS.names()
STEPS = 20


def network() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.LayerNorm(9), nn.Linear(9, 2))


def batches() -> list[tuple[torch.Tensor, torch.Tensor]]:
    chance = torch.Generator().manual_seed(5)
    return [
        (torch.randn(16, 6, generator=chance), torch.randn(16, 2, generator=chance))
        for _ in range(STEPS)
    ]


def ours(name: str, **numbers: float) -> nn.Sequential:
    model, choice = network(), OptimizerChoice.parse({"name": name, **numbers})
    optimizer = OPTIMIZERS[name](list(model.parameters()), choice)
    rates = schedule("cosine", choice.lr, STEPS, 0.1)
    learner = Learner(model, {"model": optimizer}, rates)
    for x, y in batches():
        learner.descend(nn.functional.mse_loss(model(x), y))
        learner.step += 1
    return model


def torchs(make, lr: float) -> nn.Sequential:
    model, rates = network(), schedule("cosine", lr, STEPS, 0.1)
    optimizer = make(model)
    for step, (x, y) in enumerate(batches()):
        for group in optimizer.param_groups:
            group["lr"] = rates(step)
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    return model


def assert_same(a: nn.Module, b: nn.Module) -> None:
    """Twenty steps in float32, sums in another order: 1e-6."""
    for key, value in a.state_dict().items():
        torch.testing.assert_close(value, b.state_dict()[key], rtol=1e-5, atol=1e-6)


def test_adamw_is_torchs_with_decay_on_matrices_alone():
    def make(model):
        parameters = list(model.parameters())
        matrices = [p for p in parameters if p.dim() > 1]
        vectors = [p for p in parameters if p.dim() == 1]
        groups = [
            {"params": matrices, "weight_decay": 0.3},
            {"params": vectors, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=0.01)

    assert_same(ours("adamw", lr=0.01, weight_decay=0.3), torchs(make, 0.01))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_is_torchs(momentum):
    def make(model):
        return torch.optim.SGD(model.parameters(), lr=0.05, momentum=momentum, weight_decay=0.02)

    mine = ours("sgd", lr=0.05, momentum=momentum, weight_decay=0.02)
    assert_same(mine, torchs(make, 0.05))


@pytest.mark.parametrize("name", NAMES)
def test_says_its_formula_and_source(name):
    text = inspect.getdoc(OPTIMIZERS[name]) or ""
    assert "<-" in text
    assert "Source:" in text


@pytest.mark.parametrize("name", NAMES)
def test_state_is_all_that_a_checkpoint_needs(name):
    """Ten steps, a copy of the state into a fresh optimizer, ten more: as twenty in one go."""
    choice = OptimizerChoice(name=name, lr=0.01)

    def learner() -> Learner:
        model = network()
        optimizer = OPTIMIZERS[name](list(model.parameters()), choice)
        return Learner(model, {"model": optimizer}, lambda step: 0.01)

    def run(learner: Learner, part) -> None:
        for x, y in part:
            learner.descend(nn.functional.mse_loss(learner.model(x), y))
            learner.step += 1

    whole, first, second = learner(), learner(), learner()
    run(whole, batches())
    run(first, batches()[:10])
    second.load_state_dict({k: v.clone() for k, v in first.state_dict().items()})
    run(second, batches()[10:])
    for key, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[key]), key


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("spoilt", ["loss", "gradient"])
def test_a_nan_moves_nothing(name, spoilt):
    model = network()
    optimizer = OPTIMIZERS[name](list(model.parameters()), OptimizerChoice(name=name))
    learner = Learner(model, {"model": optimizer}, lambda step: 0.1)
    learner.step = 7
    before = {k: v.clone() for k, v in learner.state_dict().items()}
    loss = model(torch.ones(4, 6)).sum()
    if spoilt == "loss":
        loss = loss * float("nan")
    else:
        # The loss is finite, its slope is not: d sqrt(x)/dx at 0.
        loss = loss + (model[0].weight[0, 0] * 0).sqrt()
    with pytest.raises(NumericError, match="step 7") as caught:
        learner.descend(loss)
    assert caught.value.exit_code == 4
    assert "--set optimizer.lr" in str(caught.value)
    for key, value in learner.state_dict().items():
        assert torch.equal(value, before[key]), key


@pytest.mark.parametrize("name", NAMES)
def test_a_parameter_without_a_gradient_stays(name):
    model = network()
    optimizer = OPTIMIZERS[name](list(model.parameters()), OptimizerChoice(name=name))
    unused = model[3].weight.detach().clone()
    model[0](torch.ones(2, 6)).sum().backward()
    optimizer.update(0.1)
    assert torch.equal(model[3].weight, unused)


def test_clipping_shortens_the_gradient_and_reports_its_length():
    layer = nn.Linear(3, 1, bias=False)
    choice = OptimizerChoice(name="sgd", weight_decay=0.0, momentum=0.0)
    optimizer = OPTIMIZERS["sgd"](list(layer.parameters()), choice)
    learner = Learner(layer, {"model": optimizer}, lambda step: 1.0, clip=1.0)
    before = layer.weight.detach().clone()
    norm = learner.descend(layer(torch.tensor([[0.0, 3.0, 4.0]])).sum())
    assert norm.item() == pytest.approx(5.0)
    moved = before - layer.weight.detach()
    torch.testing.assert_close(moved, torch.tensor([[0.0, 0.6, 0.8]]))

"""What every optimizer promises, and that ours are those of the papers (and of torch)."""

import inspect

import pytest
import torch
from torch import nn

from gradatim.core.errors import NumericError
from gradatim.core.learner import Learner
from gradatim.core.recipe import OptimizerChoice, Schedule
from gradatim.ops.schedules import schedule
from gradatim.optim import OPTIMIZERS

NAMES = OPTIMIZERS.names()
STEPS = 20
PLAN = Schedule(name="cosine", warmup=0.1)


def network() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.LayerNorm(9), nn.Linear(9, 2))


def batches() -> list[tuple[torch.Tensor, torch.Tensor]]:
    chance = torch.Generator().manual_seed(5)
    return [
        (torch.randn(16, 6, generator=chance), torch.randn(16, 2, generator=chance))
        for _ in range(STEPS)
    ]


def ours(name: str, plan: Schedule = PLAN, **numbers: float) -> nn.Sequential:
    model, choice = network(), OptimizerChoice.parse({"name": name, **numbers})
    optimizer = OPTIMIZERS[name](list(model.parameters()), choice)
    rates = schedule(plan, choice.lr, STEPS)
    learner = Learner(model, {"model": optimizer}, rates)
    for x, y in batches():
        learner.descend(lambda x=x, y=y: nn.functional.mse_loss(model(x), y))
        learner.step += 1
    return model


def torchs(make, lr: float, plan: Schedule = PLAN) -> nn.Sequential:
    model, rates = network(), schedule(plan, lr, STEPS)
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
        return torch.optim.AdamW(in_groups(model, 0.3), lr=0.01)

    assert_same(ours("adamw", lr=0.01, weight_decay=0.3), torchs(make, 0.01))


def in_groups(model: nn.Module, decay: float) -> list[dict]:
    """Decay of matrices alone, as torch says it."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    return [
        {"params": matrices, "weight_decay": decay},
        {"params": vectors, "weight_decay": 0.0},
    ]


def test_sgd_is_torchs():
    def make(model):
        return torch.optim.SGD(in_groups(model, 0.02), lr=0.05)

    assert_same(ours("sgd", lr=0.05, weight_decay=0.02), torchs(make, 0.05))


@pytest.mark.parametrize("name", ["momentum", "nesterov"])
def test_momentum_is_torchs_while_the_rate_stays(name):
    """Torch multiplies by the rate at the end: a rate that changes would tell them apart."""

    def make(model):
        groups = in_groups(model, 0.02)
        return torch.optim.SGD(groups, lr=0.05, momentum=0.8, nesterov=name == "nesterov")

    level = Schedule(name="constant", warmup=0)
    mine = ours(name, level, lr=0.05, momentum=0.8, weight_decay=0.02)
    assert_same(mine, torchs(make, 0.05, level))


def test_adagrad_rmsprop_and_adam_are_torchs():
    makers = {
        "adagrad": lambda model: torch.optim.Adagrad(model.parameters(), lr=0.01),
        "rmsprop": lambda model: torch.optim.RMSprop(model.parameters(), lr=0.01, alpha=0.95),
        "adam": lambda model: torch.optim.Adam(model.parameters(), lr=0.01),
    }
    for name, make in makers.items():
        assert_same(ours(name, lr=0.01, rho=0.95), torchs(make, 0.01))


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
            torch.manual_seed(learner.step)  # as the loop does: chance is a function of the step
            learner.descend(lambda x=x, y=y: nn.functional.mse_loss(learner.model(x), y))
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

    def loss() -> torch.Tensor:
        total = model(torch.ones(4, 6)).sum()
        if spoilt == "loss":
            return total * float("nan")
        # The loss is finite, its slope is not: d sqrt(x)/dx at 0.
        return total + (model[0].weight[0, 0] * 0).sqrt()

    if spoilt == "gradient" and not optimizer.needs_gradient:
        pytest.skip("it never asks for the gradient")
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
    if not optimizer.needs_gradient:
        pytest.skip("it moves what it likes: a loss alone does not say what it depends on")
    unused = model[3].weight.detach().clone()

    def loss() -> torch.Tensor:
        return model[0](torch.ones(2, 6)).sum()

    loss().backward()
    optimizer.update(0.1, loss)
    assert torch.equal(model[3].weight, unused)


def test_clipping_shortens_the_gradient_and_reports_its_length():
    layer = nn.Linear(3, 1, bias=False)
    choice = OptimizerChoice(name="sgd", weight_decay=0.0)
    optimizer = OPTIMIZERS["sgd"](list(layer.parameters()), choice)
    learner = Learner(layer, {"model": optimizer}, lambda step: 1.0, clip=1.0)
    before = layer.weight.detach().clone()
    _, norm = learner.descend(lambda: layer(torch.tensor([[0.0, 3.0, 4.0]])).sum())
    assert norm.item() == pytest.approx(5.0)
    moved = before - layer.weight.detach()
    torch.testing.assert_close(moved, torch.tensor([[0.0, 0.6, 0.8]]))


@pytest.mark.parametrize("name", NAMES)
def test_descends_a_network(name):
    """Forty steps of its own rate on one batch: the loss falls, and what it cost is told."""
    model = network()
    optimizer = OPTIMIZERS[name](list(model.parameters()), OptimizerChoice(name=name))
    learner = Learner(model, {"model": optimizer}, lambda step: OPTIMIZERS[name].default_lr)
    x, y = batches()[0]
    losses = []
    for _ in range(40):
        torch.manual_seed(learner.step)
        losses.append(learner.descend(lambda: nn.functional.mse_loss(model(x), y))[0].item())
        learner.step += 1
    assert losses[-1] < 0.95 * losses[0]
    assert (optimizer.evaluations > 0) is optimizer.looks_again


@pytest.mark.parametrize("name", [n for n in NAMES if OPTIMIZERS[n].looks_again])
def test_one_that_looks_again_is_not_clipped(name):
    """It finds the length of its step itself; a shortened gradient would spoil its curvature."""

    def moved(clip: float) -> torch.Tensor:
        torch.manual_seed(0)
        model = network()
        optimizer = OPTIMIZERS[name](list(model.parameters()), OptimizerChoice(name=name))
        learner = Learner(model, {"model": optimizer}, lambda step: 0.1, clip=clip)
        x, y = batches()[0]
        learner.descend(lambda: nn.functional.mse_loss(model(x), 100 * y))
        return model[0].weight.detach()

    assert torch.equal(moved(1e-3), moved(0.0))

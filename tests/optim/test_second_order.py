"""Newton and L-BFGS: directions against SciPy, known minima, and what happens where it bends."""

import numpy as np
import pytest
import torch
from scipy.optimize import LbfgsInvHessProduct
from torch import nn

from gradatim.core.errors import ConfigError, NumericError
from gradatim.core.learner import Learner
from gradatim.core.recipe import OptimizerChoice
from gradatim.optim import OPTIMIZERS
from gradatim.optim.lbfgs import two_loop
from gradatim.optim.newton import conjugate


def learner(name: str, module: nn.Module, rate: float = 1.0, **numbers) -> Learner:
    choice = OptimizerChoice.parse({"name": name, **numbers})
    optimizer = OPTIMIZERS[name](list(module.parameters()), choice)
    return Learner(module, {"model": optimizer}, lambda step: rate)


def rosenbrock(w: torch.Tensor) -> torch.Tensor:
    return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2


def point(*start: float) -> nn.Module:
    module = nn.Module()
    module.w = nn.Parameter(torch.tensor(start, dtype=torch.float64))
    return module


@pytest.mark.parametrize(("name", "steps"), [("lbfgs", 60), ("newton", 40)])
def test_rosenbrocks_valley(name, steps):
    """From the usual start (-1.2, 1) to (1, 1)."""
    module = point(-1.2, 1.0)
    walker = learner(name, module, damping=0.0) if name == "newton" else learner(name, module)
    for _ in range(steps):
        walker.descend(lambda: rosenbrock(module.w))
    np.testing.assert_allclose(module.w.tolist(), [1, 1], atol=1e-6)


def test_two_loops_are_scipys_inverse_hessian():
    """SciPy starts from I and we from c I, so it gets s / sqrt(c) and sqrt(c) y, and c B."""
    chance = np.random.default_rng(0)
    s = chance.normal(size=(4, 7))
    root = chance.normal(size=(7, 7))
    y = s @ (root @ root.T + np.eye(7))
    g = chance.normal(size=7)
    c = s[-1] @ y[-1] / (y[-1] @ y[-1])
    peer = c * LbfgsInvHessProduct(s / c**0.5, y * c**0.5).matvec(g)
    ours = two_loop(torch.tensor(g), torch.tensor(s), torch.tensor(y))
    np.testing.assert_allclose(ours.numpy(), peer, rtol=1e-10)


def test_lbfgs_keeps_the_newest_pairs():
    module = point(-1.2, 1.0)
    walker = learner("lbfgs", module, history=2)
    visited = [module.w.detach().clone()]
    for _ in range(4):
        walker.descend(lambda: rosenbrock(module.w))
        visited.append(module.w.detach().clone())
    kept = walker.optimizers["model"].state["step"][0]
    torch.testing.assert_close(kept[0], visited[4] - visited[3], rtol=0, atol=1e-12)
    torch.testing.assert_close(kept[1], visited[3] - visited[2], rtol=0, atol=1e-12)


def test_conjugate_gradients_solve_a_system():
    root = torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    matrix, g = root @ root.T + torch.eye(6), torch.arange(6, dtype=torch.float64)
    d = conjugate(lambda v: matrix @ v, g, 6)
    torch.testing.assert_close(d, torch.linalg.solve(matrix, g))


def test_where_it_bends_down_newton_goes_down_the_gradient():
    g = torch.tensor([1.0, 2.0])
    assert torch.equal(conjugate(lambda v: -v, g, 5), g)
    # Along g the curvature is 1 + 4 * 0.5 = 3 > 0, in the next direction it is negative.
    bends = torch.tensor([-1.0, 1.0])
    d = conjugate(lambda v: bends * v, g, 5)
    assert torch.dot(g, d) > 0
    torch.testing.assert_close(d, (5 / 3) * g)


def test_newton_leaves_a_hilltop():
    """cos has its maximum at 0: plain Newton would go back to it, this one goes to pi."""
    module = point(0.5)
    walker = learner("newton", module, damping=0.0)
    for _ in range(20):
        walker.descend(lambda: module.w.cos().sum())
    assert module.w.item() == pytest.approx(np.pi, abs=1e-8)


def test_newton_beats_descent_on_a_network():
    torch.manual_seed(0)
    x = torch.randn(64, 3)
    y = torch.tanh(x @ torch.tensor([[1.0], [-2.0], [0.5]]))
    found = {}
    for name, rate in (("sgd", 0.1), ("newton", 1.0), ("lbfgs", 1.0)):
        torch.manual_seed(1)
        net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
        walker = learner(name, net, rate, weight_decay=0.0)
        for _ in range(30):
            loss, _ = walker.descend(lambda net=net: nn.functional.mse_loss(net(x), y))
        found[name] = loss.item()
    assert found["newton"] < 0.1 * found["sgd"]
    assert found["lbfgs"] < 0.1 * found["sgd"]


@pytest.mark.parametrize("name", ["newton", "lbfgs"])
def test_what_a_step_cost_is_counted(name):
    """Calls of the loss, counted here, are the costs that the optimizer tells."""
    module, calls = point(-1.2, 1.0), [0]

    def loss():
        calls[0] += 1
        return rosenbrock(module.w)

    walker = learner(name, module, damping=0.0)
    walker.descend(loss)
    told = walker.optimizers["model"].evaluations
    if name == "newton":  # the learner's, that with its graph, then the search; 2 products
        assert told == pytest.approx(1 + 2 * 2 + (calls[0] - 2) / 3)
    else:  # the learner's, the loss alone, the search, the gradient after the step
        assert told == pytest.approx(1 + 1 / 3 + (calls[0] - 3) / 3)


def test_an_infinite_curvature_moves_nothing():
    """F = w^1.5 + w0^2 at w = 0: a slope of 0 and no second derivative."""
    module = point(0.0, 1.0)
    with pytest.raises(NumericError, match="damping"):
        learner("newton", module).descend(lambda: module.w[0].abs() ** 1.5 + module.w[1] ** 2)
    assert module.w.tolist() == [0.0, 1.0]


def test_a_layer_without_second_derivatives_is_named_as_the_reason():
    """Torch's fast attention on the CPU has none."""
    module = point(1.0)

    def loss():
        q = module.w.float().expand(1, 1, 4, 8) * torch.arange(8.0)
        return nn.functional.scaled_dot_product_attention(q, q, q).square().sum()

    with pytest.raises(ConfigError, match="second derivatives"):
        learner("newton", module).descend(loss)
    assert module.w.tolist() == [1.0]

"""Why descent descends: equations (21) to (36), (55) and (56) of the course, by hand."""

from itertools import combinations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call, hessian, jacrev

from gradatim.core.errors import ConfigError
from gradatim.core.learner import Learner
from gradatim.core.recipe import OptimizerChoice, Recipe
from gradatim.core.samples import Samples
from gradatim.data.batches import Batches
from gradatim.explain.derivatives.differentiate import central_differences, reverse_mode
from gradatim.ops import losses
from gradatim.optim import OPTIMIZERS
from gradatim.tasks import TASKS


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def learner(module: nn.Module, name: str, rate: float, l2: float = 0.0, **numbers: float):
    choice = OptimizerChoice.parse({"name": name, "weight_decay": 0.0, **numbers})
    optimizer = OPTIMIZERS[name](list(module.parameters()), choice)
    return Learner(module, {"model": optimizer}, lambda step: rate, l2=l2)


def one_step(g, x: float, rate: float) -> float:
    """x + h with h = -rate g'(x)."""
    point = nn.ParameterList([nn.Parameter(torch.tensor(x, dtype=torch.float64))])
    learner(point, "sgd", rate).descend(lambda: g(point[0]))
    return point[0].item()


def bowl(x):
    return 2 * x**2


# --- the loss -------------------------------------------------------------------------------------


def test_course_000_equation_21_is_the_squared_loss_as_a_sum():
    """beta/2 times the squares of all rows and quantities; training descends their mean."""
    f, t, beta = normal(5, 3), normal(5, 3, seed=1), 0.5
    total = sum(float(f[i, k] - t[i, k]) ** 2 for i in range(5) for k in range(3))
    said = beta / 2 * 3 * losses.squared(f, t).sum().item()
    assert said == pytest.approx(beta / 2 * total, rel=1e-12)
    assert TASKS["regress"].loss(f, t).item() == pytest.approx(total / 15, rel=1e-12)


def test_course_000_equation_22_is_convex_for_one_layer_and_not_for_two():
    """One layer: F'' = 2 x'x has no negative value, and a zero where columns depend. Two: -2."""
    x, t = normal(6, 2), normal(6, 1, seed=1)
    x = torch.cat([x, x[:, :1]], 1)

    def one(w):
        return losses.squared(x @ w[:, None], t).sum()

    values = torch.linalg.eigvalsh(hessian(one)(normal(3, seed=2)))
    assert values.min() > -1e-12
    assert (values < 1e-12).sum() == 1  # F'' > 0 would refuse it; it is convex all the same

    def two(w):
        return losses.squared((w[0] * w[1]).view(1, 1), torch.ones(1, 1).double()).sum()

    values = torch.linalg.eigvalsh(hessian(two)(torch.zeros(2).double()))
    assert values.tolist() == pytest.approx([-2, 2])


# --- the derivative, and a step against it --------------------------------------------------------


def test_course_000_equations_24_and_25_the_quotient_comes_near_with_h():
    """x^3 at 1: ((1 + h)^3 - 1) / h = 3 + 3h + h^2, so the error of (25) is 3h + h^2."""
    for k in range(1, 12):
        h = 2.0**-k
        assert ((1 + h) ** 3 - 1) / h - 3 == pytest.approx(3 * h + h * h, rel=1e-9)


def test_course_000_equation_25_is_better_from_both_sides():
    """((1 + h)^3 - (1 - h)^3) / 2h = 3 + h^2: with h = 6e-6 some 4e-11, where (25) has 2e-5."""
    one = torch.ones(1, dtype=torch.float64)
    (found,) = central_differences(lambda w: (w**3).sum(), one).values
    assert found == pytest.approx(3, abs=5e-10)
    assert reverse_mode(lambda w: (w**3).sum(), one).values == (3.0,)


@pytest.mark.parametrize("rate", [1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4])
def test_course_000_equation_26_of_a_parabola_has_the_factor_1_minus_rate_l_over_2(rate):
    """g = 2x^2, L = 4, g'(1) = 4: g(x + h) - g(x) = -rate (1 - 2 rate) 16, with no rounding."""
    change = bowl(one_step(bowl, 1.0, rate)) - bowl(1.0)
    assert change == -rate * (1 - 2 * rate) * 16
    assert (change < 0) is (rate < 1 / 2)  # (27) holds below 2/L alone


def test_course_000_equation_27_fails_where_the_gradient_is_zero():
    assert one_step(bowl, 0.0, 0.1) == 0.0


@given(st.floats(-4, 4), st.floats(1e-3, 1.999))
def test_course_000_equation_26_is_a_bound_for_every_rate_below_2_over_l(x, rate):
    """sin has |g''| <= 1 = L: it falls by rate (1 - rate/2) g'^2 or more."""
    moved = torch.tensor(one_step(torch.sin, x, rate), dtype=torch.float64)
    at = torch.tensor(x, dtype=torch.float64)
    bound = -rate * (1 - rate / 2) * at.cos() ** 2
    assert moved.sin() - at.sin() <= bound + 1e-12


# --- the gradient of the squared loss -------------------------------------------------------------


@pytest.fixture
def curved():
    """A network of two inputs and three outputs, as f(w, x) of its parameters by name."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    w = {name: p.detach() for name, p in net.named_parameters()}
    return (lambda v, x: functional_call(net, v, (x,))), w


def total(f, w, x, t) -> torch.Tensor:
    return 3 * losses.squared(f(w, x), t).sum()


def test_course_000_equations_28_to_30_the_gradient_is_twice_j_transposed_times_the_miss(curved):
    f, w = curved
    x, t = normal(6, 2), normal(6, 3, seed=1)
    gradient, J, y = jacrev(lambda v: total(f, v, x, t))(w), jacrev(f)(w, x), f(w, x)
    for name in w:
        expected = 2 * torch.einsum("ik,ik...->...", y - t, J[name])  # (28)
        torch.testing.assert_close(gradient[name], expected)
    expanded = (y * y - 2 * t * y + t * t).sum()  # (29)
    torch.testing.assert_close(total(f, w, x, t), expanded)
    ours = jacrev(lambda v: (f(v, x) ** 2).sum())(w)  # (30): the two terms that depend on w
    cross = jacrev(lambda v: (2 * t * f(v, x)).sum())(w)
    for name in w:
        torch.testing.assert_close(gradient[name], ours[name] - cross[name])


def test_course_000_equation_31_needs_the_factor_n_over_b(curved):
    """Over all batches of 2 of 5 rows, 5/2 of the sum is right on average, the sum is 2/5 of it."""
    f, w = curved
    x, t = normal(5, 2), normal(5, 3, seed=1)
    full = jacrev(lambda v: total(f, v, x, t))(w)
    rows = [list(pair) for pair in combinations(range(5), 2)]
    parts = [jacrev(lambda v, b=b: total(f, v, x[b], t[b]))(w) for b in rows]
    for name in w:
        mean = torch.stack([part[name] for part in parts]).mean(0)
        torch.testing.assert_close(5 / 2 * mean, full[name])
        torch.testing.assert_close(mean, 2 / 5 * full[name])


def test_course_000_equation_31_of_means_needs_no_factor(curved):
    """The batches of an epoch share the rows out, and the mean of their gradients is the whole."""
    f, w = curved
    x, t = normal(6, 2), normal(6, 3, seed=1)
    batches, loss = Batches(Samples(x, t), Recipe(batch=2)), TASKS["regress"].loss
    epoch = [batches(step) for step in range(3)]
    parts = [jacrev(lambda v, b=b: loss(f(v, b.inputs), b.targets))(w) for b in epoch]
    full = jacrev(lambda v: loss(f(v, x), t))(w)
    for name in w:
        torch.testing.assert_close(torch.stack([p[name] for p in parts]).mean(0), full[name])


# --- descent by batches ---------------------------------------------------------------------------


def trained(batches, rate: float) -> list[float]:
    """The weight of t = w x after every batch, from 0."""
    line = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    nn.init.zeros_(line.weight)
    learns, path = learner(line, "sgd", rate), []
    for x, t in batches:
        learns.descend(lambda x=x, t=t: TASKS["regress"].loss(line(x), t))
        path.append(line.weight.item())
    return path


def test_course_000_equations_32_to_34_move_after_every_batch():
    """Rows (1, 1), (2, 0) | (1, 0), (1, 2), rate 1/8, means of 2 x (w x - t) over the batch."""
    x, t = (
        torch.tensor([[1.0], [2.0], [1.0], [1.0]]).double(),
        torch.tensor([1.0, 0, 0, 2]).double(),
    )
    # w = 0: (-2 + 0) / 2 = -1, w = 1/8; then (2/8 - 30/8) / 2 = -7/4, w = 1/8 + 7/32 = 11/32
    assert trained(zip(x.split(2), t[:, None].split(2), strict=True), 1 / 8) == [1 / 8, 11 / 32]


def test_course_001_figure_2_1_moves_after_every_row():
    """w = 0: row (1, 1) has -2, w = 1/4; row (2, 0) has 2, w = 0. All rows at once: w = 1/8."""
    x, t = torch.tensor([[1.0], [2.0]]).double(), torch.tensor([[1.0], [0.0]]).double()
    assert trained(zip(x.split(1), t.split(1), strict=True), 1 / 8) == [1 / 4, 0]
    assert trained([(x, t)], 1 / 8) == [1 / 8]


def test_course_001_figure_2_1_does_not_shuffle_and_batches_do():
    """Every epoch shows each row once, in an order of its own."""
    rows = torch.arange(20.0)[:, None]
    batches = Batches(Samples(rows, rows), Recipe(batch=4))
    epochs = [
        torch.cat([batches(5 * epoch + k).inputs for k in range(5)]).flatten().tolist()
        for epoch in range(3)
    ]
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs} | {tuple(range(20))}) == 4


@pytest.mark.parametrize("gamma", [-0.1, 1.0])
def test_course_000_momentum_is_at_least_0_and_below_1(gamma):
    with pytest.raises(ConfigError, match="momentum"):
        OptimizerChoice.parse({"momentum": gamma})


def test_course_000_momentum_of_1_would_never_come_to_rest():
    """Equations (35) and (36) on 2x^2 with gamma = 1: the path returns to its start for ever."""
    u, w, path = 0.0, 1.0, []
    for _ in range(6):
        u = 1.0 * u + 0.25 * 4 * w
        w -= u
        path.append(w)
    assert path == [0, -1, -1, 0, 1, 1]


# --- weight decay ---------------------------------------------------------------------------------


def line_of_2() -> nn.Linear:
    layer = nn.Linear(1, 1, dtype=torch.float64)
    nn.init.constant_(layer.weight, 2.0)
    nn.init.zeros_(layer.bias)
    return layer


def test_course_000_equations_55_and_56_the_penalty_and_its_gradient():
    """F = 3w + b, lambda_2 = 1/2: L = 6 + (1/4) 4 = 7, dL/dw = 3 + 1/2 2 = 4; b pays nothing."""
    layer = line_of_2()
    learns = learner(layer, "sgd", 0.25, l2=0.5)
    loss, norm = learns.descend(lambda: (3 * layer.weight + layer.bias).sum())
    assert loss.item() == 7
    assert norm.item() == pytest.approx(17**0.5)  # (4, 1)
    assert (layer.weight.item(), layer.bias.item()) == (2 - 0.25 * 4, -0.25)


def test_course_000_equation_56_is_weight_decay_for_sgd_and_not_for_adam():
    """Adam divides the penalty's gradient by its own size; AdamW does not."""

    def after(name: str, **how: float) -> float:
        layer = line_of_2()
        learns = learner(layer, name, 0.1, **how)
        for _ in range(3):
            learns.descend(lambda: (3 * layer.weight).sum())
            learns.step += 1
        return layer.weight.item()

    assert after("sgd", l2=0.5) == pytest.approx(after("sgd", weight_decay=0.5), rel=1e-12)
    assert after("adam", l2=0.5) == pytest.approx(2 - 3 * 0.1, abs=2e-3)  # as without a penalty
    assert after("adamw", weight_decay=0.5) == pytest.approx(1.4295, abs=1e-6)

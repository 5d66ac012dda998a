"""Every update against the arithmetic of its formula, done by hand in the comments.

The first-order methods descend F(w) = 2 w^2 with gradient 4 w from w = 1, or see given gradients.
"""

from fractions import Fraction
from math import sqrt

import pytest
import torch
from torch import nn

from gradatim.core.learner import Learner
from gradatim.core.recipe import OptimizerChoice
from gradatim.optim import OPTIMIZERS

EXACT = {"rtol": 1e-12, "atol": 1e-12}  # float64


class Point(nn.Module):
    """Parameters with nothing around them."""

    def __init__(self, *start: float) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(start, dtype=torch.float64))


def path(name: str, loss, start, rates, **numbers) -> list[list[float]]:
    """Where an optimizer goes, step by step."""
    point = Point(*start)
    choice = OptimizerChoice.parse({"name": name, "weight_decay": 0.0, **numbers})
    optimizer = OPTIMIZERS[name](list(point.parameters()), choice)
    learner = Learner(point, {"model": optimizer}, lambda step: rates[step])
    places = []
    for _ in rates:
        learner.descend(lambda: loss(point.w))
        learner.step += 1
        places.append(point.w.tolist())
    return places


def bowl(w: torch.Tensor) -> torch.Tensor:
    return 2 * w.square().sum()


def assert_path(places, expected) -> None:
    torch.testing.assert_close(torch.tensor(places), torch.tensor(expected), **EXACT)


def test_sgd():
    # w <- w - 0.1 * 4 w = 0.6 w
    assert_path(path("sgd", bowl, [1.0], [0.1] * 3), [[0.6], [0.36], [0.216]])


def test_sgd_decays_matrices_alone():
    layer = nn.Linear(1, 1, dtype=torch.float64)
    nn.init.constant_(layer.weight, 2.0)
    nn.init.constant_(layer.bias, 2.0)
    choice = OptimizerChoice(name="sgd", weight_decay=0.5)
    optimizer = OPTIMIZERS["sgd"](list(layer.parameters()), choice)
    for _ in range(3):
        optimizer.clear()
        layer(torch.ones(1, 1, dtype=torch.float64)).sum().backward()
        optimizer.update(0.1, lambda: torch.zeros(()))
    # w: 2 - 0.1 (1 + 0.5 * 2) = 1.8; 1.8 - 0.1 (1 + 0.9) = 1.61; 1.61 - 0.1 (1.805) = 1.4295
    assert layer.weight.item() == pytest.approx(1.4295, rel=1e-12)
    # The bias goes 0.1 a step and nothing beside it.
    assert layer.bias.item() == pytest.approx(1.7, rel=1e-12)


def test_momentum_sums_what_the_rate_was_then():
    # u1 = 0.1 * 4 = 0.4                     w1 = 0.6
    # u2 = 0.5 * 0.4 + 0.1 * 2.4 = 0.44      w2 = 0.16
    # u3 = 0.5 * 0.44 + 0.05 * 0.64 = 0.252  w3 = -0.092
    places = path("momentum", bowl, [1.0], [0.1, 0.1, 0.05], momentum=0.5)
    assert_path(places, [[0.6], [0.16], [-0.092]])


def test_nesterov():
    # u1 = 0.1 * 4 = 0.4                       w1 = 1 - 0.5 * 0.4 - 0.4 = 0.4
    # u2 = 0.5 * 0.4 + 0.1 * 1.6 = 0.36        w2 = 0.4 - 0.18 - 0.16 = 0.06
    # u3 = 0.5 * 0.36 + 0.1 * 0.24 = 0.204     w3 = 0.06 - 0.102 - 0.024 = -0.066
    places = path("nesterov", bowl, [1.0], [0.1] * 3, momentum=0.5)
    assert_path(places, [[0.4], [0.06], [-0.066]])


def test_nesterovs_own_form_takes_the_gradient_ahead():
    """u <- gamma u + rate g(v - gamma u); v <- v - u; what we keep is v - gamma u."""
    u, v, expected = 0.0, 1.0, []
    for _ in range(5):
        u = 0.5 * u + 0.1 * 4 * (v - 0.5 * u)
        v = v - u
        expected.append([v - 0.5 * u])
    assert_path(path("nesterov", bowl, [1.0], [0.1] * 5, momentum=0.5), expected)


def test_adagrad():
    # Slopes 3 and 4 for ever: r = 9 k and 16 k, so that step k is 0.1 / sqrt(k) for both.
    def slope(w):
        return 3 * w[0] + 4 * w[1]

    places = path("adagrad", slope, [1.0, 1.0], [0.1] * 3)
    steps = [0.1, 0.1 / sqrt(2), 0.1 / sqrt(3)]
    expected = [[1 - sum(steps[: k + 1])] * 2 for k in range(3)]
    torch.testing.assert_close(torch.tensor(places), torch.tensor(expected), rtol=0, atol=1e-10)


def test_rmsprop():
    # Slope 3 for ever, rho = 0.5: r = 4.5, 6.75, 7.875; steps 0.1 * 3 / sqrt(r).
    places = path("rmsprop", lambda w: 3 * w.sum(), [1.0], [0.1] * 3, rho=0.5)
    steps = [0.3 / (sqrt(r) + 1e-8) for r in (4.5, 6.75, 7.875)]
    assert_path(places, [[1 - sum(steps[: k + 1])] for k in range(3)])


def test_adam_divides_by_powers_of_t():
    # Slope g for ever: m = g (1 - 0.9^t), v = g^2 (1 - 0.999^t), so m^ = g, v^ = g^2 and each
    # step is the rate. The hats as the course prints them would give 0.1, then 0.19 / sqrt(2).
    places = path("adam", lambda w: 3 * w.sum(), [1.0], [0.1] * 3)
    torch.testing.assert_close(
        torch.tensor(places), torch.tensor([[0.9], [0.8], [0.7]]), rtol=0, atol=1e-7
    )


def test_adam_with_a_gradient_that_turns():
    # g = 1, -2, 3. m: 0.1, 0.09 - 0.2 = -0.11, -0.099 + 0.3 = 0.201; over 0.1, 0.19, 0.271.
    # v: 0.001, 0.000999 + 0.004 = 0.004999, 0.004994001 + 0.009 = 0.013994001;
    # over 0.001, 0.001999, 0.002997001.
    slopes = iter([1.0, -2.0, 3.0])
    places = path("adam", lambda w: next(slopes) * w.sum(), [0.0], [0.1] * 3)
    means = (1.0, -0.11 / 0.19, 0.201 / 0.271)
    squares = (1.0, 0.004999 / 0.001999, 0.013994001 / 0.002997001)
    w, expected = 0.0, []
    for m, v in zip(means, squares, strict=True):
        w -= 0.1 * m / (sqrt(v) + 1e-8)
        expected.append([w])
    # The kernel of float64 keeps the powers of beta in double: 1e-9 is room for its rounding.
    torch.testing.assert_close(torch.tensor(places), torch.tensor(expected), rtol=0, atol=1e-9)


def test_adamw_shrinks_beside_the_moments():
    layer = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    nn.init.constant_(layer.weight, 2.0)
    choice = OptimizerChoice(name="adamw", weight_decay=0.5)
    optimizer = OPTIMIZERS["adamw"](list(layer.parameters()), choice)
    for _ in range(3):
        optimizer.clear()
        (3 * layer.weight).sum().backward()
        optimizer.update(0.1, lambda: torch.zeros(()))
    # (1 - 0.1 * 0.5) 2 - 0.1 = 1.8; 0.95 * 1.8 - 0.1 = 1.61; 0.95 * 1.61 - 0.1 = 1.4295
    assert layer.weight.item() == pytest.approx(1.4295, abs=1e-7)


def test_newton_solves_a_quadratic_in_one_step():
    # F = 3 x^2 + x y + 2 y^2 - x: H = (6 1; 1 4), least where 6 x + y = 1 and x + 4 y = 0.
    def quadratic(w):
        x, y = w
        return 3 * x**2 + x * y + 2 * y**2 - x

    places = path("newton", quadratic, [5.0, -7.0], [1.0], damping=0.0)
    torch.testing.assert_close(torch.tensor(places[0]), torch.tensor([4 / 23, -1 / 23]))


def test_newton_damped_by_hand():
    # F = 2 w^2, H = 4, damping 1: w <- w - 0.5 * 4 w / 5 = 0.6 w.
    places = path("newton", bowl, [1.0], [0.5] * 3, damping=1.0)
    assert_path(places, [[0.6], [0.36], [0.216]])


def test_evolution_follows_the_ranks():
    """One pair: the better side is 1/2 away in rank on each hand, whatever the losses are."""
    torch.manual_seed(4)
    seed = int(torch.randint(2**62, ()))
    e = torch.randn(1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).item()
    torch.manual_seed(4)
    places = path("evolution", bowl, [1.0], [0.1], population=2, sigma=0.5)
    # Ranks (1/2, -1/2), or the reverse: w <- w - 0.1 / (2 * 0.5) * |e| for a slope above 0.
    assert_path(places, [[1 - 0.1 * abs(e)]])


def test_the_parallel_of_gradient_descent_and_its_bound():
    """On 2 w^2 (L = 4) a rate below 2/L = 1/2 descends, one above climbs: equations (26)-(27)."""
    for rate, falls in ((Fraction(49, 100), True), (Fraction(51, 100), False)):
        places = path("sgd", bowl, [1.0], [float(rate)] * 50)
        assert (abs(places[-1][0]) < 1) is falls

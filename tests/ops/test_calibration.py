import math

import pytest
import torch
from scipy.optimize import minimize_scalar
from torch.nn import functional as F

from gradatim.ops.calibration import temperature


@pytest.fixture
def scored():
    chance = torch.Generator().manual_seed(0)
    targets = torch.randint(4, (300,), generator=chance)
    noise = torch.randn(300, 4, generator=chance, dtype=torch.float64)
    return 0.8 * F.one_hot(targets, 4) + noise, targets


def test_is_where_scipy_finds_the_minimum(scored):
    scores, targets = scored
    found = minimize_scalar(
        lambda s: F.cross_entropy(s * scores, targets).item(), bounds=(1e-3, 50), method="bounded"
    )
    # SciPy looks at values alone, so it sees the place of a minimum to 1e-5 or so.
    assert temperature(scores, targets) == pytest.approx(found.x, rel=1e-4)


def test_the_slope_is_zero_there(scored):
    scores, targets = scored
    s = torch.tensor(temperature(scores, targets), dtype=torch.float64, requires_grad=True)
    F.cross_entropy(s * scores, targets).backward()
    # The last Newton step is below 1e-9 of s.
    assert abs(s.grad.item()) < 1e-8


@pytest.mark.parametrize("factor", [0.01, 1.0, 100.0])
def test_the_unit_of_the_scores_does_not_matter(scored, factor):
    scores, targets = scored
    assert temperature(factor * scores, targets) * factor == pytest.approx(
        temperature(scores, targets), rel=1e-6
    )


def test_two_right_of_three_means_two_thirds():
    scores = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    s = temperature(scores, torch.tensor([0, 0, 0]))
    assert s == pytest.approx(math.log(2), rel=1e-8)  # sigmoid(log 2) = 2/3


def test_stays_bounded_when_no_minimum_exists(scored):
    scores, targets = scored
    right = F.one_hot(targets, 4).double()
    assert 10 < temperature(right, targets) <= 1000
    assert 1e-3 <= temperature(-right, targets) < 0.01
    assert math.isfinite(temperature(torch.zeros_like(scores), targets))

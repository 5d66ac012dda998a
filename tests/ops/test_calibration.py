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


def loss(s, scores, targets):
    """Cross-entropy against Platt's targets: 1 - 1/(n + 2) for the right one."""
    doubt = 1 / (len(scores) + 2)
    classes = scores.shape[1]
    soft = torch.full_like(scores, doubt / (classes - 1))
    soft[torch.arange(len(scores)), targets] = 1 - doubt
    return -(soft * (s * scores).log_softmax(1)).sum(1).mean()


def test_is_where_scipy_finds_the_minimum(scored):
    scores, targets = scored
    found = minimize_scalar(
        lambda s: loss(s, scores, targets).item(), bounds=(1e-3, 50), method="bounded"
    )
    # SciPy looks at values alone, so it sees the place of a minimum to 1e-5 or so.
    assert temperature(scores, targets) == pytest.approx(found.x, rel=1e-4)


def test_the_slope_is_zero_there(scored):
    scores, targets = scored
    s = torch.tensor(temperature(scores, targets), dtype=torch.float64, requires_grad=True)
    loss(s, scores, targets).backward()
    # The last Newton step is below 1e-9 of s.
    assert abs(s.grad.item()) < 1e-8


@pytest.mark.parametrize("factor", [0.01, 1.0, 100.0])
def test_the_unit_of_the_scores_does_not_matter(scored, factor):
    scores, targets = scored
    assert temperature(factor * scores, targets) * factor == pytest.approx(
        temperature(scores, targets), rel=1e-6
    )


def test_two_right_of_three_with_platts_targets():
    scores = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    s = temperature(scores, torch.tensor([0, 0, 0]))
    # Right in 2 of 3 rows, each counted 0.8 right: (2 * 0.8 + 0.2) / 3 = 0.6 = sigmoid(log 1.5).
    assert s == pytest.approx(math.log(1.5), rel=1e-8)


def test_perfect_scores_claim_no_more_than_their_rows_can_show(scored):
    scores, targets = scored
    right = F.one_hot(targets, 4).double()
    sure = torch.sigmoid(torch.tensor(temperature(right, targets) - math.log(3.0)))
    assert sure.item() == pytest.approx(1 - 1 / 302, rel=1e-6)
    assert 1e-3 <= temperature(-right, targets) < 0.01
    assert math.isfinite(temperature(torch.zeros_like(scores), targets))

"""Losses against torch's, scikit-learn's, closed forms and the numbers of the papers."""

from functools import partial

import numpy as np
import pytest
import torch
from sklearn.metrics import hinge_loss, log_loss
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F

from gradatim.ops import losses

CLASSES = {
    "cross_entropy": losses.cross_entropy,
    "logistic": losses.logistic,
    "hinge": losses.hinge,
    "focal": partial(losses.focal, gamma=2.0),
    "focal, half": partial(losses.focal, gamma=0.5),
}
QUANTITIES = {
    "squared": losses.squared,
    "absolute": losses.absolute,
    "huber": partial(losses.huber, delta=0.7),
}


def logits(rows: int = 40, classes: int = 4, seed: int = 0) -> torch.Tensor:
    chance = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(rows, classes, generator=chance, dtype=torch.float64)


def labels(rows: int = 40, classes: int = 4) -> torch.Tensor:
    return torch.arange(rows) % classes


def soft(rows: int = 40, classes: int = 4) -> torch.Tensor:
    return logits(rows, classes, seed=1).softmax(1)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_hinge_is_scikit_learns(classes):
    z, t = logits(60, classes), labels(60, classes)
    scores = z[:, 1] - z[:, 0] if classes == 2 else z
    expected = hinge_loss(t.numpy(), scores.numpy(), labels=range(classes))
    assert losses.hinge(z, t).mean().item() == pytest.approx(expected, rel=1e-12)


def test_hinge_of_equal_scores_is_one():
    """Ties: the rival of the first is the second, although both are highest."""
    assert losses.hinge(torch.zeros(3, 4), torch.tensor([0, 1, 3])).tolist() == [1, 1, 1]


def test_cross_entropy_is_scikit_learns_with_its_minus():
    z, t = logits(), labels()
    expected = log_loss(t.numpy(), z.softmax(1).numpy(), labels=range(4))
    assert losses.cross_entropy(z, t).mean().item() == pytest.approx(expected, rel=1e-12)
    assert (losses.cross_entropy(z, t) > 0).all()


def test_logistic_of_two_classes_is_the_course_formula_with_a_minus():
    z, t = logits(classes=2), labels(classes=2)
    p, y = torch.sigmoid(z[:, 1] - z[:, 0]), t.double()
    course = y * p.log() + (1 - y) * (1 - p).log()
    torch.testing.assert_close(losses.logistic(z, t), -course)
    torch.testing.assert_close(losses.logistic(z, t), losses.cross_entropy(z, t))


def test_logistic_of_many_classes_is_one_against_the_rest():
    z, t = logits(), labels()
    each = F.binary_cross_entropy_with_logits(z, F.one_hot(t, 4).double(), reduction="none")
    torch.testing.assert_close(losses.logistic(z, t), each.sum(1))


def test_label_smoothing_is_torchs():
    z, t = logits(), labels()
    expected = F.cross_entropy(z, t, label_smoothing=0.1, reduction="none")
    said = losses.cross_entropy(z, losses.shares(t, z, smoothing=0.1))
    torch.testing.assert_close(said, expected)


def test_label_smoothing_of_the_paper():
    """Szegedy et al. 2016, section 7: K = 1000 classes and epsilon = 0.1."""
    q = losses.shares(torch.tensor([3]), torch.zeros(1, 1000, dtype=torch.float64), 0.1)[0]
    assert q[3].item() == pytest.approx(0.9001)
    assert q[4].item() == pytest.approx(0.0001)


@pytest.mark.parametrize(("p", "times"), [(0.9, 100), (0.968, 1000)])
def test_focal_numbers_of_the_paper(p, times):
    """Lin et al. 2017, section 3.2: with gamma = 2, 100x and 1000x less than cross-entropy."""
    z = torch.tensor([[p, 1 - p]], dtype=torch.float64).log()
    t = torch.tensor([0])
    ratio = (losses.cross_entropy(z, t) / losses.focal(z, t, 2.0)).item()
    assert ratio == pytest.approx(times, rel=0.03)  # 0.968 is a rounded 1 - 1000^(-1/2)


def test_focal_without_focus_is_cross_entropy():
    z, t = logits(), labels()
    torch.testing.assert_close(losses.focal(z, t, 0.0), losses.cross_entropy(z, t))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_of_a_certain_row_has_a_finite_slope(gamma):
    z = torch.tensor([[200.0, 0.0], [0.0, 200.0]], requires_grad=True)
    losses.focal(z, torch.tensor([0, 0]), gamma).sum().backward()
    assert z.grad.isfinite().all()


@pytest.mark.parametrize("name", ["squared", "absolute", "huber"])
def test_losses_of_quantities_are_torchs(name):
    y, t = logits(50, 2), logits(50, 2, seed=3)
    peer = {
        "squared": F.mse_loss,
        "absolute": F.l1_loss,
        "huber": partial(F.huber_loss, delta=0.7),
    }[name]
    torch.testing.assert_close(QUANTITIES[name](y, t).mean(), peer(y, t))


def test_huber_is_half_a_square_near_and_a_straight_line_far_off():
    r = torch.linspace(-3, 3, 61, dtype=torch.float64)[:, None]
    said, size = losses.huber(r, torch.zeros_like(r), 0.7), r[:, 0].abs()
    expected = torch.where(size <= 0.7, size.square() / 2, 0.7 * (size - 0.35))
    torch.testing.assert_close(said, expected)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("classes", [2, 5])
def test_a_sure_soft_target_is_its_class(name, classes):
    z, t = logits(classes=classes), labels(classes=classes)
    sure = F.one_hot(t, classes).double()
    torch.testing.assert_close(CLASSES[name](z, sure), CLASSES[name](z, t))


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("classes", [2, 5])
def test_a_soft_target_is_the_mean_over_its_classes(name, classes):
    z, q = logits(classes=classes), soft(classes=classes)
    if name == "logistic" and classes > 2:
        expected = F.binary_cross_entropy_with_logits(z, q, reduction="none").sum(1)
    else:
        each = [CLASSES[name](z, torch.full((len(z),), c)) for c in range(classes)]
        expected = (q * torch.stack(each, 1)).sum(1)
    torch.testing.assert_close(CLASSES[name](z, q), expected)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("targets", [labels(12, 3), soft(12, 3)], ids=["classes", "shares"])
def test_slopes_and_bends_of_losses_of_classes(name, targets):
    z = logits(12, 3).requires_grad_()
    loss = lambda z: CLASSES[name](z, targets)  # noqa: E731
    assert torch.autograd.gradcheck(loss, z)
    assert torch.autograd.gradgradcheck(loss, z)


@pytest.mark.parametrize("name", QUANTITIES)
def test_slopes_and_bends_of_losses_of_quantities(name):
    y, t = logits(12, 2).requires_grad_(), logits(12, 2, seed=5)
    loss = lambda y: QUANTITIES[name](y, t)  # noqa: E731
    assert torch.autograd.gradcheck(loss, y)
    assert torch.autograd.gradgradcheck(loss, y)


def test_balanced_weights_are_scikit_learns():
    t = torch.tensor([0] * 7 + [1] * 2 + [2] * 21)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=t.numpy())
    np.testing.assert_allclose(losses.balanced(t), expected)
    assert losses.balanced(t)[t].mean().item() == pytest.approx(1)


def test_a_class_without_rows_weighs_nothing():
    assert losses.balanced(torch.tensor([0, 2, 2, 2])).tolist() == pytest.approx([2, 0, 2 / 3])

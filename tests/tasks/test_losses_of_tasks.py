"""Which losses a task takes, and what it makes of weights, smoothing and soft targets."""

import pytest
import torch
from torch.nn import functional as F

from gradatim.core.errors import ConfigError
from gradatim.core.recipe import LossChoice
from gradatim.ops import losses
from gradatim.tasks import TASKS

CLASSIFY, REGRESS = TASKS["classify"], TASKS["regress"]
Z = torch.randn(30, 3, generator=torch.Generator().manual_seed(0))
T = torch.tensor([0] * 20 + [1] * 8 + [2] * 2)
Y = torch.randn(30, 1, generator=torch.Generator().manual_seed(1))
SOFT = torch.randn(30, 3, generator=torch.Generator().manual_seed(2)).softmax(1)


def test_own_losses():
    torch.testing.assert_close(CLASSIFY.loss(Z, T), F.cross_entropy(Z, T))
    torch.testing.assert_close(REGRESS.loss(Z[:, :1], Y.double()), F.mse_loss(Z[:, :1], Y))


@pytest.mark.parametrize("name", ["cross_entropy", "logistic", "hinge", "focal"])
def test_a_chosen_loss_of_classes(name):
    task = CLASSIFY.with_loss(LossChoice(name=name, gamma=1.5), T)
    loss = getattr(losses, name)
    extra = {"gamma": 1.5} if name == "focal" else {}
    torch.testing.assert_close(task.loss(Z, T), loss(Z, T, **extra).mean())
    torch.testing.assert_close(task.loss(Z, SOFT), loss(Z, SOFT, **extra).mean())


@pytest.mark.parametrize("name", ["squared", "absolute", "huber"])
def test_a_chosen_loss_of_quantities(name):
    task = REGRESS.with_loss(LossChoice(name=name, delta=0.3), Y)
    extra = {"delta": 0.3} if name == "huber" else {}
    said = task.loss(Z[:, :1], Y.double())
    torch.testing.assert_close(said, getattr(losses, name)(Z[:, :1], Y, **extra).mean())


@pytest.mark.parametrize(
    ("task", "choice", "words"),
    [
        (CLASSIFY, LossChoice(name="squared"), "cross_entropy, focal, hinge, logistic"),
        (CLASSIFY, LossChoice(name="huber"), "does not fit categories"),
        (REGRESS, LossChoice(name="hinge"), "absolute, huber, squared"),
        (REGRESS, LossChoice(label_smoothing=0.1), "are for classes"),
        (REGRESS, LossChoice(class_weights="balanced"), "are for classes"),
    ],
)
def test_a_loss_that_does_not_fit_is_refused_with_those_that_do(task, choice, words):
    with pytest.raises(ConfigError, match=words) as refused:
        task.with_loss(choice, T)
    assert len(str(refused.value).splitlines()) <= 3


def test_choosing_a_loss_leaves_the_task_itself_alone():
    CLASSIFY.with_loss(LossChoice(name="hinge", class_weights="balanced"), T)
    torch.testing.assert_close(CLASSIFY.loss(Z, T), F.cross_entropy(Z, T))


@pytest.mark.parametrize("name", ["own", "cross_entropy", "logistic", "hinge", "focal"])
def test_balanced_weights_make_every_class_count_alike(name):
    plain = CLASSIFY.with_loss(LossChoice(name=name), T)
    task = CLASSIFY.with_loss(LossChoice(name=name, class_weights="balanced"), T)
    by_class = torch.stack([plain.loss(Z[c == T], T[c == T]) for c in range(3)])
    torch.testing.assert_close(task.loss(Z, T), by_class.mean())


def test_weights_come_from_the_training_fold():
    task = CLASSIFY.with_loss(LossChoice(class_weights="balanced"), T)
    twice = CLASSIFY.with_loss(LossChoice(class_weights="balanced"), T.repeat(2))
    torch.testing.assert_close(task.loss(Z[:1], T[-1:]), twice.loss(Z[:1], T[-1:]))
    assert task.loss(Z[:1], T[-1:]) == pytest.approx(5 * CLASSIFY.loss(Z[:1], T[-1:]).item())


def test_weights_where_the_last_class_has_no_training_rows():
    task = CLASSIFY.with_loss(LossChoice(class_weights="balanced"), T.clamp_max(1))
    assert task.loss(Z, torch.full((30,), 2)).item() == 0


def test_smoothing_is_torchs():
    task = CLASSIFY.with_loss(LossChoice(label_smoothing=0.2), T)
    torch.testing.assert_close(task.loss(Z, T), F.cross_entropy(Z, T, label_smoothing=0.2))

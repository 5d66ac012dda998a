"""A network learns by every loss, and by soft targets; a fit that was cut off goes on alike."""

import pytest
import torch

from gradatim.core.errors import ConfigError
from gradatim.core.recipe import OptimizerChoice, Recipe
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Quantity, Signature, Table
from gradatim.models.mlp import Mlp
from gradatim.tasks import TASKS
from gradatim.train.fitting import Fitting

TABLE = Table(columns=tuple(Column(name=f"x{k}", kind="numeric") for k in range(3)))
CHANCE = torch.Generator().manual_seed(0)
X = torch.randn(150, 3, generator=CHANCE, dtype=torch.float64)
CLASSES = X @ torch.randn(3, 3, generator=CHANCE, dtype=torch.float64)


def fitting(task: str, **changes) -> Fitting:
    if task == "classify":
        signature = Signature(input=TABLE, output=Category(names=("a", "b", "c")))
        targets = CLASSES.argmax(1)
    else:
        signature = Signature(input=TABLE, output=Quantity(names=("y",)))
        targets = 100 + 20 * CLASSES[:, :1]
    optimizer = OptimizerChoice(lr=0.01)
    base = Recipe(optimizer=optimizer, epochs=15, batch=25, validation=0.2).model_dump()
    recipe = Recipe.parse(base | changes)
    rung = Mlp(width=32, depth=1)
    return Fitting(rung, TASKS[task], Samples(X, targets), signature, recipe)


@pytest.mark.parametrize("augmentation", [{}, {"mixup": 0.3, "noise": 0.1}], ids=["plain", "mixed"])
@pytest.mark.parametrize("weights", ["none", "balanced"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("name", ["own", "cross_entropy", "logistic", "hinge", "focal"])
def test_classes_are_learnt(name, smoothing, weights, augmentation):
    loss = {"name": name, "label_smoothing": smoothing, "class_weights": weights}
    fit = fitting("classify", loss=loss, augmentation=augmentation)
    list(fit)
    assert (fit.model(X).argmax(1) == CLASSES.argmax(1)).double().mean() > 0.85


@pytest.mark.parametrize(
    "augmentation", [{}, {"mixup": 0.3, "noise": 0.05}], ids=["plain", "mixed"]
)
@pytest.mark.parametrize("name", ["own", "squared", "absolute", "huber"])
def test_quantities_are_learnt(name, augmentation):
    fit = fitting("regress", loss={"name": name}, augmentation=augmentation)
    list(fit)
    right = 100 + 20 * CLASSES[:, :1]
    assert (fit.model(X) - right).std() < 0.3 * right.std()


def test_early_stopping_keeps_to_the_tasks_own_loss():
    fit = fitting("classify", loss={"name": "hinge", "label_smoothing": 0.2})
    record = next(iter(fit))
    outputs = fit.model.network.eval()(fit.held.inputs)
    own = torch.nn.functional.cross_entropy(outputs, fit.held.targets)
    assert record.values["validation_loss"] == pytest.approx(own.item(), rel=1e-5)


@pytest.mark.parametrize("task", ["classify", "regress"])
def test_a_mixed_fit_that_was_cut_off_ends_with_the_same_bits(task):
    changes = {"augmentation": {"mixup": 0.4, "noise": 0.1}}
    whole = fitting(task, **changes)
    records = list(whole)
    first, state = fitting(task, **changes), {}
    for k, _ in enumerate(first):
        if k == 3:
            state = first.state_dict()
            break
    torch.manual_seed(3)
    resumed = fitting(task, **changes)
    resumed.load_state_dict(state)
    rest = list(resumed)
    assert [r.values for r in rest] == [r.values for r in records[4:]]
    for a, b in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_pictures_only_changes_are_refused_on_a_table():
    with pytest.raises(ConfigError, match=r"augmentation\.flip"):
        fitting("classify", augmentation={"flip": True})

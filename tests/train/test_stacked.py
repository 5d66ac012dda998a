"""Stacked fits give what each would have given alone; one that breaks or ends leaves the others."""

from dataclasses import asdict

import pytest
import torch
from torch import nn

from gradatim.core.recipe import LossChoice, Recipe
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Quantity, Signature, Table
from gradatim.core.slopes import slopes_of
from gradatim.layers.stack import stackable
from gradatim.models import RUNGS
from gradatim.tasks import TASKS
from gradatim.train.fitting import Fitting
from gradatim.train.stacked import Stacked, alike

TABLE = Table(columns=tuple(Column(name=n, kind="numeric") for n in "abcd"))
CLASSES = Signature(input=TABLE, output=Category(names=("no", "yes", "perhaps")))
NUMBER = Signature(input=TABLE, output=Quantity(names=("y",)))


def samples(seed: int, signature: Signature, rows: int = 150) -> Samples:
    chance = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, 4, generator=chance, dtype=torch.float64)
    if signature is NUMBER:
        return Samples(x, (x[:, :1] ** 2 + x[:, 1:2]))
    return Samples(x, (x[:, 0] * x[:, 1] > 0).long() + (x[:, 2] > 1).long())


def fitting(
    fold: int, signature: Signature = CLASSES, rows=150, settings=None, **recipe
) -> Fitting:
    rung = RUNGS["mlp"].parse({"width": 16, "depth": 2, **(settings or {})})
    task = TASKS["regress" if signature is NUMBER else "classify"]
    plan = {"epochs": 6, "batch": 16, "patience": 2, "optimizer": {"lr": 0.01}, **recipe}
    return Fitting(rung, task, samples(fold, signature, rows), signature, Recipe.parse(plan))


def timeless(record) -> dict:
    return {k: v for k, v in asdict(record).items() if k not in ("seconds", "values")}


def check_equal(makers, **tolerance) -> list[Fitting]:
    """Fit alone and stacked, and compare every record and every number."""
    tolerance = tolerance or {"rtol": 2e-3, "atol": 2e-4}
    alone, stacked = [make() for make in makers], [make() for make in makers]
    expected = [list(fit) for fit in alone]
    assert alike(stacked)
    said: list[list] = [[] for _ in makers]
    for place, record in Stacked(stacked):
        said[place].append(record)
    for wanted, got, one, other in zip(expected, said, alone, stacked, strict=True):
        assert [timeless(r) for r in got] == [timeless(r) for r in wanted]
        for a, b in zip(got, wanted, strict=True):
            assert a.values == pytest.approx(b.values, rel=2e-3, abs=1e-4)
        state = one.model.state_dict()
        for name, tensor in other.model.state_dict().items():
            torch.testing.assert_close(tensor, state[name], **tolerance)
        assert not other.model.training
    return stacked


SETTINGS = {
    "plain": {"dropout": 0.0},
    "dropout": {"dropout": 0.3},
    "layer": {"normalisation": "layer"},
    "batch": {"normalisation": "batch"},
    "tanh": {"activation": "tanh", "dropout": 0.0},
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("signature", [CLASSES, NUMBER], ids=["classes", "number"])
def test_folds_stacked_are_folds_alone(name, signature):
    # Batch norm makes the gradient of the bias before it pure rounding, which Adam would enlarge.
    plan = {"optimizer": {"name": "sgd", "lr": 0.05}} if name == "batch" else {}
    settings = SETTINGS[name]
    check_equal([lambda s=s: fitting(s, signature, settings=settings, **plan) for s in range(4)])


@pytest.mark.parametrize(
    "name", ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"]
)
def test_every_elementwise_optimizer(name):
    optimizer = {"name": name, "lr": 0.003}
    check_equal([lambda s=s: fitting(s, optimizer=optimizer) for s in range(3)])


def test_recipes_and_seeds_differ_within_a_stack():
    recipes = [
        {"optimizer": {"lr": 0.01}, "seed": 0},
        {"optimizer": {"lr": 0.001}, "seed": 1},
        {"optimizer": {"lr": 0.01}, "seed": 0, "l2": 0.01},
        {"optimizer": {"name": "sgd", "lr": 0.05}, "seed": 2, "clip": 0.1, "epochs": 4},
        {"optimizer": {"lr": 0.01}, "seed": 0, "loss": {"class_weights": "balanced"}},
        {"optimizer": {"lr": 0.01}, "seed": 0, "augmentation": {"noise": 0.1}},
    ]
    makers = [lambda s=s, r=r: fitting(s, **r) for s in range(2) for r in recipes]
    check_equal(makers)


def test_early_stopping_ends_members_one_by_one():
    plan = {"validation": 0.3, "patience": 1, "epochs": 40, "optimizer": {"lr": 0.05}}
    makers = [lambda s=s: fitting(s, settings={"dropout": 0.0}, **plan) for s in range(4)]
    lengths = {len(list(make())) for make in makers}
    assert len(lengths) > 1, "the example must end at different epochs"
    check_equal(makers, rtol=0.1, atol=0.02)


def test_a_member_that_breaks_leaves_and_names_its_rows():
    broken = fitting(1)
    broken.draw.samples.inputs[7, 2] = torch.nan
    others = [fitting(0), fitting(2)]
    stacked = Stacked([others[0], broken, others[1]])
    weights = {k: v.clone() for k, v in broken.model.network.state_dict().items()}
    places = [place for place, _ in stacked]
    assert sorted(set(places)) == [0, 2]
    assert list(stacked.failed) == [1]
    row = int(broken.draw.samples.numbers[7])
    assert f"the loss is nan at step {broken.learner.step}" in str(stacked.failed[1])
    assert f"Rows {row}" in str(stacked.failed[1])
    alone = fitting(2)
    list(alone)
    for name, tensor in others[1].model.state_dict().items():
        torch.testing.assert_close(tensor, alone.model.state_dict()[name], rtol=2e-3, atol=2e-4)
    assert all(torch.isfinite(p).all() for p in broken.model.network.parameters())
    assert weights.keys() == broken.model.network.state_dict().keys()


@pytest.mark.parametrize("name", SETTINGS)
def test_torchs_own_operations_give_the_same(monkeypatch, name):
    monkeypatch.setenv("GRADATIM_FUSED", "0")
    test_folds_stacked_are_folds_alone(name, CLASSES)


LOSSES = [
    {},
    {"name": "cross_entropy"},
    {"label_smoothing": 0.1},
    {"class_weights": "balanced"},
    {"name": "hinge"},
    {"name": "focal"},
]


@pytest.mark.parametrize("choice", LOSSES, ids=str)
@pytest.mark.parametrize("soft", [False, True], ids=["classes", "shares"])
def test_slopes_are_those_of_the_losses(choice, soft):
    outputs, targets = torch.randn(20, 3), torch.arange(20) % 3
    task = TASKS["classify"].with_loss(LossChoice.model_validate(choice), targets)
    meant = torch.eye(3)[targets] * 0.8 + 0.2 / 3 if soft else targets
    found, right = task.slopes(outputs, meant), slopes_of(task.losses, outputs, meant)
    for a, b in zip(found, right, strict=True):
        torch.testing.assert_close(a, b)


def test_a_stack_cut_off_anywhere_ends_with_the_same_bits():
    makers = [lambda s=s: fitting(s, settings={"dropout": 0.2}) for s in range(3)]
    whole = [make() for make in makers]
    records = [(place, timeless(r), r.values) for place, r in Stacked(whole)]
    for stop in (1, 7, 17, 30):
        first, said = [make() for make in makers], []
        for k, due in enumerate(Stacked(first).run(pause=0)):
            said += due.items()
            if k == stop:
                break
        states = [fit.state_dict() for fit in first]
        again = [make() for make in makers]
        for fit, state in zip(again, states, strict=True):
            fit.load_state_dict(state)
        said += list(Stacked(again))
        assert [(place, timeless(r), r.values) for place, r in said] == records
        for one, other in zip(again, whole, strict=True):
            for name, tensor in one.model.state_dict().items():
                assert torch.equal(tensor, other.model.state_dict()[name])


def test_what_cannot_be_stacked():
    assert not stackable(nn.Sequential(nn.Conv2d(1, 1, 3)))
    assert not stackable(nn.Linear(2, 2))
    assert not alike([fitting(0), fitting(0, settings={"width": 8})])
    assert not alike([fitting(0), fitting(0, batch=32)])
    assert not alike([fitting(0, optimizer={"name": "muon"})] * 2)
    assert not alike([fitting(0, optimizer={"name": "lbfgs"})] * 2)

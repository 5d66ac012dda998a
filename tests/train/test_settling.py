"""Training that ends sooner where rows are easy: when it settles, how it ends, how it goes on."""

import math

import pytest
import torch

from gradatim.core.recipe import Recipe
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Image, Quantity, Signature, Table
from gradatim.models import RUNGS
from gradatim.tasks import TASKS
from gradatim.train.fitting import Fitting
from gradatim.train.stacked import alike

CLASSES = Signature(
    input=Table(columns=(Column(name="x", kind="numeric"), Column(name="y", kind="numeric"))),
    output=Category(names=("no", "yes")),
)


def fitting(signature: Signature = CLASSES, noise: float = 0.0, **recipe: object) -> Fitting:
    chance = torch.Generator().manual_seed(0)
    x = torch.randn(200, 2, generator=chance, dtype=torch.float64)
    t = (x[:, 0] + noise * torch.randn(200, generator=chance) > 0).long()
    if not isinstance(signature.output, Category):
        t = x[:, :1]
    task = TASKS["classify" if isinstance(signature.output, Category) else "regress"]
    told = {"epochs": 40, "batch": 20, "patience": 100, "optimizer": {"lr": 0.01}, **recipe}
    rung = RUNGS["mlp"].of_size("tiny")
    return Fitting(rung, task, Samples(x, t), signature, Recipe.parse(told))


def test_easy_rows_end_in_twice_the_epochs_that_they_took_to_learn():
    records = list(fitting(settle=0.3))
    low = 0.3 * math.log(2)
    settled = next(i for i, r in enumerate(records, 1) if r.values["loss"] <= low)
    assert 1 <= settled < 20
    assert len(records) == 2 * settled
    before, after = records[settled - 1].rate, [r.rate for r in records[settled:]]
    plain = list(fitting())
    assert [r.rate for r in records[:settled]] == [r.rate for r in plain[:settled]]
    assert after == sorted(after, reverse=True)
    assert after[0] <= before * 1.01
    assert after[-1] < 0.01 * before, "the last step is nearly still"


def test_hard_rows_take_all_epochs_at_the_rates_of_the_recipe():
    hard, plain = list(fitting(noise=3.0, settle=0.3)), list(fitting(noise=3.0))
    assert len(hard) == 40
    assert [r.rate for r in hard] == [r.rate for r in plain]
    assert hard[-1].values == plain[-1].values


def test_who_settles_late_takes_all_epochs():
    """Twice the epochs would be more than there are."""
    short, plain = list(fitting(settle=0.3, epochs=3)), list(fitting(epochs=3))
    assert [r.rate for r in short] == [r.rate for r in plain]


@pytest.mark.parametrize("cut", [2, 9])
def test_a_fit_that_goes_on_settles_as_one_that_was_not_cut_off(cut):
    whole = fitting(settle=0.3)
    said = [record.values for record in whole]
    first = fitting(settle=0.3)
    running = iter(first)
    before = [next(running).values for _ in range(min(cut, len(said) - 1))]
    second = fitting(settle=0.3)
    second.load_state_dict(first.state_dict())
    after = [record.values for record in second]
    assert before + after == said
    for one, other in zip(
        whole.model.network.parameters(), second.model.network.parameters(), strict=True
    ):
        assert torch.equal(one, other)


def test_quantities_have_no_guess_to_be_better_than():
    signature = CLASSES.model_copy(update={"output": Quantity(names=("x",))})
    assert len(list(fitting(signature, settle=0.9))) == 40


def test_fits_that_may_settle_are_not_stacked():
    assert alike([fitting(), fitting()])
    assert not alike([fitting(settle=0.1), fitting(settle=0.1)])


def test_the_small_residual_network_settles_on_few_pictures_alone():
    signature = Signature(input=Image(channels=1, height=8, width=8), output=CLASSES.output)
    rung = RUNGS["resnet_small"].of_size("tiny")
    assert rung.recipe(1000, signature).settle > 0
    assert rung.recipe(50_000, signature).settle == 0

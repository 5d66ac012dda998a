"""Names become objects, and what does not fit is said before any work starts."""

import pytest

from gradatim.core.errors import ConfigError
from gradatim.core.signature import Category, Column, Quantity, Signature, Table
from gradatim.models import RUNGS
from gradatim.session.objects import (
    check_numbers,
    choose_rungs,
    settings_from,
    task_for,
    work_for,
)
from gradatim.tasks import TASKS

TABLE = Table(columns=(Column(name="x", kind="numeric"),))
CLASSES = Signature(input=TABLE, output=Category(names=("a", "b")))
NUMBERS = Signature(input=TABLE, output=Quantity(names=("y",)))


def work(name: str = "mlp", **settings: object):
    return work_for(RUNGS[name](), TASKS["classify"], CLASSES, 500, 3, settings)


def test_the_target_says_which_task():
    assert task_for(CLASSES).name == "classify"
    assert task_for(NUMBERS).name == "regress"


def test_rungs_come_in_ladder_order_and_once():
    assert [r.name for r in choose_rungs(["mlp", "linear", "mlp"])] == ["linear", "mlp"]
    everything = choose_rungs(None)
    assert [r.place for r in everything] == sorted(r.place for r in everything)
    assert {r.name for r in everything} == {n for n, rung in RUNGS.all().items() if rung.default}
    assert "mlp" not in {r.name for r in choose_rungs(None, ["mlp"])}


def test_published_networks_join_by_their_names_in_the_order_of_their_size():
    chosen = choose_rungs(["resnet152", "resnet34", "lenet5", "vgg16_bn"])
    assert [r.name for r in chosen] == ["lenet5", "vgg16_bn", "resnet34", "resnet152"]
    assert not {"resnet", "vgg"} & {r.file for r in choose_rungs(None)}


@pytest.mark.parametrize("arguments", [(["mpl"],), (None, ["mpl"])])
def test_a_misspelt_rung_is_refused_wherever_it_stands(arguments):
    with pytest.raises(ConfigError, match='"mpl"; did you mean "mlp"'):
        choose_rungs(*arguments)


def test_settings_take_the_types_of_toml(tmp_path):
    changes = ["a=1", "b=0.5", "c.d=true", "c.e=words", 'f="7"', "g=[1, 2]", "h=a=b"]
    assert settings_from(None, changes) == {
        "a": 1,
        "b": 0.5,
        "c": {"d": True, "e": "words"},
        "f": "7",
        "g": [1, 2],
        "h": "a=b",
    }
    recipe = tmp_path / "r.toml"
    recipe.write_text("epochs = 3\n[optimizer]\nlr = 0.5\nname = 'sgd'\n")
    settings = settings_from(recipe, ["optimizer.lr=0.1", "epochs=9"])
    assert settings == {"epochs": 9, "optimizer": {"lr": 0.1, "name": "sgd"}}


@pytest.mark.parametrize("change", ["lr", "=1", "", " =1"])
def test_a_change_without_a_name_is_refused(change):
    with pytest.raises(ConfigError, match=r"optimizer\.lr=0\.1|no setting"):
        work(**settings_from(None, [change]))


def test_settings_change_what_they_name_and_nothing_else():
    plain, changed = work(), work(model={"width": 32}, optimizer={"lr": 0.5}, epochs=2)
    assert (changed.rung.width, plain.rung.width) == (32, 256)
    assert changed.recipe.optimizer.lr == 0.5
    assert changed.recipe.optimizer.name == plain.recipe.optimizer.name
    assert changed.recipe.epochs == 2
    assert changed.recipe.batch == plain.recipe.batch
    assert plain.recipe == RUNGS["mlp"]().recipe(500, plain.signature).model_copy(
        update={"seed": 3}
    )


def test_what_is_wrong_in_the_model_and_in_the_recipe_is_said_at_once():
    with pytest.raises(ConfigError) as caught:
        work(model={"width": 0, "dept": 2}, epochs=0, optimizer={"lr": "fast"})
    for words in ("model.width = 0", '"model.dept"; did you mean "depth"', "epochs = 0"):
        assert words in str(caught.value)
    assert "optimizer.lr = 'fast'" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["adm", "torch.optim.Adam", "../adamw"])
def test_an_optimizer_is_a_name_of_the_catalog(name):
    with pytest.raises(ConfigError, match="there is no optimizer"):
        work(optimizer={"name": name})


def test_a_solver_has_settings_too():
    assert work("ridge", model={"penalties": 7}).rung.penalties == 7
    with pytest.raises(ConfigError, match=r"model\.penalties = 0"):
        work("ridge", model={"penalties": 0})


@pytest.mark.parametrize(
    "numbers",
    [
        {"folds": 1},
        {"folds": 10**9},
        {"repeats": 0},
        {"minutes": 0.0},
        {"minutes": -1.0},
        {"minutes": float("nan")},
        {"minutes": float("inf")},
        {"rows": 9},
        {"seed": -1},
        {"seed": 2**63},
    ],
    ids=str,
)
def test_numbers_out_of_range_are_refused(numbers):
    (name,) = numbers
    with pytest.raises(ConfigError, match=f"--{name} = "):
        check_numbers(**numbers)


def test_numbers_in_range_are_not():
    check_numbers(folds=2, repeats=1, minutes=0.01, rows=10, seed=2**63 - 1)
    check_numbers(minutes=None, rows=None)


def test_another_optimizer_brings_its_own_learning_rate():
    """Newton at the rate of AdamW would hardly move."""
    usual = work().recipe.optimizer.lr
    assert work(optimizer={"name": "newton"}).recipe.optimizer.lr == 1.0
    assert work(optimizer={"name": "newton", "lr": 0.5}).recipe.optimizer.lr == 0.5
    assert work(optimizer={"name": "adamw"}).recipe.optimizer.lr == usual
    assert work(optimizer={"weight_decay": 0.5}).recipe.optimizer.lr == usual

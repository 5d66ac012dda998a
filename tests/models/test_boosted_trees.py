"""boosted_trees: scikit-learn's trees as tensors."""

import numpy as np
import pytest
import torch

from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Image, Quantity, Signature, Table
from gradatim.layers.trees import Trees
from gradatim.models import boosted_trees
from gradatim.models.boosted_trees import BoostedTrees, _plant


def table(columns: int, classes: int, quantities: int = 1) -> Signature:
    cells = Table(columns=tuple(Column(name=f"x{i}", kind="numeric") for i in range(columns)))
    names = tuple(f"y{i}" for i in range(classes or quantities))
    return Signature(
        input=cells, output=Category(names=names) if classes else Quantity(names=names)
    )


def steps(rows: int, classes: int, seed: int = 0) -> Samples:
    """Targets that jump at thresholds of two columns."""
    chance = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, 4, generator=chance, dtype=torch.float64)
    level = (x[:, 0] > 0).long() + 2 * (x[:, 1] > 0.3).long()
    if classes:
        return Samples(x, level % classes)
    noise = 0.1 * torch.randn(rows, generator=chance, dtype=torch.float64)
    return Samples(x, (10 + 3 * level + noise)[:, None])


def spied(monkeypatch) -> list:
    """Return the list in which every solver that is planted will be found."""
    seen: list = []
    plant = boosted_trees._plant
    monkeypatch.setattr(
        boosted_trees,
        "_plant",
        lambda trees, solver, outputs: seen.append(solver) or plant(trees, solver, outputs),
    )
    return seen


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_scores_equal_scikit_learn(monkeypatch, classes):
    solvers = spied(monkeypatch)
    samples = steps(300, classes)
    model = BoostedTrees(trees=90).solve(samples, table(4, classes), 0)
    fresh = model.preprocess(steps(200, classes, seed=1).inputs)
    theirs = torch.from_numpy(solvers[0].decision_function(fresh.numpy()))
    if classes == 2:
        theirs = torch.stack([-theirs / 2, theirs / 2], dim=1)
    torch.testing.assert_close(model.network(fresh), theirs, atol=1e-9, rtol=0)


def test_quantities_equal_scikit_learn(monkeypatch):
    solvers = spied(monkeypatch)
    one = steps(300, 0)
    samples = Samples(one.inputs, torch.cat([one.targets, one.inputs[:, 2:3].exp()], dim=1))
    model = BoostedTrees(trees=60).solve(samples, table(4, 0, quantities=2), 0)
    fresh = model.preprocess(steps(200, 0, seed=1).inputs)
    theirs = np.stack([solver.predict(fresh.numpy()) for solver in solvers], axis=1)
    np.testing.assert_allclose(model.network(fresh).numpy(), theirs, atol=1e-9)


def test_missing_numbers_go_where_scikit_learn_sends_them():
    from sklearn.ensemble import HistGradientBoostingRegressor

    samples = steps(400, 0)
    x = samples.inputs.clone()
    x[torch.rand(x.shape, generator=torch.Generator().manual_seed(2)) < 0.3] = float("nan")
    solver = HistGradientBoostingRegressor(max_iter=20).fit(x.numpy(), samples.targets[:, 0])
    nodes = [tree.nodes for group in solver._predictors for tree in group]
    ways = np.concatenate([n["missing_go_to_left"][n["is_leaf"] == 0] for n in nodes])
    assert set(ways) == {0, 1}
    depth = max(int(n["depth"].max()) for n in nodes)
    trees = Trees(20, 1, max(len(n) for n in nodes), depth)
    _plant(trees, solver, [0])
    np.testing.assert_allclose(trees(x)[:, 0].numpy(), solver.predict(x.numpy()), atol=1e-9)


@pytest.mark.parametrize("size", ["default", "tiny"])
@pytest.mark.parametrize("classes", [0, 2, 4])
def test_it_is_built_again_from_its_extents_and_learns(classes, size):
    samples, signature = steps(300, classes), table(4, classes)
    rung = BoostedTrees(trees=100) if size == "default" else BoostedTrees.of_size("tiny")
    model = rung.solve(samples, signature, 0).eval()
    with torch.device("meta"):
        empty = rung.build(signature, model.extents)
    state = model.state_dict()
    assert {k: v.shape for k, v in empty.state_dict().items()} == {
        k: v.shape for k, v in state.items()
    }
    empty.load_state_dict(state, assign=True)
    answers = model(samples.inputs)
    assert torch.equal(empty.eval()(samples.inputs), answers)
    if classes:
        assert (answers.argmax(1) == samples.targets).double().mean() > 0.8
    else:
        assert (answers - samples.targets).square().mean() < 0.5 * samples.targets.var()


def test_the_same_seed_gives_the_same_model():
    samples, signature = steps(100, 3), table(4, 3)
    rung = BoostedTrees.of_size("tiny")
    first, second = (rung.solve(samples, signature, 3).state_dict() for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("rows", [3, 12])
@pytest.mark.parametrize("classes", [0, 2, 3])
def test_few_rows(classes, rows):
    samples = steps(rows, classes)
    answers = BoostedTrees(trees=30).solve(samples, table(4, classes), 0)(samples.inputs)
    assert answers.shape == (rows, classes or 1)
    assert torch.isfinite(answers).all()


@pytest.mark.parametrize("classes", [0, 3])
def test_missing_cells_and_constant_columns(classes):
    samples = steps(80, classes)
    samples.inputs[:, 3] = 3.0
    samples.inputs[::7, 2] = float("nan")
    columns = tuple(Column(name=f"x{i}", kind="numeric", missing=True) for i in range(4))
    signature = table(4, classes).model_copy(update={"input": Table(columns=columns)})
    model = BoostedTrees(trees=60).solve(samples, signature, 0)
    assert torch.isfinite(model(samples.inputs)).all()
    samples.inputs.fill_(1.0)
    model = BoostedTrees(trees=60).solve(samples, signature, 0)
    assert torch.isfinite(model(samples.inputs)).all()


def test_classes_that_the_training_fold_does_not_show():
    samples = steps(80, 2)
    two = Samples(samples.inputs, 1 + 2 * samples.targets)
    answers = BoostedTrees(trees=60).solve(two, table(4, 5), 0)(two.inputs)
    assert set(answers.argmax(1).tolist()) == {1, 3}
    lone = Samples(samples.inputs, torch.full((80,), 2))
    answers = BoostedTrees(trees=60).solve(lone, table(4, 5), 0)(lone.inputs)
    assert set(answers.argmax(1).tolist()) == {2}


@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("classes", [0, 2])
def test_groups_and_times_are_taken(classes, groups):
    samples = steps(48, classes)
    grouped = Samples(samples.inputs, samples.targets, groups=torch.arange(48) // (48 // groups))
    timed = Samples(samples.inputs, samples.targets, times=(torch.arange(48) % groups).double())
    for each in (grouped, timed):
        answers = BoostedTrees(trees=30).solve(each, table(4, classes), 0)(samples.inputs)
        assert torch.isfinite(answers).all()


def test_rounds_end_where_held_out_rows_stop_gaining():
    """Targets are chance: the first rounds already do harm."""
    chance = torch.Generator().manual_seed(0)
    samples = steps(200, 0)
    noise = torch.randn(200, 1, generator=chance, dtype=torch.float64)
    model = BoostedTrees().solve(Samples(samples.inputs, noise), table(4, 0), 0)
    assert model.extents["rounds"] < 20


def test_pictures_are_taken():
    chance = torch.Generator().manual_seed(0)
    stored = torch.randint(0, 256, (40, 3, 4, 5), generator=chance, dtype=torch.uint8)
    stored[::2, 0, 0, 0] = 255
    stored[1::2, 0, 0, 0] = 0
    image = Image(channels=3, height=4, width=5)
    signature = Signature(input=image, output=Category(names=("a", "b")))
    model = BoostedTrees(trees=40).solve(Samples(stored, torch.arange(40) % 2), signature, 0)
    assert (model(stored).argmax(1) == torch.arange(40) % 2).all()

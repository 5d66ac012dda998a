"""kernel_ridge, svm, hog_svm, knn: what the solvers say, as networks."""

import numpy as np
import pytest
import torch

from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Image, Quantity, Signature, Table
from gradatim.models import RUNGS, _support, kernel_ridge
from gradatim.models._support_choice import choose
from gradatim.models.kernel_ridge import KernelRidge, leave_one_out
from gradatim.models.knn import Knn
from gradatim.models.svm import Svm
from gradatim.ops.inner import inner_folds, inner_holdout

KINDS = [("kernel_ridge", 0), ("svm", 0), ("svm", 2), ("svm", 4), ("knn", 0), ("knn", 3)]


def table(columns: int, classes: int, quantities: int = 1, missing: bool = False) -> Signature:
    cells = Table(
        columns=tuple(Column(name=f"x{i}", kind="numeric", missing=missing) for i in range(columns))
    )
    names = tuple(f"y{i}" for i in range(classes or quantities))
    return Signature(
        input=cells, output=Category(names=names) if classes else Quantity(names=names)
    )


def blobs(rows: int, classes: int, columns: int = 4, seed: int = 0) -> Samples:
    """Overlapping clouds, one a class, or a bent surface."""
    chance = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, columns, generator=chance, dtype=torch.float64)
    if not classes:
        noise = 0.1 * torch.randn(rows, generator=chance, dtype=torch.float64)
        return Samples(x, (5 + 3 * x[:, 0].sin() * x[:, 1] + noise)[:, None])
    y = torch.arange(rows) % classes
    centres = 1.5 * torch.randn(classes, columns, generator=chance, dtype=torch.float64)
    return Samples(x + centres[y], y)


def pictures(rows: int, classes: int, side: int = 8) -> tuple[Samples, Signature]:
    """Stripes of a direction each class has for its own."""
    chance = torch.Generator().manual_seed(0)
    y = torch.arange(rows) % classes
    place = torch.arange(side, dtype=torch.float64)
    angle = (torch.pi * y / classes)[:, None, None]
    wave = (angle.cos() * place + angle.sin() * place[:, None] + y[:, None, None]).sin()
    noise = 0.1 * torch.randn(rows, side, side, generator=chance, dtype=torch.float64)
    stored = (127 + 100 * wave + 20 * noise).clamp(0, 255).to(torch.uint8)[:, None]
    names = tuple(f"y{i}" for i in range(classes))
    image = Image(channels=1, height=side, width=side)
    return Samples(stored, y), Signature(input=image, output=Category(names=names))


def fix_choice(monkeypatch, cost=3.0, gamma=0.2, width=0.05):
    option = {"cost": cost, "gamma": gamma, "width": width}
    monkeypatch.setattr(_support, "choose", lambda *_: option)


# --- the solvers' own answers ---------------------------------------------------------------


def test_kernel_ridge_equals_scikit_learn(monkeypatch):
    from sklearn.kernel_ridge import KernelRidge as Reference

    samples, signature = blobs(80, 0), table(4, 0)
    monkeypatch.setattr(KernelRidge, "_choose", lambda *_: (0.2, 0.03))
    model = KernelRidge().solve(samples, signature, 0)
    x = model.preprocess(samples.inputs)
    reference = Reference(alpha=0.03, kernel="rbf", gamma=0.2)
    reference.fit(x.numpy(), model.output.encode(samples.targets).numpy())
    fresh = blobs(20, 0, seed=1).inputs
    theirs = torch.from_numpy(reference.predict(model.preprocess(fresh).numpy()))
    torch.testing.assert_close(model(fresh), model.output(theirs), atol=1e-9, rtol=1e-9)


def test_leave_one_out_equals_leaving_each_row_out():
    samples = blobs(25, 0)
    kernel = kernel_ridge.rbf(samples.inputs, samples.inputs, 0.3)
    penalties = torch.tensor([1e-3, 0.5], dtype=torch.float64)
    errors = []
    for penalty in penalties:
        missed = []
        for row in range(25):
            rest = torch.arange(25) != row
            gram = kernel[rest][:, rest] + penalty * torch.eye(24)
            bumps = torch.linalg.solve(gram, samples.targets[rest])
            missed.append(kernel[row, rest] @ bumps - samples.targets[row])
        errors.append(torch.cat(missed).square().mean())
    found = leave_one_out(kernel, samples.targets, penalties)
    torch.testing.assert_close(found, torch.stack(errors))


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_svm_equals_svc(monkeypatch, classes):
    from sklearn.svm import SVC

    fix_choice(monkeypatch)
    samples, signature = blobs(150, classes), table(4, classes)
    model = Svm().solve(samples, signature, 0)
    features = model.preprocess(samples.inputs).numpy()
    fresh = blobs(200, classes, seed=1).inputs
    x = model.preprocess(fresh)
    scores = model.network(x)
    # libsvm ends when the conditions of an optimum hold to 1e-3: its own kernel, rounded in another
    # way, leads it to another such end. Given the same kernel it ends at the same place.
    solver = SVC(C=3.0, gamma=0.2, break_ties=classes > 2)
    same = SVC(C=3.0, kernel="precomputed", break_ties=classes > 2)
    points = torch.from_numpy(features)
    grams = [kernel_ridge.rbf(rows, points, 0.2).numpy() for rows in (points, x)]
    for machine, a, b, close in ((solver, features, x.numpy(), 1e-3), (same, *grams, 1e-6)):
        machine.fit(a, samples.targets.numpy())
        theirs = torch.from_numpy(machine.decision_function(b))
        if classes == 2:
            theirs = torch.stack([-theirs / 2, theirs / 2], dim=1)
        torch.testing.assert_close(scores, theirs, atol=close, rtol=0)
    assert scores.argmax(1).tolist() == solver.predict(x.numpy()).tolist()
    assert len(model.network.points) == len(solver.support_vectors_)


def test_svm_equals_svr(monkeypatch):
    from sklearn.svm import SVR

    fix_choice(monkeypatch)
    one = blobs(100, 0)
    samples = Samples(one.inputs, torch.cat([one.targets, one.inputs[:, :1].square()], dim=1))
    model = Svm().solve(samples, table(4, 0, quantities=2), 0)
    x, t = model.preprocess(samples.inputs).numpy(), model.output.encode(samples.targets).numpy()
    ours = model.network(model.preprocess(samples.inputs)).numpy()
    gram = kernel_ridge.rbf(torch.from_numpy(x), torch.from_numpy(x), 0.2).numpy()
    own, given = {"gamma": 0.2}, {"kernel": "precomputed"}  # as in `test_svm_equals_svc`
    for options, a, close in ((own, x, 1e-3), (given, gram, 1e-6)):
        solvers = [SVR(C=3.0, epsilon=0.05, **options).fit(a, column) for column in t.T]
        theirs = np.stack([solver.predict(a) for solver in solvers], axis=1)
        np.testing.assert_allclose(ours, theirs, atol=close)


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_knn_equals_scikit_learn(classes):
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    samples, signature = blobs(200, classes), table(4, classes)
    model = Knn().solve(samples, signature, 0)
    kind = KNeighborsClassifier if classes else KNeighborsRegressor
    x = model.preprocess(samples.inputs).numpy()
    solver = kind(n_neighbors=model.extents["k"], algorithm="brute")
    solver.fit(x, samples.targets.numpy())
    fresh = blobs(60, classes, seed=1).inputs
    theirs = solver.predict(model.preprocess(fresh).numpy())
    answers = model(fresh)
    if classes:
        assert answers.argmax(1).tolist() == theirs.tolist()
    else:
        np.testing.assert_allclose(answers.numpy(), theirs, rtol=1e-9)


def test_knn_probabilities_are_smoothed_votes():
    samples, signature = blobs(60, 3), table(4, 3)
    model = Knn(smoothing=1.0).solve(samples, signature, 0)
    scores = model.network(model.preprocess(samples.inputs)).exp()
    k = model.extents["k"]
    votes = scores * (k + 3) - 1
    torch.testing.assert_close(votes, votes.round())
    torch.testing.assert_close(votes.sum(1), torch.full((60,), float(k), dtype=torch.float64))


# --- more rows than are solved exactly ------------------------------------------------------


@pytest.mark.parametrize("classes", [0, 2, 4])
def test_landmarks_come_near_the_exact_svm(classes):
    samples, signature = blobs(300, classes), table(4, classes)
    fresh = blobs(200, classes, seed=0).inputs
    exact = Svm().solve(samples, signature, 0)
    near = Svm(limit=150, landmarks=120).solve(samples, signature, 0)
    assert near.extents == {"landmarks": 120}
    if classes:
        agreement = (exact(fresh).argmax(1) == near(fresh).argmax(1)).double().mean()
        assert agreement > 0.9
    else:
        spread = samples.targets.std()
        assert (exact(fresh) - near(fresh)).square().mean().sqrt() < 0.2 * spread


def test_landmarks_on_all_rows_are_exact_kernel_ridge(monkeypatch):
    samples, signature = blobs(120, 0), table(4, 0)
    monkeypatch.setattr(KernelRidge, "_choose", lambda *_: (0.2, 0.03))
    exact = KernelRidge().solve(samples, signature, 0)
    near = KernelRidge(limit=100, landmarks=120).solve(samples, signature, 0)
    fresh = blobs(30, 0, seed=1).inputs
    torch.testing.assert_close(exact(fresh), near(fresh), atol=1e-5, rtol=0)
    assert KernelRidge(limit=100, landmarks=30).solve(samples, signature, 0).extents == {
        "support": 30
    }


# --- every rung -----------------------------------------------------------------------------


def problem(name: str, classes: int, rows: int) -> tuple[Samples, Signature]:
    if name == "hog_svm":
        return pictures(rows, classes)
    return blobs(rows, classes), table(4, classes)


@pytest.mark.parametrize("size", ["default", "tiny"])
@pytest.mark.parametrize(("name", "classes"), [*KINDS, ("hog_svm", 3)])
def test_it_is_built_again_from_its_extents_and_learns(name, classes, size):
    samples, signature = problem(name, classes, 120)
    rung = RUNGS[name]() if size == "default" else RUNGS[name].of_size("tiny")
    model = rung.solve(samples, signature, 0).eval()
    with torch.device("meta"):
        empty = rung.build(signature, model.extents)
    state = model.state_dict()
    assert {k: v.shape for k, v in empty.state_dict().items()} == {
        k: v.shape for k, v in state.items()
    }
    empty.load_state_dict(state, assign=True)
    assert torch.equal(empty.eval()(samples.inputs), model(samples.inputs))
    answers = model(samples.inputs)
    if classes:
        assert (answers.argmax(1) == samples.targets).double().mean() > 0.8
    else:
        assert (answers - samples.targets).square().mean() < 0.5 * samples.targets.var()


@pytest.mark.parametrize(("name", "classes"), [*KINDS, ("hog_svm", 3)])
def test_the_same_seed_gives_the_same_model(name, classes):
    samples, signature = problem(name, classes, 60)
    rung = RUNGS[name].of_size("tiny")
    first, second = (rung.solve(samples, signature, 3).state_dict() for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("rows", [4, 12])
@pytest.mark.parametrize(("name", "classes"), [*KINDS, ("hog_svm", 3)])
def test_few_rows(name, classes, rows):
    samples, signature = problem(name, classes, rows)
    answers = RUNGS[name]().solve(samples, signature, 0)(samples.inputs)
    assert answers.shape == (rows, classes or 1)
    assert torch.isfinite(answers).all()


@pytest.mark.parametrize(("name", "classes"), KINDS)
def test_missing_cells_and_constant_columns(name, classes):
    samples = blobs(60, classes)
    samples.inputs[:, 1] = 3.0
    samples.inputs[::7, 0] = float("nan")
    samples.inputs[:, 2] = float("nan")
    model = RUNGS[name]().solve(samples, table(4, classes, missing=True), 0)
    assert torch.isfinite(model(samples.inputs)).all()


@pytest.mark.parametrize(("name", "classes"), KINDS)
def test_columns_that_are_all_constant(name, classes):
    samples = blobs(40, classes)
    samples.inputs.fill_(2.0)
    answers = RUNGS[name]().solve(samples, table(4, classes), 0)(samples.inputs)
    assert torch.isfinite(answers).all()


@pytest.mark.parametrize("limit", [20, 1000])
@pytest.mark.parametrize("name", ["svm", "knn"])
def test_classes_that_the_training_fold_does_not_show(name, limit):
    options = {"limit": limit} if name == "svm" else {}
    samples = blobs(60, 2)
    two = Samples(samples.inputs, 1 + 2 * samples.targets)
    answers = RUNGS[name](**options).solve(two, table(4, 5), 0)(two.inputs)
    assert answers.shape == (60, 5)
    assert set(answers.argmax(1).tolist()) == {1, 3}
    lone = Samples(samples.inputs, torch.full((60,), 2))
    answers = RUNGS[name](**options).solve(lone, table(4, 5), 0)(lone.inputs)
    assert set(answers.argmax(1).tolist()) == {2}


@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize(("name", "classes"), KINDS)
def test_groups_and_times_are_taken(name, classes, groups):
    samples = blobs(48, classes)
    grouped = Samples(samples.inputs, samples.targets, groups=torch.arange(48) // (48 // groups))
    timed = Samples(samples.inputs, samples.targets, times=(torch.arange(48) % groups).double())
    for each in (grouped, timed):
        answers = RUNGS[name]().solve(each, table(4, classes), 0)(samples.inputs)
        assert torch.isfinite(answers).all()


def test_knn_looks_past_its_own_group():
    """Rows come in equal pairs: with groups the twin must not answer, so one neighbour is poor."""
    samples = blobs(100, 2, columns=2)
    labels = torch.randint(0, 2, (100,), generator=torch.Generator().manual_seed(0))
    twins = Samples(samples.inputs.repeat(2, 1), labels.repeat(2))
    grouped = Samples(twins.inputs, twins.targets, groups=torch.arange(100).repeat(2))
    signature = table(2, 2)
    assert Knn().solve(twins, signature, 0).extents["k"] == 1
    assert Knn().solve(grouped, signature, 0).extents["k"] > 1


def test_svm_calibrates_on_rows_it_has_not_seen():
    """Labels are chance: an honest model is unsure, however well its own rows are separated."""
    chance = torch.Generator().manual_seed(0)
    samples = blobs(200, 2)
    guesses = Samples(samples.inputs, torch.randint(0, 2, (200,), generator=chance))
    model = Svm().solve(guesses, table(4, 2), 0)
    fresh = blobs(200, 2, seed=5).inputs
    assert (model(fresh).softmax(1) - 0.5).abs().max() < 0.3


def test_inner_splits_keep_groups_whole():
    samples = blobs(48, 2)
    grouped = Samples(samples.inputs, samples.targets, groups=torch.arange(48) // 6)
    splits = [*inner_folds(grouped, 3, 0), inner_holdout(grouped, 0.2, 0)]
    for train, held in splits:
        assert not set(grouped.groups[train].tolist()) & set(grouped.groups[held].tolist())


def test_choice_prefers_what_generalises():
    samples, signature = blobs(200, 0), table(4, 0)
    option = choose(samples.inputs, samples.targets, samples, signature, 0)
    assert option["cost"] >= 3
    assert option["gamma"] < 1


# --- refusals -------------------------------------------------------------------------------


def test_refusals_name_a_remedy():
    assert "svm" in RUNGS["kernel_ridge"]().accepts(table(4, 3)).remedy
    assert "svm" in RUNGS["hog_svm"]().accepts(table(4, 3)).remedy
    _, images = pictures(3, 3)
    numbers = Signature(input=images.input, output=Quantity(names=("y",)))
    assert "svm" in RUNGS["hog_svm"]().accepts(numbers).remedy
    for name in ("svm", "knn"):
        assert RUNGS[name]().accepts(images) is None
        assert RUNGS[name]().accepts(table(4, 0)) is None
    assert RUNGS["hog_svm"]().accepts(images) is None
    assert RUNGS["kernel_ridge"]().accepts(numbers) is None

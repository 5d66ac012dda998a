"""What the rungs from the mean to the perceptron promise: to be what their textbook says."""

import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.linear_model import Ridge as SklearnRidge
from torch.nn import functional as F

from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Image, Quantity, Signature, Table
from gradatim.models.linear import Linear
from gradatim.models.logistic import LogisticRegression as Logistic
from gradatim.models.majority import Majority
from gradatim.models.mean import Mean
from gradatim.models.perceptron import Perceptron
from gradatim.models.polynomial import Polynomial
from gradatim.models.ridge import Ridge
from gradatim.ops.calibration import temperature
from gradatim.ops.inner import inner_holdout

CLASSIFIERS = [Majority, Linear, Ridge, Logistic, Perceptron]
REGRESSORS = [Mean, Linear, Ridge, Polynomial]
KINDS = (
    Column(name="size", kind="numeric", missing=True),
    Column(name="colour", kind="category", values=("red", "green")),
    Column(name="day", kind="date"),
)


def table(columns, output):
    kinds = tuple(Column(name=f"c{i}", kind="numeric") for i in range(columns))
    return Signature(input=Table(columns=kinds), output=output)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def quantity(count=1):
    return Quantity(names=tuple(f"q{i}" for i in range(count)))


def category(count):
    return Category(names=tuple(f"class {i}" for i in range(count)))


@pytest.fixture(scope="module")
def iris():
    data = load_iris()
    order = np.random.Generator(np.random.PCG64(0)).permutation(150)
    inputs, targets = torch.from_numpy(data.data[order]), torch.from_numpy(data.target[order])
    return Samples(inputs, targets), table(4, category(3))


@pytest.fixture(scope="module")
def plane():
    """Return 80 rows of a plane with noise, two targets of very different units."""
    x = normal(80, 4) * torch.tensor([1.0, 100.0, 0.01, 5.0]) + 7
    t = x @ normal(4, 2, seed=1) * torch.tensor([1.0, 1e4]) + normal(80, 2, seed=2)
    return Samples(x, t), table(4, quantity(2))


@pytest.fixture(scope="module")
def mixed():
    """Return a table of mixed columns with missing cells; targets for both kinds of task."""
    cells = torch.stack(
        [normal(60, 1)[:, 0], torch.arange(60) % 2, 18_000 + 3.0 * torch.arange(60)], dim=1
    ).double()
    cells[::7, 0] = math.nan
    answer = cells[:, :1].nan_to_num() + cells[:, 1:2]
    return cells, answer, (answer[:, 0] > 0.5).long()


def every(rungs):
    return pytest.mark.parametrize("rung", rungs, ids=lambda rung: rung.__name__)


def rebuilt(rung, model, signature):
    with torch.device("meta"):
        empty = rung.build(signature, model.extents)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    empty.load_state_dict(state, assign=True)
    return empty


# --- what holds for all


@every([*CLASSIFIERS])
def test_a_classifier_is_rebuilt_from_its_state(rung, iris):
    samples, signature = iris
    rung = rung.of_size("tiny")
    model = rung.solve(samples, signature, 0)
    again = rebuilt(rung, model, signature)
    assert torch.equal(again(samples.inputs), model(samples.inputs))
    assert getattr(again.network, "note", "") == getattr(model.network, "note", "")


@every([*REGRESSORS])
def test_a_regressor_is_rebuilt_from_its_state(rung, plane):
    samples, signature = plane
    rung = rung.of_size("tiny")
    model = rung.solve(samples, signature, 0)
    again = rebuilt(rung, model, signature)
    assert torch.equal(again(samples.inputs), model(samples.inputs))
    assert getattr(again.network, "note", "") == getattr(model.network, "note", "")


@every(CLASSIFIERS)
@pytest.mark.parametrize("targets", ["mixed", "one class", "rare"])
def test_a_classifier_takes_what_comes(rung, mixed, targets):
    cells, _, classes = mixed
    t = {"mixed": classes, "one class": classes * 0, "rare": (torch.arange(60) == 5).long()}[
        targets
    ]
    signature = Signature(input=Table(columns=KINDS), output=category(3))
    model = rung.of_size("tiny").solve(Samples(cells, t), signature, 0)
    unseen = torch.tensor([[1e3, -1.0, 30_000.0], [math.nan, math.nan, math.nan]]).double()
    assert torch.isfinite(model(torch.cat([cells, unseen]))).all()
    common = t.mode().values
    assert (model(cells).argmax(1) == t).sum() >= (t == common).sum() - 2


@every(REGRESSORS)
def test_a_regressor_takes_what_comes(rung, mixed):
    cells, answer, _ = mixed
    signature = Signature(input=Table(columns=KINDS), output=quantity())
    model = rung.of_size("tiny").solve(Samples(cells, answer), signature, 0)
    assert torch.isfinite(model(cells)).all()
    assert torch.isfinite(model(torch.full((1, 3), math.nan, dtype=torch.float64))).all()


@every([*CLASSIFIERS])
@pytest.mark.parametrize("rows", [1, 2, 3, 8])
def test_a_classifier_takes_few_rows_and_many_columns(rung, rows):
    t = torch.arange(rows) % 2
    samples = Samples(normal(rows, 20), t)
    model = rung.of_size("tiny").solve(samples, table(20, category(2)), 0)
    assert torch.isfinite(model(samples.inputs)).all()
    if rung in (Linear, Perceptron):  # the others are paid not to believe so few rows
        assert (model(samples.inputs).argmax(1) == t).all()


@every(REGRESSORS)
@pytest.mark.parametrize("rows", [1, 2, 8])
def test_a_regressor_takes_few_rows_and_many_columns(rung, rows):
    samples = Samples(normal(rows, 20), normal(rows, 1, seed=1))
    model = rung.of_size("tiny").solve(samples, table(20, quantity()), 0)
    assert torch.isfinite(model(normal(5, 20, seed=2))).all()


@every([*CLASSIFIERS, Mean, Polynomial])
def test_constant_columns_are_harmless(rung, iris, plane):
    samples, signature = iris if rung in CLASSIFIERS else plane
    without = rung.of_size("tiny").solve(samples, signature, 0)(samples.inputs)
    wider = Samples(F.pad(samples.inputs, (0, 1), value=0.1), samples.targets)
    model = rung.of_size("tiny").solve(wider, table(5, signature.output), 0)
    # A column of zeros adds nothing but another order of sums; L-BFGS stops elsewhere by 1e-6.
    scale = float(without.abs().max())
    assert torch.allclose(model(wider.inputs), without, rtol=0, atol=1e-5 * scale)
    moved = F.pad(samples.inputs, (0, 1), value=99.0)
    assert torch.equal(model(moved), model(wider.inputs))


@every([Linear, Logistic, Perceptron, Polynomial])
@pytest.mark.parametrize("mark", ["groups", "times"])
def test_groups_and_times_are_taken_along(rung, iris, plane, mark):
    samples, signature = plane if rung is Polynomial else iris
    labels = torch.arange(len(samples)) // 10
    marked = Samples(samples.inputs, samples.targets, **{mark: labels.double()})
    model = rung.of_size("tiny").solve(marked, signature, 0)
    assert torch.isfinite(model(samples.inputs)).all()


@every([Majority, Logistic, Perceptron])
def test_a_rung_for_classes_refuses_quantities(rung):
    assert rung().accepts(table(2, category(2))) is None
    assert "use" in rung().accepts(table(2, quantity())).remedy


def test_a_rung_for_quantities_refuses_classes_and_pictures():
    image = Image(channels=1, height=8, width=8)
    assert Mean().accepts(Signature(input=image, output=quantity())) is None
    assert Mean().accepts(table(2, category(2))).remedy == "use majority"
    assert Polynomial().accepts(table(2, quantity())) is None
    assert Polynomial().accepts(table(2, category(2))).remedy == "use svm or logistic"
    assert Polynomial().accepts(Signature(input=image, output=quantity())) is not None


# --- the score to beat


def test_majority_answers_with_smoothed_shares():
    samples = Samples(normal(7, 2), torch.tensor([0, 0, 0, 0, 1, 1, 0]))
    p = Majority().solve(samples, table(2, category(3)), 0)(normal(2, 2)).softmax(1)
    expected = torch.tensor([6, 3, 1], dtype=torch.float64) / 10
    assert torch.allclose(p, expected.expand(2, 3), rtol=1e-14)


def test_mean_answers_with_the_mean(plane):
    samples, signature = plane
    answers = Mean().solve(samples, signature, 0)(samples.inputs[:3])
    assert torch.allclose(answers, samples.targets.mean(0).expand(3, 2), rtol=1e-13)


# --- linear


def test_linear_equals_scikit_learn(plane):
    samples, signature = plane
    theirs = LinearRegression().fit(samples.inputs.numpy(), samples.targets.numpy())
    model = Linear().solve(samples, signature, 0)
    # Standardised here, centred there; both are backward stable, the targets reach 1e7.
    ours = model(samples.inputs).numpy()
    assert np.allclose(ours, theirs.predict(samples.inputs.numpy()), rtol=1e-10, atol=1e-9)


def test_linear_knows_its_noise(plane):
    samples, signature = plane
    model = Linear().solve(samples, signature, 0)
    residuals = samples.targets - model(samples.inputs)
    assert torch.allclose(model.network.noise_variance, residuals.square().mean(0))
    assert model.network.noise_variance.tolist() == pytest.approx([1, 1], rel=0.5)
    assert model.network.rank == 4
    assert "standard deviation" in model.network.note


def test_linear_interpolates_when_columns_outnumber_rows():
    samples = Samples(normal(10, 30), normal(10, 1, seed=1))
    model = Linear().solve(samples, table(30, quantity()), 0)
    assert torch.allclose(model(samples.inputs), samples.targets, rtol=0, atol=1e-11)
    standard = (samples.inputs - samples.inputs.mean(0)) / samples.inputs.std(0, correction=0)
    shortest = torch.linalg.pinv(standard) @ (samples.targets - samples.targets.mean())
    scale = samples.targets.std(correction=0)
    assert torch.allclose(model.network.weight.T * scale, shortest, rtol=0, atol=1e-11)
    assert "30 features span 9 directions" in model.network.note


def test_linear_scale_comes_from_rows_left_out(iris):
    samples, signature = iris
    model = Linear().solve(samples, signature, 0)
    held_out = []
    for row in range(150):
        rest = torch.arange(150) != row
        one_hot = F.one_hot(samples.targets[rest]).double().numpy()
        part = LinearRegression().fit(samples.inputs[rest].numpy(), one_hot)
        held_out.append(part.predict(samples.inputs[row : row + 1].numpy())[0])
    expected = temperature(torch.tensor(np.array(held_out)), samples.targets)
    # Leverages in place of 150 fits, then the same Newton steps.
    assert model.output.scale.item() == pytest.approx(expected, rel=1e-8)


def test_a_row_that_alone_fills_a_column_does_not_set_the_scale(iris):
    samples, signature = iris
    spike = F.one_hot(torch.tensor(3), 150).double()[:, None]
    wider = Samples(torch.cat([samples.inputs, spike], 1), samples.targets)
    model = Linear().solve(wider, table(5, signature.output), 0)
    # The new column fits its row and leaves the others alone.
    without = Linear().solve(samples.take([row for row in range(150) if row != 3]), signature, 0)
    assert model.output.scale.item() == pytest.approx(without.output.scale.item(), rel=1e-6)


@pytest.mark.parametrize("case", ["groups", "wide"])
def test_linear_scale_comes_from_a_fifth_set_aside(iris, case):
    samples, signature = iris
    if case == "groups":
        samples = Samples(samples.inputs, samples.targets, groups=torch.arange(150) // 5)
    else:
        samples, signature = Samples(normal(40, 60), torch.arange(40) % 3), table(60, category(3))
    model = Linear().solve(samples, signature, 4)
    train, held = (torch.from_numpy(rows) for rows in inner_holdout(samples, 0.2, 4))
    part = Linear().solve(samples.take(train), signature, 4)
    # Standardised on all rows or on four fifths: for the shortest weights that is a difference.
    scores = part.network(part.preprocess(samples.inputs[held]))
    expected = temperature(scores, samples.targets[held])
    assert model.output.scale.item() == pytest.approx(
        expected, rel=1e-6 if case == "groups" else 0.3
    )


# --- ridge


def test_ridge_equals_scikit_learn_at_the_penalty_with_the_least_error_left_out(plane):
    samples, signature = plane
    model = Ridge(penalties=7).solve(samples, signature, 0)
    x = model.preprocess(samples.inputs).numpy()
    t = model.output.encode(samples.targets).numpy()
    errors, fits = [], []
    for penalty in np.logspace(-6, 3, 7) * 80:
        slips = []
        for row in range(80):
            rest = np.arange(80) != row
            part = SklearnRidge(alpha=penalty).fit(x[rest], t[rest])
            slips.append(part.predict(x[row : row + 1])[0] - t[row])
        errors.append(np.square(slips).mean())
        fits.append(SklearnRidge(alpha=penalty).fit(x, t))
    best = fits[int(np.argmin(errors))]
    assert np.allclose(model.network.weight, best.coef_, rtol=0, atol=1e-10)
    assert np.allclose(model.network.bias, best.intercept_, rtol=0, atol=1e-10)


# --- logistic


def test_logistic_equals_scikit_learn_at_some_penalty_of_its_grid(iris):
    samples, signature = iris
    model = Logistic(penalties=8).solve(samples, signature, 0)
    x, t = model.preprocess(samples.inputs).numpy(), samples.targets.numpy()
    p = model(samples.inputs).softmax(1).numpy()
    gaps = []
    for penalty in np.logspace(1, -6, 8) * 150:
        theirs = LogisticRegression(C=1 / penalty, solver="newton-cholesky", tol=1e-10)
        gaps.append(abs(theirs.fit(x, t).predict_proba(x) - p).max())
    # Both solve the same convex problem; other penalties differ by 1e-2.
    assert min(gaps) < 1e-5
    assert sorted(gaps)[1] > 1e-3


def test_logistic_is_honest_and_good_on_digits():
    data = load_digits()
    pictures = torch.from_numpy((data.images * 15).astype(np.uint8))[:, None]
    signature = Signature(input=Image(channels=1, height=8, width=8), output=category(10))
    samples = Samples(pictures, torch.from_numpy(data.target))
    train, test = samples.take(range(1000)), samples.take(range(1000, 1797))
    logits = Logistic(choosing=500).solve(train, signature, 0)(test.inputs)
    assert (logits.argmax(1) == test.targets).double().mean() > 0.9
    assert F.cross_entropy(logits, test.targets) < 0.4


def test_logistic_chooses_by_seed_alone(iris):
    samples, signature = iris
    first, again = (Logistic(choosing=60).solve(samples, signature, 5) for _ in range(2))
    assert torch.equal(first.network.weight, again.network.weight)


# --- polynomial


@pytest.fixture(scope="module")
def sine():
    """Return the picture of the course: a sine with noise."""
    x = torch.linspace(0, 1, 60, dtype=torch.float64)[:, None]
    t = (2 * math.pi * x).sin() + 0.1 * normal(60, 1)
    return Samples(x, t), table(1, quantity())


def test_the_degree_of_a_noisy_sine_is_found(sine):
    samples, signature = sine
    model = Polynomial().solve(samples, signature, 0)
    network = model.network
    assert network.degrees.tolist() == list(range(1, 11))
    # A line misses the wave; the cubic follows it to 0.005, under the noise of 0.1.
    assert 3 <= model.extents["degree"] <= 8
    assert network.held_out_error[2] < 0.3 * network.held_out_error[0]
    assert (network.training_error.diff() < 1e-12).all()
    best = int(network.held_out_error.argmin())
    assert network.held_out_error[-1] > network.held_out_error[best]
    assert f"degree {best + 1} of 1..10" in network.note
    truth = (2 * math.pi * samples.inputs).sin()
    assert (model(samples.inputs) - truth).square().mean().sqrt() < 0.05


@pytest.mark.parametrize("degree", [1, 4, 10])
def test_one_column_equals_numpy(sine, degree):
    samples, signature = sine
    model = Polynomial(degree=degree).solve(samples, signature, 0)
    x, t = samples.inputs[:, 0].numpy(), samples.targets[:, 0].numpy()
    theirs = np.polynomial.Chebyshev.fit(x, t, degree)
    # Two orthogonal bases of the same space.
    assert np.allclose(model(samples.inputs)[:, 0], theirs(x), rtol=0, atol=1e-10)
    held_out = []
    for row in range(60):
        rest = np.arange(60) != row
        held_out.append(np.polynomial.Chebyshev.fit(x[rest], t[rest], degree)(x[row]) - t[row])
    expected = np.sqrt(np.square(held_out).mean()) / t.std()
    assert model.network.held_out_error.item() == pytest.approx(expected, rel=1e-8)


def test_products_of_columns_are_found():
    x = normal(300, 3)
    t = 1 + x[:, :1] * x[:, 1:2] - 2 * x[:, 2:] ** 2
    samples = Samples(x, t)
    model = Polynomial().solve(samples, table(3, quantity()), 0)
    assert model.extents["degree"] >= 2
    assert model.network.held_out_error[0] > 0.5
    # An exact quadratic: only the smallest penalty of the grid (1e-9) stands in the way.
    assert model.network.held_out_error.min() < 1e-6
    unseen = normal(20, 3, seed=9)
    answer = 1 + unseen[:, :1] * unseen[:, 1:2] - 2 * unseen[:, 2:] ** 2
    assert torch.allclose(model(unseen), answer, rtol=0, atol=1e-4)


def test_too_many_products_leave_powers():
    samples = Samples(normal(50, 6), normal(50, 1, seed=1))
    model = Polynomial(degree=3, terms=20).solve(samples, table(6, quantity()), 0)
    assert model.network.powers.terms == 18
    model = Polynomial(terms=13).solve(samples, table(6, quantity()), 0)
    assert model.network.degrees.tolist() == [1, 2]


def test_indicators_are_not_squared(mixed):
    cells, answer, _ = mixed
    signature = Signature(input=Table(columns=KINDS), output=quantity())
    model = Polynomial(degree=2).solve(Samples(cells, answer), signature, 0)
    # Ten features: size, day, four of the day's cycles, three of the colour, one for missing
    # sizes. C(12, 2) - 1 products, less the squares of the last four.
    assert model.network.powers.terms == 65 - 4


def test_a_degree_needs_more_points_than_coefficients():
    x = torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0]).double().repeat(4)[:, None]
    model = Polynomial().solve(Samples(x, x**2 + normal(20, 1)), table(1, quantity()), 0)
    assert model.network.degrees.tolist() == [1, 2, 3]


def test_groups_keep_a_polynomial_from_learning_them_by_heart():
    # Ten places, each with its own level: leaving out one row of a place says nothing.
    place = torch.arange(100) // 10
    x = place.double()[:, None] + 0.01 * normal(100, 1)
    t = normal(10, 1, seed=3)[place]
    alone = Polynomial().solve(Samples(x, t), table(1, quantity()), 0)
    grouped = Polynomial().solve(Samples(x, t, groups=place), table(1, quantity()), 0)
    assert grouped.extents["degree"] < alone.extents["degree"]


# --- perceptron

CORNERS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)


@pytest.mark.parametrize("gate", [[0, 0, 0, 1], [0, 1, 1, 1]], ids=["and", "or"])
def test_the_perceptron_learns(gate):
    model = Perceptron().solve(Samples(CORNERS, torch.tensor(gate)), table(2, category(2)), 0)
    assert model(CORNERS).argmax(1).tolist() == gate
    assert model.network.separable == 1
    assert model.network.mistakes[-1] == 0
    assert model.network.note.startswith("linearly separable: epoch")


def test_the_perceptron_says_why_it_cannot_learn_xor():
    samples = Samples(CORNERS, torch.tensor([0, 1, 1, 0]))
    model = Perceptron(epochs=30).solve(samples, table(2, category(2)), 0)
    left = int((model(CORNERS).argmax(1) != samples.targets).sum())
    assert left >= 1
    assert model.network.separable == 0
    assert model.network.mistakes.shape == (30,)
    assert model.network.note == (
        f"not linearly separable: {left} of 4 training rows wrong after 30 epochs; "
        "the two classes' convex hulls overlap"
    )


def test_the_perceptron_notes_what_it_does_not_know(iris):
    samples, signature = iris
    model = Perceptron(epochs=5).solve(samples, signature, 0)
    assert "no linear scores put every right class first" in model.network.note
    model.network.separable.fill_(-1)
    assert "is not known" in model.network.note
    model.network.separable.fill_(1)
    assert "more epochs" in model.network.note


def test_the_perceptron_is_good_on_iris(iris):
    samples, signature = iris
    train, test = samples.take(range(100)), samples.take(range(100, 150))
    logits = Perceptron().solve(train, signature, 0)(test.inputs)
    assert (logits.argmax(1) == test.targets).double().mean() > 0.9
    assert F.cross_entropy(logits, test.targets) < 0.5

"""Sums against rows: scikit-learn's ridge, and the same formulas on the rows themselves."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

import gradatim.ops.grams as room
from gradatim.ops.grams import gram_of, moments_by, residual_sums, ridge_cv, ridge_weights
from gradatim.ops.ridge import ridge_path

PENALTIES = torch.logspace(-3, 3, 7, dtype=torch.float64)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def line(rows=400, features=6, noise=1.0):
    x = normal(rows, features) * torch.logspace(-2, 2, features, dtype=torch.float64) + 3
    weights = normal(features, 2, seed=1) / x.std(0)[:, None]
    return x, 5 + x @ weights + noise * normal(rows, 2, seed=2)


def folds_of(rows, count=4):
    return [torch.arange(rows)[start::count] for start in range(count)]


def brute(x, t, folds):
    errors = []
    for held in folds:
        train = torch.ones(len(x), dtype=torch.bool)
        train[held] = False
        path = ridge_path(x[train], t[train], PENALTIES)
        said = x[held] @ path.weights + path.bias[:, None]
        errors.append((said - t[held]).square().mean((1, 2)))
    return torch.stack(errors)


def test_the_grid_of_scikit_learn():
    x, t = line()
    folds = folds_of(len(x))
    cuts = [(np.setdiff1d(np.arange(len(x)), f.numpy()), f.numpy()) for f in folds]
    grid = GridSearchCV(
        Ridge(), {"alpha": PENALTIES.tolist()}, cv=cuts, scoring="neg_mean_squared_error"
    ).fit(x.numpy(), t.numpy())
    theirs = [-grid.cv_results_[f"split{i}_test_score"] for i in range(len(folds))]
    ours = ridge_cv(x, t, folds, PENALTIES)
    # float32 keeps 7 digits of a sum; DOUBT lets at most 1e-4 of an error go.
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)


@pytest.mark.parametrize(
    "trouble",
    ["exact", "offset", "dependent"],
)
def test_where_float32_would_lose_digits_sums_are_made_in_float64(trouble, monkeypatch):
    """An exact fit, a target far from the first rows' mean, columns that repeat one another."""
    x, t = line(noise=1e-6 if trouble == "exact" else 1.0)
    if trouble == "offset":
        t[200:] += 1e7 * x[200:, :1]
    if trouble == "dependent":
        x[:, 1] = x[:, 0] + 1e-7 * x[:, 1]
    folds, asked = folds_of(len(x)), []
    made = gram_of

    def watched(*args, dtype, **kwargs):
        asked.append(dtype)
        return made(*args, dtype=dtype, **kwargs)

    monkeypatch.setattr(room, "gram_of", watched)
    ours = ridge_cv(x, t, folds, PENALTIES)
    if trouble != "offset":
        assert torch.float64 in asked
    np.testing.assert_allclose(ours, brute(x, t, folds), rtol=1e-4)


def test_easy_data_stays_in_float32(monkeypatch):
    x, t = normal(500, 5), normal(500, 1, seed=1)
    monkeypatch.setattr(room, "DOUBT", torch.inf)
    quick = ridge_cv(x, t, folds_of(500), PENALTIES)
    monkeypatch.setattr(room, "DOUBT", -1.0)
    exact = ridge_cv(x, t, folds_of(500), PENALTIES)
    assert not torch.equal(quick, exact)
    np.testing.assert_allclose(quick, exact, rtol=1e-6)
    np.testing.assert_allclose(exact, brute(x, t, folds_of(500)), rtol=1e-10)


@pytest.mark.parametrize("features", [3, 300], ids=["one strip", "several strips"])
def test_blocks_and_strips_give_one_gram(features):
    x, t = normal(5000, features), normal(5000, 2, seed=1)
    z = torch.cat([x - 1, t + 2, torch.ones(5000, 1)], dim=1)
    origin = torch.cat([torch.ones(features), -2 * torch.ones(2)]).double()
    gram = gram_of(x, t, origin=origin)
    # Sums of 5000 products in another order.
    assert torch.allclose(gram.moments, z.T @ z, rtol=0, atol=1e-8)
    assert gram.rows == 5000
    chosen = torch.arange(5000)[::3]
    assert torch.allclose(
        gram_of(x, t, rows=chosen, origin=origin).moments, z[chosen].T @ z[chosen], atol=1e-8
    )


def test_all_without_a_fold_are_the_others():
    x, t = line()
    total, part = gram_of(x, t), gram_of(x[:100], t[:100])
    rest = gram_of(x[100:], t[100:])
    assert torch.allclose((total - part).moments, rest.moments, rtol=1e-9)
    assert torch.allclose((rest + part).moments, total.moments, rtol=1e-9)


def test_a_place_for_each_row():
    x, t = line(60)
    pieces = torch.arange(60) % 3
    found = moments_by(x, t, pieces, 4)
    for place in range(3):
        rows = torch.nonzero(pieces == place)[:, 0]
        assert torch.allclose(found[place], gram_of(x, t, rows=rows).moments)
    assert not found[3].any()


def test_weights_and_errors_are_those_of_the_rows():
    x, t = line()
    gram, path = gram_of(x, t), ridge_path(x, t, PENALTIES)
    weights, bias = ridge_weights(gram, PENALTIES)
    assert torch.allclose(weights, path.weights, rtol=1e-8, atol=1e-10)
    assert torch.allclose(bias, path.bias, rtol=1e-8)
    errors = (x @ weights + bias[:, None] - t).square().sum(1)
    assert torch.allclose(residual_sums(gram, weights, bias), errors, rtol=1e-8)


def test_mapped_features_have_the_gram_of_mapped_rows():
    x, t = line()
    matrix, offset = normal(4, 6, seed=3), normal(4, seed=4)
    mapped = gram_of(x, t).mapped(matrix, offset)
    assert torch.allclose(mapped.moments, gram_of(x @ matrix.T + offset, t).moments, rtol=1e-9)


def test_an_origin_far_away_costs_the_digits_of_small_errors():
    """t near 1e8 with noise of 1e-2: t't is 1e16 n, and its 16 digits end before the noise.

    The same sums from an origin near the mean keep the noise: so the origin is no ornament.
    """
    x = normal(1000, 2)
    t = 1e8 + 1e-2 * normal(1000, 1, seed=1)
    truth = (t - t.mean()).square().sum().item()
    far = gram_of(x, t).centred().tt.item()
    near = gram_of(x, t, origin=torch.tensor([0.0, 0.0, 1e8]).double()).centred().tt.item()
    assert near == pytest.approx(truth, rel=1e-6)
    assert abs(far / truth - 1) > 0.1


def test_threads_change_no_bit_and_stay_as_they_were():
    x, t = line()
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = ridge_cv(x, t, folds_of(400), PENALTIES)
        torch.set_num_threads(3)
        together = ridge_cv(x, t, folds_of(400), PENALTIES)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(alone, together)

"""Sums by machine code against the same sums by torch.

Sums of small whole numbers leave nothing to rounding, so they are compared bit by bit.
"""

import shutil

import pytest
import torch

from gradatim.ops.compiled import grams as compiled_grams
from gradatim.ops.compiled import library
from gradatim.ops.compiled.grams import moments, obstacle
from gradatim.ops.grams import gram_of, ridge_cv

needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, library.COMPILERS)), reason="there is no C compiler"
)


@pytest.fixture(autouse=True)
def _open(monkeypatch):
    monkeypatch.delenv("GRADATIM_FUSED", raising=False)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def whole(*shape, seed=0):
    return (2 * normal(*shape, seed=seed)).round()


def exact(x, t, rows, origin):
    z = torch.cat([torch.cat([x, t], 1)[rows] - origin, x.new_ones(len(rows), 1)], dim=1)
    return z.T @ z


@needs_compiler
@pytest.mark.parametrize("features", [1, 5, 29, 30, 31, 45, 62, 100, 260])
@pytest.mark.parametrize("outputs", [1, 3])
def test_every_width_around_the_edges_of_the_tiles(features, outputs):
    x, t, origin = whole(700, features), whole(700, outputs, seed=1), whole(features + outputs)
    assert obstacle(x, t) is None
    rows = torch.randperm(700, generator=torch.Generator().manual_seed(2))[:513]
    assert torch.equal(moments(x, t, rows, origin), exact(x, t, rows, origin))


@needs_compiler
@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 1000])
def test_every_number_of_rows_around_the_edges_of_the_blocks(count):
    x, t = whole(300, 7), whole(300, 1, seed=1)
    rows = torch.arange(count) * 7 % 300  # some of them twice
    found = moments(x, t, rows, torch.zeros(8).double())
    torch.testing.assert_close(found, exact(x, t, rows, torch.zeros(8).double()), rtol=0, atol=5e-4)
    assert found[-1, -1] == count
    assert torch.equal(found, found.T)


@needs_compiler
def test_sums_of_many_rows_lose_no_more_digits_than_those_of_few():
    """Added up one by one in float32 a million of these are wrong in the second digit."""
    x = torch.full((1, 1), 1 / 3, dtype=torch.float64)
    found = moments(x, x, torch.zeros(1_000_000, dtype=torch.int64), torch.zeros(2).double())
    assert found[0, 0].item() == pytest.approx(1_000_000 / 9, rel=1e-5)


@needs_compiler
def test_rows_and_origins_may_be_views():
    wide = whole(200, 20)
    x, t, origin = wide[::2, 3:9], wide[::2, 10:12], whole(16)[::2]
    rows = torch.arange(200)[1:100:3]
    assert torch.equal(moments(x, t, rows, origin), exact(x, t, rows, origin))


@needs_compiler
@pytest.mark.parametrize("row", [-1, 10])
def test_a_row_that_is_not_there_is_refused(row):
    """The machine code would read whatever lies there."""
    with pytest.raises(IndexError, match="of 10"):
        moments(normal(10, 2), normal(10, 1), torch.tensor([0, row]), torch.zeros(3).double())


def test_other_numbers_and_layouts_take_the_way_of_torch():
    x, t = normal(10, 2), normal(10, 1)
    assert "float64" in (obstacle(x.float(), t) or "")
    assert "side by side" in (obstacle(normal(2, 10).T, t) or "")
    found = gram_of(x.float(), t, dtype=torch.float32).moments
    torch.testing.assert_close(found, gram_of(x, t).moments, rtol=0, atol=1e-4)


@needs_compiler
def test_a_search_takes_it_and_the_environment_closes_it(monkeypatch):
    x, t = normal(2000, 9), normal(2000, 1, seed=1)
    folds = [torch.arange(2000)[start::4] for start in range(4)]
    penalties, calls = torch.logspace(-2, 2, 5, dtype=torch.float64), []
    made = compiled_grams._moments

    def watched(*args):
        calls.append(args)
        return made(*args)

    monkeypatch.setattr(compiled_grams, "_moments", watched)
    quick = ridge_cv(x, t, folds, penalties)
    assert calls
    calls.clear()
    monkeypatch.setenv("GRADATIM_FUSED", "0")
    plain = ridge_cv(x, t, folds, penalties)
    assert not calls
    torch.testing.assert_close(quick, plain, rtol=1e-5, atol=0)


@needs_compiler
def test_wrong_machine_code_is_not_taken(tmp_path, monkeypatch):
    text = compiled_grams.SOURCE.read_text()
    assert "a[i] * line[v]" in text
    wrong = tmp_path / "wrong.c"
    wrong.write_text(text.replace("a[i] * line[v]", "a[i] + line[v]"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiled_grams.CODE, "source", wrong)
    compiled_grams.CODE.forget()
    assert "does not compute" in str(compiled_grams.CODE.obstacle())
    compiled_grams.CODE.forget()

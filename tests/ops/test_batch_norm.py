"""Batch normalisation, sum and ReLU in one pass against the operations of torch it replaces."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor
from torch.func import vmap

from gradatim.ops.batch_norm import applies, batch_norm, plain
from gradatim.ops.compiled import batch_norm as compiled_batch_norm
from gradatim.ops.compiled import library
from gradatim.ops.multiply_adds import multiply_adds

SHAPES = [(64, 16, 28, 28), (5, 20, 9, 7), (3, 1, 6, 5), (3, 70, 2, 1), (40, 32, 33, 31)]
EVERY = pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
WAYS = pytest.mark.parametrize("added", [True, False], ids=["added", "alone"])
BENDS = pytest.mark.parametrize("relu", [True, False], ids=["relu", "straight"])


@pytest.fixture(scope="module")
def code() -> None:
    """Skip where there is no machine code."""
    reason = compiled_batch_norm.obstacle()
    if reason:
        pytest.skip(f"no machine code: {reason}")


@pytest.fixture
def forgetful() -> Iterator[None]:
    """Let a test decide anew whether there is machine code."""
    compiled_batch_norm.CODE.forget()
    yield
    compiled_batch_norm.CODE.forget()


def drawn(*shape: int, seed: int) -> Tensor:
    values = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    last = torch.channels_last if len(shape) == 4 else torch.contiguous_format
    return values.contiguous(memory_format=last).requires_grad_()


def leaves(shape: tuple[int, ...]) -> list[Tensor]:
    """Inputs, scales, shifts and what is added; means far from 0, where sums of squares round."""
    numbers = [drawn(shape[1], seed=seed) for seed in (1, 2)]
    x = (drawn(*shape, seed=0).detach() * 2 + 30).requires_grad_()
    return [x, *numbers, drawn(*shape, seed=3)]


def done(
    way: Callable[..., Tensor], given: list[Tensor], added: bool, relu: bool
) -> tuple[list[Tensor], Tensor]:
    """Return the running moments and all gradients, and the result."""
    running = torch.full_like(given[1], 0.5).detach(), torch.full_like(given[1], 2.0).detach()
    x, gamma, beta, other = given
    how = {"added": other if added else None, "relu": relu}
    out = way(x, gamma, beta, running, 0.1, 1e-5, **how)
    inputs = given if added else given[:3]
    return [*running, *torch.autograd.grad(out, inputs, slope_for(given, added))], out


def slope_for(given: list[Tensor], added: bool) -> Tensor:
    """Return a slope that is 0 where rounding decides whether ReLU is open."""
    x, gamma, beta, other = (t.detach().double() for t in given)
    running = torch.zeros_like(gamma), torch.ones_like(gamma)
    out = plain(x, gamma, beta, running, 0.1, 1e-5, added=other if added else None)
    slope = drawn(*x.shape, seed=4).detach() * (out.abs() > 1e-3)
    return slope.to(given[0].dtype)


@EVERY
@WAYS
@BENDS
def test_result_moments_and_gradients_are_those_of_torch(
    shape: tuple[int, ...], added: bool, relu: bool, code: None
) -> None:
    given = leaves(shape)
    running = torch.zeros(shape[1]), torch.ones(shape[1])
    assert applies(*given[:3], running, given[3])
    found, ours = done(batch_norm, given, added, relu)
    exact = [g.detach().double().requires_grad_() for g in given]
    wanted, theirs = done(plain, exact, added, relu)
    # The mean of 30 costs five bits of 24 when scale and shift are applied.
    torch.testing.assert_close(ours.double(), theirs, rtol=1e-5, atol=1e-4)
    for one, other in zip(found, wanted, strict=True):
        largest = other.abs().max().item()
        torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=1e-4 * largest + 1e-5)


def test_channels_stay_last(code: None) -> None:
    given = leaves((4, 8, 6, 5))
    out = batch_norm(*given[:3], (torch.zeros(8), torch.ones(8)), 0.1, 1e-5, relu=True)
    slope = torch.ones(4, 8, 6, 5)  # not as the maps lie
    gradient = torch.autograd.grad(out, given[0], slope)[0]
    assert all(t.is_contiguous(memory_format=torch.channels_last) for t in (out, gradient))


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_change_no_bit(threads: int, code: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_batch_norm, "WORTH_A_THREAD", 1)
    results = []
    for number in (1, threads):
        monkeypatch.setattr(torch, "get_num_threads", lambda number=number: number)
        given = leaves((16, 24, 33, 31))
        found, out = done(batch_norm, given, True, True)
        results.append([*found, out.detach()])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_nan_is_seen(code: None) -> None:
    given = leaves((3, 8, 4, 4))
    with torch.no_grad():
        given[0][1, 2, 3, 3] = torch.nan
    out = batch_norm(*given[:3], (torch.zeros(8), torch.ones(8)), 0.1, 1e-5, relu=True)
    assert out[:, 2].isnan().all()
    assert out[:, [0, 1, 3]].isfinite().all()


@BENDS
def test_second_derivatives_are_those_of_differences(relu: bool, code: None) -> None:
    """The gradient, differentiated again, against that of torch's operations."""
    results = []
    for way in (batch_norm, plain):
        given = leaves((3, 4, 5, 2))
        running = torch.zeros(4), torch.ones(4)
        out = way(*given[:3], running, 0.1, 1e-5, added=given[3], relu=relu)
        first = torch.autograd.grad(out.square().sum(), given, create_graph=True)
        results.append(torch.autograd.grad(sum(g.square().sum() for g in first), given))
    for ours, theirs in zip(*results, strict=True):
        scale = theirs.abs().max().item()
        torch.testing.assert_close(ours, theirs, rtol=1e-2, atol=1e-3 * scale)


def test_other_arguments_go_to_torch(code: None) -> None:
    x, gamma, beta, added = leaves((3, 8, 4, 4))
    running = torch.zeros(8), torch.ones(8)
    assert applies(x, gamma, beta, running, added)
    assert not applies(x.contiguous(), gamma, beta, running, added)
    assert not applies(x, gamma, beta, running, added[:, :, :2])
    assert not applies(x.double(), gamma, beta, running, added)
    assert not applies(x[:0], gamma, beta, running)
    one = x[:1, :, :1, :1].contiguous(memory_format=torch.channels_last)
    assert not applies(one, gamma, beta, running)
    with pytest.raises(ValueError, match="more than 1 value"):
        batch_norm(one, gamma, beta, running, 0.1, 1e-5)


def test_those_who_watch_see_torch(code: None) -> None:
    x, gamma, beta, _ = leaves((3, 8, 4, 4))
    running = torch.zeros(8), torch.ones(8)
    seen: list[bool] = []

    def network(maps: Tensor) -> Tensor:
        seen.append(applies(maps, gamma, beta, running))
        return maps

    vmap(network)(x[None])
    multiply_adds(torch.nn.Conv2d(8, 8, 1), x)
    assert seen == [False]


def test_environment_switches_it_off(code: None, monkeypatch: pytest.MonkeyPatch) -> None:
    x, gamma, beta, _ = leaves((3, 8, 4, 4))
    running = torch.zeros(8), torch.ones(8)
    monkeypatch.setenv("GRADATIM_FUSED", "0")
    assert not applies(x, gamma, beta, running)


def test_without_a_compiler_torch_computes(
    forgetful: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise library.Unavailable("there is no C compiler")

    monkeypatch.setattr(compiled_batch_norm.CODE, "compiled", missing)
    given = leaves((3, 8, 4, 4))
    assert compiled_batch_norm.obstacle() == "there is no C compiler"
    (ours, out), (theirs, right) = (done(way, given, True, True) for way in (batch_norm, plain))
    assert torch.equal(out, right)
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_wrong_code_is_not_used(
    forgetful: None, code: None, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    from pathlib import Path

    right = compiled_batch_norm.SOURCE.read_text("utf-8")
    wrong = Path(str(tmp_path)) / "wrong.c"
    wrong.write_text(right.replace("d_beta[c] = sum", "d_beta[c] = 2 * sum"), "utf-8")
    assert wrong.read_text("utf-8") != right
    monkeypatch.setattr(compiled_batch_norm.CODE, "source", wrong)
    compiled_batch_norm.CODE.forget()
    assert "does not compute what torch does" in str(compiled_batch_norm.obstacle())

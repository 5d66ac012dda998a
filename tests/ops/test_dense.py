"""Dense layers by machine code against the operations of torch that they replace.

Whole numbers leave nothing to rounding, so comparisons ask for the same bits.
"""

import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.func import jvp, vmap

from gradatim.ops import dense as module
from gradatim.ops.compiled import dense as compiled_dense
from gradatim.ops.compiled import library
from gradatim.ops.dense import applies, dense, plain
from gradatim.ops.multiply_adds import multiply_adds

SHAPES = [  # members (0: a network without that dimension), rows, before, after
    (0, 64, 400, 120),
    (0, 1, 84, 10),
    (0, 4, 131, 37),
    (0, 5, 16, 33),
    (1, 7, 32, 32),
    (5, 32, 64, 64),
    (5, 128, 784, 256),
    (3, 61, 77, 43),
    (2, 600, 1100, 17),
    (4, 9, 1, 1),
]
LONG = pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
BENDS = pytest.mark.parametrize("relu", [False, True], ids=["straight", "relu"])


@pytest.fixture
def code(monkeypatch) -> None:
    """Skip where there is no machine code; take it for small products too."""
    reason = compiled_dense.obstacle()
    if reason:
        pytest.skip(f"no machine code: {reason}")
    monkeypatch.setattr(module, "WORTH_A_CALL", 0)


@pytest.fixture
def forgetful() -> Iterator[None]:
    """Let a test decide anew whether there is machine code."""
    compiled_dense.CODE.forget()
    yield
    compiled_dense.CODE.forget()


def whole(*shape: int, seed: int) -> Tensor:
    """Small whole numbers: sums of their products are exact."""
    chance = torch.Generator().manual_seed(seed)
    return torch.randint(-3, 4, shape, generator=chance).float()


def arguments(shape: tuple[int, ...], seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    members, rows, before, after = shape
    first = (members,) if members else ()
    x, weight = whole(*first, rows, before, seed=seed), whole(*first, after, before, seed=seed + 1)
    bias = whole(*first, after, seed=seed + 2)
    return x.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()


def gradients(way: Callable[..., Tensor], given_: tuple[Tensor, ...], relu: bool) -> list[Tensor]:
    out = way(*given_, relu=relu)
    return [out, *torch.autograd.grad(out, given_, whole(*out.shape, seed=9))]


def same(some: list[Tensor], others: list[Tensor]) -> None:
    for a, b in zip(some, others, strict=True):
        assert a.shape == b.shape
        assert torch.equal(a, b)


@LONG
@BENDS
def test_values_and_gradients_are_torchs(code, shape, relu):
    given_ = arguments(shape)
    assert applies(*given_)
    same(gradients(dense, given_, relu), gradients(plain, given_, relu))


@settings(max_examples=80)
@given(
    members=st.integers(0, 3),
    rows=st.integers(1, 40),
    before=st.integers(1, 70),
    after=st.integers(1, 70),
    relu=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_shape(members, rows, before, after, relu, seed):
    if compiled_dense.obstacle():
        pytest.skip("no machine code")
    given_ = arguments((members, rows, before, after), seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WORTH_A_CALL", 0)
        assert applies(*given_)
        found = gradients(dense, given_, relu)
    same(found, gradients(plain, given_, relu))


def test_rounding_is_that_of_torch(code):
    x, weight, bias = (torch.randn(*s) for s in ((128, 784), (256, 784), (256,)))
    exact = plain(x.double(), weight.double(), bias.double())
    errors = [(way(x, weight, bias) - exact).abs().max().item() for way in (dense, plain)]
    assert errors[0] < 4 * errors[1]  # MKL adds shorter sums


@BENDS
def test_nothing_depends_on_threads(code, monkeypatch, relu):
    shape = (3, 65, 200, 70)
    given_ = tuple(torch.randn_like(t).requires_grad_() for t in arguments(shape))
    first, threads = gradients(dense, given_, relu), torch.get_num_threads()
    monkeypatch.setattr(compiled_dense, "WORTH_A_THREAD", 1)
    try:
        for count in (2, 5):
            torch.set_num_threads(count)
            same(gradients(dense, given_, relu), first)
    finally:
        torch.set_num_threads(threads)


def test_views_and_gaps_are_read_right(code):
    x, weight, bias = (t.detach() for t in arguments((3, 40, 60, 50)))
    views = [
        (x[:, ::2, 5:], weight[:, 3:, 5:], bias[:, 3:]),
        (x.transpose(1, 2), weight[:, :, :40], bias),
        (x[:1].expand(3, 40, 60), weight, bias[:1].expand(3, 50)),
        (x[0], weight[0].T.contiguous().T, bias.T[:, 0]),
    ]
    for view in views:
        leaves = tuple(t.requires_grad_() for t in view)
        assert applies(*leaves)
        same(gradients(dense, leaves, True), gradients(plain, leaves, True))


def test_nan_is_seen_and_closed_rows_pass_nothing(code):
    x, weight, bias = (t.detach() for t in arguments((0, 9, 40, 20)))
    x[3, 7] = torch.nan
    out = dense(x, weight, bias, relu=True)
    assert out[3].isnan().all()
    assert out[[0, 1, 2, 4, 5, 6, 7, 8]].isfinite().all()
    assert dense(x[2:5], weight, bias, relu=True)[1].isnan().all()


def test_second_derivatives(code):
    given_ = tuple(t.detach().double().float().requires_grad_() for t in arguments((0, 6, 8, 7)))

    def curvature(way: Callable[..., Tensor]) -> tuple[Tensor, ...]:
        out = way(*given_, relu=True).square().sum()
        slopes = torch.autograd.grad(out, given_, create_graph=True)
        return torch.autograd.grad(sum(s.square().sum() for s in slopes), given_)

    for a, b in zip(curvature(dense), curvature(plain), strict=True):
        torch.testing.assert_close(a, b)


def test_no_gradients_and_inference(code):
    given_ = arguments(SHAPES[0])
    right = plain(*given_)
    with torch.no_grad():
        assert torch.equal(dense(*given_), right)
    with torch.inference_mode():
        assert torch.equal(dense(*given_), right)
    x, weight, bias = given_
    frozen = dense(x, weight.detach(), bias.detach())
    assert torch.equal(*(torch.autograd.grad(o.sum(), x)[0] for o in (frozen, right)))


@pytest.mark.parametrize(
    "change",
    [
        lambda x, w, b: (x.double(), w.double(), b.double()),
        lambda x, w, b: (x.to("meta"), w.to("meta"), b.to("meta")),
        lambda x, w, b: (x[:0], w, b),
        lambda x, w, b: (x, torch._neg_view(w), b),
    ],
    ids=["float64", "meta", "none", "negative"],
)
def test_others_take_the_plain_way(change):
    changed = change(*(t.detach() for t in arguments((0, 64, 400, 120))))
    assert not applies(*changed)
    if changed[0].device.type == "cpu":
        assert torch.equal(dense(*changed), plain(*changed))


def test_who_watches_operations_sees_them(code):
    x, weight, bias = (t.detach() for t in arguments((0, 64, 400, 120)))
    seen: list[bool] = []

    def watched(x: Tensor) -> Tensor:
        seen.append(applies(x, weight, bias))
        return dense(x, weight, bias)

    right = plain(x, weight, bias)
    assert torch.equal(jvp(watched, (x,), (x,))[0], right)
    assert torch.equal(vmap(watched)(x[:, None])[:, 0], right)
    assert multiply_adds(watched, x[:1]) == 400 * 120
    with torch.autocast("cpu", torch.bfloat16):
        watched(x)
    assert not any(seen)


INSTRUCTIONS = ["x86-64", "x86-64-v3", "x86-64-v4"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="these are names of x86 processors")
@pytest.mark.parametrize("instructions", INSTRUCTIONS)
@LONG
def test_other_processors_compute_the_same(code, monkeypatch, tmp_path, instructions, shape):
    """Registers of 4, 8 and 16 numbers; a processor that has not the last ones skips them."""
    features = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    needs = {"x86-64": "sse2", "x86-64-v3": "avx2", "x86-64-v4": "avx512vl"}[instructions]
    if needs not in features:
        pytest.skip(f"this processor has no {needs}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent / instructions))
    flags = tuple(f for f in library.FLAGS if not f.startswith("-march"))
    monkeypatch.setattr(library, "FLAGS", (*flags, f"-march={instructions}"))
    other = compiled_dense.CODE.compiled()
    assert other.lanes() == {"x86-64": 4, "x86-64-v3": 8, "x86-64-v4": 16}[instructions]
    monkeypatch.setattr(compiled_dense.CODE, "_code", other)
    given_ = arguments(shape)
    assert applies(*given_)
    for relu in (False, True):
        same(gradients(dense, given_, relu), gradients(plain, given_, relu))


def test_short_registers_leave_it_to_torch(code, forgetful, monkeypatch):
    right = compiled_dense.CODE.compiled()
    monkeypatch.setattr(compiled_dense, "SHORT", right.lanes())
    assert compiled_dense.obstacle() == "this processor's registers are short"


def test_without_a_compiler(forgetful, monkeypatch):
    monkeypatch.setattr(library.shutil, "which", lambda name: None)
    given_ = arguments(SHAPES[0])
    assert compiled_dense.obstacle() == "there is no C compiler"
    assert not applies(*given_)
    same(gradients(dense, given_, True), gradients(plain, given_, True))


def test_code_that_computes_something_else_is_not_used(code, forgetful, monkeypatch, tmp_path):
    right = compiled_dense.SOURCE.read_text("utf-8")
    assert "of <= 0.0f" in right
    wrong = tmp_path / "dense.c"
    wrong.write_text(right.replace("of <= 0.0f", "of <= 1.0f"), encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiled_dense.CODE, "source", wrong)
    assert "does not compute what torch does" in str(compiled_dense.obstacle())


def test_the_environment_switches_it_off(monkeypatch):
    monkeypatch.setenv("GRADATIM_FUSED", "0")
    given_ = arguments(SHAPES[0])
    assert not applies(*given_)
    same(gradients(dense, given_, True), gradients(plain, given_, True))

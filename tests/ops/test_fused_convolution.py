"""The fused convolution against the three operations of torch that it replaces.

Whole numbers leave nothing to rounding, so most comparisons ask for the same bits: they cannot be
right by a wide tolerance, and no tie is decided by noise.
"""

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.func import jvp, vmap
from torch.nn import functional as F

from gradatim.ops.compiled import fused_convolution as compiled_fused_convolution
from gradatim.ops.compiled import library
from gradatim.ops.fused_convolution import applies, convolve_relu_pool, plain
from gradatim.ops.multiply_adds import multiply_adds

SHAPES = [  # rows, channels, height, width, maps, side of the kernel, padding
    (64, 1, 32, 32, 6, 5, 0),
    (3, 6, 14, 14, 16, 5, 0),
    (5, 1, 28, 28, 6, 5, 2),
    (2, 3, 32, 32, 6, 5, 0),
    (9, 3, 32, 32, 32, 3, 1),
    (2, 3, 16, 40, 64, 3, 1),
    (1, 2, 17, 13, 7, 3, 2),
    (1, 1, 6, 7, 1, 5, 0),
    (18, 20, 9, 11, 5, 5, 1),
    (7, 17, 12, 5, 33, 3, 0),
]
LONG = pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))


@pytest.fixture(scope="module")
def code() -> None:
    """Skip where there is no machine code."""
    reason = compiled_fused_convolution.obstacle()
    if reason:
        pytest.skip(f"no machine code: {reason}")


@pytest.fixture
def forgetful() -> Iterator[None]:
    """Let a test decide anew whether there is machine code."""
    compiled_fused_convolution.CODE.forget()
    yield
    compiled_fused_convolution.CODE.forget()


def whole(*shape: int, seed: int, most: int = 4) -> Tensor:
    """Small whole numbers: sums of their products are exact, and there are ties and zeros."""
    chance = torch.Generator().manual_seed(seed)
    return torch.randint(-most, most + 1, shape, generator=chance).float()


def arguments(shape: tuple[int, ...], seed: int = 0) -> tuple[Tensor, Tensor, Tensor, int]:
    rows, before, height, width, after, side, padding = shape
    x = whole(rows, before, height, width, seed=seed)
    weight = whole(after, before, side, side, seed=seed + 1)
    bias = whole(after, seed=seed + 2)
    leaves = [t.requires_grad_() for t in (x, weight, bias)]
    return leaves[0], leaves[1], leaves[2], padding


def gradients(
    way: Callable[..., Tensor], given_: tuple[Tensor, Tensor, Tensor, int]
) -> list[Tensor]:
    out = way(*given_)
    slope = whole(*out.shape, seed=9)
    return [out, *torch.autograd.grad(out, given_[:3], slope)]


def same(some: list[Tensor], others: list[Tensor]) -> None:
    for a, b in zip(some, others, strict=True):
        assert a.shape == b.shape
        assert torch.equal(a, b)


@LONG
def test_values_and_gradients_are_torchs(code, shape):
    given_ = arguments(shape)
    assert applies(*given_)
    same(gradients(convolve_relu_pool, given_), gradients(plain, given_))


@settings(max_examples=80)
@given(
    rows=st.integers(1, 21),
    before=st.integers(1, 9),
    height=st.integers(2, 20),
    width=st.integers(2, 20),
    after=st.integers(1, 20),
    side=st.sampled_from([3, 5]),
    padding=st.integers(0, 2),
    seed=st.integers(0, 99),
)
def test_any_shape(code, rows, before, height, width, after, side, padding, seed):
    given_ = arguments((rows, before, height, width, after, side, padding), seed)
    if min(height, width) + 2 * padding - side < 1:
        assert not applies(*given_)  # no window: torch has a message for that
        return
    assert applies(*given_)
    same(gradients(convolve_relu_pool, given_), gradients(plain, given_))


@LONG
def test_rounding_is_no_worse_than_2e_6(code, shape):
    """Against float64. Inputs lie on a grid on which no window is decided by rounding."""
    given_ = arguments(shape)
    out = convolve_relu_pool(*given_)
    slope = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
    found = torch.autograd.grad(out, given_[:3], slope)
    exact = [t.detach().double().requires_grad_() for t in given_[:3]]
    right = torch.autograd.grad(plain(*exact, given_[3]), exact, slope.double())
    for a, b in zip(found, right, strict=True):
        assert (a - b).abs().max() <= 2e-6 * b.abs().max()
    x, weight, bias = (torch.randn(t.shape) for t in given_[:3])
    values = convolve_relu_pool(x, weight, bias, given_[3])
    right = plain(x.double(), weight.double(), bias.double(), given_[3])
    assert (values - right).abs().max() <= 2e-6 * right.abs().max()


@pytest.mark.parametrize("level", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("maps", [6, 16])
def test_ties_go_to_the_first_and_zero_passes_nothing(code, level, maps):
    """A constant picture: all places of a window are equal, and at bias 0 exactly 0."""
    x = torch.ones(2, 1, 14, 14, requires_grad=True)
    weight = torch.zeros(maps, 1, 5, 5, requires_grad=True)
    bias = torch.full((maps,), level, requires_grad=True)
    fused = gradients(convolve_relu_pool, (x, weight, bias, 0))
    same(fused, gradients(plain, (x, weight, bias, 0)))
    assert bool(fused[2].any()) == (level > 0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@LONG
def test_what_is_not_finite_is_seen(code, shape, value):
    x, weight, bias, padding = arguments(shape)
    x, weight = x.detach().clone(), torch.where(weight == 0, 1.0, weight.detach())
    chance = torch.Generator().manual_seed(3)
    x.flatten()[torch.randint(x.numel(), (3,), generator=chance)] = value
    out = convolve_relu_pool(x, weight, bias, padding)
    assert torch.equal(out.isfinite(), plain(x, weight, bias, padding).isfinite())
    torch.testing.assert_close(out, plain(x, weight, bias, padding), equal_nan=True)
    if value != value:
        assert torch.autograd.grad(out.sum(), bias)[0].isfinite().all()
        x.requires_grad_()
        weight.requires_grad_()
        out = convolve_relu_pool(x, weight, bias, padding)
        assert torch.autograd.grad(out.sum(), weight)[0].isnan().any()


@LONG
def test_second_derivatives(code, shape):
    """Newton multiplies by a Hessian: the gradient of a gradient."""
    given_ = arguments(shape)

    def twice(way: Callable[..., Tensor]) -> list[Tensor]:
        out = way(*given_)
        slope = whole(*out.shape, seed=9)
        # Squared, because the pieces themselves are linear in each argument.
        first = torch.autograd.grad((out * slope).sum(), given_[:3], create_graph=True)
        v = [whole(*t.shape, seed=5 + i, most=2) for i, t in enumerate(first)]
        loss = sum((a * b).sum() for a, b in zip(first, v, strict=True))
        return [*first, *torch.autograd.grad(loss, given_[:2])]

    same(twice(convolve_relu_pool), twice(plain))


def test_bits_depend_on_neither_threads_nor_layout_nor_neighbours(code):
    given_ = [torch.randn(37, 3, 20, 20), torch.randn(16, 3, 5, 5), torch.randn(16)]
    leaves = [t.requires_grad_() for t in given_]
    first = gradients(convolve_relu_pool, (*leaves, 1))
    same(gradients(convolve_relu_pool, (*leaves, 1)), first)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(5)
        same(gradients(convolve_relu_pool, (*leaves, 1)), first)
    finally:
        torch.set_num_threads(threads)
    last = [t.detach() for t in leaves[:2]]
    last = [t.contiguous(memory_format=torch.channels_last).requires_grad_() for t in last]
    same(gradients(convolve_relu_pool, (*last, leaves[2], 1)), first)
    (slope,) = torch.autograd.grad(convolve_relu_pool(*last, leaves[2], 1).sum(), last[1])
    assert slope.stride() == last[1].stride()  # so that an update need not turn it around
    alone = [convolve_relu_pool(row[None], *leaves[1:], 1) for row in leaves[0]]
    assert torch.equal(torch.cat(alone), first[0])


def test_views_and_gaps_are_read_right(code):
    x, weight, bias, _ = (t.detach() if isinstance(t, Tensor) else t for t in arguments(SHAPES[4]))
    views = (
        x.flip(0)[1:, :, 1:].transpose(2, 3),
        weight.expand(2, *weight.shape)[1].transpose(2, 3)[::2],
        bias[::2],
    )
    leaves = [t.requires_grad_() for t in views]
    same(gradients(convolve_relu_pool, (*leaves, 1)), gradients(plain, (*leaves, 1)))


def test_torch_checks_the_operator(code):
    """Schema, fake tensors and registration: torch's own test of custom operators."""
    x, weight, bias, padding = arguments((2, 1, 8, 9, 3, 3, 1))
    operator = torch.ops.gradatim.convolve_relu_pool.default
    torch.library.opcheck(operator, (x, weight, bias, padding))
    out, winner = operator(x, weight, bias, padding)
    backward = torch.ops.gradatim.convolve_relu_pool_backward.default
    given_ = (torch.ones_like(out), winner, x.detach(), weight.detach(), padding, True)
    torch.library.opcheck(backward, given_, test_utils=("test_schema", "test_faketensor"))


@pytest.mark.parametrize(
    "change",
    [
        lambda x, w, b: (x.double(), w.double(), b.double()),
        lambda x, w, b: (x.bfloat16(), w.bfloat16(), b.bfloat16()),
        lambda x, w, b: (x.to("meta"), w.to("meta"), b.to("meta")),
        lambda x, w, b: (x[0], w, b),
        lambda x, w, b: (x[:0], w, b),
        lambda x, w, b: (x, w[:, :, :4, :4], b),
        lambda x, w, b: (x, w[:, :, :3], b),
        lambda x, w, b: (x[:, :, :5], w, b),
        lambda x, w, b: (x.requires_grad_(), torch._neg_view(w), b),
    ],
    ids=["float64", "bfloat16", "meta", "one", "none", "even", "oblong", "narrow", "negative"],
)
def test_others_take_the_plain_way(change):
    x, weight, bias, _ = arguments((2, 1, 12, 12, 3, 5, 0))
    changed = change(*(t.detach() for t in (x, weight, bias)))
    assert not applies(*changed)
    if changed[0].dim() == 4 and changed[0].shape[2] > 5 and changed[0].device.type == "cpu":
        assert torch.equal(convolve_relu_pool(*changed), plain(*changed))


def test_who_watches_operations_sees_them():
    x, weight, bias, _ = arguments((2, 1, 12, 12, 3, 5, 0))
    x, weight, bias = x.detach(), weight.detach(), bias.detach()
    seen: list[bool] = []

    def watched(x: Tensor) -> Tensor:
        seen.append(applies(x, weight, bias))
        return convolve_relu_pool(x, weight, bias)

    right = plain(x, weight, bias)
    assert torch.equal(jvp(watched, (x,), (x,))[0], right)
    assert torch.equal(vmap(watched)(x[:, None])[:, 0], right)
    assert multiply_adds(watched, x[:1]) == 3 * 25 * 64
    with torch.autocast("cpu", torch.bfloat16):
        watched(x)
    traced = torch.jit.trace(watched, x, check_trace=False)
    assert torch.equal(traced(x), right)
    assert not any(seen)


def test_no_gradients_and_inference(code):
    x, weight, bias, padding = arguments(SHAPES[1])
    right = plain(x, weight, bias, padding)
    with torch.no_grad():
        assert torch.equal(convolve_relu_pool(x, weight, bias, padding), right)
    with torch.inference_mode():
        assert torch.equal(convolve_relu_pool(x, weight, bias, padding), right)
    frozen = convolve_relu_pool(x, weight.detach(), bias.detach(), padding)
    assert torch.equal(*(torch.autograd.grad(o.sum(), x)[0] for o in (frozen, right)))


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
    home = tmp_path.parent / instructions
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    flags = tuple(f for f in library.FLAGS if not f.startswith("-march"))
    monkeypatch.setattr(library, "FLAGS", (*flags, f"-march={instructions}"))
    other = compiled_fused_convolution.CODE.compiled()
    monkeypatch.setattr(compiled_fused_convolution.CODE, "_code", other)
    given_ = arguments(shape)
    assert applies(*given_)
    same(gradients(convolve_relu_pool, given_), gradients(plain, given_))


def test_without_a_compiler(forgetful, monkeypatch):
    monkeypatch.setattr(library.shutil, "which", lambda name: None)
    given_ = arguments(SHAPES[2])
    assert compiled_fused_convolution.obstacle() == "there is no C compiler"
    assert not applies(*given_)
    same(gradients(convolve_relu_pool, given_), gradients(plain, given_))


def test_code_that_computes_something_else_is_not_used(code, forgetful, monkeypatch, tmp_path):
    right = compiled_fused_convolution.SOURCE.read_text("utf-8")
    assert "= b[o];" in right
    wrong = tmp_path / "fused_convolution.c"
    wrong.write_text(right.replace("= b[o];", "= -b[o];"), encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiled_fused_convolution.CODE, "source", wrong)
    assert "does not compute what torch does" in str(compiled_fused_convolution.obstacle())


def test_the_environment_switches_it_off(monkeypatch):
    monkeypatch.setenv("GRADATIM_FUSED", "0")
    given_ = arguments(SHAPES[2])
    assert not applies(*given_)
    same(gradients(convolve_relu_pool, given_), gradients(plain, given_))


SCRIPT = """
import os, sys, torch
from gradatim.core.signature import Category, Image, Signature
from gradatim.models.lenet5 import LeNet5
image = Image(channels=1, height=28, width=28)
model = LeNet5().build(Signature(input=image, output=Category(names=("a", "b"))), {})
before = os.path.exists(os.environ["XDG_CACHE_HOME"])
x = torch.zeros(2, 1, 28, 28, dtype=torch.uint8)
model(x).sum().backward()
made = [n for _, _, names in os.walk(os.environ["XDG_CACHE_HOME"]) for n in names]
print(before, len(made), made[0].endswith(".so"), "torch._dynamo" in sys.modules)
"""


def test_only_a_network_that_is_called_compiles(code, tmp_path):
    """Building one is not enough, nor is a command that lists; torch._dynamo stays unloaded."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["False", "1", "True", "False"]


def test_plain_is_the_three_operations():
    x, weight, bias, _ = arguments(SHAPES[2])
    right = F.max_pool2d(F.conv2d(x, weight, bias, padding=2).clamp_min(0), 2)
    assert torch.equal(plain(x, weight, bias, 2), right)

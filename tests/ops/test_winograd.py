"""Convolutions of 3x3 by Winograd's filtering against torch's in float64."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gradatim.layers import convolution
from gradatim.layers.convolution import Conv2d
from gradatim.ops.compiled import library
from gradatim.ops.compiled import winograd as compiled_winograd
from gradatim.ops.winograd import applies, convolve, plain

SHAPES = [  # rows, channels before, height, width, channels after
    (64, 64, 7, 7, 64),
    (5, 32, 14, 15, 96),
    (3, 96, 23, 17, 32),
    (16, 160, 8, 8, 64),
    (8, 32, 32, 12, 32),
]
EVERY = pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
LAST = torch.channels_last


@pytest.fixture(scope="module")
def code() -> None:
    """Skip where there is no machine code."""
    reason = compiled_winograd.obstacle()
    if reason:
        pytest.skip(f"no machine code: {reason}")


@pytest.fixture
def forgetful() -> Iterator[None]:
    """Let a test decide anew whether there is machine code."""
    compiled_winograd.CODE.forget()
    yield
    compiled_winograd.CODE.forget()


def given(shape: tuple[int, ...], layout: torch.memory_format = LAST) -> tuple[Tensor, Tensor]:
    rows, before, height, width, after = shape
    chance = torch.Generator().manual_seed(0)
    x = torch.randn(rows, before, height, width, generator=chance).relu()
    weight = torch.randn(after, before, 3, 3, generator=chance) * (2 / 9 / before) ** 0.5
    inputs = x.contiguous(memory_format=LAST), weight.contiguous(memory_format=layout)
    return inputs[0].requires_grad_(), inputs[1].requires_grad_()


def done(way: Callable[..., Tensor], x: Tensor, weight: Tensor) -> list[Tensor]:
    out = way(x, weight)
    slope = torch.randn(out.shape, generator=torch.Generator().manual_seed(1)).to(out.dtype)
    return [out.detach(), *torch.autograd.grad(out, (x, weight), slope)]


@EVERY
@pytest.mark.parametrize("layout", [LAST, torch.contiguous_format], ids=["last", "first"])
def test_result_and_gradients_are_those_of_torch(
    shape: tuple[int, ...], layout: torch.memory_format, code: None
) -> None:
    x, weight = given(shape, layout)
    assert applies(x, weight)
    exact = [t.detach().double().requires_grad_() for t in (x, weight)]
    found, wanted = done(convolve, x, weight), done(plain, *exact)
    for ours, theirs in zip(found, wanted, strict=True):
        # The transforms multiply by up to 8 x 8 and add up again: a digit of seven is lost.
        error = (ours.double() - theirs).abs().max() / theirs.abs().max()
        assert error < 5e-5, error
    assert found[2].stride() == weight.stride()


@pytest.mark.parametrize("threads", [2, 3, 5])
@EVERY
def test_threads_change_no_bit(
    shape: tuple[int, ...], threads: int, code: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = []
    for number in (1, threads):
        monkeypatch.setattr(torch, "get_num_threads", lambda number=number: number)
        results.append(done(convolve, *given(shape)))
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_gradients_that_nobody_wants_are_not_computed(
    code: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[bool, ...]] = []
    real = compiled_winograd._both

    def noted(slope: Tensor, x: Tensor, weight: Tensor, *wanted: bool) -> object:
        asked.append(wanted)
        return real(slope, x, weight, *wanted)

    monkeypatch.setattr(compiled_winograd, "_both", noted)
    x, weight = given(SHAPES[0])
    convolve(x.detach(), weight).sum().backward()
    convolve(x, weight.detach()).sum().backward()
    assert asked == [(False, True), (True, False)]


def test_second_derivatives_are_those_of_torch(code: None) -> None:
    results = []
    for way in (convolve, plain):
        x, weight = given((4, 32, 16, 16, 32))
        first = torch.autograd.grad(way(x, weight).square().sum(), (x, weight), create_graph=True)
        results.append(torch.autograd.grad(sum(g.square().sum() for g in first), (x, weight)))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * theirs.abs().max().item())


def test_infinities_and_nan_are_seen(code: None) -> None:
    x, weight = (t.detach() for t in given(SHAPES[0]))
    for strange in (torch.nan, torch.inf):
        x[3, 5, 2, 2] = strange
        out = convolve(x, weight)
        assert not out[3].isfinite().all()
        assert out[[0, 1, 2, 4]].isfinite().all()


def test_other_arguments_go_to_torch(code: None, monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight = (t.detach() for t in given((64, 32, 8, 8, 32)))
    assert applies(x, weight)
    assert not applies(x.contiguous(), weight)
    assert not applies(x.double(), weight.double())
    assert not applies(x, weight[:20])
    assert not applies(x[:3], weight), "few places"
    assert not applies(x[..., :5, :5].contiguous(memory_format=LAST), weight), "much waste"
    monkeypatch.setenv("GRADATIM_FUSED", "0")
    assert not applies(x, weight)
    assert torch.equal(convolve(x, weight), F.conv2d(x, weight, padding=1))


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """The inputs of every layer that went the short way."""
    seen: list[Tensor] = []

    def spy(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        seen.append(x)
        return convolve(x, weight, bias)

    monkeypatch.setattr(convolution, "convolve", spy)
    return seen


@pytest.mark.parametrize(
    "changes",
    [
        {"stride": 2},
        {"padding": 0},
        {"dilation": 2},
        {"groups": 2},
        {"kernel_size": 5},
        {"padding_mode": "reflect"},
    ],
    ids=str,
)
def test_other_layers_are_torchs(changes: dict[str, object], passes: list[Tensor]) -> None:
    settings = {"kernel_size": 3, "padding": 1, "bias": False} | changes
    layer = Conv2d(4, 4, **settings)
    x = torch.randn(2, 4, 9, 9)
    assert torch.equal(layer(x), torch.nn.Conv2d.forward(layer, x))
    assert not passes


@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_in_training_goes_the_short_way_and_answers_as_torch(
    bias: bool, passes: list[Tensor]
) -> None:
    layer = Conv2d(32, 32, 3, padding=1, bias=bias)
    x = torch.randn(16, 32, 8, 8).contiguous(memory_format=LAST)
    right = F.conv2d(x, layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(x), right, rtol=1e-4, atol=1e-4)
    assert len(passes) == 1
    assert torch.equal(layer.eval()(x), right)
    assert len(passes) == 1


def test_without_a_compiler_torch_computes(
    forgetful: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise library.Unavailable("there is no C compiler")

    monkeypatch.setattr(compiled_winograd.CODE, "compiled", missing)
    x, weight = given(SHAPES[0])
    assert compiled_winograd.obstacle() == "there is no C compiler"
    assert torch.equal(convolve(x, weight), plain(x, weight))


@pytest.mark.parametrize("line", ["to[t] = even + odd", "near + far / 6", "less + 2 * apart"])
def test_wrong_code_is_not_used(
    line: str, code: None, forgetful: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    right = compiled_winograd.SOURCE.read_text("utf-8")
    wrong = tmp_path / "wrong.c"
    wrong.write_text(right.replace(line, f"{line} + d[0]"), "utf-8")
    assert wrong.read_text("utf-8") != right
    monkeypatch.setattr(compiled_winograd.CODE, "source", wrong)
    assert "does not compute what torch does" in str(compiled_winograd.obstacle())

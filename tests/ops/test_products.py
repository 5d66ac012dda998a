"""Products by oneDNN are those of torch, with gradients of every order."""

import os
import subprocess
import sys

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gradatim.layers.linear import Linear
from gradatim.ops import products

SHAPES = [(64, 300, 130), (700, 48, 64), (3, 5, 4)]


def given(rows: int, before: int, after: int) -> tuple[Tensor, Tensor, Tensor]:
    chance = torch.Generator().manual_seed(0)
    shapes = ((rows, before), (after, before), (after,))
    x, weight, bias = (torch.randn(*s, generator=chance).requires_grad_() for s in shapes)
    return x, weight, bias


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Take oneDNN for every size on every processor, and note what it multiplied."""
    if not torch.backends.mkldnn.is_available():
        pytest.skip("torch was built without oneDNN")
    seen: list[tuple[int, ...]] = []
    real = products._by_onednn

    def noted(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        seen.append((*x.shape, len(weight)))
        return real(x, weight, bias)

    monkeypatch.setattr(products, "elsewhere", lambda: True)
    monkeypatch.setattr(products, "WORTH_A_CALL", 0)
    monkeypatch.setattr(products, "_by_onednn", noted)
    monkeypatch.delenv("GRADATIM_FUSED", raising=False)
    return seen


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bias", [True, False])
def test_value_and_gradients_are_those_of_torch(
    shape: tuple[int, int, int], bias: bool, used: list[tuple[int, ...]]
) -> None:
    x, weight, shift = given(*shape)
    tensors = (x, weight, shift) if bias else (x, weight)
    ours, theirs = products.linear(*tensors), F.linear(*tensors)
    slope = torch.randn_like(theirs)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-4)
    pairs = zip(
        torch.autograd.grad(ours, tensors, slope),
        torch.autograd.grad(theirs, tensors, slope),
        strict=True,
    )
    for mine, right in pairs:
        torch.testing.assert_close(mine, right, rtol=1e-5, atol=1e-3)  # sums of 700 numbers
    assert len(used) == 3, "forward and two gradients"


def test_rows_may_have_more_dimensions_and_any_order_in_memory(
    used: list[tuple[int, ...]],
) -> None:
    x, weight, bias = given(60, 40, 50)
    turned = x.detach().view(5, 12, 40).transpose(0, 1).requires_grad_()
    ours = products.linear(turned, weight, bias)
    theirs = F.linear(turned, weight, bias)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-4)
    slope = torch.randn_like(theirs)
    for mine, right in zip(
        torch.autograd.grad(ours, (turned, weight), slope),
        torch.autograd.grad(theirs, (turned, weight), slope),
        strict=True,
    ):
        torch.testing.assert_close(mine, right, rtol=1e-5, atol=1e-3)
    assert used


def test_second_derivatives(used: list[tuple[int, ...]]) -> None:
    x, weight, bias = given(4, 3, 2)

    def curvature(way: object) -> Tensor:
        value = way(x, weight, bias).pow(3).sum()  # type: ignore[operator]
        (slope,) = torch.autograd.grad(value, weight, create_graph=True)
        return torch.autograd.grad(slope.square().sum(), x)[0]

    torch.testing.assert_close(
        curvature(products.linear), curvature(F.linear), rtol=1e-4, atol=1e-3
    )
    assert used


@pytest.mark.parametrize("shape", SHAPES)
def test_product_of_matrices(shape: tuple[int, int, int], used: list[tuple[int, ...]]) -> None:
    x, weight, _ = given(*shape)
    right = (x @ weight.T).detach()
    torch.testing.assert_close(products.product(x, weight.T), right, rtol=1e-5, atol=1e-4)
    assert len(used) == 1


def test_torch_does_what_is_small_or_not_usual(
    used: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    x, weight, bias = given(64, 300, 130)
    products.linear(x.double(), weight.double(), bias.double())
    products.linear(x[0], weight, bias)
    torch.func.vmap(lambda row: products.linear(row[None], weight, bias))(x)
    monkeypatch.setenv("GRADATIM_FUSED", "0")
    products.linear(x, weight, bias)
    monkeypatch.delenv("GRADATIM_FUSED")
    monkeypatch.setattr(products, "WORTH_A_CALL", x.numel() * len(weight) + 1)
    products.linear(x, weight, bias)
    assert not used


def test_other_processors_leave_it_to_torch(
    used: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "elsewhere", lambda: False)
    x, weight, bias = given(64, 300, 130)
    assert torch.equal(products.linear(x, weight, bias), F.linear(x, weight, bias))
    assert torch.equal(products.product(x, weight.T), (x @ weight.T).detach())
    assert not used


def test_the_layer_is_that_of_torch(used: list[tuple[int, ...]]) -> None:
    torch.manual_seed(0)
    layer, rows = Linear(300, 130), torch.randn(64, 300)
    torch.testing.assert_close(
        layer(rows), F.linear(rows, layer.weight, layer.bias), rtol=1e-5, atol=1e-4
    )
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    assert used


def test_columns_of_a_larger_matrix_do_not_go_through_a_plain_loop() -> None:
    """oneDNN tells what it runs: `ref` is its plain loop, which took a thousand times as long."""
    code = (
        "import torch; from gradatim.ops import products\n"
        "products.elsewhere = lambda: True\n"
        "wide = torch.ones(300, 600)\n"
        "products.product(wide[:, :200].T, wide[:, 200:])\n"
        "products.linear(torch.ones(200, 300), wide[::2, :300])\n"
        "products.linear(torch.ones(200, 300), wide[:, ::2])\n"
    )
    kept = {k: v for k, v in os.environ.items() if k != "GRADATIM_FUSED"}
    said = subprocess.run(
        [sys.executable, "-c", code],
        env=kept | {"ONEDNN_VERBOSE": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    runs = [line for line in said.splitlines() if ",inner_product," in line]
    if not runs:
        pytest.skip("torch was built without oneDNN")
    assert len(runs) == 3
    assert not [line for line in runs if ",ref" in line]

"""A stack by machine code against autograd, and against its members one by one."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from gradatim.layers import stack as module
from gradatim.layers.chain import Link, links
from gradatim.layers.stack import Block, Stack
from gradatim.ops.compiled import dense as compiled_dense


@pytest.fixture
def code() -> None:
    """Skip where there is no machine code."""
    reason = compiled_dense.obstacle()
    if reason:
        pytest.skip(f"no machine code: {reason}")


def network(widths=(13, 40, 33, 3), drop: float = 0.0) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(drop)]
    return nn.Sequential(*layers[:-2])


def stacks(monkeypatch, members: int = 3, **settings) -> tuple[Stack, Stack]:
    """Two stacks of equal numbers: by machine code, and by autograd."""
    made = []
    for switch in ("1", "0"):
        torch.manual_seed(0)
        monkeypatch.setenv("GRADATIM_FUSED", switch)
        made.append(Stack([network(**settings) for _ in range(members)]))
    monkeypatch.delenv("GRADATIM_FUSED")
    return made[0], made[1]


def asked(stack: Stack, inputs: Tensor, masks, slope: Tensor) -> list[Tensor]:
    """Answers, norms, and a copy of all gradients."""
    answers = stack.answers(inputs, masks).clone()
    norms = stack.differentiate(slope)
    return [answers, norms, *(block.slopes.clone() for block in stack.blocks)]


def test_machine_code_and_autograd_agree(code, monkeypatch):
    fast, plain = stacks(monkeypatch)
    assert fast.chain
    assert plain.chain is None
    for rows in (17, 17, 5, 1):  # other batches, other numbers of rows
        inputs, slope = torch.randn(3, rows, 13), torch.randn(3, rows, 3)
        pairs = zip(*(asked(s, inputs, [None, None], slope) for s in (fast, plain)), strict=True)
        for a, b in pairs:
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shared", [True, False])
def test_dropout_of_all_or_of_each(code, monkeypatch, shared):
    fast, plain = stacks(monkeypatch, drop=0.5)
    assert fast.chain
    assert fast.dropouts() == [(0.5, 40), (0.5, 33)]
    first = () if shared else (3,)
    for _ in range(3):
        masks = [2 * torch.randint(2, (*first, 9, width)).float() for width in (40, 33)]
        inputs, slope = torch.randn(3, 9, 13), torch.randn(3, 9, 3)
        pairs = zip(*(asked(s, inputs, masks, slope) for s in (fast, plain)), strict=True)
        for a, b in pairs:
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("switch", ["1", "0"], ids=["machine code", "autograd"])
def test_members_are_views_with_the_answers_and_gradients_of_their_own(monkeypatch, switch):
    monkeypatch.setenv("GRADATIM_FUSED", switch)
    networks = [network() for _ in range(4)]
    stack = Stack(networks)
    inputs, slope = torch.randn(4, 8, 13), torch.randn(4, 8, 3)
    found, norms, *_ = asked(stack, inputs, [None, None], slope)
    for member, own in enumerate(networks):
        out = own.eval()(inputs[member])
        torch.testing.assert_close(found[member], out)
        out.backward(slope[member])
        gradients = {name: p.grad for name, p in own.named_parameters()}
        for name, gradient in gradients.items():
            torch.testing.assert_close(stack.slopes[name][member], gradient, rtol=1e-5, atol=1e-5)
        norm = torch.stack([g.norm() for g in gradients.values() if g is not None]).norm()
        torch.testing.assert_close(norms[member], norm)
    with torch.no_grad():
        for block in stack.blocks:
            block.values.fill_(2)
    assert all((p == 2).all() for own in networks for p in own.parameters())


def test_matrices_lie_apart_from_vectors():
    stack = Stack([network(), network()])
    deep, flat = stack.blocks
    assert (deep.deep, flat.deep) == (True, False)
    assert deep.values.shape == (2, 13 * 40 + 40 * 33 + 33 * 3)
    assert flat.values.shape == (2, 40 + 33 + 3)
    line = Block([network()], ["0.weight"]).line({"0.weight": torch.arange(6.0).view(2, 3)})
    assert line.tolist() == [0, 1, 2, 3, 4, 5]


def test_nan_of_one_member_is_its_own(code):
    stack = Stack([network(), network()])
    inputs = torch.randn(2, 6, 13)
    inputs[1, 2, 3] = torch.nan
    answers, norms, *_ = asked(stack, inputs, [None, None], torch.ones(2, 6, 3))
    assert answers[0].isfinite().all()
    assert answers[1, 2].isnan().all()
    assert norms[0].isfinite()
    assert norms[1].isnan()


def test_what_is_a_chain():
    def found(*layers: nn.Module) -> list[Link]:
        return links(list(enumerate(layers)))

    linear, relu, drop = nn.Linear(2, 2), nn.ReLU(), nn.Dropout(0.5)
    assert found(linear, relu, drop, linear) == [Link(0, True, True), Link(3)]
    assert found(linear, nn.Identity(), relu) == [Link(0, True)]
    for layers in ((drop, linear), (linear, drop, relu), (linear, nn.Tanh()), (linear, relu, relu)):
        assert found(*layers) == []


def test_other_chains_multiply_by_machine_code_too(code, monkeypatch):
    """A bend that the chain has not: autograd around dense layers of all members."""
    monkeypatch.setattr(module.dense, "WORTH_A_CALL", 0)
    calls: list[int] = []
    taken = module.dense.dense
    monkeypatch.setattr(module.dense, "dense", lambda *given: calls.append(1) or taken(*given))
    networks = [nn.Sequential(nn.Linear(9, 20), nn.Tanh(), nn.Linear(20, 2)) for _ in range(3)]
    stack = Stack(networks)
    assert stack.chain is None
    inputs, slope = torch.randn(3, 7, 9), torch.randn(3, 7, 2)
    found, norms, *_ = asked(stack, inputs, [], slope)
    assert len(calls) == 2
    for member, own in enumerate(networks):
        out = own(inputs[member])
        torch.testing.assert_close(found[member], out)
        out.backward(slope[member])
        norm = torch.stack([p.grad.norm() for p in own.parameters()]).norm()
        torch.testing.assert_close(norms[member], norm)

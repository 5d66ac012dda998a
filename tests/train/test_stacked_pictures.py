"""Networks with fused convolutions as one model: what each fold would have given alone."""

from dataclasses import asdict

import pytest
import torch
from torch import nn

from gradatim.core.recipe import Recipe
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Image, Signature
from gradatim.layers.fused import FusedSequential
from gradatim.layers.picture_chain import PictureChain
from gradatim.layers.stack import Stack, stackable
from gradatim.models import RUNGS
from gradatim.ops.compiled import fused_convolution as compiled_fused_convolution
from gradatim.tasks import TASKS
from gradatim.train.fitting import Fitting
from gradatim.train.stacked import Stacked, alike

GREY = Signature(
    input=Image(channels=1, height=32, width=32), output=Category(names=("no", "yes", "perhaps"))
)


@pytest.fixture(autouse=True)
def code() -> None:
    """Skip where there is no machine code."""
    reason = compiled_fused_convolution.obstacle()
    if reason:
        pytest.skip(f"no machine code: {reason}")


def fitting(fold: int, **recipe) -> Fitting:
    chance = torch.Generator().manual_seed(fold)
    x = torch.randint(256, (90, 1, 32, 32), generator=chance, dtype=torch.uint8)
    # A bright corner, upper left, lower right or none: there is something to learn.
    t = torch.randint(3, (90,), generator=chance)
    x[t == 1, :, :9, :9] |= 192
    x[t == 2, :, 23:, 23:] |= 192
    # sgd, for Adam turns gradients that are rounding into steps as long as others.
    optimizer = {"name": "momentum", "lr": 0.05, "weight_decay": 0}
    plan = {"epochs": 3, "batch": 16, "optimizer": optimizer, **recipe}
    rung = RUNGS["lenet5"].parse({"width": 0.6})
    return Fitting(rung, TASKS["classify"], Samples(x, t), GREY, Recipe.parse(plan))


def timeless(record) -> dict:
    return {k: v for k, v in asdict(record).items() if k not in ("seconds", "values")}


@pytest.mark.parametrize(
    "plan",
    [{}, {"augmentation": {"shift": 2}}, {"clip": 0.5, "l2": 0.01}, {"validation": 0}],
    ids=["plain", "shifted", "clipped", "nothing held out"],
)
def test_folds_stacked_are_folds_alone(plan):
    plan = {"augmentation": {}, **plan}
    alone, stacked = ([fitting(s, **plan) for s in range(3)] for _ in range(2))
    expected = [list(fit) for fit in alone]
    assert alike(stacked)
    said: list[list] = [[], [], []]
    for place, record in Stacked(stacked):
        said[place].append(record)
    for wanted, got, one, other in zip(expected, said, alone, stacked, strict=True):
        assert [timeless(r) for r in got] == [timeless(r) for r in wanted]
        for a, b in zip(got, wanted, strict=True):
            assert a.values == pytest.approx(b.values, rel=2e-3, abs=1e-4)
        state, begun = one.model.state_dict(), fitting(0, **plan).model.network.state_dict()
        moved = {name: (state[f"network.{name}"] - t).abs().max() for name, t in begun.items()}
        assert min(moved.values()) > 5 * 2e-4, f"or equality would mean little: {moved}"
        for name, tensor in other.model.state_dict().items():
            torch.testing.assert_close(tensor, state[name], rtol=2e-3, atol=2e-4)
            assert tensor.is_contiguous()


def test_gradients_are_autograds():
    """One step of three members, on batches of two sizes."""
    torch.manual_seed(0)
    networks = [RUNGS["lenet5"].parse({}).build(GREY, {}).network for _ in range(3)]
    slope = torch.randn(3, 9, 3)
    stack = Stack(networks)
    assert isinstance(stack.chain, PictureChain)
    for rows in (5, 9):
        x = torch.randn(3, rows, 1, 32, 32)
        right = [network(part) for network, part in zip(networks, x, strict=True)]
        torch.testing.assert_close(stack.answers(x, []), torch.stack(right))
        norms = stack.differentiate(slope[:, :rows])
        for member, network in enumerate(networks):
            names, parameters = zip(*network.named_parameters(), strict=True)
            wanted = torch.autograd.grad(right[member], parameters, slope[member, :rows])
            for name, gradient in zip(names, wanted, strict=True):
                found = stack.slopes[name][member]
                torch.testing.assert_close(found, gradient, rtol=1e-4, atol=1e-4)
            length = torch.cat([gradient.flatten() for gradient in wanted]).norm()
            torch.testing.assert_close(norms[member].float(), length, rtol=1e-5, atol=0)


def test_a_member_that_breaks_leaves_and_names_its_rows():
    plan = {"augmentation": {}}
    fits = [fitting(s, **plan) for s in range(3)]
    fits[1].draw.samples.inputs[7, 0, 3, 3] = torch.nan
    stacked = Stacked(fits)
    assert {place for place, _ in stacked} == {0, 2}
    row = int(fits[1].draw.samples.numbers[7])
    assert f"Rows {row}" in str(stacked.failed[1])
    alone = fitting(2, **plan)
    list(alone)
    for name, tensor in fits[2].model.state_dict().items():
        torch.testing.assert_close(tensor, alone.model.state_dict()[name], rtol=2e-3, atol=2e-4)
    assert all(torch.isfinite(p).all() for p in fits[1].model.network.parameters())


@pytest.mark.parametrize("cut", [3, 8])
def test_a_stack_cut_off_ends_with_the_same_bits(cut):
    whole = [fitting(s) for s in range(2)]
    list(Stacked(whole))
    begun = Stacked([fitting(s) for s in range(2)])
    steps = begun.run(0.0)
    for _ in range(cut):
        next(steps)
    state = begun.state_dict()
    going_on = [fitting(s) for s in range(2)]
    rest = Stacked(going_on)
    rest.load_state_dict(state)
    list(rest)
    for a, b in zip(whole, going_on, strict=True):
        own = b.model.state_dict()
        for name, tensor in a.model.state_dict().items():
            assert torch.equal(tensor, own[name]), name


def chain(*layers: nn.Module) -> nn.Module:
    return FusedSequential(*layers)


def first(**changes) -> list[nn.Module]:
    return [nn.Conv2d(1, 4, 3, **changes), nn.ReLU(), nn.MaxPool2d(2)]


def test_what_is_stacked_and_what_is_not(monkeypatch):
    last = nn.Linear(36, 2)
    assert stackable(chain(*first(), nn.Flatten(), last))
    assert stackable(chain(*first(padding=1), nn.Flatten(), last, nn.ReLU(), nn.Linear(2, 2)))
    for refused in (
        chain(*first(), last),
        chain(*first()),
        chain(*first(stride=2), nn.Flatten(), last),
        chain(*first(bias=False), nn.Flatten(), last),
        chain(*first(), nn.Flatten(), nn.Linear(36, 2, bias=False)),
        chain(*first(), nn.Flatten(), nn.BatchNorm1d(36), last),
        chain(nn.Conv2d(1, 4, 7), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), last),
        chain(nn.Conv2d(65, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), last),
        chain(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten(), last),
        chain(*first(), nn.Flatten(), last).double(),
    ):
        assert not stackable(refused)
    monkeypatch.setenv("GRADATIM_FUSED", "0")
    assert not stackable(chain(*first(), nn.Flatten(), last))

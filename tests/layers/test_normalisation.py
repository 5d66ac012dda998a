"""Normalisation layers by name, against the written-out formulas."""

import pytest
import torch
from torch import nn

from gradatim.core.errors import ConfigError
from gradatim.layers.normalisation import (
    NORMALISATIONS,
    ROW_NORMALISATIONS,
    normalisation,
    normalised,
    row_normalisation,
)
from gradatim.ops.normalisation import batch_normalise, instance_normalise, layer_normalise

FORMULAS = {
    "batch": batch_normalise,
    "instance": instance_normalise,
    "layer": layer_normalise,
}


def maps(*shape: int, seed: int = 0) -> torch.Tensor:
    return 3 + 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", FORMULAS)
def test_course_000_names_are_equations_57_to_62(name):
    layer, x = normalisation(name, 4), maps(3, 4, 5, 5)
    with torch.no_grad():
        layer.weight.copy_(maps(4, seed=1))
        layer.bias.copy_(maps(4, seed=2))
    torch.testing.assert_close(layer(x), FORMULAS[name](x, layer.weight, layer.bias))


def test_none_changes_nothing_and_learns_nothing():
    x = maps(2, 4, 3, 3)
    assert normalisation("none", 4)(x) is x
    assert not list(row_normalisation("none", 4).parameters())


@pytest.mark.parametrize("name", ["batch", "layer"])
def test_rows_are_maps_of_one_place(name):
    x = maps(6, 4)
    ours = row_normalisation(name, 4)(x)
    one = FORMULAS[name](x[:, :, None, None], torch.ones(4), torch.zeros(4))
    torch.testing.assert_close(ours, one[:, :, 0, 0])


def test_rows_refuse_instance_because_it_leaves_zeros():
    with pytest.raises(ConfigError, match="into 0") as refusal:
        row_normalisation("instance", 4)
    assert len(str(refusal.value).splitlines()) <= 3
    zeros = instance_normalise(maps(6, 4, 1, 1), torch.ones(4), torch.zeros(4))
    assert (zeros == 0).all()


@pytest.mark.parametrize("make", [normalisation, row_normalisation])
def test_unknown_names_are_refused(make):
    with pytest.raises(ConfigError, match='did you mean "batch"'):
        make("bach", 4)


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_slopes_of_maps(name, smooth):
    smooth(normalisation(name, 2), maps(2, 2, 2, 2).double())


@pytest.mark.parametrize("name", ROW_NORMALISATIONS)
def test_slopes_of_rows(name, smooth):
    layer = row_normalisation(name, 3)
    assert isinstance(layer, nn.Module)
    smooth(layer, maps(4, 3).double())


@pytest.mark.parametrize("name", NORMALISATIONS)
@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("added", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_one_pass_is_the_layers_in_turn(name, relu, added, training):
    ours, theirs = normalisation(name, 4), normalisation(name, 4)
    x = maps(3, 4, 5, 5).contiguous(memory_format=torch.channels_last)
    other = maps(3, 4, 5, 5, seed=3) - 3 if added else None
    found = normalised(ours.train(training), x, added=other, relu=relu)
    right = theirs.train(training)(x)
    right = right if other is None else right + other
    torch.testing.assert_close(found, right.relu() if relu else right, rtol=1e-5, atol=1e-5)
    for buffer, its in zip(ours.buffers(), theirs.buffers(), strict=True):
        torch.testing.assert_close(buffer, its)


@pytest.mark.parametrize(
    "changes",
    [{}, {"momentum": None}, {"affine": False}, {"track_running_stats": False}],
    ids=str,
)
def test_batch_norms_of_every_kind_are_torchs(changes):
    ours, theirs = nn.BatchNorm2d(4, **changes), nn.BatchNorm2d(4, **changes)
    x = maps(3, 4, 5, 5).contiguous(memory_format=torch.channels_last)
    for _ in range(2):
        torch.testing.assert_close(normalised(ours, x), theirs(x), rtol=1e-5, atol=1e-5)
    assert all(torch.allclose(a, b) for a, b in zip(ours.buffers(), theirs.buffers(), strict=True))


def test_a_listener_hears_the_layer():
    layer, heard = nn.BatchNorm2d(4), []
    layer.register_forward_hook(lambda module, given, answer: heard.append(answer))
    normalised(layer, maps(3, 4, 5, 5), relu=True)
    assert (heard[0] < 0).any()

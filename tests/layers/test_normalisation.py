"""Normalisation layers by name, against the written-out formulas."""

import pytest
import torch
from torch import nn

from gradatim.core.errors import ConfigError
from gradatim.layers.normalisation import (
    NORMALISATIONS,
    ROW_NORMALISATIONS,
    normalisation,
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

"""Patches: the strided convolution is a cut and a linear layer."""

import pytest
import torch
from torch.nn import functional as F

from gradatim.core.errors import ConfigError
from gradatim.layers.patches import PatchEmbedding


def pictures(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_equals_unfold_and_linear():
    layer, x = PatchEmbedding(3, 4, 10).double(), pictures(2, 3, 8, 12)
    patches = F.unfold(x, 4, stride=4).mT
    weight = layer.projection.weight.flatten(1)
    torch.testing.assert_close(layer(x), F.linear(patches, weight, layer.projection.bias))


def test_tokens_come_row_by_row_and_see_their_patch_alone():
    layer, x = PatchEmbedding(1, 2, 5).double(), pictures(1, 1, 4, 6)
    before = layer(x)
    x[0, 0, 2, 1] += 1  # second row of patches, first column
    changed = (layer(x) - before).abs().sum(2)[0] > 0
    assert changed.tolist() == [False, False, False, True, False, False]


def test_refuses_pictures_that_patches_do_not_fill():
    with pytest.raises(ConfigError, match="do not fill pictures of 8 x 9"):
        PatchEmbedding(1, 4, 5)(torch.zeros(1, 1, 8, 9))


def test_slopes_and_their_slopes(smooth):
    smooth(PatchEmbedding(2, 2, 3), pictures(1, 2, 4, 2))

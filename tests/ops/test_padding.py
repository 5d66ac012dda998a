"""What lies beyond the border."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from gradatim.core.errors import ConfigError
from gradatim.ops.padding import each_axis, pad, same_padding

NUMPY = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("strategy", NUMPY)
@pytest.mark.parametrize(("shape", "amounts"), [((7,), (3,)), ((5, 6), (2, 3))])
def test_equals_numpy(strategy, shape, amounts):
    x = torch.rand(2, 3, *shape, generator=seeded())
    around = [(0, 0), (0, 0), *[(a, a) for a in amounts]]
    theirs = np.pad(x.numpy(), around, mode=NUMPY[strategy])
    np.testing.assert_array_equal(pad(x, amounts, strategy).numpy(), theirs)


@pytest.mark.parametrize("shape", [(6,), (5, 4)])
def test_random_keeps_the_inside_and_shows_colours_of_the_same_picture(shape):
    x = torch.arange(2 * 3 * int(np.prod(shape))).float().view(2, 3, *shape)
    padded = pad(x, 2, "random", seeded())
    inside = padded[(..., *[slice(2, -2)] * len(shape))]
    torch.testing.assert_close(inside, x, rtol=0, atol=0)
    for picture, wide in zip(x, padded, strict=True):
        known = {tuple(c) for c in picture.flatten(1).T.tolist()}  # channels stay together
        assert {tuple(c) for c in wide.flatten(1).T.tolist()} == known


def test_random_is_a_function_of_the_seed():
    x = torch.rand(2, 1, 8, 8, generator=seeded())
    first, again, other = (pad(x, 2, "random", seeded(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_random_draws_every_place_equally_often():
    x = torch.arange(4.0).view(1, 1, 4)
    border = pad(x, 10_000, "random", seeded())[0, 0, :10_000]
    shares = torch.bincount(border.long(), minlength=4) / 10_000
    # Four standard deviations of a share of 1/4 in 10,000 draws.
    torch.testing.assert_close(shares, torch.full((4,), 0.25), atol=0.0174, rtol=0)


def test_random_slopes_and_their_slopes():
    x = torch.rand(2, 2, 3, 3, generator=seeded(), dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda y: pad(y, 1, "random", seeded(3)) ** 2, x)
    assert gradgradcheck(lambda y: pad(y, 1, "random", seeded(3)) ** 2, x)


def test_refusals_say_what_to_do():
    x = torch.zeros(1, 1, 4)
    with pytest.raises(ConfigError, match='did you mean "reflect"'):
        pad(x, 1, "reflct")
    with pytest.raises(ConfigError, match="Generator"):
        pad(x, 1, "random")
    with pytest.raises(ConfigError, match="expected 0 to 3"):
        pad(x, 4, "reflect")
    with pytest.raises(ConfigError, match="expected 0 to 4"):
        pad(x, 5, "circular")
    with pytest.raises(ConfigError, match="expected 0 or more"):
        pad(x, -1)
    with pytest.raises(ConfigError, match="one an axis"):
        each_axis([1, 2, 3], 2)


def test_course_001_same_padding_keeps_the_size_for_odd_kernels():
    x = torch.rand(1, 1, 11, 11, generator=seeded())
    for kernel in (1, 3, 5, 7):
        assert same_padding(kernel) == (kernel - 1) // 2
        for dilation in (1, 2):
            p = same_padding(kernel, dilation)
            u = torch.ones(1, 1, kernel, kernel)
            assert torch.conv2d(x, u, None, 1, p, dilation).shape == x.shape


def test_course_001_same_padding_refuses_even_kernels():
    with pytest.raises(ConfigError, match="odd window"):
        same_padding(4)
    assert same_padding(4, dilation=2) == 3  # three gaps of two: even again

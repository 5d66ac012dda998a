"""The receptive field, against where a gradient arrives."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from gradatim.ops.receptive_field import Window, receptive_field

windows = st.builds(Window, st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))


@given(st.lists(windows, max_size=3))
def test_general_formula_counts_the_places_that_one_output_can_see(layers):
    """Dilation leaves holes, so the distance of the outermost places is what counts."""
    x = torch.ones(1, 1, 400, requires_grad=True)
    y = x
    for layer in layers:
        y = F.conv1d(y, torch.ones(1, 1, layer.kernel), None, layer.stride, 0, layer.dilation)
    y[0, 0, 0].backward()
    touched = x.grad[0, 0].nonzero()
    assert int(touched.max() - touched.min()) + 1 == receptive_field(layers)


@given(st.integers(0, 20), st.integers(1, 9))
def test_course_001_special_case_1_plus_l_times_k_minus_1(L, K):
    assert receptive_field([Window(K)] * L) == 1 + L * (K - 1)


def test_course_001_special_case_fails_with_strides():
    assert receptive_field([Window(3, stride=2)] * 3) == 15 != 1 + 3 * (3 - 1)


def test_vgg16_sees_212_places_before_its_linear_layers():
    """Published by Araujo et al. 2019: VGG-16 has a receptive field of 212."""
    stages = (2, 2, 3, 3, 3)
    layers = [w for n in stages for w in [*[Window(3)] * n, Window(2, 2)]]
    assert receptive_field(layers) == 212

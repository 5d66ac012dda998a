"""Codes of pixels, and scores that are looked up by them."""

import torch

from gradatim.layers.segmentation.pixel_tables import (
    ColoursAndPlaces,
    ConstantMap,
    GreyLevels,
    PixelTable,
)


def test_grey_levels_are_their_own_codes_and_colours_count_by_their_luma():
    grey = torch.arange(256.0).view(1, 1, 16, 16)
    assert GreyLevels()(grey).flatten().tolist() == list(range(256))
    colours = torch.tensor([[255.0, 0, 0], [0, 255.0, 0], [0, 0, 255.0], [255.0, 255.0, 255.0]])
    assert GreyLevels()(colours.T[None, :, None])[0, 0].tolist() == [76, 150, 29, 255]


def test_codes_tell_cell_and_colour_and_each_occurs():
    """Four cells and two shades a channel: a picture of all colours in every cell has all codes."""
    coder = ColoursAndPlaces(3, grid=2, shades=2)
    colours = torch.cartesian_prod(*[torch.tensor([0.0, 255.0])] * 3).T.view(3, 2, 4)
    codes = coder(colours.repeat(1, 2, 2)[None])[0]
    assert sorted(codes.flatten().tolist()) == list(range(coder.codes))
    assert codes[0, 0] // 8 == 0
    assert codes[0, 7] // 8 == 1
    assert codes[3, 0] // 8 == 2


def test_cells_follow_the_size_of_the_picture():
    coder = ColoursAndPlaces(1, grid=2, shades=1)
    assert coder(torch.zeros(1, 1, 1, 3))[0].tolist() == [[0, 0, 1]]
    assert coder(torch.zeros(1, 1, 4, 1))[0, :, 0].tolist() == [0, 0, 2, 2]


def test_scores_lie_where_the_codes_say():
    table = PixelTable(GreyLevels(), 2)
    table.scores[7] = torch.tensor([1.0, 2.0], dtype=torch.float64)
    said = table(torch.tensor([[[[7.0, 8.0]]]]))
    assert said.tolist() == [[[[1.0, 0.0]], [[2.0, 0.0]]]]
    constant = ConstantMap(3)
    constant.scores.copy_(torch.tensor([1.0, 2.0, 3.0]))
    assert constant(torch.zeros(2, 1, 4, 5))[1, :, 3, 4].tolist() == [1, 2, 3]

"""SpecAugment and bent voices."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.core.errors import ConfigError
from gradatim.core.recipe import Augmentation
from gradatim.core.samples import Samples
from gradatim.data.augment import augment, check_fits
from gradatim.data.augmentation.spectral import bent, blanked_run, drawn_runs


def spectra(rows: int = 3) -> torch.Tensor:
    chance = torch.Generator().manual_seed(0)
    return torch.randn((rows, 1, 8, 10), generator=chance)


@pytest.mark.parametrize("axis", [2, 3])
def test_a_run_is_blanked_and_nothing_else(axis):
    planes = spectra()
    begin, length = torch.tensor([0, 3, 5]), torch.tensor([2, 0, 3])
    changed = blanked_run(planes, begin, length, axis).movedim(axis, 0)
    whole = planes.movedim(axis, 0)
    for row in range(3):
        inside = range(int(begin[row]), int(begin[row] + length[row]))
        for place in range(whole.shape[0]):
            expected = 0 * whole[place, row] if place in inside else whole[place, row]
            assert torch.equal(changed[place, row], expected)


@given(st.integers(1, 50), st.floats(0, 0.99), st.integers(0, 5))
def test_runs_lie_inside_and_are_no_longer_than_asked(places, share, seed):
    begin, length = drawn_runs(40, places, share, torch.Generator().manual_seed(seed))
    assert (begin >= 0).all()
    assert (begin + length <= places).all()
    assert (length <= share * places).all()


def test_every_length_and_every_begin_are_drawn():
    begin, length = drawn_runs(4000, 10, 0.5, torch.Generator().manual_seed(0))
    assert set(length.tolist()) == {0, 1, 2, 3, 4, 5}
    for run in range(1, 6):
        assert set(begin[length == run].tolist()) == set(range(10 - run + 1))


def test_a_factor_of_one_changes_nothing():
    planes = spectra()
    torch.testing.assert_close(bent(planes, torch.ones(3)), planes)


def test_band_b_comes_to_factor_times_b():
    ramp = torch.arange(8.0)[None, None, :, None].expand(3, 1, 8, 10)
    changed = bent(ramp, torch.tensor([0.5, 1.0, 2.0]))
    torch.testing.assert_close(changed[0, 0, :, 0], torch.tensor([0.0, 2, 4, 6, 7, 7, 7, 7]))
    torch.testing.assert_close(changed[1, 0, :, 0], torch.arange(8.0))
    torch.testing.assert_close(changed[2, 0, :, 0], torch.arange(8.0) / 2)


def test_one_band_can_be_bent():
    planes = torch.ones(2, 1, 1, 4)
    assert torch.equal(bent(planes, torch.tensor([0.9, 1.1])), planes)


def changed(chance: int = 0, **changes: float) -> torch.Tensor:
    samples = Samples(torch.ones(50, 1, 8, 10), torch.zeros(50, dtype=torch.int64))
    drawn = torch.Generator().manual_seed(chance)
    return augment(samples, Augmentation(**changes), drawn, outputs=2).inputs[:, 0]


def test_a_recipe_blanks_moments_and_bands_and_bends():
    moments, bands = changed(mask_time=0.3), changed(mask_frequency=0.3)
    assert (moments == moments[:, :1]).all()  # a moment is blanked in all bands
    assert (bands == bands[:, :, :1]).all()
    assert 0 < (moments == 0).double().mean() < 0.6
    assert 0 < (bands == 0).double().mean() < 0.6
    assert (moments == 0).any(2).any(1).double().mean() > 0.5  # most rows, each its own
    assert torch.equal(moments, changed(mask_time=0.3))
    assert not torch.equal(moments, changed(1, mask_time=0.3))
    assert torch.equal(changed(bend=0.2), torch.ones(50, 8, 10))


def test_bends_reach_as_far_as_asked_either_way():
    ramp = torch.arange(100.0)[None, None, :, None].expand(500, 1, 100, 1)
    ramp = Samples(ramp, torch.zeros(500))
    drawn = torch.Generator().manual_seed(0)
    band = augment(ramp, Augmentation(bend=0.1), drawn, outputs=1).inputs[:, 0, 50, 0]
    factor = 50 / band
    assert 0.9 <= factor.min() < 0.91
    assert 1.09 < factor.max() <= 1.1


@pytest.mark.parametrize("name", ["bend", "mask_time", "mask_frequency"])
def test_rows_of_numbers_are_no_spectra(name):
    with pytest.raises(ConfigError, match=f"augmentation.{name} changes planes"):
        check_fits(Augmentation(**{name: 0.1}), torch.zeros(3, 40))

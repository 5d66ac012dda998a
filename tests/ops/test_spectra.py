"""Spectra, mel filters and cepstra against librosa's definition and SciPy.

The numbers of librosa 0.11.0 were made by this script:

    import librosa, numpy as np
    librosa.mel_frequencies(n_mels=40)
    librosa.mel_frequencies(n_mels=6, fmin=0, fmax=4000, htk=True)
    slaney = librosa.filters.mel(sr=8000, n_fft=256, n_mels=20, dtype=np.float64)
    htk = librosa.filters.mel(sr=8000, n_fft=256, n_mels=20, htk=True, norm=None, dtype=np.float64)
    t = np.arange(2000) / 8000
    x = np.sin(2 * np.pi * (300 * t + 400 * t**2)) * 0.5
    S = np.abs(librosa.stft(x, n_fft=256, hop_length=80, win_length=200, pad_mode="constant")) ** 2
    db = librosa.power_to_db(slaney @ S)
    librosa.feature.mfcc(S=db, n_mfcc=5)
"""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dct
from scipy.signal import savgol_filter
from torch.nn import functional as F

from gradatim.ops.sound.mel import hertz_of, mel_filters, mel_frequencies, mel_of
from gradatim.ops.sound.spectra import (
    begun_at,
    cosine_basis,
    decibels,
    frames_of,
    loud_part,
    power_spectra,
    slopes,
    stretched,
)

# From 0 to 11025 Hz, as librosa's documentation of mel_frequencies prints them.
FORTY = """
    0. 85.317 170.635 255.952 341.269 426.586 511.904 597.221 682.538 767.855 853.173 938.49
    1024.856 1119.114 1222.042 1334.436 1457.167 1591.187 1737.532 1897.337 2071.84 2262.393 2470.47
    2697.686
    2945.799 3216.731 3512.582 3835.643 4188.417 4573.636 4994.285 5453.621 5955.205 6502.92
    7101.009 7754.107 8467.272 9246.028 10096.408 11025.
"""


def chirp() -> torch.Tensor:
    t = torch.arange(2000, dtype=torch.float64) / 8000
    return 0.5 * torch.sin(2 * torch.pi * (300 * t + 400 * t**2))[None]


def power() -> torch.Tensor:
    return power_spectra(chirp(), 256, 80, 200)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=chance, dtype=torch.float64)


def test_mel_frequencies_are_those_that_librosa_publishes():
    published = np.array(FORTY.split(), float)
    np.testing.assert_allclose(mel_frequencies(40, 0.0, 11025.0), published, atol=5e-4)  # 3 digits


def test_mel_frequencies_of_htk():
    known = [0.0, 324.467070943, 799.3325420666, 1494.3097396294, 2511.4258167141, 4000.0]
    np.testing.assert_allclose(mel_frequencies(6, 0.0, 4000.0, "htk"), known, rtol=1e-10)


@given(st.floats(0, 100_000), st.sampled_from(["slaney", "htk"]))
def test_there_and_back(hertz, scale):
    there = mel_of(torch.tensor(hertz, dtype=torch.float64), scale)
    assert float(hertz_of(there, scale)) == pytest.approx(hertz, rel=1e-9, abs=1e-9)


def test_filters_of_slaney():
    filters = mel_filters(8000, 256, 20)
    assert filters.shape == (20, 129)
    assert float(filters.sum()) == pytest.approx(0.6396820306881856, rel=1e-12)
    first = [0.0, 0.0025077284, 0.0050154569, 0.0075231853, 0.0078852588, 0.0053775304]
    np.testing.assert_allclose(filters[0, :6], first, atol=1e-10)
    tenth = [0.0, 0.0014350827, 0.0029915884, 0.0045480941, 0.0061045998, 0.0061301091]
    np.testing.assert_allclose(filters[10, 36:42], tenth, atol=1e-10)
    last = [0.0005239964, 0.0003493309, 0.0001746655, 0.0]
    np.testing.assert_allclose(filters[19, 125:], last, atol=1e-10)


def test_filters_of_htk():
    filters = mel_filters(8000, 256, 20, scale="htk", normed=False)
    assert float(filters.sum()) == pytest.approx(120.39066346186758, rel=1e-12)
    third = [0.3572618782, 0.7155794365, 0.9325090047, 0.60525336, 0.2779977153, 0.0]
    np.testing.assert_allclose(filters[3, 8:14], third, atol=1e-9)


def test_power_is_that_of_librosa():
    ours = power()
    assert ours.shape == (1, 129, frames_of(2000, 80)) == (1, 129, 26)
    assert float(ours.sum()) == pytest.approx(30002.0704456306, rel=1e-9)
    first = [4.5708306911, 4.8571681847e-02, 3.6076284054e-03, 1.2078221856e-03, 8.7584139456e-04]
    np.testing.assert_allclose(ours[0, ::32, 0], first, rtol=1e-8)
    tenth = [0.037765355685, 0.45474676806, 5.2680672481, 203.97868058, 610.32191773, 352.41103017]
    np.testing.assert_allclose(ours[0, 8:14, 10], tenth, rtol=1e-8)


def test_power_of_a_frame_is_the_definition():
    """|sum_n w_n x_n exp(-2 pi i k n / N)|^2 with Hann's window, written out."""
    x, n = random(1, 64), np.arange(64)
    weighed = x[0].numpy() * np.sin(np.pi * n / 64) ** 2
    sums = [abs((weighed * np.exp(-2j * np.pi * k * n / 64)).sum()) ** 2 for k in range(33)]
    ours = power_spectra(x, 64, 32)[0, :, 1]  # its middle is sample 32
    np.testing.assert_allclose(ours, sums, rtol=1e-10)


def test_levels_and_cepstra_are_those_of_librosa():
    level = decibels(mel_filters(8000, 256, 20) @ power())
    known = [-46.5898470199, -19.3156768251, 8.0507205209, 6.3880409292, -29.5496059351]
    np.testing.assert_allclose(level[0, :5, 10], known, atol=1e-8)
    # 80 dB below the loudest of the recording nothing is told from silence.
    np.testing.assert_allclose(level[0, 10:, 10], -70.5174533259, atol=1e-8)
    cepstra = cosine_basis(5, 20) @ level[0]
    start = [-121.4797111701, 65.0749231078, 16.1852398667, 9.7700990429, 1.2968288891]
    later = [-245.6142176655, 84.1221864025, 48.3454321262, 8.9155646475, -18.8497231348]
    np.testing.assert_allclose(cepstra[:, 0], start, atol=1e-8)
    np.testing.assert_allclose(cepstra[:, 10], later, atol=1e-8)


@pytest.mark.parametrize(("count", "bands"), [(1, 1), (13, 40), (7, 7)])
def test_cosines_are_those_of_scipy(count, bands):
    values = random(bands, 3)
    theirs = dct(values.numpy(), type=2, norm="ortho", axis=0)[:count]
    np.testing.assert_allclose(cosine_basis(count, bands) @ values, theirs, atol=1e-12)


@pytest.mark.parametrize("reach", [1, 2, 4])
def test_slopes_are_the_lines_of_savitzky_and_golay(reach):
    values = random(2, 3, 20)
    theirs = savgol_filter(values.numpy(), 2 * reach + 1, polyorder=1, deriv=1, mode="nearest")
    np.testing.assert_allclose(slopes(values, reach), theirs, atol=1e-12)


def test_silence_is_finite():
    silence = power_spectra(torch.zeros(1, 800).double(), 256, 80)
    level = decibels(mel_filters(8000, 256, 20) @ silence)
    assert (level == -100).all()


def test_a_gradient_passes():
    signal = random(1, 96).requires_grad_()
    filters = mel_filters(8000, 32, 6)
    assert torch.autograd.gradcheck(
        lambda x: slopes(decibels(filters @ power_spectra(x, 32, 16) + 1e-3)), signal
    )


def test_the_loud_part_begins_and_ends_where_sound_does():
    total = torch.tensor([[0.0, 1e-5, 1.0, 1e-9, 2e-3, 9e-4, 0.0], [0.0] * 7])
    power = torch.stack([0.25 * total, 0.75 * total], dim=1)
    first, lengths = loud_part(power)  # 30 dB: a thousandth
    assert first.tolist() == [2, 0]
    assert lengths.tolist() == [3, 7]  # silence in between stays; no sound is loud everywhere
    begun = begun_at(power, first, lengths)
    torch.testing.assert_close(begun[0, :, :3], power[0, :, 2:5])
    assert (begun[0, :, 3:] == power[0, :, 4:5]).all()


@pytest.mark.parametrize(("before", "after"), [(5, 12), (9, 9), (1, 4), (12, 40)])
def test_stretching_interpolates_as_torch_does(before, after):
    values = random(2, 3, before)
    theirs = F.interpolate(values, after, mode="linear", align_corners=False)
    ours = stretched(values, torch.tensor([before, before]), after)
    torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=0)


@pytest.mark.parametrize(("before", "after"), [(12, 4), (30, 3), (8, 1)])
def test_shrinking_takes_the_mean_of_what_falls_into_a_frame(before, after):
    values = random(2, 3, before)
    theirs = values.unflatten(2, (after, before // after)).mean(3)
    ours = stretched(values, torch.tensor([before, before]), after)
    torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=0)


@given(st.integers(1, 20), st.integers(1, 30))
def test_each_row_is_stretched_by_its_own_length(length, after):
    values = random(1, 2, 20)
    alone = stretched(values[:, :, :length], torch.tensor([length]), after)
    padded = stretched(values, torch.tensor([length]), after)
    torch.testing.assert_close(padded, alone, atol=1e-12, rtol=0)
    assert (alone <= values[:, :, :length].amax(2, keepdim=True) + 1e-12).all()
    assert (alone >= values[:, :, :length].amin(2, keepdim=True) - 1e-12).all()

"""Features of recordings: what counts of them, and what does not."""

import numpy as np
import pytest
import torch

from gradatim.core.signature import Sound
from gradatim.layers.sound.cepstra import CepstralMoments
from gradatim.layers.sound.log_mel import LogMel, Spectra, picture_of_sound
from gradatim.ops.sound.mel import mel_filters
from gradatim.ops.sound.spectra import cosine_basis, decibels, power_spectra, slopes

SOUND = Sound(rate=8000, length=6400)


def recordings(rows: int = 4, samples: int = 3200, loudness: float = 8000.0) -> torch.Tensor:
    """Sweeps under a bit of noise, loud from the first sample to the last."""
    chance = np.random.default_rng(0)
    t = np.arange(samples) / 8000
    start = 200 * (1 + np.arange(rows))[:, None]
    sweep = np.sin(2 * np.pi * (start + 900 * t) * t) + 0.01 * chance.normal(size=(rows, samples))
    return torch.from_numpy((loudness * sweep).astype(np.int16))


def padded(signal: torch.Tensor, before: int, after: int) -> torch.Tensor:
    return torch.nn.functional.pad(signal, (before, after))


@pytest.mark.parametrize("layer", [LogMel, CepstralMoments])
def test_zeros_after_the_end_are_no_part_of_a_recording(layer):
    features = layer(SOUND)
    short, long = recordings(), padded(recordings(), 0, 3200)
    # The canvas decides how many frames are wanted, so the layer is one and the same.
    torch.testing.assert_close(features(short), features(long), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("layer", [LogMel, CepstralMoments])
def test_silence_before_the_sound_is_left_out(layer):
    features = layer(SOUND)
    late = padded(recordings(), 1600, 1600)
    torch.testing.assert_close(
        features(padded(recordings(), 0, 3200)), features(late), atol=0.05, rtol=0.05
    )  # the frame that the sound begins in is another one


def test_loudness_does_not_matter_to_the_network():
    quiet, loud = LogMel(SOUND)(recordings(loudness=2000)), LogMel(SOUND)(recordings(loudness=8000))
    torch.testing.assert_close(quiet, loud, atol=0.05, rtol=0)  # rounding to whole levels


def test_a_recording_has_mean_0_and_deviation_1():
    planes = LogMel(SOUND, frames=41)(recordings())  # as many frames as there are
    assert planes.shape == (4, 1, 40, 41)
    torch.testing.assert_close(planes.mean((1, 2, 3)), torch.zeros(4), atol=1e-3, rtol=0)
    torch.testing.assert_close(
        planes.std((1, 2, 3), correction=0), torch.ones(4), atol=1e-3, rtol=0
    )


@pytest.mark.parametrize(("length", "frames"), [(800, 40), (16_000, 67), (400_000, 160)])
def test_frames_follow_the_longest_recording(length, frames):
    assert LogMel(Sound(rate=8000, length=length)).frames == frames


def test_layouts_hold_the_same_numbers():
    planes = LogMel(SOUND)(recordings())
    assert torch.equal(LogMel(SOUND, layout="steps")(recordings()), planes[:, 0].transpose(1, 2))
    flat = LogMel(SOUND, layout="flat", dtype=torch.float64)
    assert torch.equal(flat(recordings()), planes.flatten(1).double())
    assert flat(recordings()).shape[1] == flat.features


@pytest.mark.parametrize("layer", [LogMel, CepstralMoments])
def test_silence_and_single_samples_are_finite(layer):
    rows = torch.zeros(3, 6400, dtype=torch.int16)
    rows[1, 0], rows[2, -1] = 1, -32768
    assert torch.isfinite(layer(SOUND)(rows)).all()


@pytest.mark.parametrize("rate", [100, 8000, 44_100, 192_000])
def test_any_rate_has_features(rate):
    sound = Sound(rate=rate, length=rate // 2)
    rows = recordings(2, rate // 2)
    assert torch.isfinite(LogMel(sound)(rows)).all()
    spectra = Spectra(sound)
    assert spectra.window <= spectra.size < 2 * spectra.window
    assert spectra.hop == round(0.01 * rate)


def test_blocks_do_not_change_the_result():
    features = LogMel(SOUND)
    whole = features(recordings())
    features.spectra.per_row = 2**22
    assert torch.equal(features(recordings()), whole)


def test_moments_are_those_of_cepstra_and_slopes():
    """Written out with NumPy on the frames of a recording that is loud throughout."""
    rows, features = recordings(), CepstralMoments(SOUND, coefficients=5)
    signal = rows.double() / 32768
    level = decibels(mel_filters(8000, 256, 40) @ power_spectra(signal, 256, 80, 200), 60.0)
    cepstra = cosine_basis(5, 40) @ level
    first = slopes(cepstra)
    every = torch.cat([cepstra, first, slopes(first)], 1).numpy()
    expected = np.concatenate([every.mean(2), every.std(2)], axis=1)
    np.testing.assert_allclose(features(rows), expected, rtol=1e-3, atol=1e-3)  # float32 spectra


def test_moments_are_standardised_by_the_rows_they_were_fitted_to():
    features = CepstralMoments(SOUND)
    raw = features(recordings(8))
    fitted = features.fit(recordings(8))(recordings(8))
    expected = (raw - raw.mean(0)) / raw.std(0, correction=0)
    torch.testing.assert_close(fitted, expected, atol=1e-9, rtol=0)
    assert torch.equal(features.fit(recordings(1))(recordings(1)), torch.zeros(1, 78).double())


def test_a_picture_shows_high_tones_above_and_time_to_the_right():
    t = np.arange(8000) / 8000
    tones = np.where(t < 0.5, np.sin(2 * np.pi * 300 * t), np.sin(2 * np.pi * 3000 * t))
    picture = picture_of_sound((8000 * tones).astype(np.int16), 8000)
    assert picture.dtype == np.uint8
    assert picture.shape == (1, 64, 101)
    assert picture.max() == 255
    lowest, highest = picture[0, :, 20].argmax(), picture[0, :, 80].argmax()
    assert highest < 15 < 40 < lowest
    assert picture_of_sound((8000 * tones).astype(np.int16), 8000, width=32).shape == (1, 64, 32)


@pytest.mark.parametrize("samples", [0, 1, 500])
def test_a_picture_of_silence_is_one_too(samples):
    picture = picture_of_sound(np.zeros(samples, np.int16), 8000)
    assert picture.shape[:2] == (1, 64)

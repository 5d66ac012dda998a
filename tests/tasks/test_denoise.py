"""Denoise: noise that is drawn anew, scores on the picture's own size, losses in units of white."""

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from gradatim.core.errors import ConfigError
from gradatim.core.recipe import LossChoice
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Image, Picture, Signature
from gradatim.tasks.denoise import TASK, Denoise

IMAGE = Image(channels=1, height=40, width=48, fit="pad")


def signature(**noise: object) -> Signature:
    return Signature(input=IMAGE, output=Picture(channels=1, **noise))


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def clean(rows: int = 4) -> torch.Tensor:
    return 255 * torch.rand(rows, 1, 40, 48, generator=chance(9)).round()


def test_takes_pictures_alone_and_keeps_what_is_known_of_the_noise():
    assert TASK.suits(signature())
    assert not TASK.suits(Signature(input=IMAGE, output=Category(names=("a", "b"))))
    task = TASK.of(signature(sigma=25.0, noisy=True))
    assert (task.sigma, task.noisy) == (25.0, True)
    assert (TASK.sigma, TASK.noisy) == (None, False)


def test_noise_is_drawn_anew_and_is_never_clipped():
    task, pictures = Denoise(sigma=25.0), clean(20)
    batch = Samples(pictures + 3, pictures, numbers=torch.arange(20))
    first, again = task.renewed(batch, chance(1)), task.renewed(batch, chance(2))
    noise = (first.inputs - pictures).flatten()
    # 38,400 draws: deviation 25 / sqrt(2 n) = 0.09, mean 25 / sqrt(n) = 0.13.
    assert noise.std().item() == pytest.approx(25, abs=0.4)
    assert noise.mean().item() == pytest.approx(0, abs=0.5)
    assert (first.inputs < 0).any()
    assert (first.inputs > 255).any()
    assert torch.equal(first.targets, pictures)
    assert torch.equal(first.numbers, batch.numbers)
    assert not torch.equal(first.inputs, again.inputs)
    assert torch.equal(first.inputs, task.renewed(batch, chance(1)).inputs)


def test_noisy_targets_have_noise_of_their_own():
    pictures = clean(20)
    seen = Denoise(sigma=25.0, noisy=True).renewed(Samples(pictures, pictures), chance())
    one, other = (seen.inputs - pictures).flatten(), (seen.targets - pictures).flatten()
    assert other.std().item() == pytest.approx(25, abs=0.4)
    # Independent: the correlation of 38,400 pairs is 0 within 1 / sqrt(n) = 0.005.
    assert abs(torch.corrcoef(torch.stack([one, other]))[0, 1].item()) < 0.025


def test_noise_that_was_measured_stays():
    batch = Samples(clean() + 5, clean())
    assert TASK.of(signature()).renewed(batch, chance()) is batch
    assert TASK.of(signature(noisy=True)).renewed(batch, chance()) is batch


def test_the_loss_is_in_units_of_white():
    outputs, targets = torch.full((2, 1, 4, 4), 51.0), torch.zeros(2, 1, 4, 4)
    targets[1] = 51
    torch.testing.assert_close(TASK.losses(outputs, targets), torch.tensor([0.04, 0.0]))
    absolute = TASK.with_loss(LossChoice(name="absolute"), targets)
    torch.testing.assert_close(absolute.losses(outputs, targets), torch.tensor([0.2, 0.0]))
    huber = TASK.with_loss(LossChoice(name="huber", delta=0.1), targets)
    assert 0 < huber.losses(outputs, targets)[0] < 0.04
    assert TASK.with_loss(LossChoice(), targets) is TASK


@pytest.mark.parametrize(
    "choice", [LossChoice(name="hinge"), LossChoice(name="squared", class_weights="balanced")]
)
def test_losses_of_other_jobs_are_refused(choice):
    with pytest.raises(ConfigError, match=r"loss\."):
        TASK.with_loss(choice, torch.zeros(1, 1, 4, 4))


def canvases() -> tuple[Samples, np.ndarray]:
    """Two pictures of different size, and answers whose canvas is full of nonsense outside."""
    truth = clean(2)
    sizes = torch.tensor([[40, 48], [20, 31]])
    said = truth.numpy() + np.random.default_rng(0).normal(0, 12, truth.shape)
    said[1, :, 20:] = said[1, :, :, 31:] = 1e6
    return Samples(truth, truth, sizes=sizes), said.astype(np.float32)


def test_scores_are_those_of_files_at_each_pictures_own_size():
    samples, said = canvases()
    expected = []
    for row, (height, width) in enumerate(samples.sizes.tolist()):
        true, answer = (x[row, 0, :height, :width] for x in (samples.targets.numpy(), said))
        true, answer = true.astype(np.uint8), np.rint(answer.clip(0, 255)).astype(np.uint8)
        ssim = structural_similarity(
            true, answer, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        expected.append((peak_signal_noise_ratio(true, answer), ssim, true, answer))
    reading = TASK.read(said, samples)
    np.testing.assert_allclose(TASK.quality(reading), [e[0] for e in expected])
    scores = {name: metric(*reading) for name, metric in TASK.metrics.items()}
    assert scores["psnr"] == pytest.approx(np.mean([e[0] for e in expected]))
    assert scores["ssim"] == pytest.approx(np.mean([e[1] for e in expected]))
    errors = np.concatenate([(t.astype(float) - a).ravel() for _, _, t, a in expected])
    assert scores["rmse"] == pytest.approx(np.sqrt(np.mean(errors**2)))


def test_scores_of_rows_are_those_of_their_readings():
    samples, said = canvases()
    whole = TASK.read(said, samples)
    second = TASK.read(said[1:], samples.take([1]))
    np.testing.assert_array_equal(whole[0][1:], second[0])
    np.testing.assert_array_equal(whole[1][1:], second[1])


def test_an_answer_that_is_not_finite_has_no_score():
    samples, said = canvases()
    said[0, 0, 3, 3] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        TASK.read(said, samples)


def test_pictures_for_people_are_what_files_would_hold():
    samples, said = canvases()
    one = samples.take([1])
    assert TASK.picture(one, None).shape == (1, 20, 31)
    shown = TASK.picture(one, said[1])
    assert shown.dtype == np.uint8
    np.testing.assert_array_equal(shown, np.rint(said[1, :, :20, :31].clip(0, 255)))
    np.testing.assert_array_equal(TASK.picture(one, said[1:]), shown)


def test_the_default_metric_is_the_fields_own():
    assert TASK.default_metric(Samples(clean(), clean())) == "psnr"
    outputs = torch.full((1, 1, 2, 2), -3.5)
    assert TASK.decode(outputs).tolist() == outputs.tolist()

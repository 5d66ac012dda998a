"""Synthesise: drawing, and scores of crowds that know copies from news."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from gradatim.core.learner import Learner
from gradatim.core.recipe import OptimizerChoice
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.evaluate.judge import judge
from gradatim.layers.generative.features import PrincipalFeatures, Thumbnails
from gradatim.layers.generative.generative import Generative
from gradatim.models import rung_named
from gradatim.optim import OPTIMIZERS
from gradatim.tasks.synthesise import METRICS, TASK, Synthesise
from gradatim.train.fitting import Fitting

from ..models.generative.crowds import SIGNATURE, bars, fitting  # noqa: TID252


def equipped(known: Samples) -> Synthesise:
    features = PrincipalFeatures.of(known.inputs, most=16)
    with torch.no_grad():
        features.known = features(known.inputs)
    return replace(TASK.of(SIGNATURE), extract=features)


def scores(task: Synthesise, drawn: Samples, real: Samples) -> dict[str, float]:
    reading = task.read(drawn.inputs.numpy(), real)
    return {name: metric(*reading) for name, metric in METRICS.items()}


def test_draws_as_many_levels_as_rows_are_asked_about_the_same_each_time():
    fit = fitting("vae")
    list(fit)
    task = TASK.of(SIGNATURE)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    drawn = task.answers(fit.model, bars(40))
    assert drawn.shape == (40, 1, 10, 9)
    assert drawn.dtype == np.uint8
    assert drawn.max() <= 16
    np.testing.assert_array_equal(drawn, task.answers(fit.model, bars(40, seed=1)))
    assert torch.equal(torch.get_rng_state(), state), "the caller's chance was touched"
    flat = drawn.reshape(40, -1)
    assert len(np.unique(flat, axis=0)) > 30, "rows of one call are different"


def test_more_rows_than_are_drawn_at_a_time_are_all_different():
    fit = fitting("vae")
    drawn = TASK.of(SIGNATURE).answers(fit.model, bars(1500))
    assert len(np.unique(drawn.reshape(1500, -1), axis=0)) > 1200


def test_new_rows_of_the_same_kind_score_better_than_noise_and_copies_are_told():
    known, real, new = bars(400), bars(300, seed=1), bars(300, seed=2)
    task = equipped(known)
    noise = replace(new, inputs=torch.randint(0, 17, new.inputs.shape, dtype=torch.uint8))
    good, bad, copied = (
        scores(task, drawn, real) for drawn in (new, noise, known.take(range(300)))
    )
    assert good["frechet"] < 0.2 * bad["frechet"]
    assert good["kernel"] < 0.2 * bad["kernel"]
    assert good["nearest"] == pytest.approx(1, abs=0.2)
    assert copied["nearest"] < 0.1
    assert copied["frechet"] < 2 * good["frechet"], "copies look perfect to a distance of crowds"
    assert bad["nearest"] > 1.5
    assert np.isnan(good["coverage"]), "these features know of no classes"


def test_real_rows_that_are_known_are_not_compared_with_themselves():
    """Rows of a validation fold are training rows of the run: their distances must not be 0."""
    known, new = bars(400), bars(300, seed=2)
    assert scores(equipped(known), new, known.take(range(300)))["nearest"] == pytest.approx(
        1, abs=0.2
    )


def test_scores_can_be_taken_of_any_rows_and_quality_is_of_each():
    task, real = equipped(bars(100)), bars(60, seed=1)
    drawn, truth = reading = task.read(bars(60, seed=2).inputs.numpy(), real)
    assert drawn.shape == truth.shape == (60, task.extract.components.shape[1] + 2)
    assert drawn.dtype == np.float32
    rows = np.random.default_rng(0).integers(0, 60, 60)
    assert METRICS["frechet"](drawn[rows], truth[rows]) > 0
    quality = task.quality(reading)
    assert quality.shape == (60,)
    assert (quality <= 0).all()
    copies = task.quality(task.read(real.inputs.numpy(), real))
    assert (copies == 0).all()


def test_answers_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        TASK.of(SIGNATURE).read(np.full((3, 1, 10, 9), np.nan), bars(3))


def test_a_network_that_diverged_is_told_before_levels_are_made_of_its_numbers():
    fit = fitting("vae")
    with torch.no_grad():
        next(fit.model.network.decoder.parameters()).fill_(float("nan"))
    with pytest.raises(ArithmeticError, match="NaN"):
        TASK.of(SIGNATURE).answers(fit.model, bars(3))


class Slope(Generative):
    """exp(-r x) on the numbers above 0."""

    def __init__(self) -> None:
        super().__init__()
        self.log_rate = nn.Parameter(torch.zeros(()))

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        return self.log_rate - self.log_rate.exp() * x[:, 0]

    def sample(self, count, chance, labels=None):
        raise NotImplementedError


@pytest.mark.parametrize("pieces", [1, 3])
def test_a_network_with_a_likelihood_learns_by_it(pieces):
    """The most likely rate is one over the mean, however the batch is cut."""
    network, rows = Slope(), torch.tensor([[0.5], [1.5], [2.0], [4.0]])
    optimizer = OPTIMIZERS["sgd"](list(network.parameters()), OptimizerChoice())
    learner = Learner(network, {"model": optimizer}, lambda step: 0.3)
    learner.pieces = pieces
    for _ in range(200):
        told = TASK.step(learner, Samples(rows, torch.zeros(4, 1)))
    assert network.log_rate.exp().item() == pytest.approx(1 / 2, rel=1e-4)
    assert told["loss"].item() == pytest.approx(1 + np.log(2), rel=1e-4)


def test_judging_gives_all_scores_and_an_interval():
    fit = fitting("vae")
    list(fit)
    task = equipped(bars())
    result = judge(fit.model, task, METRICS["frechet"], bars(50, seed=1))
    assert set(result.scores) == set(METRICS)
    assert result.scores["coverage"] is None
    assert result.low < result.score < result.high, (
        "resampled rows repeat one another, and score worse"
    )
    assert len(result.predictions) == len(result.quality) == 50


def test_pictures_are_shown_with_their_brightest_level_white():
    task = TASK.of(SIGNATURE)
    levels = np.array([0, 8, 16], np.uint8).repeat(30).reshape(1, 10, 9)
    assert np.unique(task.picture(bars(1), levels)).tolist() == [0, 128, 255]
    truth = task.picture(bars(1), None)
    assert truth.shape == (1, 10, 9)
    assert truth.max() == 239


def test_thumbnails_keep_small_pictures_and_rows_of_tables_as_they_are():
    small = torch.arange(12, dtype=torch.uint8).reshape(1, 1, 3, 4)
    assert Thumbnails()(small)[0].tolist() == list(range(12))
    table = torch.tensor([[1.5, -2.0]], dtype=torch.float64)
    assert Thumbnails()(table).tolist() == [[1.5, -2.0]]


def test_suits_data_that_asks_for_new_rows_alone():
    assert TASK.suits(SIGNATURE)
    asked = Signature(input=SIGNATURE.input, output=Category(names=("a", "b")))
    assert not TASK.suits(asked)


def test_nothing_is_held_out_where_no_row_has_a_loss():
    """A game of adversaries has no loss that early stopping could watch."""
    rung = type(rung_named("dcgan")).of_size("tiny")
    recipe = rung.recipe(96, SIGNATURE).model_copy(update={"validation": 0.3})
    fit = Fitting(rung, TASK.of(SIGNATURE), bars(), SIGNATURE, recipe)
    assert fit.held is None

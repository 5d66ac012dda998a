"""The rungs on recordings: words of two tones, spoken by high and low voices."""

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from gradatim.core.recipe import Recipe
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Signature, Sound, Table
from gradatim.layers.sound.cepstra import CepstralMoments
from gradatim.models import RUNGS
from gradatim.models.sound.mel_cnn import MelCnn
from gradatim.models.sound.mfcc_svm import MfccSvm
from gradatim.tasks import TASKS
from gradatim.train.fitting import Fitting

WORDS = ((1.0, 2.0), (2.0, 1.0), (1.0, 1.0))
"""Pitch of the first and the second half, in pitches of the voice."""
SIGNATURE = Signature(
    input=Sound(rate=8000, length=3200), output=Category(names=("rises", "falls", "stays"))
)


def words(voices: list[float], rows: int = 60) -> Samples:
    """Words of several lengths and loudnesses, with noise and silence behind."""
    chance = np.random.default_rng(0)
    signal, label = np.zeros((rows, 3200)), np.arange(rows) % 3
    for row in range(rows):
        length = int(chance.integers(1600, 3000))
        pitch = voices[row // 3 % len(voices)] * np.repeat(WORDS[label[row]], (length + 1) // 2)
        phase = 2 * np.pi * np.cumsum(pitch[:length]) / 8000
        voice = np.sin(phase) + 0.5 * np.sin(2 * phase) + 0.05 * chance.normal(size=length)
        signal[row, :length] = chance.uniform(1000, 9000) * voice
    return Samples(torch.from_numpy(signal.astype(np.int16)), torch.from_numpy(label))


def accuracy(model: torch.nn.Module, samples: Samples) -> float:
    return float((model(samples.inputs).argmax(1) == samples.targets).double().mean())


def fitted(name: str, samples: Samples, **changes: object) -> torch.nn.Module:
    rung = RUNGS[name]()
    recipe = Recipe.parse({**rung.recipe(len(samples), SIGNATURE).model_dump(), **changes})
    fitting = Fitting(rung, TASKS["classify"], samples, SIGNATURE, recipe)
    list(fitting)
    return fitting.model


def test_the_network_is_as_large_as_its_page_says():
    model = MelCnn().build(
        Signature(input=Sound(rate=8000, length=8000), output=Category(names=tuple("0123456789"))),
        {},
    )
    assert sum(p.numel() for p in model.network.parameters()) == 61_050
    multiplied, planes = 0, torch.zeros(1, 1, 40, 40)
    for layer in model.network:
        planes = layer.eval()(planes)
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            multiplied += layer.weight.numel() * planes[0, 0].numel()
    assert multiplied == pytest.approx(4.7e6, rel=0.01)


def test_the_network_hears_the_order_of_sounds_from_voices_it_never_heard():
    voices = [220, 250, 280, 330, 390, 440]
    model = fitted("mel_cnn", words(voices, 240), epochs=10, batch=16)
    assert accuracy(model, words([300, 360])) >= 0.9


def test_its_recipe_bends_voices_and_holds_no_voice_out():
    recipe = MelCnn().recipe(2500, SIGNATURE)
    assert recipe.augmentation.bend > 0
    assert recipe.validation == 0
    assert min(recipe.augmentation.mask_time, recipe.augmentation.mask_frequency) > 0
    assert (recipe.epochs, recipe.batch) == (20, 64)
    few = MelCnn().recipe(100, SIGNATURE)
    assert (few.epochs, few.batch) == (200, 16)


def test_cepstra_decide_like_scikit_learn():
    """The machine chooses C and gamma itself, so that near the border it may differ."""
    samples, others = words([220, 280, 330, 440], 120), words([250, 300, 390])
    model = MfccSvm().solve(samples, SIGNATURE, seed=0)
    features = CepstralMoments(SIGNATURE.input)
    scaler = StandardScaler().fit(features(samples.inputs))
    peer = SVC(C=10).fit(scaler.transform(features(samples.inputs)), samples.targets)
    theirs = peer.predict(scaler.transform(features(others.inputs)))
    ours = model(others.inputs).argmax(1).numpy()
    assert (ours == theirs).mean() >= 0.9


@pytest.mark.parametrize("name", ["mlp", "recurrent", "transformer"])
def test_rungs_of_other_data_hear_words_too(name):
    samples = words([220, 250, 280, 330, 390, 440], 120)
    assert accuracy(fitted(name, samples, epochs=25, batch=16, validation=0.0), samples) >= 0.9


@pytest.mark.parametrize("name", ["mel_cnn", "mfcc_svm"])
def test_pictures_and_tables_are_refused_with_a_remedy(name):
    table = Signature(
        input=Table(columns=(Column(name="x", kind="numeric"),)), output=SIGNATURE.output
    )
    refusal = RUNGS[name]().refusal(table)
    assert refusal is not None
    assert refusal.remedy

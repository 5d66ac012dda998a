"""What a finished run hands over: its model, plain or frozen."""

import numpy as np
import pytest
import torch

import gradatim
from gradatim.core.errors import ConfigError
from gradatim.core.signature import Text
from gradatim.export.frozen import Frozen
from gradatim.session import ask
from gradatim.session.load import Loaded


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A network that was fitted for an epoch."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    options = {"settings": ["epochs=1", "model.width=16"], "out": folder}
    gradatim.fit("digits", rung="mlp", **options)
    return folder


@pytest.fixture
def asked(monkeypatch) -> list[Frozen]:
    """The frozen models that are made."""
    made: list[Frozen] = []
    freeze = Loaded.frozen

    def spy(self, example=None):
        made.append(freeze(self, example))
        return made[-1]

    monkeypatch.setattr(Loaded, "frozen", spy)
    return made


def test_a_loaded_model_is_frozen_without_an_example(run):
    loaded = gradatim.load(run)
    model, card, task = loaded
    assert (card.rung, task.name) == ("mlp", "classify")
    quick = loaded.frozen()
    assert quick.obstacle is None
    image = card.signature.input
    pictures = torch.randint(0, 256, (5, 1, image.height, image.width), dtype=torch.uint8)
    torch.testing.assert_close(quick(pictures), model.eval()(pictures), rtol=1e-4, atol=1e-5)


def test_text_needs_an_example(run):
    loaded = gradatim.load(run)
    text = loaded.card.signature.model_copy(update={"input": Text(length=3, alphabet="ab")})
    changed = loaded._replace(card=loaded.card.model_copy(update={"signature": text}))
    with pytest.raises(ConfigError, match="example"):
        changed.frozen()


def test_many_rows_are_answered_by_the_frozen_model_and_few_by_the_plain_one(
    run, asked, monkeypatch
):
    many = gradatim.predict(run, "digits")
    assert len(many.rows) > ask.MANY
    assert [quick.obstacle for quick in asked] == [None]
    monkeypatch.setattr(ask, "MANY", len(many.rows))
    plain = gradatim.predict(run, "digits")
    assert len(asked) == 1
    np.testing.assert_allclose(many.probabilities, plain.probabilities, atol=1e-5)
    assert list(many.predictions) == list(plain.predictions)

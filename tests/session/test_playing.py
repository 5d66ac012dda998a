"""A game as a moving picture, and returns of games with seeds of one's choice."""

from pathlib import Path

import pytest
from PIL import Image

from gradatim.core.errors import ConfigError
from gradatim.core.source import ReadOptions
from gradatim.data.sources.env import SOURCE
from gradatim.models import RUNGS
from gradatim.runs.model_folder import save_model
from gradatim.session.load import load
from gradatim.session.playing import play


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    data, rung = SOURCE.read("breakout10", ReadOptions()), RUNGS["hand_rule"]()
    model = rung.solve(data.samples, data.signature, 0)
    save_model(folder, model, rung, data.signature, "play", "return", "a card")
    return load(folder)


def test_plays_as_often_as_asked_and_the_same_each_time(loaded):
    returns, files = play(loaded, count=5, seed=3)
    assert len(returns) == 5
    assert files == []
    assert play(loaded, seed=5)[0] == returns[2:3]


def test_writes_the_first_game_as_a_moving_picture(loaded, tmp_path: Path):
    out = tmp_path / "game.gif"
    returns, files = play(loaded, out, count=2, seed=1)
    assert files == [out]
    assert returns == play(loaded, count=2, seed=1)[0]
    with Image.open(out) as picture:
        assert picture.format == "GIF"
        assert picture.n_frames > 5
        assert picture.size == (160, 160)
    before = out.read_bytes()
    play(loaded, out, count=1, seed=1)
    assert out.read_bytes() == before, "the same game, the same bytes"


def test_refuses_what_it_cannot_do(loaded, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"game\.gif"):
        play(loaded, tmp_path / "game.mp4")
    with pytest.raises(ConfigError, match="--count"):
        play(loaded, count=0)

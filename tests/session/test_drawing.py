"""`predict` draws pictures, sheets and walks; an autoencoder returns what it is shown."""

import numpy as np
import pytest
from PIL import Image

from gradatim.core.errors import ConfigError
from gradatim.runs.model_folder import load_model, save_model
from gradatim.session.drawing import draw, reconstruct, sheet
from gradatim.tasks import TASKS
from gradatim.tasks.synthesise import TASK

from ..models.generative.crowds import SIGNATURE, bars, fitting  # noqa: TID252


def loaded(name: str, folder):
    fit = fitting(name)
    list(fit)
    save_model(folder, fit.model, fit.rung, SIGNATURE, "synthesise", "frechet", "a card")
    return *load_model(folder), TASK.of(SIGNATURE)


@pytest.mark.parametrize("name", ["vae", "linear_autoencoder", "conditional_gan"])
def test_draws_single_pictures_a_sheet_and_walks(tmp_path, name):
    files = draw(loaded(name, tmp_path / "model"), tmp_path / "out", count=10, seed=3)
    names = [str(path.relative_to(tmp_path / "out")) for path in files]
    assert names == [f"pictures/{i:04}.png" for i in range(1, 11)] + ["sheet.png", "walk.png"]
    with Image.open(files[0]) as one, Image.open(files[10]) as all_:
        assert one.size == (9, 10)
        assert all_.size == (4 * 11 + 2, 3 * 12 + 2)
        first = np.asarray(all_)[2:12, 2:11]
        np.testing.assert_array_equal(first, np.asarray(one))


def test_the_seed_says_what_is_drawn(tmp_path):
    model = loaded("vae", tmp_path / "model")
    sheets = [
        draw(model, tmp_path / str(i), count=4, seed=seed)[4].read_bytes()
        for i, seed in enumerate((0, 0, 1))
    ]
    assert sheets[0] == sheets[1] != sheets[2]


def test_an_autoencoder_returns_pictures_it_is_shown(tmp_path):
    (tmp_path / "bars").mkdir()
    for i, picture in enumerate(bars(20).inputs.numpy()):
        Image.fromarray(picture[0] * 15).save(tmp_path / "bars" / f"{i}.png")
    model = loaded("vae", tmp_path / "model")
    files = reconstruct(model, tmp_path / "bars", tmp_path / "out")
    assert len(files) == 21
    with Image.open(files[-1]) as seen:
        assert seen.size == (12 * 11 + 2, 4 * 12 + 2)


def test_refuses_what_cannot_be_drawn(tmp_path):
    model = loaded("dcgan", tmp_path / "model")
    with pytest.raises(ConfigError, match="count"):
        draw(model, tmp_path / "out", count=0)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="is a file"):
        draw(model, tmp_path / "file")
    with pytest.raises(ConfigError, match="no encoder"):
        reconstruct(model, "bars.npy", tmp_path / "out")
    with pytest.raises(ConfigError, match="draws no pictures"):
        draw((model[0], model[1], TASKS["classify"]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_sheet_keeps_the_order_of_its_pictures():
    pictures = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 3), np.uint8)
    ground = sheet(pictures, 2)
    assert ground.shape == (1, 17, 12)
    assert [int(ground[0, 3 + 5 * (i // 2), 3 + 5 * (i % 2)]) for i in range(5)] == [0, 1, 2, 3, 4]
    assert ground[0, 14, 9] == 128

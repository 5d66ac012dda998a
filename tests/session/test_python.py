"""The same from Python: frames and arrays in, objects out."""

import pkgutil

import numpy as np
import pandas as pd
import pytest
import torch

import gradatim
from gradatim.core.errors import DataError
from gradatim.core.rung import Model
from gradatim.runs.files import read_json
from gradatim.session.ask import resume
from gradatim.session.evaluate import evaluate

FEW = ["majority", "linear"]


def frame(rows: int = 80) -> pd.DataFrame:
    chance = np.random.default_rng(0)
    kind = chance.integers(0, 2, rows)
    return pd.DataFrame(
        {
            "width": 3.0 * kind + chance.normal(size=rows),
            "colour": chance.choice(["red", "green"], rows),
            "kind": np.array(["old", "new"])[kind],
        }
    )


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_every_public_name_is_there_and_none_is_hidden_by_a_room():
    rooms = {module.name for module in pkgutil.iter_modules(gradatim.__path__)}
    assert not rooms & set(gradatim.__all__)
    assert all(callable(getattr(gradatim, name)) for name in gradatim.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        gradatim.nonsense  # noqa: B018  the access is the test


def test_a_frame_is_climbed_asked_and_loaded(tmp_path):
    result = gradatim.climb(frame(), "kind", rungs=FEW, out=tmp_path / "run")
    assert isinstance(result.model, Model)
    assert result.report.is_file()
    assert str(result).startswith(result.leaderboard["verdict"]["headline"])
    assert str(result.report) in str(result)
    new = frame(100).iloc[80:].drop(columns="kind")
    answers = gradatim.predict(result.folder, new)
    assert set(answers.predictions) <= {"old", "new"}
    assert answers.probabilities.shape == (20, 2)
    _, card, task = gradatim.load(result.folder)
    assert (card.rung, task.name) == (result.leaderboard["verdict"]["rung"], "classify")
    assert evaluate(result.folder, frame(100).iloc[80:])["rows"] == 20


def test_data_that_was_handed_over_cannot_be_read_again(tmp_path):
    result = gradatim.climb(frame(), "kind", rungs=["majority"], out=tmp_path / "run")
    with pytest.raises(DataError, match="handed over in Python"):
        evaluate(result.folder)
    (result.folder / "complete.json").unlink()
    with pytest.raises(DataError, match="handed over in Python"):
        resume(result.folder)
    again = gradatim.climb(frame(), "kind", rungs=["majority"], out=tmp_path / "run")
    assert again.leaderboard["test"] == result.leaderboard["test"]


def test_arrays_are_climbed_and_asked():
    table = frame()
    x = table[["width"]].to_numpy()
    result = gradatim.climb((x, 3.0 * x[:, 0] + 1), rungs=["mean", "linear"])
    assert result.leaderboard["task"] == "regress"
    assert result.leaderboard["verdict"]["rung"] == "linear"
    said = gradatim.predict(result.folder, x[:5])
    np.testing.assert_allclose(said.predictions, 3 * x[:5, 0] + 1)
    assert said.probabilities is None


def test_a_fit_and_a_look(tmp_path):
    result = gradatim.fit(frame(), "kind", rung="mlp", settings=["epochs=2", "model.width=8"])
    assert result.summary["epochs"] == 2
    assert isinstance(result.model, Model)
    facts = gradatim.inspect(frame(), "kind", timing=False)
    assert (facts["rows"], facts["task"]) == (80, "classify")


def test_the_caller_keeps_its_threads_and_its_chance():
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    gradatim.fit(frame(), "kind", rung="mlp", settings=["epochs=2", "model.width=8"])
    gradatim.climb(frame(), "kind", rungs=FEW)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.rand(3), expected)


def test_a_resumed_run_keeps_the_command_that_began_it(tmp_path):
    path = tmp_path / "some.csv"
    frame(80).to_csv(path, index=False)
    out = tmp_path / "run"
    asked = {"target": "kind", "rungs": ["majority"], "seed": np.int64(3), "out": out}
    gradatim.climb(path, **asked, command="gradatim climb some.csv")
    (out / "complete.json").unlink()
    resume(out)
    assert read_json(out / "leaderboard.json")["command"] == "gradatim climb some.csv"


def test_a_fit_leaves_tiny_numbers_as_they_were(tmp_path):
    def tiny() -> float:
        return torch.tensor(1e-40).mul(1).item()

    seen: list[float] = []
    settings = ["epochs=1", "model.width=16"]
    watch = lambda _: seen.append(tiny())  # noqa: E731  what a user would write
    gradatim.fit("digits", rung="mlp", settings=settings, out=tmp_path / "run", watch=watch)
    assert seen == [0.0], "flushed while it trains"
    assert tiny() > 0

"""Climbs of tables in pieces: what they say is what the same rows in memory say."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
import torch

import gradatim.session.climb as climb_room
from gradatim.cli.main import main
from gradatim.core.errors import ConfigError, DataError, ResourceError
from gradatim.core.source import ReadOptions
from gradatim.data import files
from gradatim.data.read import read
from gradatim.data.streams import drawn as drawing
from gradatim.data.streams import parquet
from gradatim.data.streams.membership import Membership
from gradatim.layers.columns import Columns
from gradatim.models.linear import Linear
from gradatim.models.majority import Majority
from gradatim.models.mean import Mean
from gradatim.ops.metrics import CLASSIFICATION, REGRESSION
from gradatim.ops.ridge import ridge_path
from gradatim.runs.model_folder import load_model
from gradatim.session.ask import predict, resume
from gradatim.session.climb import climb
from gradatim.session.evaluate import evaluate
from gradatim.session.objects import open_data

SCHEMA = Path(__file__).parents[2] / "docs" / "climb.schema.json"
ROWS = 4000


def table(rows=ROWS):
    """Numbers far from zero, gaps, a category, a flag, dates; two columns that say the same."""
    chance = np.random.default_rng(0)
    made = pd.DataFrame({"a": 1e6 + 10 * chance.normal(size=rows), "b": chance.normal(size=rows)})
    made["twice"] = 2 * made["b"]
    made["gaps"] = np.where(chance.random(rows) < 0.2, np.nan, chance.normal(size=rows))
    made["colour"] = chance.choice(["red", "green", "blue"], rows)
    made["flag"] = chance.random(rows) < 0.3
    days = pd.to_timedelta(chance.integers(0, 900, rows), unit="D")
    made["day"] = pd.Timestamp("2020-01-01") + days
    score = (made["a"] - 1e6) / 10 - made["b"] + made["gaps"].fillna(1.0)
    score += 1.5 * (made["colour"] == "red") + made["flag"] + chance.normal(size=rows)
    made["y"] = 100 + 5 * score
    made["c"] = np.select([score > 2, score < 0], ["high", "low"], "middle")
    return made


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("table") / "table.parquet"
    table().to_parquet(file, row_group_size=900)
    return str(file)


@pytest.fixture(autouse=True)
def several_batches(monkeypatch):
    monkeypatch.setattr(parquet, "CELLS", 0)  # then a batch has 1024 rows


@pytest.fixture(scope="module")
def regressed(path, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "regress"
    return climb(path, "y", drop=["c"], stream=True, folds=3, out=out)


@pytest.fixture(scope="module")
def classified(path, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "classify"
    return climb(path, "c", drop=["y"], stream=True, folds=3, out=out)


def in_memory(path, target, dropped):
    """The same rows and folds: samples, signature, and the place of each row."""
    frame = pd.read_parquet(path).drop(columns=dropped)
    data = read(frame, ReadOptions(target=target))
    return data.samples, data.signature, Membership(len(frame), 0, 3)


def results(folder, rung):
    fits = sorted((folder / "fits" / rung).iterdir())
    return [json.loads((fit / "result.json").read_text()) for fit in fits]


def cuts(members):
    pieces = members.of(0, members.rows)
    for fold in members.folds:
        held = np.isin(pieces, list(fold.parts))
        yield np.flatnonzero(~held & (pieces < members.parts)), np.flatnonzero(held)


def filled(monkeypatch):
    """Let missing cells take the mean in memory too: the one thing that differs by intent."""
    usual = Columns.fit

    def fit(self, cells):
        numbers = cells[:, self.numbers].nanmean(0)
        known = cells.clone()
        for place, column in enumerate(self.numbers):
            known[:, column] = torch.where(
                cells[:, column].isnan(), numbers[place], cells[:, column]
            )
        usual(self, known)
        self.fill.copy_(numbers)
        flags = self.flags(cells)
        self.active.copy_((flags != flags[:1]).any(0))
        return self

    monkeypatch.setattr(Columns, "fit", fit)


@pytest.mark.parametrize(("rung", "plain"), [("mean", Mean), ("linear", Linear)])
def test_quantities_score_as_in_memory(path, regressed, monkeypatch, rung, plain):
    samples, signature, members = in_memory(path, "y", ["c"])
    filled(monkeypatch)
    for result, (training, held) in zip(
        results(regressed.folder, rung), cuts(members), strict=True
    ):
        model = plain().solve(samples.take(training), signature, seed=0)
        said = model(samples.inputs[held])[:, 0].numpy()
        right = samples.targets[held, 0].numpy()
        assert result["rows"] == len(training)
        # Sums lose what squares cancel: half of the 16 digits at the worst, here far less.
        assert result["scores"]["rmse"] == pytest.approx(REGRESSION["rmse"](said, right), rel=1e-9)
        assert result["scores"]["r2"] == pytest.approx(REGRESSION["r2"](said, right), abs=1e-9)
        assert result["scores"]["mae"] is None


def test_ridge_takes_the_penalty_that_its_training_parts_prefer(path, regressed, monkeypatch):
    samples, signature, members = in_memory(path, "y", ["c"])
    filled(monkeypatch)
    pieces = members.of(0, members.rows)
    shares = torch.logspace(-6, 3, 25, dtype=torch.float64)
    for result, (training, held) in zip(
        results(regressed.folder, "ridge"), cuts(members), strict=True
    ):
        features = Columns(signature.input).fit(samples.inputs[training])
        x, t = features(samples.inputs), samples.targets
        missed = torch.zeros(len(shares), dtype=torch.float64)
        for part in np.unique(pieces[training]):
            rest = training[pieces[training] != part]
            part = training[pieces[training] == part]
            path_ = ridge_path(x[rest], t[rest], shares * len(rest))
            said = x[part] @ path_.weights + path_.bias[:, None]
            missed += (said - t[part]).square().sum((1, 2))
        best = shares[missed.argmin()][None] * len(training)
        path_ = ridge_path(x[training], t[training], best)
        said = (x[held] @ path_.weights[0] + path_.bias[0])[:, 0].numpy()
        rmse = REGRESSION["rmse"](said, t[held, 0].numpy())
        assert result["scores"]["rmse"] == pytest.approx(rmse, rel=1e-9)


def test_the_saved_model_is_that_of_all_rows_to_learn_from(path, regressed, monkeypatch):
    samples, signature, members = in_memory(path, "y", ["c"])
    filled(monkeypatch)
    pieces = members.of(0, members.rows)
    training = np.flatnonzero(pieces < members.parts)
    assert regressed.leaderboard["verdict"]["rung"] == "linear"
    model = Linear().solve(samples.take(training), signature, seed=0)
    ours = load_model(regressed.folder / "model")[0]
    for name, value in model.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name], value, rtol=1e-6, atol=1e-8)
    sealed = pieces >= members.parts
    said = model(samples.inputs[sealed])[:, 0].numpy()
    rmse = REGRESSION["rmse"](said, samples.targets[sealed, 0].numpy())
    test = regressed.leaderboard["test"]
    assert test["score"] == pytest.approx(rmse, rel=1e-9)
    assert test["low"] < test["score"] < test["high"]
    assert regressed.leaderboard["test_rows"] == sealed.sum()


@pytest.mark.parametrize(("rung", "plain"), [("majority", Majority), ("linear", Linear)])
def test_classes_score_as_in_memory(path, classified, monkeypatch, rung, plain):
    samples, signature, members = in_memory(path, "c", ["y"])
    filled(monkeypatch)
    for result, (training, held) in zip(
        results(classified.folder, rung), cuts(members), strict=True
    ):
        model = plain().solve(samples.take(training), signature, seed=0)
        said = model(samples.inputs[held]).softmax(1).numpy()
        right = samples.targets[held].numpy()
        for name in ("accuracy", "balanced_accuracy", "f1"):
            score = CLASSIFICATION[name](said, right)
            assert result["scores"][name] == pytest.approx(score, abs=1e-12)
        # One temperature is learnt on rows left out, the other on parts left out.
        loss = CLASSIFICATION["log_loss"](said, right)
        assert result["scores"]["log_loss"] == pytest.approx(loss, abs=2e-3)
        assert result["scores"]["auc"] is None


def test_the_board_is_what_the_schema_says(regressed, classified):
    schema = json.loads(SCHEMA.read_text())
    for done in (regressed, classified):
        jsonschema.validate(json.loads((done.folder / "leaderboard.json").read_text()), schema)
        assert done.report.read_text().count("needs all rows in memory") >= 5
        rows = {row["name"]: row for row in done.leaderboard["rungs"]}
        assert rows["mlp"]["status"] == "refused"
        assert "--rows" in rows["mlp"]["remedy"]
        assert rows["linear"]["below"]["p"] is not None


def test_the_model_answers_new_rows(path, classified):
    answers = predict(classified.folder, path)
    right = pd.read_parquet(path)["c"].to_numpy()
    assert (answers.predictions == right).mean() > 0.6


def test_an_opening_is_counted_and_says_the_same(path, tmp_path):
    done = climb(path, "c", drop=["y"], stream=True, folds=2, rungs=["linear"], out=tmp_path / "r")
    again = evaluate(done.folder)
    assert again["openings"] == 2
    assert again["score"] == done.leaderboard["test"]["score"]
    assert again["rows"] == done.leaderboard["test_rows"]


def changed(path, tmp_path, rows):
    """The same table with other numbers in some rows."""
    frame = pd.read_parquet(path)
    frame.loc[rows, ["y", "b", "gaps"]] *= -3
    frame.loc[rows, "a"] += 50
    file = tmp_path / "changed.parquet"
    frame.to_parquet(file, row_group_size=900)
    return str(file)


def test_sealed_rows_change_nothing_that_is_fitted_or_chosen(path, regressed, tmp_path):
    """They move the origin that sums are counted from, which is rounding: 1e-9 is far above it."""
    members = Membership(ROWS, 0, 3)
    sealed = np.flatnonzero(members.of(0, ROWS) >= members.parts)
    other = changed(path, tmp_path, sealed)
    done = climb(other, "y", drop=["c"], stream=True, folds=3, out=tmp_path / "r")
    for name in ("mean", "linear", "ridge"):
        for ours, theirs in zip(
            results(done.folder, name), results(regressed.folder, name), strict=True
        ):
            assert ours["scores"]["rmse"] == pytest.approx(theirs["scores"]["rmse"], rel=1e-9)
    assert done.leaderboard["test"]["score"] != regressed.leaderboard["test"]["score"]


def test_validation_rows_change_no_number_of_their_fold(path, tmp_path):
    from gradatim.compare.totals import sum_up
    from gradatim.core.source import ReadOptions
    from gradatim.data.streams.parquet import open_stream
    from gradatim.data.streams.survey import survey
    from gradatim.models import RUNGS
    from gradatim.models._sums import solve_sums

    members = Membership(ROWS, 0, 3)
    held = np.flatnonzero(np.isin(members.of(0, ROWS), list(members.folds[0].parts)))
    states = []
    for file in (path, changed(path, tmp_path, held)):
        stream = open_stream(file)
        found = survey(stream, ReadOptions(target="y"), ["c"])
        totals = sum_up(stream, found, members, lambda rows: None)
        parts = [p for p in range(members.parts) if p not in members.folds[0].parts]
        model = solve_sums(RUNGS["ridge"](), totals.sums(0, parts))
        states.append(model.state_dict())
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, rtol=1e-8, atol=1e-9)


def test_a_climb_that_was_cut_off_keeps_its_fits(path, regressed, tmp_path):
    done = climb(path, "y", drop=["c"], stream=True, folds=3, out=tmp_path / "r")
    before = (done.folder / "model" / "model.safetensors").read_bytes()
    (done.folder / "complete.json").unlink()
    (done.folder / "fits" / "ridge" / "0-1" / "complete.json").unlink()
    kinds = []
    resume(done.folder, watch=lambda event: kinds.append(event.kind))
    assert kinds.count("reused") == 8
    assert kinds.count("fitted") == 1
    assert (done.folder / "model" / "model.safetensors").read_bytes() == before
    board = json.loads((done.folder / "leaderboard.json").read_text())
    assert board["verdict"] == regressed.leaderboard["verdict"]
    assert board["test"]["openings"] == 1


def test_a_table_that_does_not_fit_is_streamed_unasked(path, tmp_path, monkeypatch):
    monkeypatch.setattr(climb_room, "too_large", lambda data, memory: memory == 0.5)
    done = climb(path, "y", rungs=["mean"], memory=0.5, out=tmp_path / "r")
    assert json.loads((done.folder / "question.json").read_text())["stream"] is True


def test_what_sums_cannot_give_is_refused(path, tmp_path):
    def refuses(match, target="y", data=path, error=ConfigError, **options):
        with pytest.raises(error, match=match):
            climb(data, target, stream=True, out=tmp_path / "r", **options)
        assert not (tmp_path / "r").exists()

    refuses("--group needs all rows", group="colour")
    refuses("--time needs all rows", time="day")
    refuses("--rows needs all rows", rows=500)
    refuses("mae needs all rows", metric="mae")
    refuses("auc needs all rows", target="c", metric="auc")
    refuses("a streamed climb tries", rungs=["mlp"])
    refuses("Parquet files only", data="iris", target=None)
    short = tmp_path / "short.parquet"
    table(500).to_parquet(short)
    refuses("500 rows; a streamed climb needs 1000", data=str(short), error=DataError)


def test_repeats_are_dealt_and_judged_anew(path, tmp_path):
    asked = {"drop": ["y"], "stream": True, "folds": 2, "repeats": 2, "rungs": ["linear"]}
    done = climb(path, "c", **asked, out=tmp_path / "r")
    (row,) = done.leaderboard["rungs"]
    assert len(set(row["fold_scores"])) == 4
    assert done.leaderboard["repeats"] == 2


@pytest.mark.parametrize("size", [1e-150, 1e150])
def test_numbers_whose_squares_leave_float64_are_fitted(tmp_path, size):
    frame = table()[["b", "gaps", "y"]]
    file = tmp_path / "x.parquet"
    frame.assign(b=size * frame["b"]).to_parquet(file)
    scores = []
    for name in (file, tmp_path / "usual.parquet"):
        frame.to_parquet(tmp_path / "usual.parquet")
        done = climb(str(name), "y", stream=True, rungs=["linear"], out=tmp_path / name.stem)
        scores.append(done.leaderboard["rungs"][0]["score"])
    assert scores[0] == pytest.approx(scores[1], rel=1e-9)


def test_too_many_features_for_their_sums_are_refused(path, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "available_memory", lambda: 1000)
    with pytest.raises(ResourceError, match="GB of memory"):
        climb(path, "y", stream=True, out=tmp_path / "r")


def test_rows_draws_from_a_table_that_does_not_fit(path, monkeypatch):
    """The remedy of the rungs that are refused: all of them, on so many rows."""
    monkeypatch.setattr(drawing, "available_memory", lambda: 1)
    data = open_data(path, ReadOptions(target="y"), ["c"], rows=150)
    assert len(data) == 150
    assert [column.name for column in data.signature.input.columns][-1] == "day"


def test_the_command_streams(path, tmp_path, capsys):
    words = ["climb", path, "--target", "y", "--drop", "c", "--stream", "--rungs", "mean,linear"]
    assert main([*words, "--out", str(tmp_path / "r")]) == 0
    said = capsys.readouterr()
    assert "Take linear" in said.out
    assert "adding up: done" in said.err
    assert main([*words[:-1], "svm", "--out", str(tmp_path / "s")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) <= 5


def test_a_budget_of_time_ends_it_and_the_same_command_goes_on(path, tmp_path):
    asked = {"drop": ["c"], "stream": True, "rungs": ["mean"], "out": tmp_path / "r"}
    with pytest.raises(ResourceError, match="Give more --minutes"):
        climb(path, "y", minutes=1e-9, **asked)
    assert climb(path, "y", minutes=10, **asked).leaderboard["verdict"]["rung"] == "mean"

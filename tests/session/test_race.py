"""Races and searches for a rate through the Python API: who enters, what is written, going on."""

import json

import numpy as np
import pandas as pd
import pytest

from gradatim.core.errors import ConfigError
from gradatim.runs.files import read_json
from gradatim.session.data_options import Chosen
from gradatim.session.entrants import ALL_ROWS, entrants
from gradatim.session.ground import ground
from gradatim.session.race import race
from gradatim.session.rates import rates

SMALL = {"rung": "mlp", "folds": 2, "epochs": 2, "settings": ["model.width=4", "model.depth=1"]}


def table(rows: int = 60) -> pd.DataFrame:
    chance = np.random.default_rng(0)
    x = chance.normal(size=(rows, 2))
    noise = 0.3 * chance.normal(size=rows)
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": np.where(x[:, 0] + noise > 0, "p", "q")})


def test_specs_are_names_with_settings():
    plain, one, everything, two = entrants(
        ["sgd", "sgd:batch=1", "sgd:batch=all", "momentum:lr=0.1:schedule.name=constant"]
    )
    assert (plain.name, plain.optimizer, plain.settings) == ("sgd", "sgd", {})
    assert (one.name, one.settings) == ("sgd batch=1", {"batch": 1})
    assert everything.settings == {"batch": ALL_ROWS}
    assert two.settings == {"optimizer": {"lr": 0.1}, "schedule": {"name": "constant"}}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("momentun", '"momentum"'),
        ("sgd:bach=1", '"batch"'),
        ("sgd:batch", "NAME:KEY=VALUE"),
        ("sgd:loss.name=a/b", "NAME:KEY=VALUE"),
    ],
)
def test_a_wrong_spec_says_what_is_meant(spec, said):
    with pytest.raises(ConfigError, match=said):
        entrants([spec])


def test_nobody_races_twice_and_somebody_must():
    with pytest.raises(ConfigError, match="twice"):
        entrants(["sgd", "adam", "sgd"])
    with pytest.raises(ConfigError, match="no optimizer"):
        entrants([])


def test_a_solved_rung_has_no_race():
    with pytest.raises(ConfigError, match="solved, not trained"):
        race(table(), "y", rung="ridge")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("race") / "run"
    events = []
    result = race(
        table(),
        "y",
        optimizers=["sgd:batch=all", "adam", "newton:iterations=2", "sgd:lr=1000:epochs=30"],
        out=folder,
        watch=events.append,
        **SMALL,
    )
    return result, events


def test_the_board_says_who_came_how_far(ran):
    board = ran[0].board
    assert [row["name"] for row in board["entrants"]] == [
        "sgd batch=all",
        "adam",
        "newton iterations=2",
        "sgd lr=1000 epochs=30",
    ]
    whole, adam, newton = board["entrants"][:3]
    assert whole["lr"] == 0.1, "its own default"
    assert adam["lr"] == 0.001
    assert whole["track"]["steps"] == [1, 2], "full batch: a step an epoch"
    assert adam["track"]["passes"] == [1, 2]
    assert newton["track"]["passes"][0] > 3, "curvature is paid for"
    reached = [row["reached"] for row in board["entrants"] if row["track"]]
    assert sum(r is not None for r in reached) >= len(reached) / 2
    assert board["lead"]


def test_a_row_is_scored_on_the_same_folds_and_paired(ran):
    board = ran[0].board
    scored = [row for row in board["entrants"] if row["status"] == "ok"]
    best = next(row for row in scored if row["best"] is None)
    for row in scored:
        assert row["score"] == pytest.approx(np.mean(row["fold_scores"]))
        if row is not best:
            difference = np.subtract(row["fold_scores"], best["fold_scores"])
            sign = 1 if board["direction"] == "higher" else -1
            assert row["best"]["difference"] == pytest.approx(sign * difference.mean())


def test_no_decay_no_clipping_no_early_end(ran):
    question = json.loads((ran[0].folder / "question.json").read_text())
    for work in question["works"].values():
        recipe = work["recipe"]
        assert recipe["optimizer"]["weight_decay"] == recipe["clip"] == 0
        assert recipe["patience"] > recipe["epochs"]
    assert question["works"]["newton iterations=2"]["recipe"]["batch"] == 2048


def test_the_page_shows_every_entrant_in_three_figures(ran):
    page = ran[0].report.read_text()
    assert page.count("<svg") == 4, "the mark of the house and three figures"
    for row in ran[0].board["entrants"]:
        assert row["name"] in page
    assert ran[0].board["lead"].split(":")[0] in page


def test_a_race_that_was_cut_off_goes_on(ran, tmp_path):
    """One fit is thrown away: it alone, or its stack, is fitted again, to the same scores."""
    import shutil

    folder = tmp_path / "again"
    shutil.copytree(ran[0].folder, folder)
    (folder / "complete.json").unlink()
    shutil.rmtree(folder / "fits" / "adam" / "0-1")
    events = []
    again = race(
        table(),
        "y",
        optimizers=["sgd:batch=all", "adam", "newton:iterations=2", "sgd:lr=1000:epochs=30"],
        out=folder,
        watch=events.append,
        **SMALL,
    )
    fitted = [(e.rung, e.fold) for e in events if e.kind == "fitted"]
    together = {name for name, plan in read_json(folder / "plan.json").items() if plan["stacked"]}
    assert ("adam", "0-1") in fitted
    assert {name for name, _ in fitted} <= {"adam"} | together
    assert sum(e.kind == "reused" for e in events) == 8 - len(fitted)
    for before, after in zip(ran[0].board["entrants"], again.board["entrants"], strict=True):
        assert before["fold_scores"] == after["fold_scores"]


def test_rates_names_low_and_good_and_very_high(tmp_path):
    result = rates(
        table(120)[["a", "b"]].assign(y=lambda t: 3 * t["a"] - t["b"]),
        "y",
        optimizer="sgd",
        sweep=[1e-6, 0.1, 1000.0],
        low=1e-4,
        steps=30,
        out=tmp_path / "run",
        **SMALL | {"epochs": 30, "folds": 4},
    )
    verdicts = {
        row["lr"]: result.board["verdicts"][row["name"]] for row in result.board["entrants"]
    }
    assert verdicts[0.1] == "good"
    assert verdicts[1e-6] == "low"
    assert verdicts[1000.0] == "very high"
    assert result.board["chosen"] == 0.1
    assert "Take 0.1" in result.board["lead"]
    assert "Range test" in result.report.read_text()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"low": 1.0, "high": 0.1}, "0 < low < high"),
        ({"steps": 3}, "10 to"),
        ({"sweep": [-1.0]}, "above 0"),
        ({"optimizer": "sgdd"}, '"sgd"'),
    ],
)
def test_rates_looks_at_its_numbers_before_any_work(changes, said):
    with pytest.raises(ConfigError, match=said):
        rates("no such file.csv", rung="mlp", **changes)


def test_ground_refuses_what_the_rung_refuses():
    with pytest.raises(ConfigError, match="does not take"):
        ground(table(), Chosen("y", folds=2), "lenet5", 0)

"""`gradatim race` and `gradatim rates`, through the command line."""

import pytest

from .shell import gradatim, leftovers, only_run, sales

SMALL = ("--rung", "mlp", "--folds", "2", "--epochs", "3", "--set", "model.width=4")


@pytest.fixture(scope="module")
def raced(tmp_path_factory):
    """A folder with sales.csv of 60 rows and one finished race; read only."""
    folder = tmp_path_factory.mktemp("raced")
    sales(folder / "sales.csv", rows=60)
    asked = ("--target", "width", "--optimizers", "sgd,adam,sgd:lr=1000:epochs=30", "--json")
    said = gradatim(folder, "race", "sales.csv", *asked, *SMALL)
    assert said.code == 0, said.err
    return folder, said


def test_a_race_is_one_json_object_and_a_page(raced):
    folder, said = raced
    board, run = said.json, only_run(folder)
    assert run.name.startswith("sales-mlp-race-")
    assert [row["name"] for row in board["entrants"]][:2] == ["sgd", "adam"]
    assert all(row["status"] == "ok" for row in board["entrants"][:2])
    assert (run / "report.html").is_file()
    assert (run / "complete.json").is_file()
    assert leftovers(folder) == []
    assert "adam: 2 fitted of 2 folds" in said.err


def test_a_rate_that_diverges_is_shown_and_not_averaged(raced):
    folder, said = raced
    row = said.json["entrants"][2]
    assert (row["status"], row["score"], row["track"]) == ("diverged", None, None)
    assert "NumericError" in row["reason"]
    assert "diverged" in (only_run(folder) / "report.html").read_text()
    assert "Diverged: sgd lr=1000 epochs=30" in said.json["lead"]


def test_a_race_has_its_own_page_and_is_resumed_by_asking_again(raced):
    folder, _ = raced
    run = str(only_run(folder))
    said = gradatim(folder, "report", run)
    assert (said.code, "report.html" in said.err) == (2, True)
    assert "finished" in gradatim(folder, "resume", run).err


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--rung", "mlp", "--optimizers", "sgd,adm"], ['"adm"', '"adam"']),
        (["--rung", "mlp", "--optimizers", "sgd:momentun=0.9"], ['"momentun"', '"momentum"']),
        (["--rung", "ridge"], ["solved, not trained", "--rung mlp"]),
        (["--rung", "mpl"], ['"mpl"', '"mlp"']),
        (["--rung", "mlp", "--optimizers", "sgd:lr=-1"], ["optimizer.lr"]),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tmp_path, arguments, parts):
    said = gradatim(tmp_path, "race", "iris", *arguments)
    assert said.code == 2
    assert said.err.count("\n") <= 3
    for part in parts:
        assert part in said.err
    assert not (tmp_path / "runs").exists()


def test_rates_ends_with_a_verdict(raced):
    folder, _ = raced
    sweep = ("--optimizer", "momentum", "--sweep", "1e-5,0.05", "--steps", "30")
    said = gradatim(folder, "rates", "sales.csv", "--target", "kind", *sweep, *SMALL)
    assert said.code == 0, said.err
    assert "Take " in said.out
    (run,) = (folder / "runs").glob("sales-mlp-rates-*")
    assert "Range test" in (run / "report.html").read_text()

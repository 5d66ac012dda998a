"""`gradatim climb` and what a user does with its run, through the command line."""

import csv
import io
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import gradatim.compare.climb as climb_room
from gradatim.compare.forecast import Forecast

from .shell import FEW, board_of, column, gradatim, leftovers, only_run, records_of, sales

SCHEMA = Path(__file__).parents[2] / "docs" / "climb.schema.json"


@pytest.fixture(scope="module")
def climbed(tmp_path_factory):
    """A folder with sales.csv and one finished climb; read only."""
    folder = tmp_path_factory.mktemp("climbed")
    sales(folder / "sales.csv")
    said = gradatim(folder, "climb", "sales.csv", "--target", "kind", *FEW)
    assert said.code == 0, said.err
    return folder, said


def test_prints_leaderboard_verdict_and_report(climbed):
    folder, said = climbed
    run = only_run(folder)
    lines = said.out.splitlines()
    assert lines[0].split()[0] == "rung"
    assert [line.split()[0] for line in lines[1:4]] == ["majority", "logistic", "mlp"]
    board = json.loads((run / "leaderboard.json").read_text())
    assert board["verdict"]["headline"] in " ".join(said.out.split())
    assert f"Report: runs/{run.name}/report.html" in lines
    assert "opened 1x" in said.out
    assert board["split_hash"][:16] in said.out
    assert (run / "report.html").read_text().startswith("<!doctype html>")


def test_progress_is_on_stderr(climbed):
    _, said = climbed
    assert "mlp: 5 fitted of 5 folds; done" in said.err
    assert "folds" not in said.out


def test_run_folder_is_what_the_decision_says(climbed):
    folder, _ = climbed
    run = only_run(folder)
    files = {
        *("question.json", "environment.json", "signature.json", "inspection.json", "split.npz"),
        *("rows.json", "targets.npy", "leaderboard.json", "evaluation.json", "complete.json"),
        *("test_predictions.npy", "test_rows.npy", "report.html", "gallery.json"),
        *("model/model.safetensors", "model/model.json", "model/README.md"),
        *(f"fits/mlp/0-{fold}/result.json" for fold in range(5)),
    }
    assert all((run / name).is_file() for name in files)
    named = json.loads((run / "complete.json").read_text())
    there = {str(p.relative_to(run)) for p in run.rglob("*") if p.is_file()}
    assert there - set(named) == {n for n in there if n.endswith("complete.json")}
    assert not leftovers(folder)


def test_model_card_says_how_it_was_made(climbed):
    folder, _ = climbed
    card = (only_run(folder) / "model" / "README.md").read_text()
    assert "gradatim climb sales.csv --target kind --rungs majority,logistic,mlp" in card
    assert "Openings of that split: 1" in card


def test_json_is_one_object_of_the_schema(tmp_path):
    sales(tmp_path / "sales.csv")
    rungs = "mean,majority,logistic,lenet5"
    said = gradatim(tmp_path, "climb", "sales.csv", "--target", "kind", "--rungs", rungs, "--json")
    assert said.code == 0, said.err
    board = said.json
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(board)
    assert [(r["name"], r["status"]) for r in board["rungs"]] == [
        ("majority", "ok"),
        ("mean", "refused"),
        ("logistic", "ok"),
        ("lenet5", "refused"),
    ]
    assert board == json.loads((only_run(tmp_path) / "leaderboard.json").read_text())
    assert board["classes"] == ["a", "b", "c"]
    assert (board["rows"], board["train_rows"] + board["test_rows"]) == (120, 120)


def test_schema_describes_every_key_and_takes_no_other():
    def bare(node, path):
        for name, value in node.get("properties", {}).items():
            if "description" not in value:
                yield f"{path}.{name}"
            yield from bare(value, f"{path}.{name}")

    schema = json.loads(SCHEMA.read_text())
    parts = {"climb": schema, **schema["$defs"]}
    assert [name for key, part in parts.items() for name in bare(part, key)] == []
    assert all(part["additionalProperties"] is False for part in parts.values())


def test_regression_from_a_bundled_set_and_its_json(tmp_path):
    said = gradatim(tmp_path, "climb", "diabetes", "--rungs", "mean,ridge", "--json")
    assert said.code == 0, said.err
    board = said.json
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(board)
    assert (board["task"], board["metric"], board["direction"]) == ("regress", "rmse", "lower")
    assert board["verdict"]["rung"] == "ridge"
    assert board["verdict"]["deep"] == "not tried"
    assert board["classes"] == []


def test_asking_again_gives_another_run(climbed, tmp_path):
    sales(tmp_path / "sales.csv")
    ask = ("climb", "sales.csv", "--target", "kind", "--rungs", "majority", "--json")
    first, second = gradatim(tmp_path, *ask).json, gradatim(tmp_path, *ask).json
    assert second["run"] == first["run"] + "-2"
    said = gradatim(tmp_path, *ask, "--out", first["run"])
    assert said.code == 2
    assert "finished run" in said.err


def test_results_do_not_depend_on_how_many_work_side_by_side(tmp_path, monkeypatch):
    """Two climbs with one seed: the same bytes of the model and of the records, times aside."""
    sales(tmp_path / "sales.csv")
    plan = {"majority": Forecast(0.01), "mlp": Forecast(1.0, 0.3)}  # a clock may say otherwise
    monkeypatch.setattr(climb_room, "forecasts", lambda works, *rest: plan)
    ask = ("climb", "sales.csv", "--target", "kind", "--rungs", "majority,mlp", "--out")
    assert gradatim(tmp_path, *ask, "two").code == 0
    monkeypatch.setattr(climb_room, "workers", lambda crew: 1)
    assert gradatim(tmp_path, *ask, "one").code == 0
    one, two = tmp_path / "one", tmp_path / "two"
    for name in ("model/model.safetensors", "split.npz", "fits/mlp/0-3/predictions.npy"):
        assert (one / name).read_bytes() == (two / name).read_bytes()
    for name in ("records.jsonl", *(f"fits/mlp/0-{fold}/records.jsonl" for fold in range(5))):
        assert records_of(one / name) == records_of(two / name)
        assert len(records_of(one / name)) > 3
    assert board_of(one) == board_of(two)


def test_another_seed_is_another_split(tmp_path):
    sales(tmp_path / "sales.csv")
    ask = ("climb", "sales.csv", "--target", "kind", "--rungs", "majority", "--json", "--seed")
    assert (
        gradatim(tmp_path, *ask, "0").json["split_hash"]
        != gradatim(tmp_path, *ask, "1").json["split_hash"]
    )


# --- splits -------------------------------------------------------------------------------------


def parts_of(run: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """(learn, check) of the sealed split and of every fold."""
    split = np.load(run / "split.npz")
    pairs = [(split["training"], split["test"])]
    folds = [name.removeprefix("train_") for name in split.files if name.startswith("train_")]
    return pairs + [(split[f"train_{f}"], split[f"validation_{f}"]) for f in folds]


def test_test_rows_are_in_no_fold(climbed):
    folder, _ = climbed
    (training, test), *folds = parts_of(only_run(folder))
    assert sorted([*training, *test]) == list(range(120))
    assert sorted(np.concatenate([check for _, check in folds])) == sorted(training)
    for learn, check in folds:
        assert not set(learn) & set(check)
        assert not (set(learn) | set(check)) & set(test)


def test_a_group_never_straddles(tmp_path):
    path = sales(tmp_path / "sales.csv")
    ask = ("climb", "sales.csv", "--target", "kind", "--group", "site", "--rungs", "majority")
    assert gradatim(tmp_path, *ask).code == 0
    site = column(path, "site")
    parts = parts_of(only_run(tmp_path))
    assert len(parts) == 6
    for learn, check in parts:
        assert not set(site[learn]) & set(site[check])


def test_time_never_looks_ahead(tmp_path):
    path = sales(tmp_path / "sales.csv")
    ask = ("climb", "sales.csv", "--target", "kind", "--time", "when", "--rungs", "majority")
    assert gradatim(tmp_path, *ask).code == 0
    when = column(path, "when").astype(float)
    assert (np.diff(when) < 0).any(), "the file must not be in order already"
    for learn, check in parts_of(only_run(tmp_path)):
        assert when[learn].max() < when[check].min()


# --- leaks --------------------------------------------------------------------------------------


def leaking(path: Path) -> Path:
    """Sales with a column that gives the target away."""
    sales(path)
    head, *lines = path.read_text().splitlines()
    code = {"a": "7.5", "b": "1.25", "c": "3.5"}
    rows = [f"{line},{code[line[-1]]}" for line in lines]
    path.write_text("\n".join([head + ",invoice", *rows]) + "\n")
    return path


def test_a_leaking_column_is_caught(tmp_path):
    leaking(tmp_path / "sales.csv")
    ask = ("climb", "sales.csv", "--target", "kind", "--rungs", "majority")
    said = gradatim(tmp_path, *ask)
    assert said.code == 3
    assert '"invoice"' in said.err
    assert "--drop invoice" in said.err
    assert "--allow-leak" in said.err
    assert not (tmp_path / "runs").exists()
    assert gradatim(tmp_path, *ask, "--drop", "invoice").code == 0
    allowed = gradatim(tmp_path, *ask, "--allow-leak", "--out", "allowed")
    assert allowed.code == 0
    assert "invoice" in " ".join(allowed.out.split())


# --- time ---------------------------------------------------------------------------------------


def test_a_rung_that_does_not_fit_the_time_says_what_it_needs(tmp_path, monkeypatch):
    sales(tmp_path / "sales.csv")
    seconds = {"majority": 0.001, "logistic": 0.01, "mlp": 36_000.0}
    needs = {name: Forecast(told) for name, told in seconds.items()}
    monkeypatch.setattr(climb_room, "forecasts", lambda works, *rest: needs)
    monkeypatch.setattr(climb_room, "workers", lambda crew: 2)
    said = gradatim(
        tmp_path, "climb", "sales.csv", "--target", "kind", *FEW, "--minutes", "60", "--json"
    )
    assert said.code == 0, said.err
    rows = {row["name"]: row for row in said.json["rungs"]}
    assert rows["logistic"]["status"] == "ok"
    assert rows["mlp"]["status"] == "not tried"
    assert rows["mlp"]["reason"] == "needs about 1800.0 minutes"
    assert "--minutes" in rows["mlp"]["remedy"]
    assert said.json["verdict"]["deep"] == "not tried"


def test_rungs_that_all_refuse_are_refused_before_any_work(tmp_path):
    sales(tmp_path / "sales.csv")
    said = gradatim(tmp_path, "climb", "sales.csv", "--target", "kind", "--rungs", "mean,lenet5")
    assert said.code == 2
    assert "use majority" in said.err
    assert not (tmp_path / "runs").exists()


def test_no_time_for_anything_is_a_matter_of_resources(tmp_path, monkeypatch):
    sales(tmp_path / "sales.csv")
    monkeypatch.setattr(climb_room, "forecasts", lambda works, *rest: {"mlp": Forecast(36_000.0)})
    ask = ("climb", "sales.csv", "--target", "kind", "--rungs", "mlp", "--minutes", "1")
    said = gradatim(tmp_path, *ask)
    assert said.code == 5
    assert "needs about" in said.err
    assert "--minutes" in said.err


# --- what comes after ---------------------------------------------------------------------------


def test_a_run_is_evaluated_asked_and_shown(tmp_path):
    sales(tmp_path / "sales.csv")
    new = sales(tmp_path / "new.csv", rows=30, seed=1)
    climbed = gradatim(
        tmp_path, "climb", "sales.csv", "--target", "kind", "--rungs", "majority,mlp", "--json"
    ).json
    run = climbed["run"]

    sealed = gradatim(tmp_path, "evaluate", run, "--json").json
    assert climbed["test"]["openings"] == 1
    assert sealed["openings"] == 2
    assert sealed["score"] == climbed["test"]["score"]
    assert "opened 3x" in gradatim(tmp_path, "evaluate", run).out

    other = gradatim(tmp_path, "evaluate", run, "new.csv", "--json").json
    assert "openings" not in other
    assert other["rows"] == 30
    assert other["score"] > 0.5
    assert gradatim(tmp_path, "evaluate", run, "--json").json["openings"] == 4

    table = gradatim(tmp_path, "predict", run, "new.csv").out
    rows = list(csv.DictReader(io.StringIO(table)))
    said = gradatim(tmp_path, "predict", run, "new.csv", "--json").json
    assert [row["prediction"] for row in rows] == [p["prediction"] for p in said["predictions"]]
    kinds = column(new, "kind")
    right = np.mean([row["prediction"] == kind for row, kind in zip(rows, kinds, strict=True)])
    assert right == pytest.approx(other["score"])
    for row in rows:
        assert sum(float(row[f"p({c})"]) for c in "abc") == pytest.approx(1, abs=3e-6)

    page = gradatim(tmp_path, "report", run, "--out", "page.html")
    assert page.out == "Report: page.html\n"
    assert "4" in (tmp_path / "page.html").read_text()
    assert not leftovers(tmp_path)


def test_rows_without_target_with_news_are_answered(climbed, tmp_path):
    folder, _ = climbed
    (tmp_path / "new.csv").write_text(
        "day,sold,site,when,colour,height,width\n"
        "2024-05-01,yes,s1,5,purple,,3.5\n,no,s99,6,red,1.0,-2\n"
    )
    said = gradatim(folder, "predict", f"runs/{only_run(folder).name}", str(tmp_path / "new.csv"))
    assert said.code == 0, said.err
    assert len(said.out.splitlines()) == 3
    assert "colour" in said.err


def test_answers_are_no_formulas_and_files_are_whole(climbed, tmp_path):
    folder, _ = climbed
    name = only_run(folder).name
    said = gradatim(folder, "predict", f"runs/{name}", "sales.csv", "--out", str(tmp_path / "a"))
    assert (said.code, said.out) == (0, "")
    assert len((tmp_path / "a").read_text().splitlines()) == 121


@pytest.mark.parametrize("changed", ["a cell", "gone"])
def test_sealed_rows_are_opened_only_on_the_data_they_were_sealed_in(climbed, tmp_path, changed):
    folder, _ = climbed
    text = (folder / "sales.csv").read_text()
    run = f"runs/{only_run(folder).name}"
    try:
        if changed == "gone":
            (folder / "sales.csv").unlink()
        else:
            (folder / "sales.csv").write_text(text.replace("red", "blue", 1))
        said = gradatim(folder, "evaluate", run)
    finally:
        (folder / "sales.csv").write_text(text)
    assert said.code == 3
    assert "sales.csv" in said.err


def test_a_score_that_the_sealed_rows_do_not_define_is_said_to_be_undefined(tmp_path):
    """The last rows in time all have one class: there is no area under a curve."""
    chance = np.random.default_rng(0)
    kinds = [i % 2 if i < 115 else 1 for i in range(150)]
    cells = [f"{k + chance.normal():.3f},{i},{'ab'[k]}" for i, k in enumerate(kinds)]
    (tmp_path / "t.csv").write_text("\n".join(["x,when,y", *cells]) + "\n")
    ask = ("climb", "t.csv", "--target", "y", "--time", "when", "--metric", "auc")
    ask += ("--rungs", "majority,logistic", "--out", "run")
    said = gradatim(tmp_path, *ask)
    assert said.code == 0, said.err
    assert "auc undefined" in said.out
    board = json.loads((tmp_path / "run" / "leaderboard.json").read_text())
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(board)
    assert (board["test"]["score"], board["test"]["low"]) == (None, None)
    assert board["test"]["scores"]["accuracy"] > 0
    assert "undefined" in (tmp_path / "run" / "model" / "README.md").read_text()
    assert "auc undefined" in gradatim(tmp_path, "evaluate", "run").out
    assert gradatim(tmp_path, "evaluate", "run", "--json").json["score"] is None


def test_data_that_the_model_was_trained_on_flatters_it(climbed):
    folder, _ = climbed
    run = f"runs/{only_run(folder).name}"
    assert "flatters" in gradatim(folder, "evaluate", run, "sales.csv").out
    assert "flatters" in gradatim(folder, "evaluate", run, "sales.csv", "--json").json["note"]


@pytest.mark.parametrize("what", ["rungs", "tasks", "sources", "optimizers"])
def test_list_names_everything(tmp_path, what):
    entries = gradatim(tmp_path, "list", what, "--json").json[what]
    lines = gradatim(tmp_path, "list", what).out.splitlines()
    assert [line.split()[0] for line in lines] == [entry["name"] for entry in entries]
    assert all(entry["summary"] for entry in entries)
    if what == "rungs":
        assert [e["place"] for e in entries] == sorted(e["place"] for e in entries)


def test_inspect_says_what_is_in_the_data(climbed):
    folder, _ = climbed
    said = gradatim(folder, "inspect", "sales.csv", "--target", "kind", "--quick", "--json")
    facts = said.json
    assert (facts["rows"], facts["task"], facts["train_rows"]) == (120, "classify", 96)
    board = json.loads((only_run(folder) / "leaderboard.json").read_text())
    assert facts["split_hash"] == board["split_hash"], "inspect and climb split alike"
    refused = {rung["name"] for rung in facts["rungs"] if rung["reason"]}
    assert {"mean", "lenet5", "hog_svm"} <= refused
    text = gradatim(folder, "inspect", "sales.csv", "--target", "kind", "--quick").out
    assert facts["split_hash"][:16] in text
    for name in ("width", "height", "colour", "sold", "day"):
        assert name in text


def test_inspect_measures_how_long_rungs_take(tmp_path, monkeypatch):
    import gradatim.session.inspect as room

    few = [rung for rung in room.choose_rungs(None) if rung.name in ("majority", "logistic")]
    monkeypatch.setattr(room, "choose_rungs", lambda names, signature: few)
    sales(tmp_path / "sales.csv")
    facts = gradatim(tmp_path, "inspect", "sales.csv", "--target", "kind", "--json").json
    assert [rung["name"] for rung in facts["rungs"]] == ["majority", "logistic"]
    assert all(0 < rung["fit_seconds"] < rung["climb_seconds"] * 5 for rung in facts["rungs"])
    assert not (tmp_path / "runs").exists()


def test_scoring_the_training_data_says_so(climbed):
    folder, _ = climbed
    said = gradatim(folder, "evaluate", str(only_run(folder)), "sales.csv")
    assert said.code == 0
    assert "trained on" in said.out

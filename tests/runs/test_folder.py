"""Which folder a question gets: a new one, or the unfinished one that asked the same."""

from pathlib import Path

import pytest

from gradatim.core.errors import ConfigError, CorruptError, DataError
from gradatim.runs.files import finish_all, read_json, write_json
from gradatim.runs.folder import environment, find_run, open_run

ASKED = {"job": "climb", "data": "a.csv", "seed": 0, "recipes": {"mlp": {"epochs": 5, "lr": 0.1}}}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_question_gets_a_folder_of_its_own():
    first = open_run(None, "a.csv", ASKED)
    assert first.parent == Path("runs")
    assert first.name.startswith("a.csv-")
    assert read_json(first / "question.json") == ASKED
    assert read_json(first / "environment.json")["torch"]
    assert open_run(None, "a.csv", ASKED | {"seed": 1}) != first


def test_unfinished_goes_on_and_finished_gets_a_number():
    first = open_run(None, "a.csv", ASKED)
    assert open_run(None, "a.csv", ASKED) == first
    finish_all(first)
    second = open_run(None, "a.csv", ASKED)
    assert second.name == f"{first.name}-2"
    finish_all(second)
    assert open_run(None, "a.csv", ASKED).name == f"{first.name}-3"


def test_the_environment_is_that_of_the_beginning():
    folder = open_run(None, "a.csv", ASKED)
    write_json(folder / "environment.json", {"torch": "then"})
    open_run(None, "a.csv", ASKED)
    assert read_json(folder / "environment.json") == {"torch": "then"}
    assert set(environment()) >= {"torch", "numpy", "python", "gradatim", "platform"}


def test_another_question_is_refused_with_the_difference():
    open_run(Path("out"), "a.csv", ASKED)
    now = ASKED | {"seed": 7, "recipes": {"mlp": {"epochs": 9, "lr": 0.1}}}
    with pytest.raises(ConfigError) as caught:
        open_run(Path("out"), "a.csv", now)
    assert "recipes.mlp.epochs: 5 then, 9 now; seed: 0 then, 7 now" in str(caught.value)
    assert "lr" not in str(caught.value)


def test_many_differences_are_counted_not_listed():
    open_run(Path("out"), "a.csv", ASKED | {f"k{i}": i for i in range(9)})
    with pytest.raises(ConfigError, match="and 6 more") as caught:
        open_run(Path("out"), "a.csv", ASKED)
    assert len(str(caught.value)) < 600


def test_out_that_is_finished_or_something_else_is_refused():
    finish_all(open_run(Path("done"), "a.csv", ASKED))
    Path("file").write_text("mine")
    Path("full").mkdir()
    Path("full/mine.txt").write_text("mine")
    for name, word in (("done", "finished run"), ("file", "a file"), ("full", "no run")):
        with pytest.raises(ConfigError, match=word):
            open_run(Path(name), "a.csv", ASKED)


@pytest.mark.parametrize(
    "left", [[], [".lock"], [".question.json.tmp-7"], ["environment.json", ".lock"]]
)
def test_what_a_killed_beginning_leaves_is_no_obstacle(left):
    Path("out").mkdir()
    for name in left:
        (Path("out") / name).write_text("{}")
    assert read_json(open_run(Path("out"), "a.csv", ASKED) / "question.json") == ASKED


def test_a_damaged_question_is_corrupt():
    folder = open_run(Path("out"), "a.csv", ASKED)
    (folder / "question.json").write_text("{")
    with pytest.raises(CorruptError, match=r"question\.json"):
        open_run(Path("out"), "a.csv", ASKED)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "", ".", "..", "a\nb\x1b[31m", "ü" * 300, "-rf", "a/b\\c", ".lock"]
)
def test_names_of_strangers_stay_below_runs(name):
    folder = open_run(None, name, ASKED)
    assert folder.parent == Path("runs")
    assert folder.resolve().parent == Path.cwd() / "runs"
    assert folder.name.isascii()
    assert folder.name.isprintable()
    assert folder.name[0] not in "-."
    assert len(folder.name) <= 60


def test_a_run_that_a_user_names_is_found_or_not():
    folder = open_run(None, "a.csv", ASKED)
    assert find_run(folder) == folder
    for name in ("gone", ".", str(folder / "question.json")):
        with pytest.raises(DataError, match="no run folder"):
            find_run(Path(name))

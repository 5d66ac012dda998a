"""TensorBoard and MLflow read back what a run wrote: every point once, whenever it was written."""

import importlib.util
import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gradatim.session.track as room
from gradatim.core.errors import ConfigError, CorruptError
from gradatim.runs.files import finish, finish_all, write_json
from gradatim.runs.loggers import LOGGERS
from gradatim.runs.loggers._tracks import identity, tracks
from gradatim.session.track import track

from ..end_to_end.shell import gradatim  # noqa: TID252  the tests are no installed package

NEEDS = {"tensorboard": ("tensorboard",), "mlflow": ("mlflow", "sqlalchemy", "alembic")}
TOOLS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            not all(importlib.util.find_spec(package) for package in packages),
            reason=f'no {name}: pip install "gradatim[tracking]"',
        ),
    )
    for name, packages in NEEDS.items()
]
RECIPE = {"batch": 32, "optimizer": {"lr": 0.002, "name": "adamw"}, "layers": [1, 2]}
CLIMB = {"folds": 2, "repeats": 1, "rope": None, "names": ["mean", "mlp"]}
SCORES = {"accuracy": 0.9, "auc": None}
Points = dict[str, dict[str, list[tuple[int, float]]]]


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory) -> Path | None:
    """A store without runs: MLflow takes seconds to make one."""
    if not all(importlib.util.find_spec(package) for package in NEEDS["mlflow"]):
        return None
    folder = tmp_path_factory.mktemp("store")
    question(folder / "run", job="climb", **CLIMB)
    place = track(folder / "run", "mlflow").place
    return Path(place.removeprefix("sqlite:///"))


@pytest.fixture
def store(tmp_path, empty_store) -> None:
    """Put it where the runs of a test will look for theirs."""
    if empty_store is not None:
        shutil.copy(empty_store, tmp_path / "mlflow.db")


def record(step: int) -> str:
    values = {"loss": 1.0 / step, "validation_loss": 2.0 / step}
    line = {"step": step, "steps": 40, "rate": 0.25, "seconds": step / 8, "values": values}
    return json.dumps(line) + "\n"


def question(folder: Path, **more: Any) -> None:
    shared = {"data": "digits", "options": dict.fromkeys(OPTIONS), "drop": [], "rows": None}
    shared |= {"allow_leak": False, "seed": 0, "metric": "accuracy", "fingerprint": "f"}
    write_json(folder / "environment.json", {"date": "2026-11-22T09:50:41+00:00", "command": "c"})
    write_json(folder / "question.json", shared | more)


OPTIONS = ("target", "group", "time", "task", "encoding", "missing")


def began(folder: Path) -> Path:
    """A climb of two rungs in which one fold is done, one failed, and one is under way."""
    rungs, recipes = {"mlp": {"width": 8}, "mean": {}}, {"mlp": RECIPE, "mean": {}}
    question(folder, job="climb", rungs=rungs, recipes=recipes, **CLIMB)
    for name in ("mlp/0-0", "mlp/0-1", "mean/0-0"):
        (folder / "fits" / name).mkdir(parents=True)
    lines = "".join(map(record, (4, 8, 12)))
    (folder / "fits" / "mlp" / "0-0" / "records.jsonl").write_text(lines)
    write_json(folder / "fits" / "mlp" / "0-0" / "result.json", {"rung": "mlp", "scores": SCORES})
    finish(folder / "fits" / "mlp" / "0-0", ["records.jsonl", "result.json"])
    (folder / "fits" / "mlp" / "0-1" / "records.jsonl").write_text(record(4) + record(8)[:20])
    write_json(folder / "fits" / "mean" / "0-0" / "result.json", {"rung": "mean", "failed": "x"})
    finish(folder / "fits" / "mean" / "0-0", ["result.json"])
    return folder


def ended(folder: Path) -> None:
    """The rest of that climb."""
    fold = folder / "fits" / "mlp" / "0-1"
    (fold / "records.jsonl").write_text("".join(map(record, (4, 8, 12, 16))))
    write_json(fold / "result.json", {"rung": "mlp", "scores": SCORES})
    finish(fold, ["records.jsonl", "result.json"])
    (folder / "records.jsonl").write_text(record(4) + record(8))
    board = {"verdict": {"rung": "mlp"}, "test": {"scores": {"accuracy": 0.8}}}
    write_json(folder / "leaderboard.json", board)
    finish_all(folder)


# --- what the tools themselves read -------------------------------------------------------------


def read_tensorboard(place: str) -> Points:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found: Points = {}
    for path in Path(place).rglob("*tfevents*"):
        events = EventAccumulator(str(path.parent), size_guidance={"scalars": 0}).Reload()
        named = {t: events.Scalars(t) for t in events.Tags()["scalars"]}
        found[str(path.parent.relative_to(place))] = {
            tag: [(event.step, event.value) for event in told] for tag, told in named.items()
        }
    return found


def read_mlflow(place: str) -> Points:
    from mlflow.tracking import MlflowClient

    client, found = MlflowClient(tracking_uri=place), {}
    numbers = [experiment.experiment_id for experiment in client.search_experiments()]
    for run in client.search_runs(numbers):
        told = {key: client.get_metric_history(run.info.run_id, key) for key in run.data.metrics}
        found[run.info.run_name] = {
            key: [(point.step, point.value) for point in points] for key, points in told.items()
        }
    return found


READ: dict[str, Callable[[str], Points]] = {
    "tensorboard": read_tensorboard,
    "mlflow": read_mlflow,
}


def fit_points(steps: tuple[int, ...], **scores: float) -> dict[str, list[tuple[int, float]]]:
    told = {
        "loss": [(step, pytest.approx(1.0 / step)) for step in steps],
        "validation_loss": [(step, pytest.approx(2.0 / step)) for step in steps],
        "rate": [(step, 0.25) for step in steps],
    }
    last = {f"scores/{name}": [(steps[-1], pytest.approx(value))] for name, value in scores.items()}
    return told | last


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("tool", TOOLS)
def test_every_point_is_there_once_however_often_it_is_written(tmp_path, tool):
    run = began(tmp_path / "run")
    first = track(run, tool)
    assert (first.tracks, first.records) == (3, 4)
    half = {
        "mlp/0-0": fit_points((4, 8, 12), accuracy=0.9),
        "mlp/0-1": fit_points((4,)),
        "mean/0-0": {},
    }
    assert READ[tool](first.place) == half
    assert track(run, tool).records == 0
    assert READ[tool](first.place) == half
    ended(run)
    last = track(run, tool)
    assert (last.tracks, last.records) == (4, 5)
    whole = half | {
        "mlp/0-1": fit_points((4, 8, 12, 16), accuracy=0.9),
        "final": fit_points((4, 8), accuracy=0.8),
    }
    assert READ[tool](first.place) == whole
    assert track(run, tool).records == 0
    assert READ[tool](first.place) == whole


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("tool", TOOLS)
def test_the_run_folder_is_only_read(tmp_path, tool):
    run = began(tmp_path / "run")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    track(run, tool)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("tool", TOOLS)
def test_following_ends_with_the_run_and_misses_nothing(tmp_path, tool, monkeypatch):
    monkeypatch.setattr(room, "EVERY", 0.05)
    run = began(tmp_path / "run")
    seen: list[int] = []

    def watch(new: int) -> None:
        seen.append(new)
        if len(seen) == 1:  # the first turn is over: now the rest of the run happens
            threading.Timer(0.2, ended, (run,)).start()

    begun = time.monotonic()
    result = track(run, tool, follow=True, watch=watch)
    assert time.monotonic() - begun < 60
    assert sum(seen) == result.records == 9
    assert len(seen) >= 2
    assert READ[tool](result.place)["mlp/0-1"] == fit_points((4, 8, 12, 16), accuracy=0.9)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_moved_run_and_one_of_the_same_name_are_told_apart(tmp_path, tool):
    run = began(tmp_path / "a" / "run")
    other = tmp_path / "b" / "run"
    shutil.copytree(run, other)
    assert identity(run) == identity(other)
    (other / "environment.json").write_text('{"date": "2026-11-22T10:00:00+00:00"}')
    assert identity(run) != identity(other)
    out = str(tmp_path / "events") if tool == "tensorboard" else f"sqlite:///{tmp_path}/m.db"
    track(run, tool, out=out)
    if tool == "tensorboard":
        with pytest.raises(ConfigError, match="another run"):
            track(other, tool, out=out)
    else:
        assert track(other, tool, out=out).records == 4
        assert track(other, tool, out=out).records == 0


@pytest.mark.usefixtures("store")
def test_settings_tags_and_ends_in_mlflow(tmp_path):
    pytest.importorskip("sqlalchemy")
    tracking = pytest.importorskip("mlflow.tracking")
    run = began(tmp_path / "run")
    client = tracking.MlflowClient(tracking_uri=track(run, "mlflow").place)
    found = client.search_runs([client.get_experiment_by_name("run").experiment_id])
    runs = {each.info.run_name: each for each in found}
    params = runs["mlp/0-0"].data.params
    assert params["model.width"] == "8"
    assert params["optimizer.lr"] == "0.002"
    assert params["layers"] == "[1, 2]"
    assert params["data"] == "digits"
    assert runs["mlp/0-0"].data.tags["gradatim.rung"] == "mlp"
    states = {name: each.info.status for name, each in runs.items()}
    assert states == {"mlp/0-0": "FINISHED", "mlp/0-1": "RUNNING", "mean/0-0": "FAILED"}
    assert runs["mean/0-0"].data.tags["gradatim.failed"] == "x"
    assert runs["mlp/0-0"].info.start_time == 1795341041000
    assert runs["mlp/0-0"].info.end_time == 1795341041000 + 1500


def test_settings_in_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata

    place = track(began(tmp_path / "run"), "tensorboard").place
    events = EventAccumulator(f"{place}/mlp/0-0").Reload()
    told = {
        tag: events.SummaryMetadata(tag).plugin_data.content
        for tag in events.PluginTagToContent(metadata.PLUGIN_NAME)
    }
    start = metadata.parse_session_start_info_plugin_data(told[metadata.SESSION_START_INFO_TAG])
    assert start.hparams["optimizer.lr"].number_value == 0.002
    assert start.hparams["optimizer.name"].string_value == "adamw"
    assert start.hparams["model.width"].number_value == 8
    metadata.parse_session_end_info_plugin_data(told[metadata.SESSION_END_INFO_TAG])


def test_events_that_were_cut_off_are_completed_and_those_of_other_records_replaced(tmp_path):
    pytest.importorskip("tensorboard")
    run = began(tmp_path / "run")
    place = track(run, "tensorboard").place
    (path,) = Path(place, "mlp", "0-0").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert track(run, "tensorboard").records > 0
    assert path.read_bytes() == whole
    path.write_bytes(b"something else")
    assert track(run, "tensorboard").records == 3
    assert path.read_bytes() == whole


@pytest.mark.usefixtures("store")
def test_a_resumed_fit_that_lost_records_is_not_logged_twice_in_mlflow(tmp_path):
    """A checkpoint takes records back; the fit repeats them with the same values, later."""
    pytest.importorskip("mlflow")
    run = began(tmp_path / "run")
    records = run / "fits" / "mlp" / "0-1" / "records.jsonl"
    records.write_text("".join(map(record, (4, 8, 12))))
    place = track(run, "mlflow").place
    records.write_text(record(4))
    assert track(run, "mlflow").records == 0
    later = [json.loads(record(step)) | {"seconds": 99.0} for step in (8, 12, 16)]
    records.write_text(record(4) + "".join(json.dumps(line) + "\n" for line in later))
    assert track(run, "mlflow").records == 1
    assert read_mlflow(place)["mlp/0-1"] == fit_points((4, 8, 12, 16))


def test_variants_of_a_race_have_their_own_settings(tmp_path):
    works = {"sgd:lr=0.1": {"rung": {"width": 4}, "recipe": {"optimizer": {"lr": 0.1}}}}
    question(tmp_path, job="race", rung="mlp", works=works, folds=2)
    (tmp_path / "fits" / "sgd:lr=0.1" / "0-0").mkdir(parents=True)
    (tmp_path / "fits" / "sgd:lr=0.1" / "0-0" / "records.jsonl").write_text(record(4))
    (found,) = tracks(tmp_path)
    assert found.name == "sgd:lr=0.1/0-0"
    assert (found.settings["optimizer.lr"], found.settings["model.width"]) == (0.1, 4)


def test_a_damaged_record_is_named(tmp_path):
    run = began(tmp_path / "run")
    (run / "fits" / "mlp" / "0-0" / "records.jsonl").write_text("{}\n")
    with pytest.raises(CorruptError, match=r"0-0/records\.jsonl"):
        list(tracks(run))


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", "--to", "tensorbord"), 2, ['"tensorbord"', '"tensorboard"']),
        (("run", "--to", "mlflow", "--out", "store.db"), 2, ["sqlite:///FILE"]),
        (("run", "--to", "mlflow", "--out", "sqlite:///"), 2, ["sqlite:///FILE"]),
        (("run", "--to", "tensorboard", "--out", "sqlite:///x.db"), 2, ["folder"]),
        (("gone", "--to", "tensorboard"), 3, ["gone"]),
        (("run",), 2, ["--to"]),
    ],
)
def test_a_wrong_word_is_said_in_few_lines(tmp_path, monkeypatch, arguments, code, words):
    monkeypatch.setattr(room, "find_spec", lambda name: True)
    began(tmp_path / "run")
    said = gradatim(tmp_path, "track", *arguments)
    assert said.code == code, said.err
    assert all(word in said.err for word in words), said.err
    assert len(said.err.splitlines()) <= 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


@pytest.mark.parametrize("tool", LOGGERS.names())
def test_a_package_that_is_missing_is_named_with_the_command(tmp_path, monkeypatch, tool):
    monkeypatch.setattr(room, "find_spec", lambda name: None)
    began(tmp_path / "run")
    said = gradatim(tmp_path, "track", "run", "--to", tool)
    assert said.code == 2
    assert 'pip install "gradatim[tracking]"' in said.err


@pytest.mark.parametrize("tool", TOOLS)
def test_a_store_that_is_none_is_refused(tmp_path, tool):
    began(tmp_path / "run")
    (tmp_path / "x").write_text("this is no store and no folder" * 100)
    out = "x" if tool == "tensorboard" else f"sqlite:///{tmp_path}/x"
    said = gradatim(tmp_path, "track", "run", "--to", tool, "--out", out)
    assert said.code == 5, said.err
    assert len(said.err.splitlines()) <= 3
    assert (tmp_path / "x").read_text() == "this is no store and no folder" * 100

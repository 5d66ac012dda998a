import base64
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gradatim.core.errors import ConfigError, CorruptError, DataError
from gradatim.report import build
from gradatim.runs.files import write_array, write_json

from .fake_data import Data, hostile, regression, table
from .fake_run import write_run
from .page import Page

LIMIT = 3_000_000
SECTIONS = {
    "The climb",
    "Leaderboard",
    "Cost against score",
    "Every fold, every rung",
    "What each rung fixes and breaks",
    "In detail",
    "How they learnt",
    "The data",
    "How to reproduce, how to read",
}


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    return write_run(tmp_path / "digits-1", Data())


@pytest.mark.parametrize("make", [Data, table, regression, hostile])
def test_same_run_same_bytes_wherever_it_lies(tmp_path: Path, make: Callable[[], Data]) -> None:
    first = write_run(tmp_path / "a", make())
    html = build([first])
    shutil.copytree(first, tmp_path / "elsewhere" / "b")
    assert build([tmp_path / "elsewhere" / "b"]) == html
    assert str(tmp_path) not in html
    assert len(html.encode()) < LIMIT


def test_a_report_in_the_folder_changes_nothing(digits: Path) -> None:
    html = build([digits])
    (digits / "complete.json").unlink()
    assert build([digits]) == html


def test_no_torch() -> None:
    code = "import sys, gradatim.report; sys.exit(bool({'torch', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_sections(digits: Path) -> None:
    page = Page(build([digits]))
    assert set(page.texts["h2"]) >= SECTIONS
    assert "Worst mistakes of resnet_small" in page.texts["h2"]
    assert page.texts["h1"] == ["resnet_small pays on digits"]
    assert "The sealed test split was opened once." in page.texts["span"]
    text = " ".join(part for parts in page.texts.values() for part in parts)
    for words in ("Nadeau", "Holm", "gradatim climb digits", "0.964 to 0.992", "give --budget 10m"):
        assert words in text


def test_table_and_regression_sections(tmp_path: Path) -> None:
    two = build([write_run(tmp_path / "two", table())])
    assert "ROC curve" in two
    assert "smoothness" in two
    many = build([write_run(tmp_path / "many", regression())])
    assert "Errors that grew the most" in many
    assert "predicted minus true" in many
    assert "confusion matrix" not in many


def test_lower_is_better_keeps_every_good_rung_on_the_axis(tmp_path: Path) -> None:
    html = build([write_run(tmp_path / "run", regression())])
    climb = html[html.index('aria-label="rmse of') :]
    assert climb[: climb.index("</svg>")].count("<circle") >= 4


def test_policy_hashes_are_those_of_the_page(digits: Path) -> None:
    html = build([digits])
    page = Page(html)
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv")) or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for name in ("style", "script"):
        (content,) = re.findall(rf"<{name}>(.*?)</{name}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


def test_nothing_is_fetched_or_styled_inline(digits: Path) -> None:
    for tag, attributes in Page(build([digits])).tags:
        assert tag not in {"link", "iframe", "object", "form", "base"}
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert (attributes.get("src") or "data:image/png;base64,").startswith("data:image/png")
        assert (attributes.get("href") or "#").startswith("#")


PARTS = ("rows.json", "split.npz", "targets.npy", "signature.json", "environment.json", "fits")
PARTS += ("inspection.json", "evaluation.json", "gallery.npz", "question.json", "leaderboard.json")


@pytest.mark.parametrize("name", PARTS)
def test_any_part_may_be_missing(digits: Path, name: str) -> None:
    path = digits / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert "How to reproduce" in build([digits])


def test_a_climb_cut_short_says_so(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", Data(), finished=False)
    html = build([run])
    assert "This run was cut short" in html
    assert "2 rungs have scores so far" in html
    (run / "fits" / "softmax" / "0-4" / "complete.json").unlink()
    assert "4 of 5 folds are finished" in build([run])


def test_a_single_fit(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", Data(rungs=("mlp",)))
    shutil.rmtree(run / "fits")
    (run / "leaderboard.json").unlink()
    summary = {"rung": "mlp", "task": "classify", "metric": "accuracy", "parameters": 85_005}
    write_json(run / "fit.json", summary)
    html = build([run])
    assert "mlp, fitted alone on digits" in html
    assert "85 k" in html
    assert "confusion matrix" in html
    (run / "evaluation.json").unlink()
    (run / "test_predictions.npy").unlink()
    assert "The sealed test split is unopened" in build([run])


def test_odd_values_are_dashes(digits: Path) -> None:
    rung = {"name": "odd", "status": "ok", "score": None, "below": {"difference": "x"}}
    write_json(digits / "leaderboard.json", {"rungs": [rung, {}, 7], "verdict": None, "test": 3})
    assert "odd" in build([digits])


def test_predictions_that_are_not_finite_are_counted(digits: Path) -> None:
    path = digits / "fits" / "mlp" / "0-0" / "predictions.npy"
    values = np.load(path)
    values[3] = np.nan
    write_array(path, values)
    assert "1 rows have no finite prediction" in build([digits])


def test_repeats_read_the_first(digits: Path) -> None:
    before = build([digits])
    for fold in sorted((digits / "fits" / "majority").iterdir()):
        shutil.copytree(fold, fold.with_name(fold.name.replace("0-", "1-")))
    assert build([digits]) == before


def test_several_runs(tmp_path: Path, digits: Path) -> None:
    other = write_run(tmp_path / "other", regression())
    html = build([digits, other])
    page = Page(html)
    assert page.texts["h1"] == ["2 runs compared"]
    assert html.count("<article") == 2
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    many = build([digits] * 7)
    assert many.count("<article") == 5
    assert "The first 5 runs are told in full below" in many
    assert len(many.encode()) < LIMIT


def test_every_link_has_its_target(digits: Path) -> None:
    page = Page(build([digits]))
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert all((a.get("href") or "#")[1:] in ids for tag, a in page.tags if tag == "a")


def test_pictures_and_heads_speak(digits: Path) -> None:
    for tag, attributes in Page(build([digits])).tags:
        assert tag != "img" or attributes["alt"]
        assert tag != "th" or attributes["scope"] in {"col", "row"}
        if tag == "svg" and attributes.get("role") == "img":
            assert attributes["aria-label"]


def test_refusals(tmp_path: Path, digits: Path) -> None:
    with pytest.raises(ConfigError):
        build([])
    with pytest.raises(DataError, match="no run folder"):
        build([tmp_path / "nothing"])
    write_array(digits / "fits" / "mlp" / "0-0" / "predictions.npy", np.zeros((3, 10)))
    with pytest.raises(CorruptError, match=r"predictions\.npy has 3 rows"):
        build([digits])
    (digits / "leaderboard.json").write_text("{")
    with pytest.raises(CorruptError, match=r"leaderboard\.json"):
        build([digits])

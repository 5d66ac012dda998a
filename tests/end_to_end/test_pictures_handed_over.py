"""Fit, predict, evaluate and report where answers are pictures, masks or boxes."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gradatim.data.boxes.voc import voc_xml

from .shell import gradatim

ROWS, SIDE = 16, 40


def _squares(rng: np.random.Generator) -> tuple[np.ndarray, list[tuple[int, int, int, int]]]:
    """A dark picture with two bright squares, one in each half."""
    picture, boxes = rng.normal(60, 4, (SIDE, SIDE)), []
    for half in (0, SIDE // 2):
        top, left = rng.integers(2, SIDE - 14), half + rng.integers(2, 6)
        picture[top : top + 12, left : left + 12] = 200
        boxes.append((left, top, left + 12, top + 12))
    return picture.clip(0, 255).astype(np.uint8), boxes


def _write(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


def _clean(root: Path) -> tuple[str, ...]:
    rng = np.random.default_rng(0)
    for row in range(ROWS):
        _write(root / f"p{row}.png", _squares(rng)[0][: SIDE - row % 3])
    return "--task", "denoise", "--sigma", "20", "--rung", "gauss"


def _masked(root: Path) -> tuple[str, ...]:
    rng = np.random.default_rng(0)
    for row in range(ROWS):
        picture, _ = _squares(rng)
        _write(root / "images" / f"p{row}.png", picture)
        _write(root / "masks" / f"p{row}.png", np.where(picture > 130, 255, 0).astype(np.uint8))
    return "--task", "segment", "--rung", "threshold"


def _boxed(root: Path) -> tuple[str, ...]:
    rng = np.random.default_rng(0)
    for row in range(ROWS):
        picture, boxes = _squares(rng)
        _write(root / "JPEGImages" / f"p{row}.png", np.stack([picture] * 3, 2))
        shares = [tuple(edge / SIDE for edge in box) for box in boxes]
        xml = voc_xml(f"p{row}.png", (SIDE, SIDE, 3), ["square"] * 2, shares)
        (root / "Annotations").mkdir(exist_ok=True)
        (root / "Annotations" / f"p{row}.xml").write_bytes(xml)
    return "--task", "detect", "--rung", "watershed"


JOBS: dict[str, Callable[[Path], tuple[str, ...]]] = {
    "denoise": _clean,
    "segment": _masked,
    "detect": _boxed,
}


@pytest.fixture(scope="module", params=JOBS)
def fitted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, new pictures of two folders, and a run."""
    folder = tmp_path_factory.mktemp(request.param)
    flags = JOBS[request.param](folder / "data")
    said = gradatim(folder, "fit", "data", *flags, "--out", f"run-{request.param}")
    assert said.code == 0, said.err
    rng = np.random.default_rng(9)
    for name in ("a/x.png", "b/x.png"):
        _write(folder / "new" / name, np.stack([_squares(rng)[0]] * 3, 2))
    return folder


def _job(fitted: Path) -> str:
    return next(fitted.glob("run-*")).name.removeprefix("run-")


def test_predict_writes_what_the_job_hands_over(fitted: Path) -> None:
    job = _job(fitted)
    said = gradatim(fitted, "predict", f"run-{job}", "new", "--out", "out", "--json")
    assert said.code == 0, said.err
    files = {
        "denoise": ["a/x.png", "b/x.png"],
        "segment": [f"{kind}/{k}/x.png" for k in "ab" for kind in ("masks", "overlays")],
        "detect": ["predictions.json", "overlays/a/x.png", "overlays/b/x.png"],
    }[job]
    assert said.json["files"] == files
    there = [str(p.relative_to(fitted / "out")) for p in (fitted / "out").rglob("*") if p.is_file()]
    assert sorted(there) == sorted(files)
    assert all(
        Image.open(fitted / "out" / name).size == (SIDE, SIDE) for name in files if "png" in name
    )


def test_the_answers_are_right(fitted: Path) -> None:
    """Squares stand out so much that the simplest rungs find them."""
    job = _job(fitted)
    gradatim(fitted, "predict", f"run-{job}", "new", "--out", "answers")
    picture = np.asarray(Image.open(fitted / "new" / "a" / "x.png"))[..., 0]
    if job == "segment":
        mask = np.asarray(Image.open(fitted / "answers" / "masks" / "a" / "x.png"))
        np.testing.assert_array_equal(mask, np.where(picture > 130, 255, 0))
    if job == "detect":
        found = json.loads((fitted / "answers" / "predictions.json").read_bytes())
        best = sorted((e for e in found if e["image_id"] == 1), key=lambda e: -e["score"])[:2]
        for x, y, width, height in (entry["bbox"] for entry in best):
            left, top, right, bottom = map(round, (x, y, x + width, y + height))
            assert (picture[top:bottom, left:right] > 130).mean() > 0.7


def test_without_a_folder(fitted: Path) -> None:
    job = _job(fitted)
    said = gradatim(fitted, "predict", f"run-{job}", "new")
    if job == "detect":
        assert said.code == 0
        assert said.out.startswith("row,class,confidence,left,top,right,bottom\na/x.png,square,")
    else:
        assert said.code == 2
        assert "--out FOLDER" in said.err
        assert said.out == ""


def test_people_are_told_how_many_files(fitted: Path) -> None:
    job = _job(fitted)
    said = gradatim(fitted, "predict", f"run-{job}", "new/a/x.png", "--out", "one")
    assert said.code == 0, said.err
    lines = {"denoise": ["one: 1 file"], "segment": ["one/masks: 1 file", "one/overlays: 1 file"]}
    lines["detect"] = ["one: 1 file", "one/overlays: 1 file"]
    assert said.out.splitlines() == lines[job]


def test_an_opened_fit_is_shown_side_by_side(fitted: Path) -> None:
    job = _job(fitted)
    assert gradatim(fitted, "report", f"run-{job}").code == 0
    page = fitted / f"run-{job}" / "report.html"
    assert "Side by side" not in page.read_text()
    assert gradatim(fitted, "evaluate", f"run-{job}").code == 0
    assert gradatim(fitted, "report", f"run-{job}").code == 0
    html = page.read_text()
    assert "Side by side" in html
    assert ("precision over recall" in html) == (job == "detect")

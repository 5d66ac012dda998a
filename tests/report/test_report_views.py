"""The page of jobs whose answers are pictures, masks or boxes."""

import base64
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gradatim.core.errors import CorruptError
from gradatim.report import build
from gradatim.report.evidence import Evidence
from gradatim.report.learning import learning
from gradatim.report.qualities import qualities
from gradatim.report.side_by_side import side_by_side
from gradatim.runs.files import read_array, read_json, write_array, write_arrays, write_json

from .fake_data import BREAKOUT, Data
from .fake_run import write_run
from .fake_views import JOBS, write_views
from .page import Page

LIMIT = 3_000_000
ABSENT = ("What each rung fixes and breaks", "confusion matrix", "Calibration", "Worst mistakes")


@pytest.fixture(params=JOBS)
def run(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return write_views(tmp_path / str(request.param), request.param)


def test_sections_of_the_job_are_there_and_others_are_not(run: Path) -> None:
    html = build([run])
    page = Page(html)
    assert {"Side by side", "What each rung answers better and worse", "In detail"} <= set(
        page.texts["h2"]
    )
    assert not any(words in html for words in ABSENT)
    assert len(html.encode()) < LIMIT
    rungs = list(JOBS[run.name][2])
    views = [a["alt"].split(", ")[1] for t, a in page.tags if t == "img"]
    assert views == ["input", "truth", *rungs] * 6
    measures = {"denoise": "PSNR in dB", "segment": "mean IoU", "detect": "F1"}
    assert f"Below an answer stands its {measures[run.name]}" in html


def test_same_run_same_bytes(run: Path, tmp_path: Path) -> None:
    html = build([run])
    shutil.copytree(run, tmp_path / "elsewhere" / "copy")
    assert build([tmp_path / "elsewhere" / "copy"]) == html


def test_better_and_worse_are_counted_row_by_row(run: Path) -> None:
    names = list(JOBS[run.name][2])
    evidence = Evidence(run)
    below, now = (qualities(evidence, name) for name in names[-2:])
    assert below is not None
    assert now is not None
    better, worse = (now.values > below.values).sum(), (now.values < below.values).sum()
    html = build([run])
    assert f"{better} better ({better / len(now.rows):.1%})" in html
    assert f"{worse} worse ({worse / len(now.rows):.1%})" in html
    rows = np.concatenate([read_array(run / "split.npz")[f"validation_0_{k}"] for k in range(3)])
    np.testing.assert_array_equal(now.rows, np.sort(rows))


@pytest.mark.parametrize(
    "name",
    ["gallery.npz", "gallery.json", "rows.json", "split.npz", "signature.json", "fits"],
)
def test_any_part_may_be_missing(run: Path, name: str) -> None:
    path = run / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert "How to reproduce" in build([run])


def test_a_climb_cut_short_shows_what_is_there(run: Path) -> None:
    for name in ("leaderboard.json", "gallery.npz", "gallery.json"):
        (run / name).unlink()
    html = build([run])
    assert "Side by side" not in html
    assert "What each rung answers better and worse" in html


def test_a_single_fit_has_side_by_side_without_a_rung_below(run: Path) -> None:
    rung = list(JOBS[run.name][2])[-1]
    shutil.rmtree(run / "fits")
    (run / "leaderboard.json").unlink()
    write_json(run / "fit.json", {"rung": rung, "task": run.name, "metric": JOBS[run.name][0]})
    html = build([run])
    assert "Side by side" in html
    assert "answers better and worse" not in html


def test_quality_of_another_length_is_corrupt(run: Path) -> None:
    rung = next(iter(JOBS[run.name][2]))
    write_array(run / "fits" / rung / "0-1" / "quality.npy", np.zeros(3))
    with pytest.raises(CorruptError, match=r"quality\.npy has 3 rows"):
        build([run])


def test_rows_without_a_quality_are_passed_over(tmp_path: Path) -> None:
    run = write_views(tmp_path / "segment", "segment")
    path = run / "fits" / "unet" / "0-0" / "quality.npy"
    values = read_array(path)
    values[:2] = np.nan
    write_array(path, values)
    found = qualities(Evidence(run), "unet")
    assert found is not None
    assert len(found.rows) == 24 - 2
    assert np.isfinite(found.values).all()
    build([run])


def _large(folder: Path, channels: int, cut: bool) -> Evidence:
    """A run with pictures of pure noise, which no format makes smaller."""
    write_views(folder, "detect")
    rng = np.random.default_rng(0)
    rows, names = range(6), ("input", "truth", "watershed", "centernet")
    shape = (channels, 256, 200)
    pictures = {
        f"{row}/{name}": rng.integers(0, 256, shape, np.uint8) for row in rows for name in names
    }
    write_arrays(folder / "gallery.npz", pictures)
    told = [{"row": row, "why": "", "quality": {"centernet": 0.5}} for row in rows]
    write_json(
        folder / "gallery.json", {"side_by_side": {"measure": "F1", "cut": cut, "rows": told}}
    )
    return Evidence(folder)


def _decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("budget", [5_000_000, 700_000, 200_000, 30_000, 100])
def test_pictures_shrink_then_stop_at_the_budget(
    tmp_path: Path, channels: int, budget: int
) -> None:
    evidence = _large(tmp_path / "run", channels, cut=False)
    side = side_by_side(evidence, ["watershed", "centernet"], "centernet", budget)
    assert side is not None
    views = [view for strip in side.strips for view in strip.views]
    assert sum(len(view.picture) for view in views) <= budget
    assert len(views) + side.left_out == 24
    for view in views:
        assert max(_decoded(view.picture).size) <= 256
    if budget > 1_000_000 and channels == 1:
        assert _decoded(views[0].picture).size == (200, 256)


def test_what_was_cut_is_cut_again_and_not_smoothed(tmp_path: Path) -> None:
    """Noise keeps its deviation; a picture made smaller would lose some of it."""
    deviations = []
    for cut in (True, False):
        evidence = _large(tmp_path / str(cut), 1, cut)
        side = side_by_side(evidence, ["watershed"], "watershed", 300_000)
        assert side is not None
        picture = _decoded(side.strips[0].views[0].picture)
        assert max(picture.size) < 200
        deviations.append(np.asarray(picture).std())
    assert deviations[0] > 60 > 50 > deviations[1]


def test_small_pictures_lose_nothing(tmp_path: Path) -> None:
    run = write_views(tmp_path / "denoise", "denoise")
    side = side_by_side(Evidence(run), ["noisy", "gauss", "dncnn"], "dncnn", 1_000_000)
    assert side is not None
    row = read_json(run / "gallery.json")["side_by_side"]["rows"][0]["row"]
    kept = read_array(run / "gallery.npz")
    for view in side.strips[0].views:
        shown = np.asarray(_decoded(view.picture))
        np.testing.assert_array_equal(shown, kept[f"{row}/{view.name}"][0])
    best = [view.name for view in side.strips[0].views if view.best]
    assert best == ["dncnn"]


def test_by_group_shows_the_mean_of_each(tmp_path: Path) -> None:
    run = write_views(tmp_path / "segment", "segment", groups=True)
    html = build([run])
    assert "By group" in Page(html).texts["h2"]
    found = qualities(Evidence(run), "unet")
    assert found is not None
    codes = np.array(read_json(run / "rows.json")["groups"])[found.rows]
    for code in np.unique(codes):
        assert f"camera {code}" in html
        assert f"{found.values[codes == code].mean():.3f}" in html
    assert "By group" not in build([write_views(tmp_path / "none", "segment")])


def test_by_group_of_classes_is_accuracy(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", Data(rungs=("majority", "mlp")))
    rows = read_json(run / "rows.json")
    codes = [row % 3 for row in range(900)]
    write_json(run / "rows.json", rows | {"groups": codes, "group_names": ["ann", "bob", BREAKOUT]})
    html = build([run])
    assert BREAKOUT[:20] not in html
    split, targets = read_array(run / "split.npz"), read_array(run / "targets.npy")
    right, asked = [], []
    for fold in range(5):
        places = split[f"validation_0_{fold}"]
        said = read_array(run / "fits" / "mlp" / f"0-{fold}" / "predictions.npy").argmax(1)
        right.append(said == targets[places])
        asked.append(places)
    mine = np.concatenate(asked) % 3 == 1
    part = html[html.index(">By group<") :]
    line = part[part.index(">bob<") :]
    assert f"{np.concatenate(right)[mine].mean():.3f}" in line[: line.index("</tr>")]
    assert f">{mine.sum()}<" in line[: line.index("</tr>")]


@pytest.mark.parametrize("codes", [[0, 1], "x", [None] * 900])
def test_groups_that_fit_no_rows_are_left_out(tmp_path: Path, codes: object) -> None:
    run = write_run(tmp_path / "run", Data(rungs=("majority", "mlp")))
    rows = read_json(run / "rows.json")
    write_json(run / "rows.json", rows | {"groups": codes, "group_names": ["ann", "bob"]})
    assert "By group" not in build([run])


def test_spectrograms_are_larger_tiles(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", Data(rungs=("majority", "mlp")))
    kept = read_array(run / "gallery.npz")
    tall = np.random.default_rng(0).integers(0, 255, (len(kept["rows"]), 1, 64, 96), np.uint8)
    write_arrays(run / "gallery.npz", {"rows": kept["rows"], "spectrograms": tall})
    pictures = [a["src"] for t, a in Page(build([run])).tags if t == "img"]
    assert pictures
    assert {_decoded(str(uri)).size for uri in pictures} == {(96, 64)}


def test_precision_over_recall_is_drawn_where_things_are_found(run: Path) -> None:
    assert ('aria-label="precision over recall"' in build([run])) == (run.name == "detect")


@pytest.mark.parametrize("broken", [{"recall": [0.0, 1.0]}, {"recall": [0.5], "precision": [1.0]}])
def test_a_curve_that_lacks_a_part_is_left_out(
    tmp_path: Path, broken: dict[str, list[float]]
) -> None:
    run = write_views(tmp_path / "detect", "detect")
    write_arrays(run / "test_curve.npz", {name: np.array(v) for name, v in broken.items()})
    assert "precision over recall" not in build([run])


@pytest.mark.parametrize(("values", "said"), [({}, True), ({"validation_loss": 2.0}, False)])
def test_a_fit_says_whether_rows_were_held_out(tmp_path, values, said):
    (tmp_path / "fit.json").write_text('{"rung": "mlp"}')
    lines = [json.dumps({"epoch": n, "values": {"loss": 1.0 / n, **values}}) for n in (1, 2, 3)]
    (tmp_path / "records.jsonl").write_text("\n".join(lines))
    (drawing,) = learning(Evidence(tmp_path), "mlp")
    assert ("No rows were held out" in drawing.caption) is said

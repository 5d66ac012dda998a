"""The page of jobs on text, densities and games: what is kept of answers, and what is drawn."""

import base64
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gradatim.report import build
from gradatim.report.drawn import joined, sheets
from gradatim.report.evidence import Evidence
from gradatim.report.learning import learning
from gradatim.report.qualities import qualities
from gradatim.report.verdict import direction_is_up
from gradatim.report.words import score
from gradatim.report.written import passages, sentences
from gradatim.runs.files import read_array, read_json, write_array, write_arrays, write_json

from .fake_data import BREAKOUT, HOSTILE
from .fake_jobs import OTHERS, write_job
from .page import Page

LIMIT = 3_000_000
SECTIONS = {
    "model_text": {"Side by side", "What each rung answers better and worse"},
    "translate": {"Side by side", "What each rung answers better and worse"},
    "synthesise": {"Side by side"},
    "density": {"Row by row", "Least and most likely", "What each rung answers better and worse"},
    "density_of_a_table": {"Row by row", "Least and most likely"},
    "play": {"Game by game"},
}
UNPAIRED = ("synthesise", "play")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("jobs")
    for job in OTHERS:
        write_job(folder / job, job)
    return folder


@pytest.fixture
def copied(made: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    shutil.copytree(made / request.param, tmp_path / request.param)
    return tmp_path / request.param


every = pytest.mark.parametrize("job", OTHERS)


@every
def test_sections_of_the_job_are_there_and_the_page_is_whole(made: Path, job: str) -> None:
    html = build([made / job])
    page = Page(html)
    headings = set(page.texts["h2"])
    assert SECTIONS[job] <= headings
    assert ("What each rung answers better and worse" in headings) == (job not in UNPAIRED)
    assert not page.open
    assert len(html.encode()) < LIMIT
    assert not any(word in html for word in ("Worst mistakes", "confusion matrix"))


@every
def test_hostile_text_stays_text(made: Path, job: str) -> None:
    html = build([made / job])
    assert HOSTILE not in html
    assert BREAKOUT[:20] not in html
    assert not {"\u202e", "\x1b", "\x00"} & set(html)
    assert {tag for tag, _ in Page(html).tags if tag == "script"} == {"script"}
    assert html.count("<script") == 1


@every
def test_same_run_same_bytes(made: Path, job: str, tmp_path: Path) -> None:
    shutil.copytree(made / job, tmp_path / "copy")
    assert build([tmp_path / "copy"]) == build([made / job])


@every
@pytest.mark.parametrize("name", ["gallery.npz", "gallery.json", "signature.json", "rows.json"])
def test_any_part_may_be_missing(made: Path, job: str, name: str, tmp_path: Path) -> None:
    shutil.copytree(made / job, tmp_path / "run")
    (tmp_path / "run" / name).unlink(missing_ok=True)
    assert "How to reproduce" in build([tmp_path / "run"])


@pytest.mark.parametrize("copied", ["model_text"], indirect=True)
def test_tints_say_how_surprised_a_rung_was(copied: Path) -> None:
    first = read_json(copied / "gallery.json")["passages"][0]
    row, written = first["row"], first["text"]
    kept = read_array(copied / "gallery.npz")
    nats = np.full(len(written), 0.05, np.float32)
    nats[2], nats[3:5] = 5.0, 0.7
    kept[f"{row}/lstm"] = nats
    kept[f"{row}/ngram"] = np.where(np.arange(len(written)) == 2, 3.4, nats).astype(np.float32)
    write_arrays(copied / "gallery.npz", kept)
    shown, left_out = passages(Evidence(copied), ["unigram", "ngram", "lstm"], "lstm", 10**6)
    assert left_out == 0
    line = next(line for line in shown[0].lines if line.name == "lstm")
    assert [piece.tint for piece in line.pieces] == [0, 6, 2, 0]
    assert "".join(piece.text for piece in line.pieces).replace("↵\n", "\n") == written
    assert line.note == f"{nats.mean():.2f}"
    assert [piece.tint for piece in shown[0].gain] == [0, -2, 0]
    assert shown[0].rungs == ("ngram", "lstm")
    assert 'class="tm2"' in build([copied])


@pytest.mark.parametrize("job", ["model_text", "translate"])
def test_text_keeps_to_its_budget(made: Path, job: str) -> None:
    rungs = OTHERS[job][-1]
    find = passages if job == "model_text" else sentences
    whole, none = find(Evidence(made / job), rungs, rungs[-1], 10**7)
    few, left_out = find(Evidence(made / job), rungs, rungs[-1], 6_000)
    assert none == 0
    assert len(whole) >= 6
    assert len(few) + left_out == len(whole)
    assert left_out > 0


@pytest.mark.parametrize("copied", ["translate"], indirect=True)
def test_words_that_a_person_did_not_use_are_told_apart(copied: Path) -> None:
    kept = read_json(copied / "gallery.json")
    kept["sentences"][0] |= {
        "reference": "A man sleeps.",
        "said": {"ibm1": "a dog sleeps !", "translator": "A man sleeps."},
        "quality": {"ibm1": 40.0, "translator": 100.0},
    }
    write_json(copied / "gallery.json", kept)
    shown = sentences(Evidence(copied), OTHERS["translate"][-1], "translator", 10**6)[0][0]
    assert [(line.name, line.note, line.best) for line in shown.lines] == [
        ("ibm1", "40.00", False),
        ("translator", "100.00", True),
    ]
    lacking = [p.text for p in shown.lines[0].pieces if not p.tint and p.word]
    assert lacking == ["dog"]
    assert all(p.tint or not p.word for p in shown.lines[1].pieces)
    assert '<span class="lacking">dog</span>' in build([copied])


@pytest.mark.parametrize(
    "broken", [{"passages": [{"row": "x"}, 3]}, {"passages": {}}, {"passages": None}]
)
@pytest.mark.parametrize("copied", ["model_text"], indirect=True)
def test_broken_passages_are_left_out(copied: Path, broken: object) -> None:
    write_json(copied / "gallery.json", broken)
    assert "Side by side" not in build([copied])


@pytest.mark.parametrize("copied", ["model_text"], indirect=True)
def test_nats_that_fit_no_passage_are_left_out(copied: Path) -> None:
    kept = {name: nats[:-1] for name, nats in read_array(copied / "gallery.npz").items()}
    write_arrays(copied / "gallery.npz", kept)
    assert "Side by side" not in build([copied])


def _decoded(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))


def test_sheets_show_what_was_drawn_and_nothing_else(made: Path) -> None:
    rungs = OTHERS["synthesise"][-1]
    shown, left_out = sheets(Evidence(made / "synthesise"), rungs, "dcgan", 10**6)
    assert [one.name for one in shown] == ["real", *rungs]
    assert [one.chosen for one in shown] == [False, False, False, True]
    assert left_out == 0
    kept = read_array(made / "synthesise" / "gallery.npz")
    for one, key in zip(shown, ["real", *(f"drawn/{r}" for r in rungs)], strict=True):
        picture = _decoded(one.picture)
        assert picture.shape == (3 * 9 - 1, 10 * 9 - 1)
        np.testing.assert_array_equal(picture[:8, 9:17], kept[key][1, 0])
        assert kept[key].max() > 128  # seventeen levels fill the range


def test_sheets_keep_to_their_budget(made: Path) -> None:
    rungs = OTHERS["synthesise"][-1]
    shown, left_out = sheets(Evidence(made / "synthesise"), rungs, "dcgan", 2000)
    assert sum(len(one.picture) for one in shown) <= 2000
    assert len(shown) + left_out == 4
    assert left_out


def test_pictures_are_joined_in_full_rows() -> None:
    pictures = np.arange(23, dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 2, 4), np.uint8)
    sheet = joined(pictures)
    assert sheet.shape == (3, 5, 49)
    assert (sheet[:, 3:5, 5:9] == 11).all()
    assert joined(pictures[:3]).shape == (3, 2, 14)


def test_extremes_are_the_ends_of_the_ranking(made: Path) -> None:
    found = qualities(Evidence(made / "density"), "glow")
    assert found is not None
    order = found.rows[np.argsort(found.values)]
    kept = read_json(made / "density" / "gallery.json")["extremes"]
    assert [row["row"] for row in kept["least"]] == order[:12].tolist()
    assert [row["row"] for row in kept["most"]] == order[-12:][::-1].tolist()
    html = build([made / "density_of_a_table"])
    assert f">{np.sort(found.values)[0]:.2f}<".replace("-", "\N{MINUS SIGN}") in build(
        [made / "density"]
    )
    assert "Least likely" in html


@pytest.mark.parametrize("copied", ["play"], indirect=True)
def test_a_run_without_qualities_has_no_games(copied: Path) -> None:
    for path in copied.glob("fits/*/*/quality.npy"):
        path.unlink()
    assert "Game by game" not in build([copied])


@pytest.mark.parametrize("copied", ["density"], indirect=True)
def test_a_density_that_is_not_finite_is_passed_over(copied: Path) -> None:
    path = copied / "fits" / "glow" / "0-0" / "quality.npy"
    values = read_array(path)
    values[0] = -np.inf
    write_array(path, values)
    assert "Row by row" in build([copied])


@pytest.mark.parametrize(
    ("job", "said"),
    [("play", ["loss", "return while it learns"]), ("synthesise", ["losses"])],
)
def test_what_players_and_games_learn_is_drawn(made: Path, job: str, said: list[str]) -> None:
    drawings = learning(Evidence(made / job), OTHERS[job][-1][-1])
    assert [title for title in said if any(f">{title}<" in str(d.figure) for d in drawings)] == said
    assert len(drawings) == len(said)


@pytest.mark.parametrize(
    ("metric", "value", "written"),
    [
        ("nats_per_character", 1.69842, "1.698"),
        ("bits_per_dim", 2.6, "2.600"),
        ("bleu", 32.4, "32.40"),
        ("coverage", 1.0, "1.000"),
        ("return", 475.31, "475.31"),
        ("kernel", -0.0001, "\N{MINUS SIGN}0.0001000"),
    ],
)
def test_scores_are_written_as_they_are_quoted(metric: str, value: float, written: str) -> None:
    assert score(value, metric) == written


@every
def test_a_metric_that_few_know_is_explained(made: Path, job: str) -> None:
    html = build([made / job])
    assert f"<dt>{OTHERS[job][0].replace('_', ' ').capitalize()}</dt>" in html


@pytest.mark.parametrize("copied", ["translate"], indirect=True)
def test_how_a_score_was_computed_is_quoted(copied: Path) -> None:
    assert "How the test score was computed" not in build([copied])
    board = read_json(copied / "leaderboard.json")
    board["test"]["remark"] = "BLEU|tok:13a " + HOSTILE
    write_json(copied / "leaderboard.json", board)
    html = build([copied])
    assert "<code>BLEU|tok:13a &lt;script&gt;" in html
    assert HOSTILE not in html


@pytest.mark.parametrize("job", ["model_text", "density", "synthesise"])
def test_a_climb_cut_short_knows_that_lower_is_better(made: Path, job: str, tmp_path: Path) -> None:
    shutil.copytree(made / job, tmp_path / "run")
    (tmp_path / "run" / "leaderboard.json").unlink()
    write_json(tmp_path / "run" / "question.json", {"metric": OTHERS[job][0]})
    evidence = Evidence(tmp_path / "run")
    assert not direction_is_up(evidence)
    assert evidence.task == job

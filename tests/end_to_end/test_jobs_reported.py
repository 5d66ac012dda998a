"""What the reports of small climbs show: text, translations, densities, new pictures, games."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import gradatim
from gradatim.runs.files import read_array, read_json

SCHEMA = Path(__file__).parents[2] / "docs" / "climb.schema.json"
WORDS = ("the", "cat", "sat", "on", "a", "mat", "and", "saw", "no", "dog", "in", "sun", "by", "sea")
LEXICON = {"red": "rouge", "cat": "chat", "dog": "chien", "sun": "soleil", "sees": "voit"}
LEXICON |= {"big": "grand", "house": "maison", "eats": "mange", "fish": "poisson", "a": "un"}


def _text(folder: Path) -> str:
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(WORDS, 8)) for _ in range(400)]
    (folder / "story.txt").write_text(".\n".join(lines))
    return "story.txt"


def _pairs(folder: Path) -> str:
    rng = np.random.default_rng(0)
    said = [rng.choice(list(LEXICON), rng.integers(3, 7)) for _ in range(90)]
    (folder / "pairs").mkdir()
    english = "".join(" ".join(words) + "\n" for words in said)
    french = "".join(" ".join(LEXICON[word] for word in words) + "\n" for words in said)
    (folder / "pairs" / "train.en").write_text(english)
    (folder / "pairs" / "train.fr").write_text(french)
    return "pairs"


CLIMBS = {
    "model_text": (_text, {"rungs": ["unigram", "ngram"]}, "nats a character, and the least"),
    "translate": (
        _pairs,
        {"rungs": ["copy_source", "ibm1"], "source_language": "en", "target_language": "fr"},
        "Words that the person's translation lacks",
    ),
    "density": (
        lambda folder: "iris",
        {"rungs": ["gaussian", "pca"], "task": "density"},
        "Least likely",
    ),
    "synthesise": (
        lambda folder: "digits",
        {"rungs": ["gaussian", "pca"], "task": "synthesise", "rows": 150},
        "none was picked",
    ),
    "play": (
        lambda folder: "env:breakout10",
        {"rungs": ["random_play", "hand_rule"], "rows": 40},
        "Game by game",
    ),
}


@pytest.mark.parametrize("job", CLIMBS)
def test_a_report_shows_what_the_job_is_about(job, tmp_path, monkeypatch):
    make, options, said = CLIMBS[job]
    monkeypatch.chdir(tmp_path)
    climb = gradatim.climb(make(tmp_path), folds=2, out=tmp_path / "run", **options)
    jsonschema.validate(climb.leaderboard, json.loads(SCHEMA.read_text()))
    html = climb.report.read_text()
    assert climb.leaderboard["task"] == job
    assert [row["status"] for row in climb.leaderboard["rungs"]] == ["ok", "ok"]
    assert said in html
    assert len(html.encode()) < 3_000_000
    gallery = read_json(climb.folder / "gallery.json")
    assert gallery["measure"]
    check = CHECKS.get(job)
    if check is not None:
        check(climb.folder, gallery)


def _nats_are_those_of_the_score(folder: Path, gallery: dict) -> None:
    """The mean of what is drawn is the quality, so no character was lost on the way."""
    kept = read_array(folder / "gallery.npz")
    for row in gallery["passages"]:
        nats = kept[f"{row['row']}/ngram"]
        assert -nats.mean() == pytest.approx(row["quality"]["ngram"], rel=1e-5)


def _sentences_are_words(folder: Path, gallery: dict) -> None:
    for row in gallery["sentences"]:
        right = [LEXICON[word] for word in row["source"].split()]
        assert row["reference"].split() == right
        assert set(row["said"]) == {"copy_source", "ibm1"}


def _ends_are_in_order(folder: Path, gallery: dict) -> None:
    chosen = read_json(folder / "leaderboard.json")["verdict"]["rung"]
    least = [row["quality"][chosen] for row in gallery["extremes"]["least"]]
    most = [row["quality"][chosen] for row in gallery["extremes"]["most"]]
    assert least == sorted(least)
    assert most == sorted(most, reverse=True)
    assert max(least) <= min(most)
    assert len(gallery["columns"]) == 4


def _pictures_fill_the_levels(folder: Path, gallery: dict) -> None:
    kept = read_array(folder / "gallery.npz")
    assert set(kept) == {"real", "drawn/gaussian", "drawn/pca"}
    assert all(pictures.max() == 255 and len(pictures) == 40 for pictures in kept.values())


CHECKS = {
    "model_text": _nats_are_those_of_the_score,
    "translate": _sentences_are_words,
    "density": _ends_are_in_order,
    "synthesise": _pictures_fill_the_levels,
}

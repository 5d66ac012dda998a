"""What is said while the work goes on: on stderr, on a screen as bars, elsewhere as lines."""

import io

import pytest

import gradatim.cli.progress as room
from gradatim.cli.options import comma, inert
from gradatim.cli.progress import Progress, _spoken
from gradatim.compare.climb import Event
from gradatim.train.loop import Record


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(monkeypatch: pytest.MonkeyPatch, file: io.StringIO, events: list) -> str:
    monkeypatch.setattr("sys.stderr", file)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(room, "workers", lambda: 1)
    with Progress() as progress:
        for event in events:
            progress(event)
    return file.getvalue()


def folds(kind: str, count: int, **changes: object) -> list[Event]:
    return [Event(kind, "svm", f"0-{i}", 5, 1.0, **changes) for i in range(count)]


PLANNED = Event("planned", "svm", folds=5, seconds=60.0)


def test_a_log_has_one_line_a_rung_not_one_a_fold(monkeypatch):
    text = told(monkeypatch, io.StringIO(), [PLANNED, *folds("reused", 2), *folds("fitted", 3)])
    (line,) = text.splitlines()
    assert "svm: 3 fitted, 2 reused of 5 folds" in line
    assert "\x1b" not in text


def test_a_log_says_which_fold_failed_and_why(monkeypatch):
    failed = folds("fitted", 1, result={"failed": "LinAlgError: singular"})
    assert "LinAlgError: singular" in told(monkeypatch, io.StringIO(), [PLANNED, *failed])


def test_a_log_says_what_is_skipped(monkeypatch):
    skipped = Event("skipped", "svm", reason="needs about 9 minutes")
    assert "svm: needs about 9 minutes" in told(monkeypatch, io.StringIO(), [PLANNED, skipped])


def test_a_screen_shows_the_time_left(monkeypatch):
    text = told(monkeypatch, Screen(), [PLANNED, *folds("fitted", 2)])
    assert "svm" in text
    assert "2/5" in text
    assert "about 3 min left" in text


def test_a_screen_shows_how_far_a_fit_is(monkeypatch):
    record = Record(step=25, steps=100, rate=0.1, seconds=10.0, values={"loss": 0.123456})
    text = told(monkeypatch, Screen(), [record])
    assert "25/100" in text
    assert "loss 0.1235" in text
    assert "at most 30 s left" in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.01, "1 s"), (1.4, "1 s"), (59, "59 s"), (150, "2 min")]
)
def test_times_are_spoken(seconds, text):
    assert _spoken(seconds) == text


@pytest.mark.parametrize(
    ("text", "names"),
    [(None, None), ("", None), ("a", ["a"]), ("a, b,,c ,", ["a", "b", "c"]), (" , ", [])],
)
def test_names_with_commas_between(text, names):
    assert comma(text) == names


def test_inert_text_keeps_letters_and_shows_the_rest():
    assert inert("Zürich 日本\nnext") == "Zürich 日本\nnext"
    assert inert("\x1b[31m\x07\r\x9b‮\ud800") == r"\x1b[31m\x07\r\x9b\u202e\ud800"

from collections.abc import Callable
from pathlib import Path

import pytest

from gradatim.report import build

from .fake_data import BREAKOUT, Data, hostile, regression, table
from .fake_run import write_run
from .page import Page

LIMIT = 3_000_000


def test_hostile_names_are_inert(tmp_path: Path) -> None:
    html = build([write_run(tmp_path / "run", hostile())])
    page = Page(html)  # asserts that every element is closed by its own end
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not any("onerror" in attributes or "onload" in attributes for _, attributes in page.tags)
    assert "<script>alert" not in html
    assert BREAKOUT[:20] not in html
    assert "{{ 7*7 }}" in html
    assert not set(html) & {"\x00", "\x1b", "\u202e", "\ud800"}
    html.encode()
    assert "x" * 400 not in html
    assert any("<script>" in text for text in page.texts["text"])  # a name, as the text of an SVG


def test_ten_thousand_classes(tmp_path: Path) -> None:
    classes = tuple(f"species {k}" for k in range(10_000))
    data = Data(classes=classes, rows=600, folds=2, rungs=("majority", "mlp"), side=64)
    html = build([write_run(tmp_path / "run", data)])
    assert len(html.encode()) < LIMIT
    assert "10,000 classes: the 29 with most mistakes are shown" in html
    assert "9,970 more classes are in inspection.json" in html


@pytest.mark.parametrize("make", [table, regression])
def test_a_hundred_thousand_rows(tmp_path: Path, make: Callable[..., Data]) -> None:
    data = make(rows=100_000, folds=2, columns=tuple(f"column {k}" for k in range(300)))
    html = build([write_run(tmp_path / "run", data)])
    assert len(html.encode()) < LIMIT
    assert "260 more columns" in html


def test_large_pictures_stop_at_the_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(tmp_path / "run", Data(side=100))
    whole = len(build([run]))
    assert whole < LIMIT
    monkeypatch.setattr("gradatim.report.page.PICTURE_BUDGET", 100_000)
    html = build([run])
    assert len(html) < whole
    assert "pictures were left out to keep this page small" in html

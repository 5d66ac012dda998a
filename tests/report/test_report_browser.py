"""The page in a real browser: nothing is fetched, nothing is refused, and it prints."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradatim.report import build

from .fake_data import Data, hostile, regression
from .fake_jobs import OTHERS, write_job
from .fake_run import write_run
from .fake_views import JOBS, write_views

CHROMIUM = Path("/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
QUIET += ["--disable-component-update", "--disable-sync"]

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(not CHROMIUM.is_file(), reason="skipped: no chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield chromium
        chromium.close()


def _made(folder: Path, what: Any) -> Path:
    if what in OTHERS:
        return write_job(folder, what)
    return write_views(folder, what, True) if isinstance(what, str) else write_run(folder, what())


@pytest.fixture
def opened(browser: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page of a run, with all that went wrong while it was read in `page.faults`."""
    html = tmp_path / "report.html"
    html.write_text(build([_made(tmp_path / "run", request.param)]), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.faults = []
    page.on("console", lambda message: page.faults.append(message.text))
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("dialog", lambda box: (page.faults.append(f"dialog {box.message}"), box.dismiss()))
    page.on("request", lambda request: page.faults.append(request.url))
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', e => console.log(e.blockedURI))"
    )
    page.goto(html.as_uri())
    # The page itself and the pictures inside it are the only things that may be asked for.
    page.faults[:] = [f for f in page.faults if f != html.as_uri() and not f.startswith("data:")]
    yield page
    page.close()


def overflow(page: Any) -> int:
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.mark.parametrize("opened", [Data, regression, hostile, *JOBS, *OTHERS], indirect=True)
def test_quiet_and_responsive(opened: Any) -> None:
    assert opened.locator("h1").count() == 1
    for summary in opened.locator("summary").all():
        summary.click()
    for width in (1280, 768, 390):
        opened.set_viewport_size({"width": width, "height": 900})
        assert overflow(opened) <= 0
    opened.wait_for_timeout(100)
    assert opened.faults == []


@pytest.mark.parametrize("opened", [Data], indirect=True)
def test_style_and_script_are_let_through(opened: Any) -> None:
    assert (
        opened.locator("section").first.evaluate("e => getComputedStyle(e).borderRadius") == "12px"
    )
    first = "table.board tbody tr:first-child th"
    assert "majority" in opened.locator(first).inner_text()
    button = opened.locator("table.board th button").first
    button.click()
    button.click()
    head = opened.locator("table.board thead th").nth(1)
    assert head.get_attribute("aria-sort") == "descending"
    assert "majority" not in opened.locator(first).inner_text()
    assert opened.locator("img").first.evaluate("e => e.naturalWidth") == 8
    assert opened.faults == []


@pytest.mark.parametrize("opened", [Data], indirect=True)
def test_dark_is_dark(opened: Any) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        opened.emulate_media(color_scheme=scheme)
        colour = opened.evaluate("getComputedStyle(document.body).backgroundColor")
        shades[scheme] = sum(int(part) for part in colour[4:-1].split(","))
    assert shades["dark"] < 100 < 700 < shades["light"]


@pytest.mark.parametrize("opened", [Data, "denoise", "model_text", "translate"], indirect=True)
def test_print_opens_all_and_cuts_nothing_off(opened: Any) -> None:
    closed = opened.locator("details:not([open])").count()
    assert closed
    assert opened.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    assert opened.locator("details:not([open])").count() == closed
    opened.emulate_media(media="print")
    opened.set_viewport_size({"width": 695, "height": 900})  # an A4 page within its margins
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    wide = "e => [...e].filter(f => f.getBoundingClientRect().right > innerWidth + 1).length"
    assert opened.locator("figure, table, img").evaluate_all(wide) == 0
    assert opened.faults == []

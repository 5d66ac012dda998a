"""`build`: run folders in, one HTML page out."""

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gradatim.core.errors import ConfigError
from gradatim.report.chapter import chapter
from gradatim.report.svg import short

__all__ = ["build", "render"]

TEMPLATES = Path(__file__).parent / "templates"
PICTURE_BUDGET = 1_400_000  # characters of pictures on a page
MOST_RUNS = 5  # told in full

# Control characters, surrogates (bytes of a name that were no UTF-8) and marks that turn the
# direction of text around: none of them belongs on a page, and each can hide what is written.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)


def build(folders: Sequence[Path]) -> str:
    """Return the report of one run, or of several in turn, as a page that needs no network.

    Args:
        folders: run folders, finished or cut short.

    Returns:
        HTML, below 3 MB, the same for the same folders.

    Raises:
        ConfigError: no folder is given.
        DataError: a folder is no run folder.
        CorruptError: a file of it is not what was written.
    """
    if not folders:
        raise ConfigError("no run to report; name a run folder, such as runs/digits-3f2a9c1b")
    told = [chapter(folder, PICTURE_BUDGET // min(len(folders), MOST_RUNS)) for folder in folders]
    return render("page.html", chapters=told, most=MOST_RUNS)


def render(template: str, **content: object) -> str:
    """Return a page of a template, with the style, the script and a policy that allows no other."""
    style, script = _asset("style.css"), _asset("script.js")
    page = (
        _environment()
        .get_template(template)
        .render(
            style=Markup(style), script=Markup(script), policy=_policy(style, script), **content
        )
    )
    return UNSEEN.sub("\N{REPLACEMENT CHARACTER}", page)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = short
    return environment


def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8").strip()


def _policy(style: str, script: str) -> str:
    """Return a policy that allows this style, this script and inline pictures, nothing else."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()

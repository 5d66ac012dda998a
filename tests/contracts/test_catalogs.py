"""The file name is the registration, and a file that is broken breaks itself alone."""

import sys
from pathlib import Path

import pytest

from gradatim.core.catalog import Catalog
from gradatim.core.errors import ConfigError
from gradatim.core.source import ReadOptions, Source
from gradatim.data.sources import SOURCES
from gradatim.models import RUNGS
from gradatim.optim import OPTIMIZERS
from gradatim.runs.loggers import LOGGERS
from gradatim.tasks import TASKS

CATALOGS = {"rung": RUNGS, "task": TASKS, "source": SOURCES, "optimizer": OPTIMIZERS}
CATALOGS |= {"logger": LOGGERS}
BROKEN = {
    "unfinished": "THING = (",
    "wants_more": "import a_package_that_nobody_has",
    "forgets": "OTHER = 1",
    "misspells": "THING = thingg",
    "divides": "THING = 1 / 0",
    "reads": "open('/no/such/file')",
}


@pytest.fixture
def garden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog[str]:
    """A catalog of its own, with good files, broken ones and a private one."""
    package = tmp_path / "garden"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for name in ("rose", "tulip"):
        (package / f"{name}.py").write_text(f"THING = {name!r}\n")
    for name, text in BROKEN.items():
        (package / f"{name}.py").write_text(text + "\n")
    (package / "_soil.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield Catalog("plant", "garden", "THING")
    for module in [m for m in sys.modules if m.partition(".")[0] == "garden"]:
        del sys.modules[module]


def test_files_are_entries_and_private_ones_are_not(garden):
    assert garden.names() == sorted(["rose", "tulip", *BROKEN])
    assert garden["rose"] == "rose"


def test_a_broken_file_breaks_only_itself(garden):
    assert garden.all() == {"rose": "rose", "tulip": "tulip"}
    assert sorted(garden.broken()) == sorted(BROKEN)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_says_what_to_mend_when_it_is_asked_for(garden, name):
    with pytest.raises(ConfigError, match=rf"plant .{name}. is broken: .*; mend garden\.{name}"):
        garden[name]


def test_a_misspelt_name_gets_the_nearest(garden):
    with pytest.raises(ConfigError, match='there is no plant "tulpi"; did you mean "tulip"'):
        garden["tulpi"]


@pytest.mark.parametrize("name", ["../rose", "garden.rose", "_soil", "os", ""])
def test_only_plain_names_of_the_room_are_entries(garden, name):
    with pytest.raises(ConfigError, match="there is no plant"):
        garden[name]


@pytest.mark.parametrize("noun", CATALOGS)
def test_nothing_of_ours_is_broken(noun):
    assert CATALOGS[noun].broken() == {}
    assert CATALOGS[noun].all()


@pytest.mark.parametrize("name", SOURCES.names())
def test_a_source_says_what_it_reads(name):
    source = SOURCES[name]
    assert isinstance(source, Source)
    assert source.summary.strip()
    assert "\n" not in source.summary
    assert isinstance(source.claims("/no/such/place.xyz", ReadOptions()), bool)


def test_folders_in_a_room_are_for_people_alone(garden, tmp_path):
    """An entry is called by its file, wherever it stands; it is broken where it is."""
    bed = tmp_path / "garden" / "bed"
    bed.mkdir()
    (bed / "__init__.py").write_text("")
    (bed / "daisy.py").write_text("THING = 'daisy'\n")
    (bed / "weed.py").write_text("1 / 0\n")
    assert garden["daisy"] == "daisy"
    assert "bed" not in garden.names()
    with pytest.raises(ConfigError, match=r"mend garden\.bed\.weed"):
        garden["weed"]

"""Malformed data is refused: the right error, at most three lines, the file named, nothing left."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from gradatim.core.errors import GradatimError
from gradatim.core.source import ReadOptions
from gradatim.data.naming import shown
from gradatim.data.pictures.conversion import load_picture
from gradatim.data.read import read

from .corpus import CORPUS, options_of


def entries(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize("name", CORPUS)
def test_is_refused(name, tmp_path):
    arguments, code = CORPUS[name](tmp_path)
    before = entries(tmp_path)
    with pytest.raises(GradatimError) as caught:
        read(arguments[0], options_of(arguments))
    message = str(caught.value)
    assert caught.value.exit_code == code, message
    assert message.count("\n") < 3
    assert all(line.isprintable() for line in message.split("\n"))
    assert len(message) < 900
    if code == 3:
        assert shown(Path(arguments[0]).name)[1:-1][-20:] in message
    assert entries(tmp_path) == before


EXPECTED_WORDS = {
    "short_row": ("line 32", "3 cells"),
    "nul_byte": ("line 5", "NUL"),
    "unclosed_quote": ("line 32", "quote"),
    "cp1252_without_saying_so": ("0xe9", "offset 12", "--encoding cp1252"),
    "repeated_column": ("columns 1 and 2", '"x"'),
    "misspelt_target": ('did you mean "y"',),
    "empty_target": ("row 6", '"y"'),
    "stray_text": ("row 6", '"x"', '"oops"'),
    "cell_too_large": ("row 6", '"z"'),
    "missing_refused": ("row 6", '"x"', "--missing impute"),
    "no_such_file": ('did you mean "sales.csv"',),
    "unknown_kind": ('did you mean "csv"',),
    "pipe": ("pipe",),
    "pixel_bomb": ("64 million",),
    "npz_of_objects": ("run code",),
    "npz_of_sequences_with_nan": ("20 of 20", "row 0, row 1, row 2, row 3, row 4 and 15 more"),
    "empty_class_folder": ('class "c"',),
    "test_part_with_a_new_class": ('"c"',),
    "archive": ("unpack",),
    "spreadsheet_called_csv": ("spreadsheet",),
    "broken_link": ("leads nowhere",),
    "links_that_lead_out": ("links", "copy"),
    "ambiguous_dates_only": ("1/2/2024",),
    "floating_point_pictures": ("0.tif", "floating-point"),
}


@pytest.mark.parametrize("name", EXPECTED_WORDS)
def test_message_names_the_place(name, tmp_path):
    arguments, _ = CORPUS[name](tmp_path)
    with pytest.raises(GradatimError) as caught:
        read(arguments[0], options_of(arguments))
    absent = [word for word in EXPECTED_WORDS[name] if word not in str(caught.value)]
    assert not absent, str(caught.value)


def test_a_nul_in_a_path_is_refused():
    with pytest.raises(GradatimError):
        read("a\0b.csv")


def reads_or_refuses(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    message = ""
    try:
        read(str(path), ReadOptions(target="y"))
    except GradatimError as error:
        message = str(error)
    assert message.count("\n") < 3


FOLDER = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
CELLS = st.sampled_from(["x", "y", "1", "2.5", '"', ",", "\n", "\r", ";", "\t", "é", "NA", " "])


@FOLDER
@given(
    content=st.one_of(st.binary(max_size=200), st.lists(CELLS).map(lambda c: "".join(c).encode()))
)
@pytest.mark.parametrize("ending", ["csv", "tsv", "csv.gz", "npz", "parquet"])
def test_any_bytes_are_read_or_refused(content, ending, tmp_path):
    reads_or_refuses(content, tmp_path / f"t.{ending}")


@FOLDER
@given(cells=st.lists(CELLS, min_size=1))
def test_any_table_is_read_or_refused(cells, tmp_path):
    reads_or_refuses(("x,y\n1,a\n2,b\n" + "".join(cells)).encode(), tmp_path / "t.csv")


def encoded(form: str) -> bytes:
    file = io.BytesIO()
    pixels = np.arange(12 * 10 * 3, dtype=np.uint8).reshape(12, 10, 3)
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


@FOLDER
@given(data=st.data())
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_a_damaged_picture_is_read_or_refused(form, data):
    content = bytearray(encoded(form))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        planes = load_picture(bytes(content[: data.draw(st.integers(1, len(content)))]), 3, (4, 4))
    except GradatimError:
        return
    assert planes.shape == (3, 4, 4)

"""Mask files: levels, what they mean, and that writing and reading give the same."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gradatim.core.errors import DataError
from gradatim.core.signature import Mask
from gradatim.data.masks.classes import learn_meaning, meaning_of
from gradatim.data.masks.levels import load_mask, nearest_size
from gradatim.data.masks.names import parse_class_list
from gradatim.data.masks.palette import voc_palette
from gradatim.data.masks.writing import mask_png


def file(pixels, mode: str | None = None, palette=None, ending: str = "PNG", **options) -> bytes:
    image = Image.fromarray(np.asarray(pixels))
    if palette is not None:
        image.putpalette(palette)
    buffer = io.BytesIO()
    (image.convert(mode) if mode else image).save(buffer, ending, **options)
    return buffer.getvalue()


def grey(*levels: int) -> bytes:
    return file(np.array([levels], np.uint8))


def indexed(*levels: int) -> bytes:
    return file(np.array([levels], np.uint8), palette=voc_palette().reshape(-1).tolist())


def colour(*levels) -> bytes:
    return file(np.array([levels], np.uint8))


def meaning(*files: bytes, names: bytes | None = None):
    listing = None if names is None else parse_class_list(names, "classes.txt")
    return learn_meaning([load_mask(content, "m.png") for content in files], listing, "here")


def coded(content: bytes, found) -> list[int]:
    return found.coded(load_mask(content, "m.png"))[0].ravel().tolist()


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "kind", "levels"),
    [
        (grey(0, 7, 7), "grey", ((0,), (7,))),
        (file(np.array([[0, 1]], bool)), "grey", ((0,), (255,))),
        (file(np.array([[0, 60000]], np.uint16)), "grey", ((0,), (60000,))),
        (file(np.array([[3, 3]], np.uint8), "RGB"), "grey", ((3,),)),
        (file(np.array([[3, 9]], np.uint8), "LA"), "grey", ((3,), (9,))),
        (indexed(1, 0), "index", ((0, 0, 0, 0), (1, 128, 0, 0))),
        (colour((0, 0, 0), (9, 8, 7)), "colour", ((0, 0, 0), (9, 8, 7))),
    ],
)
def test_levels(content, kind, levels):
    made = load_mask(content, "m.png")
    assert (made.kind, made.levels) == (kind, levels)


def test_black_and_white_survive_jpeg_and_more_does_not():
    pixels = np.zeros((64, 64), np.uint8)
    pixels[:, 30:] = 255
    made = load_mask(file(pixels, ending="JPEG", quality=60), "m.jpg")
    assert made.lossy
    assert made.levels == ((0,), (255,))
    np.testing.assert_array_equal(made.codes, pixels // 255)
    with pytest.raises(DataError, match="JPEG, which blurs"):
        load_mask(file(pixels // 2, ending="JPEG"), "m.jpg")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (file(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)), "colours"),
        (file(np.zeros((2, 2), np.float32), ending="TIFF"), "floating-point"),
        (file(np.full((2, 2), -3, np.int32), ending="TIFF"), "levels from 0 on"),
        (file(np.arange(400, dtype=np.uint16)[None]), "400 grey levels"),
        (grey(1, 2)[:40], "broken|no picture"),
        (b"", "empty"),
    ],
)
def test_what_is_no_mask(content, words):
    with pytest.raises(DataError, match=words) as caught:
        load_mask(content, "m.png")
    assert '"m.png"' in str(caught.value)


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 30), st.integers(1, 30))
def test_resizing_mixes_no_levels(height, width, high, wide):
    """Against the definition: the level at the middle of each new pixel."""
    codes = np.arange(height * width, dtype=np.uint8).reshape(height, width)
    made = nearest_size(codes, high, wide)
    rows = [min(int((i + 0.5) * height / high), height - 1) for i in range(high)]
    columns = [min(int((j + 0.5) * width / wide), width - 1) for j in range(wide)]
    np.testing.assert_array_equal(made, codes[np.ix_(rows, columns)])


# --- meanings -----------------------------------------------------------------------------------


def test_two_levels_are_background_and_foreground():
    found = meaning(grey(0, 255), grey(0))
    assert found.output == Mask(names=("background", "foreground"), levels=((0,), (255,)))
    assert coded(grey(255, 0), found) == [1, 0]


def test_255_beside_numbers_of_classes_is_ignored():
    for make in (grey, indexed):
        found = meaning(make(0, 1, 255), make(2, 1))
        assert found.output.names == ("0", "1", "2") if make is grey else True
        assert coded(make(255, 2), found) == [255, 2]


def test_a_trimap_of_greys_has_three_classes():
    assert meaning(grey(0, 128, 255)).output.names == ("0", "128", "255")


def test_the_border_of_voc_in_colours_is_ignored():
    found = meaning(colour((0, 0, 0), (128, 0, 0), (224, 224, 192)))
    assert found.output.names == ("background", "foreground")
    assert coded(colour((224, 224, 192), (128, 0, 0)), found) == [255, 1]


def test_a_black_frame_of_a_colour_map_is_black():
    found = meaning(colour((0, 0, 0), (9, 0, 0)), grey(0, 0))
    assert found.output.levels == ((0, 0, 0), (9, 0, 0))
    assert coded(grey(0), found) == [0]


def test_an_indexed_file_among_colours_counts_by_its_colours():
    found = meaning(colour((0, 0, 0), (128, 0, 0)), indexed(1, 0))
    assert coded(indexed(1, 0), found) == [1, 0]


@pytest.mark.parametrize(
    ("names", "levels", "expected"),
    [
        (b"sky\nsea\n", (0, 1), {0: 0, 1: 1}),
        (b"sky\nsea\n", (0, 255), {0: 0, 255: 1}),
        (b"sky\nsea\nland", (0, 1, 2, 255), {2: 2, 255: 255}),
        (b"5 sea\n9 sky\n", (5, 9), {5: 0, 9: 1}),
        (b"5 sea\n9 sky\n77 void", (5, 9, 77), {5: 0, 77: 255}),
    ],
)
def test_lists_of_names(names, levels, expected):
    found = meaning(grey(*levels), names=names)
    assert set(found.output.names) <= {"sky", "sea", "land"}
    assert {level: coded(grey(level), found)[0] for level in expected} == expected


@pytest.mark.parametrize(
    "names",
    [
        b"sky: 0,0,255\nsea:0,255,0::\nvoid:9,9,9::\n",
        b"# label:color_rgb:parts:actions\nsky:0,0,255::\nsea:0,255,0::\nvoid:9,9,9::\n",
        b"0 0 255\tsky\n0 255 0 sea\n9 9 9 Void",
        b"name,r,g,b\nsky,0,0,255\nsea,0,255,0\nvoid,9,9,9\n",
    ],
    ids=["colon", "cvat", "camvid", "csv"],
)
def test_lists_of_colours(names):
    found = meaning(colour((0, 0, 255), (0, 255, 0), (9, 9, 9)), names=names)
    assert set(found.output.names) == {"sky", "sea"}
    assert coded(colour((9, 9, 9)), found) == [255]
    assert found.output.names[coded(colour((0, 0, 255)), found)[0]] == "sky"


@pytest.mark.parametrize(
    ("files", "names", "words"),
    [
        ([grey(4, 4)], None, "one class only"),
        ([grey(*range(0, 200, 2))], None, "grey levels, as photographs do"),
        ([grey(0, 7, 9)], b"a\nb", "do not fit"),
        ([colour((1, 2, 3), (3, 2, 1))], b"a\nb", "do not fit"),
        ([grey(0, 1)], b"a\na", "twice"),
        ([grey(0, 1)], b"\n", "names no class"),
        ([grey(0, 1)], b"\xff\xfe", "no UTF-8"),
    ],
)
def test_levels_that_mean_no_classes(files, names, words):
    with pytest.raises(DataError, match=words):
        meaning(*files, names=names)


def test_more_than_64_numbers_in_a_row_are_classes():
    assert len(meaning(grey(*range(100))).output.names) == 100


def test_odd_levels_are_counted():
    found = meaning(grey(0, 255))
    codes, odd = found.coded(load_mask(grey(0, 3, 3, 255), "m.png"))
    assert codes.ravel().tolist() == [0, 255, 255, 1]
    assert odd == {(3,): 2}


# --- writing ------------------------------------------------------------------------------------

LEVELS = {
    "grey": ((0,), (255,), (7,)),
    "sixteen bits": ((0,), (300,), (60000,)),
    "index": ((0, 0, 0, 0), (3, 10, 20, 30), (15, 1, 2, 3)),
    "colour": ((0, 0, 0), (255, 0, 9), (3, 3, 3)),
    "nothing": (),
}


@pytest.mark.parametrize("levels", LEVELS.values(), ids=LEVELS)
@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**31))
def test_reading_gives_what_was_written(levels, seed):
    random = np.random.default_rng(seed)
    mask = random.integers(0, 3, random.integers(1, 20, 2)).astype(np.uint8)
    output = Mask(names=("a", "b", "c"), levels=levels)
    found = meaning_of(output, None)
    codes, odd = found.coded(load_mask(mask_png(mask, levels), "m.png"))
    np.testing.assert_array_equal(codes, mask)
    assert odd == {}


@pytest.mark.parametrize("name", ["index", "colour", "nothing"])
def test_ignored_pixels_stay_ignored(name):
    mask = np.array([[0, 255, 2]], np.uint8)
    found = meaning_of(Mask(names=("a", "b", "c"), levels=LEVELS[name]), None)
    np.testing.assert_array_equal(
        found.coded(load_mask(mask_png(mask, LEVELS[name]), "m.png"))[0], mask
    )


def test_a_palette_comes_as_it_was():
    image = Image.open(io.BytesIO(mask_png(np.array([[1, 0]], np.uint8), LEVELS["index"])))
    assert image.mode == "P"
    assert image.convert("RGB").getpixel((0, 0)) == (10, 20, 30)
    assert np.asarray(image).tolist() == [[3, 0]]


def test_the_palette_is_that_of_voc():
    """Aeroplane, bicycle and tv/monitor (20) as the development kit colours them."""
    assert voc_palette()[[1, 2, 20]].tolist() == [[128, 0, 0], [0, 128, 0], [0, 64, 128]]

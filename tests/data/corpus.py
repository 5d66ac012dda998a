"""Malformed data: each builder writes it into a folder and says how it is asked for.

A builder takes a folder and returns the arguments of `gradatim climb` and the exit code that is
due. The reading layer and the command line are tested with the same list.
"""

import gzip
import os
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from gradatim.core.source import ReadOptions

Arguments = list[str]
Builder = Callable[[Path], tuple[Arguments, int]]

CORPUS: dict[str, Builder] = {}
"""Every malformed input by name."""

USAGE, DATA = 2, 3
ROWS = "".join(f"{i}.5,{'ab'[i % 2]},{i * i},{('no', 'yes')[i % 2]}\n" for i in range(30))
GOOD = "x,c,z,y\n" + ROWS
TARGET = ["--target", "y"]


def options_of(arguments: Arguments) -> ReadOptions:
    """The reading options that the command line makes of its flags."""
    flags = dict(zip(arguments[1::2], arguments[2::2], strict=True))
    names = {"--from": "source_language", "--to": "target_language"}
    return ReadOptions(**{names.get(f, f.removeprefix("--")): v for f, v in flags.items()})


def case(builder: Builder) -> Builder:
    CORPUS[builder.__name__] = builder
    return builder


def text_case(name: str, content: str | bytes, *flags: str, code: int = DATA, file: str = "t.csv"):
    """Register a text file that is malformed."""

    def build(folder: Path) -> tuple[Arguments, int]:
        path = folder / file
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return [str(path), *(flags or TARGET)], code

    CORPUS[name] = build


def changed(row: int, column: int, cell: str) -> str:
    """The good table with one cell replaced."""
    lines = [line.split(",") for line in GOOD.splitlines()]
    lines[row][column] = cell
    return "\n".join(",".join(line) for line in lines) + "\n"


def column(cells: list[str]) -> str:
    """A table of one feature and a target."""
    return "x,y\n" + "".join(f'"{cell}",{"ab"[i % 2]}\n' for i, cell in enumerate(cells))


# --- text tables --------------------------------------------------------------------------------

text_case("empty_file", "")
text_case("blank_file", "  \n \n")
text_case("mark_only", b"\xef\xbb\xbf")
text_case("header_only", "x,y\n")
text_case("one_row", "x,y\n1,a\n")
text_case("short_row", GOOD + "1,a,1\n")
text_case("long_row", GOOD + "1,a,1,yes,extra\n")
text_case("nul_byte", GOOD.replace("3.5", "3\0.5"))
text_case("unclosed_quote", GOOD + '1,"a,1,yes\n2,b,1,no\n')
text_case("unclosed_quote_in_a_large_file", 'x,y\n1,"a\n' + "2,b\n" * 60_000)
text_case("text_after_a_quote", GOOD + '1,"a"b,1,yes\n')
text_case("cp1252_without_saying_so", GOOD.replace(",a,", ",é,").encode("cp1252"))
text_case("wrong_encoding", GOOD.replace(",a,", ",é,"), *TARGET, "--encoding", "ascii")
text_case("unknown_encoding", GOOD, *TARGET, "--encoding", "klingon", code=USAGE)
text_case("codec_that_is_no_encoding", GOOD, *TARGET, "--encoding", "hex", code=USAGE)
text_case("utf16_without_mark", GOOD.encode("utf-16-le"))
text_case("utf16_cut_in_half", GOOD.encode("utf-16")[:-1])
text_case("repeated_column", "x,x,y\n1,2,a\n3,4,b\n")
text_case("repeated_column_after_stripping", "x, x,y\n1,2,a\n3,4,b\n")
text_case("nameless_column", ",x,y\n1,2,a\n3,4,b\n")
text_case("no_feature", "y\na\nb\na\nb\n")
text_case("misspelt_target", GOOD, "--target", "yy", code=USAGE)
text_case("no_target", GOOD.replace("y\n", "w\n", 1), "--task", "classify", code=USAGE)
text_case("two_usual_targets", "x,label,class\n1,a,b\n2,b,a\n", "--task", "classify", code=USAGE)
text_case("misspelt_group", GOOD, *TARGET, "--group", "cc", code=USAGE)
text_case("misspelt_time", GOOD, *TARGET, "--time", "t", code=USAGE)
text_case("group_is_target", GOOD, *TARGET, "--group", "y", code=USAGE)
text_case("one_class", GOOD.replace("no", "yes"))
text_case("one_class_of_numbers", "x,y\n" + "".join(f"{i},1\n" for i in range(9)))
text_case("empty_target", changed(5, 3, ""))
text_case("target_without_a_number", changed(5, 0, "NaN"), "--target", "x")
text_case("infinite_target", changed(5, 0, "inf"), "--target", "x")
text_case("target_too_large", changed(5, 0, "1e400"), "--target", "x")
text_case("text_target_for_regression", GOOD, *TARGET, "--task", "regress")
text_case("one_text_in_a_numeric_target", changed(5, 0, "oops"), "--target", "x")
text_case("every_row_a_class", "x,y\n" + "".join(f"{i},n{i}\n" for i in range(30)))
text_case("cell_too_large", changed(5, 2, "1e400"))
text_case("infinite_cell", changed(5, 2, "-Infinity"))
text_case("stray_text", changed(5, 0, "oops"))
text_case("stray_date", column([f"2024-01-{i:02}" for i in range(1, 30)] + ["2024-02-30"]))
text_case("missing_refused", changed(5, 0, ""), *TARGET, "--missing", "error")
text_case("row_without_group", changed(5, 1, ""), *TARGET, "--group", "c")
text_case("row_without_time", changed(5, 0, ""), *TARGET, "--time", "x")
text_case("text_as_time", GOOD, *TARGET, "--time", "c")
text_case("free_text_only", column([f"a long remark of a customer, number {i}" for i in range(30)]))
text_case("ambiguous_dates_only", column([f"{i}/2/2024" for i in range(1, 29)]))
text_case("spreadsheet_called_csv", b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00" * 20)
text_case("picture_called_csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(50))
text_case("gzip_cut", gzip.compress(GOOD.encode())[:-20], file="t.csv.gz")
text_case("gzip_that_is_none", GOOD, file="t.csv.gz")
text_case("gzip_of_nothing", gzip.compress(b""), file="t.csv.gz")
text_case("unknown_ending", "{}", file="t.json")
text_case("archive", b"PK\x05\x06" + bytes(18), file="t.zip")
text_case("parquet_of_text", GOOD, file="t.parquet")
text_case("empty_parquet", "", file="t.parquet")
text_case("npz_of_text", GOOD, file="t.npz")
text_case("empty_npz", "", file="t.npz")
text_case("picture_of_text", GOOD, "--task", "classify", file="t.png")

# --- paths --------------------------------------------------------------------------------------


@case
def no_such_file(folder: Path):
    (folder / "sales.csv").write_text(GOOD)
    return [str(folder / "sale.csv"), *TARGET], DATA


@case
def no_such_folder(folder: Path):
    return [str(folder / "nowhere" / "t.csv"), *TARGET], DATA


@case
def file_taken_as_folder(folder: Path):
    (folder / "t.csv").write_text(GOOD)
    return [str(folder / "t.csv" / "u.csv"), *TARGET], DATA


@case
def folder_called_csv(folder: Path):
    (folder / "t.csv").mkdir()
    return ["csv:" + str(folder / "t.csv"), *TARGET], DATA


@case
def file_for_a_folder_kind(folder: Path):
    (folder / "t.csv").write_text(GOOD)
    return ["mnist:" + str(folder / "t.csv")], DATA


@case
def unknown_kind(folder: Path):
    (folder / "t.csv").write_text(GOOD)
    return ["cvs:" + str(folder / "t.csv"), *TARGET], USAGE


@case
def address_on_the_web(folder: Path):
    return ["https://example.org/t.csv", *TARGET], USAGE


@case
def unknown_bundled(folder: Path):
    return ["bundled:irish"], USAGE


@case
def empty_location(folder: Path):
    return [""], USAGE


@case
def pipe(folder: Path):
    os.mkfifo(folder / "t.csv")
    return [str(folder / "t.csv"), *TARGET], DATA


@case
def device(folder: Path):
    (folder / "t.csv").symlink_to("/dev/zero")
    return [str(folder / "t.csv"), *TARGET], DATA


@case
def socket_file(folder: Path):
    server = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(folder)  # a socket's path has at most 107 bytes
    server.bind("t.csv")
    os.chdir(here)
    server.close()
    return [str(folder / "t.csv"), *TARGET], DATA


@case
def broken_link(folder: Path):
    (folder / "t.csv").symlink_to(folder / "gone.csv")
    return [str(folder / "t.csv"), *TARGET], DATA


@case
def link_to_itself(folder: Path):
    (folder / "t.csv").symlink_to(folder / "t.csv")
    return [str(folder / "t.csv"), *TARGET], DATA


@case
def name_too_long(folder: Path):
    return [str(folder / ("x" * 300 + ".csv")), *TARGET], DATA


@case
def odd_name(folder: Path):
    path = folder / "a\nb\x1b[31m‮.csv"
    path.write_text("x,y\n")
    return [str(path), *TARGET], DATA


# --- parquet and npz ----------------------------------------------------------------------------


def parquet(folder: Path, frame: pd.DataFrame, *flags: str):
    frame.to_parquet(folder / "t.parquet")
    return [str(folder / "t.parquet"), *(flags or TARGET)], DATA


@case
def parquet_cut(folder: Path):
    arguments, code = parquet(folder, pd.DataFrame({"x": range(99), "y": list("abc") * 33}))
    content = Path(arguments[0]).read_bytes()
    Path(arguments[0]).write_bytes(content[:-30])
    return arguments, code


@case
def parquet_without_rows(folder: Path):
    return parquet(folder, pd.DataFrame({"x": [], "y": []}))


@case
def parquet_of_lists(folder: Path):
    return parquet(folder, pd.DataFrame({"x": [[1], [2], [3]], "y": ["a", "b", "a"]}))


@case
def parquet_with_infinity(folder: Path):
    return parquet(folder, pd.DataFrame({"x": [1.0, np.inf, 2.0], "y": ["a", "b", "a"]}))


@case
def parquet_without_target_cells(folder: Path):
    return parquet(folder, pd.DataFrame({"x": [1.0, 3.0, 2.0], "y": ["a", None, "b"]}))


def npz_case(name: str, **arrays: Any) -> None:
    """Register an archive of arrays."""

    def build(folder: Path) -> tuple[Arguments, int]:
        np.savez(folder / "t.npz", **arrays)
        return [str(folder / "t.npz")], DATA

    CORPUS[name] = build


def ragged() -> np.ndarray:
    """Sequences of 1 to 20 steps, which only an array of objects can hold."""
    pieces = np.empty(20, dtype=object)
    pieces[:] = [np.zeros((steps, 2)) for steps in range(1, 21)]
    return pieces


X, Y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
npz_case("npz_of_objects", X=X, y=np.array([{}] * 20, dtype=object))
npz_case("npz_without_targets", X=X)
npz_case("npz_without_known_names", a=X, b=Y)
npz_case("npz_of_two_lengths", X=X, y=Y[:-1])
npz_case("npz_of_parts_that_differ", x_train=X, y_train=Y, x_test=X[:, :1], y_test=Y)
npz_case("npz_of_float_pictures", X=np.zeros((20, 4, 4, 3)), y=Y)
npz_case("npz_of_sequences_with_nan", X=np.where(np.eye(20)[:, :, None] > 0, np.nan, 1.0), y=Y)
npz_case("npz_of_sequences_with_infinity", X=np.full((20, 4, 2), -np.inf), y=Y)
npz_case("npz_of_sequences_without_steps", X=np.zeros((20, 0, 2)), y=Y)
npz_case("npz_of_sequences_of_several_lengths", X=ragged(), y=Y)
npz_case("npz_of_sequences_and_fewer_targets", X=np.zeros((20, 4, 2)), y=Y[:-1])
npz_case("npz_of_complex_sequences", X=np.zeros((20, 4, 2), complex), y=Y)
npz_case("npz_with_one_axis", X=X[:, 0], y=Y)
npz_case("npz_with_five_axes", X=np.zeros((20, 1, 1, 1, 1)), y=Y)
npz_case("npz_with_two_targets", X=X, y=X)
npz_case("npz_without_rows", X=X[:0], y=Y[:0])
npz_case("npz_without_columns", X=X[:, :0], y=Y)
npz_case("npz_of_complex_numbers", X=X + 1j, y=Y)
npz_case("npz_of_many_channels", X=np.zeros((20, 5, 5, 5), np.uint8), y=Y)
npz_case("npz_with_a_nan_target", X=X, y=np.where(Y == 0, np.nan, 1.5))


@case
def npz_cut(folder: Path):
    np.savez_compressed(folder / "t.npz", X=X, y=Y)
    content = bytearray((folder / "t.npz").read_bytes())
    content[60:90] = bytes(30)
    (folder / "t.npz").write_bytes(content)
    return [str(folder / "t.npz")], DATA


@case
def npz_that_is_another_zip(folder: Path):
    with zipfile.ZipFile(folder / "t.npz", "w") as archive:
        archive.writestr("../X.npy", b"no array")
    return [str(folder / "t.npz")], DATA


# --- IDX ----------------------------------------------------------------------------------------


def idx(array: np.ndarray, kind: int = 8) -> bytes:
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return bytes([0, 0, kind, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


PICTURES, LABELS = np.zeros((20, 4, 4)), np.arange(20) % 2


def idx_case(name: str, pictures: bytes | None, labels: bytes | None, ending: str = "") -> None:
    """Register a folder of IDX files."""

    def build(folder: Path) -> tuple[Arguments, int]:
        root = folder / "mnist"
        root.mkdir()
        for kind, content in (("images-idx3", pictures), ("labels-idx1", labels)):
            if content is not None:
                (root / f"train-{kind}-ubyte{ending}").write_bytes(content)
        return [str(root)], DATA

    CORPUS[name] = build


idx_case("idx_without_labels", idx(PICTURES), None)
idx_case("idx_without_pictures", None, idx(LABELS))
idx_case("idx_of_another_kind", b"\x89PNG" + bytes(40), idx(LABELS))
idx_case("idx_of_floats", idx(PICTURES, kind=13), idx(LABELS))
idx_case("idx_cut", idx(PICTURES)[:-1], idx(LABELS))
idx_case("idx_too_long", idx(PICTURES), idx(LABELS) + b"x")
idx_case("idx_of_two_lengths", idx(PICTURES), idx(LABELS[:-1]))
idx_case("idx_of_one_class", idx(PICTURES), idx(LABELS * 0))
idx_case("idx_without_pixels", idx(PICTURES[:, :0]), idx(LABELS))
idx_case("idx_header_cut", idx(PICTURES)[:9], idx(LABELS))
idx_case("idx_header_of_petabytes", idx(PICTURES)[:4] + b"\xff" * 12, idx(LABELS))
idx_case("idx_gzip_cut", gzip.compress(idx(PICTURES))[:-9], gzip.compress(idx(LABELS)), ".gz")

# --- folders of pictures ------------------------------------------------------------------------


def picture(path: Path, value: int = 128, size: tuple[int, int] = (8, 6), mode: str = "L") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)
    return path


def classes(folder: Path, names: str = "ab", count: int = 5) -> Path:
    """A good folder of pictures."""
    for name in names:
        for i in range(count):
            picture(folder / "set" / name / f"{i}.png", 40 * i)
    return folder / "set"


@case
def empty_folder(folder: Path):
    (folder / "set").mkdir()
    return [str(folder / "set")], DATA


@case
def folder_of_hidden_files(folder: Path):
    for name in (".git/a.png", "__MACOSX/a.png", ".a.png"):
        picture(folder / "set" / name)
    (folder / "set" / ".DS_Store").write_bytes(b"x")
    return [str(folder / "set")], DATA


@case
def folder_of_tables(folder: Path):
    (folder / "set").mkdir()
    (folder / "set" / "t.csv").write_text(GOOD)
    return [str(folder / "set")], DATA


@case
def pictures_without_class_folders(folder: Path):
    for i in range(5):
        picture(folder / "set" / f"{i}.png")
    return [str(folder / "set")], DATA


@case
def one_picture(folder: Path):
    return [str(picture(folder / "a.png"))], DATA


@case
def one_class_folder(folder: Path):
    return [str(classes(folder, "a"))], DATA


@case
def empty_class_folder(folder: Path):
    root = classes(folder)
    (root / "c").mkdir()
    return [str(root)], DATA


@case
def broken_pictures(folder: Path):
    root = classes(folder)
    for path in root.rglob("*.png"):
        path.write_bytes(path.read_bytes()[:40])
    return [str(root)], DATA


@case
def many_broken_pictures(folder: Path):
    root = classes(folder)
    for path in root.rglob("[012].png"):
        path.write_bytes(path.read_bytes()[:-30])
    return [str(root)], DATA


@case
def class_of_broken_pictures(folder: Path):
    root = classes(folder, count=20)
    picture(root / "c" / "0.png").write_bytes(b"")
    return [str(root)], DATA


@case
def text_called_png(folder: Path):
    root = classes(folder)
    for path in root.rglob("*.png"):
        path.write_text("no picture")
    return [str(root)], DATA


@case
def allowed_name_of_a_format_that_is_not(folder: Path):
    root = classes(folder)
    for path in root.rglob("*.png"):
        Image.new("L", (8, 8)).save(path, format="ICO")
    return [str(root)], DATA


@case
def pixel_bomb(folder: Path):
    root = classes(folder, count=1)
    header = b"P5 100000 100000 255\n"
    for path in list(root.rglob("*.png")):
        path.with_suffix(".pgm").write_bytes(header + bytes(100))
        path.unlink()
    return [str(root)], DATA


@case
def floating_point_pictures(folder: Path):
    for name in "ab":
        picture(folder / "set" / name / "0.tif", mode="F")
    return [str(folder / "set")], DATA


@case
def test_part_with_a_new_class(folder: Path):
    for part, names in (("train", "ab"), ("test", "ac")):
        for name in names:
            picture(folder / "set" / part / name / "0.png")
    return [str(folder / "set")], DATA


@case
def links_that_lead_out(folder: Path):
    outside = picture(folder / "outside" / "0.png")
    for name in "ab":
        (folder / "set" / name).mkdir(parents=True)
        (folder / "set" / name / "0.png").symlink_to(outside)
        (folder / "set" / name / "loop").symlink_to(folder / "set")
    return [str(folder / "set")], DATA


@case
def pictures_for_regression(folder: Path):
    return [str(classes(folder)), "--task", "regress"], USAGE


@case
def pictures_with_a_target(folder: Path):
    return [str(classes(folder)), *TARGET], USAGE


@case
def pipe_among_pictures(folder: Path):
    (folder / "set" / "a").mkdir(parents=True)
    os.mkfifo(folder / "set" / "a" / "0.png")
    return [str(folder / "set")], DATA


from . import corpus_annotated, corpus_pairs  # noqa: E402, F401  they add their cases above

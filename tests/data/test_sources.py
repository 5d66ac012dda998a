"""What each source makes of good data: shapes, codes, names, splits, and what it says of it."""

import gzip
import os
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.signature import Category, Quantity
from gradatim.core.source import ReadOptions
from gradatim.data.pictures.conversion import load_picture
from gradatim.data.read import read
from gradatim.data.sources import SOURCES
from gradatim.data.tables.columns import MISSING
from gradatim.data.tables.frame import dataset_from_arrays, dataset_from_frame

from .corpus import GOOD, LABELS, PICTURES, classes, idx, picture


def table(folder: Path, text: str | bytes, name: str = "t.csv") -> str:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def features(folder: Path, cells: list[str], **options):
    """Read one column of cells beside a target of two classes."""
    text = "x,y\n" + "".join(f'"{cell}",{"ab"[i % 2]}\n' for i, cell in enumerate(cells))
    return read(table(folder, text), ReadOptions(target="y", **options))


def only_column(data):
    (column,) = data.signature.input.columns
    return column


def codes(data) -> list[str]:
    return [finding.code for finding in data.findings]


# --- the catalog and read -----------------------------------------------------------------------


def test_every_source_imports_and_says_what_it_reads():
    assert not SOURCES.broken()
    assert {"bundled", "csv", "folder", "mnist", "npz", "parquet"} <= set(SOURCES.names())
    assert all(source.summary for source in SOURCES.all().values())


@pytest.mark.parametrize(
    ("name", "rows", "output"),
    [("iris", 150, 3), ("wine", 178, 3), ("breast_cancer", 569, 2), ("diabetes", 442, 1)],
)
def test_bundled_tables(name, rows, output):
    data = read(name)
    assert len(data) == rows
    assert data.signature.outputs == output
    assert data.samples.inputs.dtype == torch.float64


def test_bundled_digits_are_pictures():
    data = read("digits")
    assert data.samples.inputs.shape == (1797, 1, 8, 8)
    assert data.samples.inputs.dtype == torch.uint8
    assert data.samples.inputs.max() == 255
    assert data.signature.output.names == tuple("0123456789")


def test_a_bundled_set_may_have_another_target():
    data = read("iris", ReadOptions(target="petal width (cm)"))
    assert isinstance(data.signature.output, Quantity)
    assert data.signature.input.columns[-1].name == "species"


def test_a_bundled_name_that_is_a_path_too_is_ambiguous(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris").mkdir()
    with pytest.raises(ConfigError, match="bundled:iris"):
        read("iris")
    assert len(read("bundled:iris")) == 150


def test_kind_and_path(tmp_path):
    path = table(tmp_path, GOOD, "data.of.mine")
    data = read(f"csv:{path}", ReadOptions(target="y"))
    assert (data.source, data.name) == (f"csv:{path}", "data")


def test_an_unknown_object_is_refused():
    with pytest.raises(ConfigError):
        read(3)
    with pytest.raises(ConfigError):
        read(np.zeros((3, 2)))
    with pytest.raises(ConfigError):
        read((1, 2, 3))


# --- text tables --------------------------------------------------------------------------------


def test_csv(tmp_path):
    data = read(table(tmp_path, GOOD), ReadOptions(target="y"))
    assert [c.kind for c in data.signature.input.columns] == ["numeric", "category", "numeric"]
    assert data.samples.inputs[1].tolist() == [1.5, 1, 1]
    assert data.samples.targets.dtype == torch.int64
    assert data.signature.output == Category(name="y", names=("no", "yes"))
    assert list(data.row_names[:2]) == ["row 2", "row 3"]
    assert len(data.fingerprint) == 64


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.tsv", GOOD.replace(",", "\t").encode()),
        ("t.csv", GOOD.replace(",", ";").encode()),
        ("t.txt", GOOD.replace(",", "\t").encode()),
        ("t.csv.gz", gzip.compress(GOOD.encode())),
        ("t.csv", b"\xef\xbb\xbf" + GOOD.encode()),
        ("t.csv", GOOD.encode("utf-16")),
        ("t.csv", GOOD.replace("\n", "\r\n").encode()),
        ("t.csv", GOOD.replace("\n", "\r").encode()),
        ("t.csv", GOOD.replace(",", " , ").encode()),
        ("t.csv", (GOOD + "\n\n").encode()),
        ("T.CSV", GOOD.encode()),
    ],
)
def test_the_same_table_in_other_clothes(name, content, tmp_path):
    plain = read(table(tmp_path, GOOD, "plain.csv"), ReadOptions(target="y"))
    other = read(table(tmp_path, content, name), ReadOptions(target="y"))
    assert other.signature == plain.signature
    assert torch.equal(other.samples.inputs, plain.samples.inputs)
    assert torch.equal(other.samples.targets, plain.samples.targets)


def test_declared_encoding(tmp_path):
    path = table(tmp_path, GOOD.replace(",a,", ",é,").encode("cp1252"))
    data = read(path, ReadOptions(target="y", encoding="cp1252"))
    assert data.signature.input.columns[1].values == ("b", "é")


def test_rows_are_called_by_their_line(tmp_path):
    data = read(table(tmp_path, 'x,y\n"1\n",a\n\n2,b\n3,a\n'), ReadOptions(target="y"))
    assert list(data.row_names) == ["row 2", "row 5", "row 6"]


def test_the_fingerprint_follows_the_content(tmp_path):
    a, b, c = (
        read(table(tmp_path, text, name), ReadOptions(target="y")).fingerprint
        for name, text in (("a.csv", GOOD), ("b.csv", GOOD), ("c.csv", GOOD + "1,a,1,no\n"))
    )
    assert a == b != c


# --- what a column means ------------------------------------------------------------------------


@pytest.mark.parametrize("token", MISSING)
def test_missing_tokens(token, tmp_path):
    data = features(tmp_path, ["1.5", token, "2.5", "3.5"])
    assert only_column(data).missing
    assert data.samples.inputs.isnan().flatten().tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["1", "2", "-3e2", "+.5"], "numeric", ()),
        (["0", "1", "1", "0"], "boolean", ("0", "1")),
        (["yes", "no", "yes", "no"], "boolean", ("no", "yes")),
        (["True", "False", "", "True"], "boolean", ("False", "True")),
        (["red", "green", "red", "10"], "category", ("10", "green", "red")),
        (["b10", "b9", "b10", "None"], "category", ("b9", "b10", "None")),
        (["1_000", "0x10", "1,5", "1_000"], "category", ("0x10", "1,5", "1_000")),
        (["2024-01-01", "2024-01-02", "", "2023-12-31"], "date", ()),
        (["", "NA", "", "?"], "numeric", ()),
    ],
)
def test_kinds_of_columns(cells, kind, values, tmp_path):
    column = only_column(features(tmp_path, cells))
    assert (column.kind, column.values) == (kind, values)


@pytest.mark.parametrize(
    ("cell", "days"),
    [
        ("1970-01-02", 1.0),
        ("1970-01-01T12:00", 0.5),
        ("1970-01-01 12:00:00", 0.5),
        ("1970-01-01T12:00:00Z", 0.5),
        ("1970-01-01T12:00:00+12:00", 0.0),
        ("1969/12/31", -1.0),
        ("3.1.1970", 2.0),
        ("4 Jan 1970", 3.0),
        ("January 5, 1970", 4.0),
        ("9999-12-31", 2932896.0),
    ],
)
def test_dates_are_days_since_1970(cell, days, tmp_path):
    data = features(tmp_path, [cell] * 4)
    assert only_column(data).kind == "date"
    assert data.samples.inputs[0].item() == days


def test_a_clock_is_seen_when_times_of_day_vary(tmp_path):
    assert not only_column(features(tmp_path, ["2024-01-01 06:00", "2024-01-02 06:00"] * 2)).clock
    assert only_column(features(tmp_path, ["2024-01-01 06:00", "2024-01-02 07:00"] * 2)).clock


def test_dates_that_could_be_read_in_two_ways_are_left_out(tmp_path):
    rows = "".join(f"{i},{i}/2/2024,{'ab'[i % 2]}\n" for i in range(1, 29))
    data = read(table(tmp_path, "x,day,y\n" + rows), ReadOptions(target="y"))
    assert only_column(data).name == "x"
    assert "date" in codes(data)


def test_free_text_is_left_out_with_a_note(tmp_path):
    rows = "".join(f"{i}.5,remark number {i} of a customer who writes,{i % 2}\n" for i in range(30))
    data = read(table(tmp_path, "x,remark,y\n" + rows))
    assert [c.name for c in data.signature.input.columns] == ["x"]
    assert "free-text" in codes(data)


def test_rare_values_are_folded(tmp_path):
    cells = [f"v{i}" for i in range(150)] + [f"v{i}" for i in range(100)] * 2
    data = features(tmp_path, cells)
    assert len(only_column(data).values) == 100
    assert (data.samples.inputs == -1).sum() == 50
    assert "rare-values" in codes(data)


def test_a_column_of_decimal_commas_is_remarked(tmp_path):
    assert "nearly-numbers" in codes(features(tmp_path, ["1,5", "2,5", "3,25", "4,5"]))


def test_a_header_of_numbers_is_remarked(tmp_path):
    data = read(table(tmp_path, "1,2\n1.5,0\n2.5,1\n3.5,0\n"), ReadOptions(target="2"))
    assert "header" in codes(data)


def test_stray_text_names_the_cell_and_many_make_a_category(tmp_path):
    numbers = [str(i / 2) for i in range(98)]
    with pytest.raises(DataError, match=r'row 100, column "x": "x" is no number'):
        features(tmp_path, [*numbers, "x"])
    data = features(tmp_path, [*numbers, "x", "y", "z"])
    assert only_column(data).kind == "category"
    assert "nearly-numbers" in codes(data)


def test_missing_cells_are_refused_on_demand(tmp_path):
    with pytest.raises(DataError, match="missing in row 3"):
        features(tmp_path, ["1.5", "", "2.5", "3.5"], missing="error")


# --- the target, groups, times ------------------------------------------------------------------


@pytest.mark.parametrize("labels", [("NA", "None", "007", "1e5"), ("nan", "x"), ("01", "02")])
def test_labels_stay_as_they_are_spelled(labels, tmp_path):
    text = "x,y\n" + "".join(f"{i}.5,{labels[i % len(labels)]}\n" for i in range(20))
    assert set(read(table(tmp_path, text)).signature.output.names) == set(labels)


@pytest.mark.parametrize(
    ("values", "task", "field"),
    [
        (["0", "1"] * 10, None, Category),
        (["0", "1"] * 10, "regress", Quantity),
        (["1.0", "2.0", "3.0", "4.0"] * 5, None, Category),
        ([str(i) for i in range(20)], None, Quantity),
        ([f"{i}.5" for i in range(20)], None, Quantity),
        ([str(i % 5) for i in range(20)], "classify", Category),
        ([str(i % 5) for i in range(20)], None, Quantity),
        ([str(i % 10) for i in range(200)] + ["X"], None, Category),
        (["true", "false"] * 10, None, Category),
    ],
)
def test_classes_or_quantity(values, task, field, tmp_path):
    text = "x,y\n" + "".join(f"{i},{value}\n" for i, value in enumerate(values))
    data = read(table(tmp_path, text), ReadOptions(task=task))
    assert isinstance(data.signature.output, field)
    shape = (len(values),) if field is Category else (len(values), 1)
    assert data.samples.targets.shape == shape


def test_class_ten_comes_after_two(tmp_path):
    text = "x,y\n" + "".join(f"{i},{(10, 2, 1)[i % 3]}\n" for i in range(30))
    assert read(table(tmp_path, text)).signature.output.names == ("1", "2", "10")


def test_class_names_that_look_alike_are_remarked(tmp_path):
    names = ["Müller", unicodedata.normalize("NFD", "müller"), "x"]
    text = "x,y\n" + "".join(f"{i},{names[i % 3]}\n" for i in range(30))
    data = read(table(tmp_path, text))
    assert len(data.signature.output.names) == 3
    assert "class-twins" in codes(data)


def test_groups_and_times_are_no_features(tmp_path):
    options = ReadOptions(target="y", group="g", time="t")
    rows = "".join(f"{i},{'pq'[i % 2]},2024-01-{i:02},{'ab'[i // 2 % 2]}\n" for i in range(1, 20))
    data = read(table(tmp_path, "x,g,t,y\n" + rows), options)
    assert only_column(data).name == "x"
    assert data.samples.groups.tolist() == [i % 2 for i in range(19)]
    assert data.samples.times.diff().tolist() == [1.0] * 18
    assert {"group", "time"} <= set(codes(data))


# --- with the signature of a fitted model -------------------------------------------------------


@pytest.fixture
def fitted(tmp_path):
    return read(table(tmp_path, GOOD), ReadOptions(target="y"))


def again(fitted, folder: Path, text: str):
    return read(table(folder, text, "new.csv"), ReadOptions(signature=fitted.signature))


def test_the_same_file_is_coded_the_same(fitted, tmp_path):
    data = again(fitted, tmp_path, GOOD)
    assert data.signature == fitted.signature
    assert torch.equal(data.samples.inputs, fitted.samples.inputs)
    assert torch.equal(data.samples.targets, fitted.samples.targets)


def test_one_row_without_target_in_another_order(fitted, tmp_path):
    data = again(fitted, tmp_path, "extra,z,c,x\nq,4,b,0.5\n")
    assert data.samples.inputs.tolist() == [[0.5, 1.0, 4.0]]
    assert len(data.samples.targets) == 0
    assert codes(data) == ["extra-columns"]


def test_unseen_categories_are_counted(fitted, tmp_path):
    data = again(fitted, tmp_path, "x,c,z\n1,a,1\n1,new,1\n1,new,1\n1,,1\n")
    assert data.samples.inputs[:, 1].tolist()[:3] == [0, -1, -1]
    assert data.samples.inputs[3, 1].isnan()
    (finding,) = data.findings
    assert finding.code == "unseen-values"
    assert "2 cells" in finding.message
    assert finding.rows == ("row 3", "row 4")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x,z\n1,1\n", '"c"'),
        ("x,c,z\noops,a,1\n", 'row 2, column "x"'),
        ("x,c,z,y\n1,a,1,maybe\n", '"maybe"'),
        ("x,c,z,y\n1,a,1,no\n1,a,1,\n", "row 3"),
        ("x,c,z\n1e999,a,1\n", "infinite"),
    ],
)
def test_what_a_model_cannot_read(text, words, fitted, tmp_path):
    with pytest.raises(DataError, match=words):
        again(fitted, tmp_path, text)


def test_an_empty_target_column_is_no_target(fitted, tmp_path):
    assert len(again(fitted, tmp_path, "x,c,z,y\n1,a,1,\n1,b,1,\n").samples.targets) == 0


def test_a_frame_is_coded_like_the_file_it_was_learnt_from(fitted):
    frame = pd.DataFrame({"x": [1.5], "c": ["b"], "z": [1]})
    data = read(frame, ReadOptions(signature=fitted.signature))
    assert torch.equal(data.samples.inputs, fitted.samples.inputs[1:2])


# --- frames, arrays, Parquet, npz ---------------------------------------------------------------


def typed_frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "number": [1.5, None, 2.5, 4.0],
            "whole": pd.array([1, 2, None, 4], dtype="Int64"),
            "flag": [True, False, True, False],
            "kind": pd.Categorical(["u", "v", None, "v"]),
            "when": pd.to_datetime(
                ["1970-01-02 00:00", None, "1970-01-03 12:00", "1970-01-01 00:00"]
            ),
            "zone": pd.to_datetime(["1970-01-02T00:00+12:00"] * 4),
            "mixed": [1, 2.5, None, 3],
            "word": ["NA", "None", "q", None],
            "y": ["a", "b", "a", "b"],
        }
    )


def test_frame_types():
    data = dataset_from_frame(typed_frame())
    columns = {c.name: c for c in data.signature.input.columns}
    kinds = {name: c.kind for name, c in columns.items()}
    assert [kinds[name] for name in ("number", "whole", "mixed")] == ["numeric"] * 3
    assert [kinds[name] for name in ("kind", "word")] == ["category"] * 2
    assert [kinds[name] for name in ("when", "zone")] == ["date"] * 2
    assert kinds["flag"] == "boolean"
    assert columns["when"].clock
    assert columns["word"].values == ("None", "q")
    when = data.samples.inputs[:, 4]
    assert when[[0, 2, 3]].tolist() == [1.0, 2.5, 0.0]
    assert when[1].isnan()
    assert data.samples.inputs[0, 5] == 0.5
    assert list(data.row_names) == ["0", "1", "2", "3"]


def test_parquet_is_the_frame_it_was_written_from(tmp_path):
    typed_frame().to_parquet(tmp_path / "t.parquet")
    data, same = read(str(tmp_path / "t.parquet")), dataset_from_frame(typed_frame())
    assert data.signature == same.signature
    assert torch.equal(data.samples.inputs.nan_to_num(), same.samples.inputs.nan_to_num())


def test_csv_and_frame_agree(tmp_path):
    frame = pd.DataFrame({"x": [1.5, 2, 3, 4] * 5, "b": [0, 1, 1, 0] * 5, "y": [0, 1] * 10})
    frame.to_csv(tmp_path / "t.csv", index=False)
    file, direct = read(str(tmp_path / "t.csv")), read(frame)
    assert file.signature == direct.signature
    assert torch.equal(file.samples.inputs, direct.samples.inputs)


def test_arrays():
    x, y = np.arange(40.0).reshape(20, 2), np.array(["u", "v"] * 10)
    data = read((x, y))
    assert [c.name for c in data.signature.input.columns] == ["x0", "x1"]
    assert data.signature.output.names == ("u", "v")
    assert read((torch.tensor(x), y)).fingerprint == data.fingerprint
    predicted = read(x[:1], ReadOptions(signature=data.signature))
    assert predicted.samples.inputs.tolist() == [[0.0, 1.0]]


def test_a_frame_with_answers_beside_it():
    frame = pd.DataFrame({"u": range(20), "v": range(20)})
    data = read((frame, pd.Series([0.5 * i for i in range(20)], name="price")))
    assert data.signature.output == Quantity(names=("price",))


@pytest.mark.parametrize("shape", [(20, 6, 5), (20, 6, 5, 3), (20, 3, 6, 5), (20, 6, 5, 1)])
def test_picture_arrays(shape):
    x = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    data = dataset_from_arrays(x, np.arange(20) % 2)
    channels = 3 if 3 in shape else 1
    assert data.samples.inputs.shape == (20, channels, 6, 5)
    last = np.moveaxis(data.samples.inputs.numpy(), 1, -1)
    assert last.sum() == x.sum()


def test_npz_parts(tmp_path):
    x, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    np.savez(tmp_path / "t.npz", x_train=x, y_train=y, x_test=x[:5], y_test=y[:5])
    data = read(str(tmp_path / "t.npz"))
    assert data.sealed.tolist() == [False] * 20 + [True] * 5
    assert data.name == "t"


# --- IDX ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [False, True])
def test_idx_parts(pack, tmp_path):
    for part, count in (("train", 20), ("t10k", 6)):
        for kind, array in (("images-idx3", PICTURES), ("labels-idx1", LABELS)):
            content = idx(array[:count])
            name = f"{part}-{kind}-ubyte" + (".gz" if pack else "")
            (tmp_path / name).write_bytes(gzip.compress(content) if pack else content)
    data = read(str(tmp_path))
    assert data.samples.inputs.shape == (26, 1, 4, 4)
    assert int(data.sealed.sum()) == 6
    assert (data.row_names[0], data.row_names[-1]) == ("train/0", "t10k/5")
    assert data.signature.output.names == ("0", "1")


# --- folders of pictures ------------------------------------------------------------------------


def test_class_folders(tmp_path):
    data = read(str(classes(tmp_path, ["2", "10", "1"])))
    assert data.signature.output.names == ("1", "2", "10")
    assert data.samples.inputs.shape == (15, 1, 6, 8)
    assert data.samples.targets.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert data.row_names[5] == "2/0.png"
    assert data.samples.inputs[6].unique().tolist() == [40]
    assert data.findings == ()


def test_train_and_test_folders(tmp_path):
    for part, names in (("Train", "ab"), ("val", "ab"), ("test", "b")):
        for name in names:
            picture(tmp_path / part / name / "0.png")
    data = read(str(tmp_path))
    sealed = [name for name, s in zip(data.row_names, data.sealed, strict=True) if s]
    assert sealed == ["test/b/0.png"]
    assert data.samples.targets[data.sealed].tolist() == [1]
    assert "validation-part" in codes(data)


def test_classes_may_be_called_train_and_test(tmp_path):
    data = read(str(classes(tmp_path, ["train", "test"])))
    assert data.sealed is None
    assert data.signature.output.names == ("test", "train")


def test_litter_is_passed_over(tmp_path):
    root = classes(tmp_path)
    for name in (".git/a.png", "__MACOSX/a.png", "a/._0.png", "a/.hidden/x.png"):
        picture(root / name)
    for name in ("a/Thumbs.db", ".DS_Store", "a/.DS_Store"):
        (root / name).write_bytes(b"x")
    data = read(str(root))
    assert len(data) == 10
    assert data.findings == ()


def test_links_stay_inside(tmp_path):
    root = classes(tmp_path)
    (root / "a" / "inside.png").symlink_to(root / "b" / "0.png")
    (root / "a" / "outside.png").symlink_to(picture(tmp_path / "o.png"))
    (root / "a" / "loop").symlink_to(root)
    data = read(str(root))
    assert len(data) == 11
    assert codes(data) == ["links"]
    assert set(data.findings[0].rows) == {"a/outside.png", "a/loop"}


def test_a_broken_picture_is_set_apart(tmp_path):
    root = classes(tmp_path)
    (root / "a" / "3.png").write_bytes((root / "a" / "3.png").read_bytes()[:-30])
    data = read(str(root))
    assert len(data) == len(data.row_names) == len(data.samples.targets) == 9
    assert codes(data) == ["quarantined"]
    assert data.findings[0].rows == ("a/3.png",)


@pytest.mark.parametrize("name", ["ü", "😀", "a b", "‮x", "n\nl", "=1+1", "x" * 255])
def test_odd_class_names_survive(name, tmp_path):
    root = classes(tmp_path, "b")
    (root / "b").rename(root / name)
    picture(root / "c" / "0.png")
    assert name in read(str(root)).signature.output.names


def test_a_name_that_is_no_utf8_is_escaped(tmp_path):
    root = classes(tmp_path)
    (root / "a").rename(os.fsdecode(os.fsencode(root) + b"/\xff"))
    data = read(str(root))
    assert data.signature.output.names == ("\\xff", "b")
    data.signature.model_dump_json()


def test_a_name_of_another_format_is_read_and_remarked(tmp_path):
    root = classes(tmp_path)
    Image.new("L", (8, 6), 77).save(root / "a" / "0.png", format="JPEG")
    data = read(str(root))
    assert data.samples.inputs[0].unique().tolist() == [77]
    assert codes(data) == ["other-format"]


def test_large_pictures_are_shrunk_and_it_is_said(tmp_path):
    for name, size in (("a", (200, 100)), ("b", (200, 100)), ("c", (10, 10))):
        picture(tmp_path / name / "0.png", size=size)
    data = read(str(tmp_path))
    assert data.samples.inputs.shape == (3, 1, 32, 64)
    assert codes(data) == ["resized"]


def test_one_colour_picture_makes_all_coloured(tmp_path):
    root = classes(tmp_path)
    Image.new("RGB", (8, 6), "red").save(root / "a" / "9.png")
    data = read(str(root))
    assert data.signature.input.channels == 3
    assert data.samples.inputs[5, :, 0, 0].tolist() == [255, 0, 0]


def test_grey_stored_as_rgb_is_grey(tmp_path):
    for name in "ab":
        picture(tmp_path / name / "0.png", (7, 7, 7), mode="RGB")
    data = read(str(tmp_path))
    assert data.samples.inputs.shape == (2, 1, 6, 8)
    assert data.samples.inputs.unique().tolist() == [7]


def test_reading_twice_gives_the_same_bytes(tmp_path):
    root = classes(tmp_path)
    first, second = read(str(root)), read(str(root))
    assert torch.equal(first.samples.inputs, second.samples.inputs)
    assert first.fingerprint == second.fingerprint
    picture(root / "a" / "0.png", 1)
    assert read(str(root)).fingerprint != first.fingerprint


def test_predicting_pictures(tmp_path):
    fitted = read(str(classes(tmp_path)))
    options = ReadOptions(signature=fitted.signature)
    single = read(str(tmp_path / "set" / "a" / "1.png"), options)
    assert torch.equal(single.samples.inputs, fitted.samples.inputs[1:2])
    assert len(single.samples.targets) == 0
    flat = read(str(tmp_path / "set" / "a"), options)
    assert list(flat.row_names) == [f"{i}.png" for i in range(5)]
    whole = read(str(tmp_path / "set"), options)
    assert torch.equal(whole.samples.targets, fitted.samples.targets)
    picture(tmp_path / "set" / "c" / "0.png")
    with pytest.raises(DataError, match='no class "c"'):
        read(str(tmp_path / "set"), options)


def test_a_model_of_pictures_reads_no_table(tmp_path):
    pictures, rows = read("digits"), read("iris")
    path = table(tmp_path, GOOD)
    with pytest.raises(DataError, match="reads pictures"):
        read(path, ReadOptions(signature=pictures.signature))
    with pytest.raises(DataError, match="reads a table"):
        read(str(classes(tmp_path)), ReadOptions(signature=rows.signature))


# --- the one conversion of pictures -------------------------------------------------------------


def saved(image: Image.Image, path: Path, **options) -> Path:
    image.save(path, **options)
    return path


def test_exif_turns_the_picture(tmp_path):
    pixels = np.zeros((4, 8), np.uint8)
    pixels[:, :4] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise: what was left is up
    path = saved(Image.fromarray(pixels), tmp_path / "a.png", exif=exif)
    planes = load_picture(path, 1)
    assert planes.shape == (1, 8, 4)
    assert (planes[0, :4] == 255).all()
    assert (planes[0, 4:] == 0).all()


@pytest.mark.parametrize(
    ("mode", "colour", "ending", "expected"),
    [
        ("L", 100, "png", (100, 100, 100)),
        ("1", 1, "png", (255, 255, 255)),
        ("I;16", 25700, "png", (100, 100, 100)),
        ("I;16", 65535, "tif", (255, 255, 255)),
        ("RGBA", (255, 0, 0, 0), "png", (255, 255, 255)),
        ("RGBA", (255, 0, 0, 255), "png", (255, 0, 0)),
        ("RGBA", (0, 0, 0, 51), "webp", (204, 204, 204)),
        ("LA", (0, 51), "png", (204, 204, 204)),
        ("CMYK", (0, 255, 255, 0), "tif", (255, 0, 0)),
        ("RGB", (1, 2, 3), "bmp", (1, 2, 3)),
        ("RGB", (1, 2, 3), "ppm", (1, 2, 3)),
    ],
)
def test_modes(mode, colour, ending, expected, tmp_path):
    options = {"lossless": True} if ending == "webp" else {}
    path = saved(Image.new(mode, (5, 4), colour), tmp_path / f"a.{ending}", **options)
    planes = load_picture(path, 3)
    assert planes.dtype == np.uint8
    assert tuple(planes[:, 0, 0]) == expected
    assert np.array_equal(load_picture(path.read_bytes(), 3), planes)


def test_palette_transparency_and_the_first_frame(tmp_path):
    frames = [Image.new("P", (4, 4), i) for i in (1, 2)]
    for frame in frames:
        frame.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    gif = saved(frames[0], tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert load_picture(gif, 3)[:, 0, 0].tolist() == [255, 0, 0]
    png = saved(frames[0], tmp_path / "a.png", transparency=1)
    assert load_picture(png, 3)[:, 0, 0].tolist() == [255, 255, 255]


def test_grey_is_luma_and_resizing_is_to_height_and_width(tmp_path):
    path = saved(Image.new("RGB", (9, 9), (255, 0, 0)), tmp_path / "a.png")
    planes = load_picture(path, 1, (3, 5))
    assert planes.shape == (1, 3, 5)
    assert planes.max() == 76  # 0.299 * 255

"""Tables in pieces: columns and cells as in memory, and parts that are a function of rows."""

import decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.source import ReadOptions
from gradatim.data.read import read
from gradatim.data.streams import drawn as drawing
from gradatim.data.streams import parquet
from gradatim.data.streams.membership import Membership, chances
from gradatim.data.streams.parquet import decoded_bytes, open_stream
from gradatim.data.streams.survey import survey


def frame(rows=3000):
    chance = np.random.default_rng(0)
    table = pd.DataFrame(
        {"real": chance.normal(1e6, 3, rows), "whole": chance.integers(0, 9, rows)}
    )
    table["gaps"] = np.where(chance.random(rows) < 0.1, np.nan, chance.normal(size=rows))
    table["colour"] = chance.choice(["red", " green", "blue"], rows)
    table.loc[5, "colour"] = None
    table["kind"] = pd.Categorical(chance.choice(["a", "b"], rows))
    table["spelled"] = chance.choice(["1", "2.5", "-3", "NA", "4e2", "7"], rows)
    table["yes"] = chance.choice(["yes", "no"], rows)
    table["flag"] = chance.random(rows) < 0.5
    table["bits"] = chance.integers(0, 2, rows)
    table["many"] = [f"v{i}" for i in (chance.random(rows) ** 2 * 150).astype(int)]
    days = pd.to_timedelta(chance.integers(0, 999, rows), unit="D")
    table["day"] = pd.Timestamp("2020-01-01") + days
    table["moment"] = table["day"] + pd.to_timedelta(chance.integers(0, 9, rows), unit="h")
    table["written"] = table["day"].dt.strftime("%Y-%m-%d")
    table["money"] = [decimal.Decimal(int(v)) / 4 for v in chance.integers(0, 999, rows)]
    table["nothing"] = np.nan
    table["constant"] = 4.0
    table["y"] = chance.normal(size=rows)
    return table


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("streams") / "table.parquet"
    frame().to_parquet(file, row_group_size=700)
    return str(file)


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(parquet, "CELLS", 0)  # then a batch has 1024 rows


def streamed(path, options):
    stream = open_stream(path)
    found = survey(stream, options)
    pieces = [
        found.coded(cells, stream.origin(start, 0))
        for start, cells in stream.batches(found.columns)
    ]
    return found, torch.cat([x for x, _ in pieces]), torch.cat([t for _, t in pieces])


@pytest.mark.parametrize("target", ["y", "colour", "whole", "flag", "many", "bits"])
def test_columns_and_cells_are_those_of_the_table_in_memory(path, target, small_batches, tmp_path):
    if target == "colour":
        file = tmp_path / "full.parquet"
        frame().fillna({"colour": "red"}).to_parquet(file)
        path = str(file)
    options = ReadOptions(target=target)
    whole = read(path, options)
    found, inputs, targets = streamed(path, options)
    assert found.signature == whole.signature
    np.testing.assert_array_equal(inputs, whole.samples.inputs)
    np.testing.assert_array_equal(targets, whole.samples.targets)


def test_numbers_lie_where_they_do(path, small_batches):
    found = survey(open_stream(path), ReadOptions(target="y"))
    table = frame()
    place = [column.name for column in found.signature.input.columns].index
    for name, values in {
        "real": table["real"],
        "gaps": table["gaps"].dropna(),
        "spelled": pd.to_numeric(table["spelled"], errors="coerce").dropna(),
    }.items():
        numbers = found.numbers[place(name)]
        assert numbers.mean == pytest.approx(values.mean(), rel=1e-12)
        assert numbers.unit == 2.0 ** round(np.log2(values.std(ddof=0)))
        assert (numbers.least, numbers.greatest) == (values.min(), values.max())
    assert found.counts[place("gaps")] == int(table["gaps"].isna().sum())


def test_the_fingerprint_is_that_of_the_file_in_memory(path):
    assert open_stream(path).fingerprint() == read(path, ReadOptions(target="y")).fingerprint


def refused(tmp_path, table, match, **options):
    file = tmp_path / "bad.parquet"
    pq.write_table(pa.table(table), file)
    drop = options.pop("drop", ())
    with pytest.raises((DataError, ConfigError), match=match):
        survey(open_stream(str(file)), ReadOptions(target="y", **options), drop)


def test_what_cannot_be_used_is_refused_by_name_and_row(tmp_path):
    rows = list(range(3000))
    good = {"x": [float(r) for r in rows], "y": [float(r) for r in rows]}
    infinite = [*good["x"][:2500], np.inf, *good["x"][2501:]]
    refused(tmp_path, good | {"x": infinite}, r'"x" is infinite .* row 2500')
    refused(tmp_path, good | {"x": [[1.0]] * 3000}, r'"x" holds list<.*--drop x')
    refused(tmp_path, good | {"y": [None, *good["y"][1:]]}, r'"y" is missing in 1 rows')
    refused(tmp_path, good | {"x": [None, *good["x"][1:]]}, '"x" is missing', missing="error")
    refused(tmp_path, {"z": good["x"]}, '"y"')
    refused(tmp_path, good, "--drop: there is no column", drop=["w"])
    refused(tmp_path, good, "no column; keep", drop=["x"])
    refused(tmp_path, good | {"y": ["a"] * 3000}, "one class only")


def test_a_file_that_is_no_parquet_says_so(tmp_path):
    file = tmp_path / "x.parquet"
    file.write_bytes(b"PAR1 no more")
    with pytest.raises(DataError, match="is no Parquet file"):
        open_stream(str(file))


def test_a_file_that_breaks_off_is_refused_in_the_middle(path, tmp_path):
    content = bytearray(Path(path).read_bytes())
    first, last = len(content) // 3, len(content) // 2
    content[first:last] = bytes(last - first)
    file = tmp_path / "broken.parquet"
    file.write_bytes(bytes(content))
    with pytest.raises(DataError, match="is no Parquet file"):
        survey(open_stream(str(file)), ReadOptions(target="y"))


def test_chances_do_not_depend_on_where_a_batch_begins():
    whole = chances(0, 10_000, 12345)
    parts = [chances(a, b, 12345) for a, b in ((0, 1), (1, 777), (777, 10_000))]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    assert not np.array_equal(whole, chances(0, 10_000, 12346))


def test_chances_are_even_and_independent_of_one_another():
    """Bounds of five standard deviations: chance alone passes them once in two million."""
    values = chances(0, 1_000_000, 7)
    counts = np.histogram(values, 100, (0, 1))[0]
    assert np.abs(counts - 10_000).max() < 5 * (10_000 * 0.99) ** 0.5
    other = chances(0, 1_000_000, 8)
    for first, second in ((values[1:], values[:-1]), (values, other)):
        assert abs(np.corrcoef(first, second)[0, 1]) < 5e-3


@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_parts_cover_the_rows_and_leave_some_to_choose_with(count):
    members = Membership(100_000, 3, count, repeats=2)
    pieces = members.of(0, 100_000)
    test = pieces >= members.parts
    assert test.mean() == pytest.approx(0.2, abs=0.01)
    assert set(np.unique(pieces)) == set(range(members.pieces))
    # The test part is the same in every repeat; the folds are not.
    again = members.of(0, 100_000, 1)
    np.testing.assert_array_equal(again >= members.parts, test)
    assert (again != pieces).mean() > 0.3
    for fold in members.folds[:count]:
        held = np.isin(pieces, list(fold.parts))
        assert held.sum() / (~test).sum() == pytest.approx(1 / count, abs=0.02)
        assert members.parts - len(fold.parts) >= 4
    assert [f.name for f in members.folds][count - 1 : count + 1] == [f"0-{count - 1}", "1-0"]


def test_the_hash_changes_with_anything_that_changes_a_part():
    hashes = {
        Membership(*facts).hash
        for facts in (
            (100, 0, 5, 1),
            (101, 0, 5, 1),
            (100, 1, 5, 1),
            (100, 0, 4, 1),
            (100, 0, 5, 2),
        )
    }
    assert len(hashes) == 5


def test_large_is_what_would_not_fit_decoded(path, monkeypatch):
    size = decoded_bytes(path)
    assert size >= 8 * 3000 * 17
    assert not drawing.too_large(path)
    assert drawing.too_large(path, memory=3.9 * size / 1e9)
    assert not drawing.too_large(path, memory=4.1 * size / 1e9)
    monkeypatch.setattr(drawing, "available_memory", lambda: size)
    assert drawing.too_large(path)
    assert drawing.too_large(f"parquet:{path}")
    assert not drawing.too_large("iris")


def test_rows_of_a_table_that_is_too_large_are_drawn(path, monkeypatch):
    options = ReadOptions(target="y")
    assert drawing.drawn(path, options, 200) is None
    monkeypatch.setattr(drawing, "available_memory", lambda: 1)
    found, whole = drawing.drawn(path, options, 200), read(path, options)
    assert 200 <= len(found) < 400
    rows = [int(name) for name in found.row_names]
    np.testing.assert_array_equal(found.samples.inputs[:, :2], whole.samples.inputs[rows, :2])
    assert found.fingerprint != whole.fingerprint
    assert found.source == path
    assert found.name == "table"


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_units_are_near_the_spread_at_any_scale(tmp_path, size):
    file = tmp_path / "x.parquet"
    values = size * np.random.default_rng(0).normal(size=3000)
    pd.DataFrame({"x": values, "y": values}).to_parquet(file)
    (numbers,) = survey(open_stream(str(file)), ReadOptions(target="y")).numbers
    assert 0.5 < numbers.unit / size < 16
    assert np.isfinite(numbers.mean)

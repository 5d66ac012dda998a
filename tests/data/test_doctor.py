"""The data doctor: every finding planted and found, and absent where nothing is wrong."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from sklearn import datasets as bundled

from gradatim.core.samples import Dataset, Samples
from gradatim.core.signature import Category, Column, Image, Quantity, Signature, Table
from gradatim.data.doctor import examine, inspection
from gradatim.data.doctor.neighbours import neighbours
from gradatim.data.doctor.twins import equal_sets
from gradatim.ops.folds import kfold


def table(rows, targets=None, kinds=None, classes=0, **extra):
    """A data set from plain arrays; targets default to noise."""
    rows = np.asarray(rows, dtype=np.float64)
    kinds = kinds or ["numeric"] * rows.shape[1]
    columns = tuple(
        Column(name=f"c{i}", kind=kind, missing=bool(np.isnan(rows[:, i]).any()))
        for i, kind in enumerate(kinds)
    )
    if targets is None:
        targets = np.random.default_rng(99).normal(size=len(rows))
        targets = (targets > 0).astype(int) if classes else targets
    answers = torch.as_tensor(np.asarray(targets))
    names = tuple(f"k{i}" for i in range(classes))
    output = Category(names=names) if classes else Quantity(names=("y",))
    answers = answers.long() if classes else answers.double().reshape(len(answers), -1)
    groups, times = (extra.pop(key, None) for key in ("groups", "times"))
    samples = Samples(torch.from_numpy(rows.copy()), answers, groups, times)
    lines = [f"line {i + 2}" for i in range(len(rows))]
    signature = Signature(input=Table(columns=columns), output=output)
    return Dataset("plain", samples, signature, lines, "hash", "memory", **extra)


def pictures(pixels, targets=None, classes=2):
    pixels = torch.as_tensor(np.asarray(pixels), dtype=torch.uint8)
    targets = np.arange(len(pixels)) % classes if targets is None else targets
    names = tuple(map(str, range(classes)))
    field = Image(channels=pixels.shape[1], height=pixels.shape[2], width=pixels.shape[3])
    samples = Samples(pixels, torch.as_tensor(np.asarray(targets), dtype=torch.int64))
    signature = Signature(input=field, output=Category(names=names))
    return Dataset("pictures", samples, signature, range(len(pixels)), "hash", "memory")


def noise(rows=200, columns=4, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns))


def codes(dataset):
    return {finding.code for finding in examine(dataset).findings}


def finding(dataset, code):
    (found,) = [f for f in examine(dataset).findings if f.code == code]
    return found


def together(dataset, one, other):
    groups = examine(dataset).samples.groups
    return groups is not None and bool(groups[one] == groups[other])


# --- nothing wrong ---


@pytest.mark.parametrize("classes", [0, 2])
def test_clean_data_has_no_findings(classes):
    examined = examine(table(noise(), classes=classes))
    assert examined.findings == ()
    assert examined.samples.groups is None


EXPECTED = {
    "iris": {"duplicates"},
    "wine": set(),
    "breast_cancer": set(),
    "diabetes": set(),
    "digits": {"constant-column"},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_no_false_alarm_on_known_tables(name):
    rows, targets = getattr(bundled, f"load_{name}")(return_X_y=True)
    classes = 0 if name == "diabetes" else int(targets.max()) + 1
    assert codes(table(rows, targets, classes=classes)) == EXPECTED[name]


def test_no_false_alarm_on_digit_pictures():
    digits = bundled.load_digits()
    assert codes(pictures(digits.images[:, None], digits.target, 10)) == set()


@pytest.mark.parametrize("columns", [1, 2, 5])
@pytest.mark.parametrize("seed", range(3))
def test_smooth_data_of_few_dimensions_has_no_near_duplicates(columns, seed):
    rows = np.random.default_rng(seed).uniform(size=(5000, columns))
    assert "near-duplicates" not in codes(table(rows))


def test_findings_of_the_source_are_kept():
    first = examine(table(np.vstack([noise(), noise()[:1]])))
    assert examine(first).findings[: len(first.findings)] == first.findings


def test_input_is_not_changed():
    data = table(np.vstack([noise(), noise()[:1]]))
    before = data.samples.inputs.clone()
    examine(data)
    assert torch.equal(data.samples.inputs, before)
    assert data.findings == ()
    assert data.samples.groups is None


# --- copies ---


def test_duplicates_are_counted_named_and_grouped():
    data = table(np.vstack([noise(), noise()[[7, 9]]]))
    found = finding(data, "duplicates")
    assert found.weight == "note"
    assert "2 of 202" in found.message
    assert found.rows == ("line 9", "line 202", "line 11", "line 203")
    assert together(data, 7, 200)
    assert together(data, 9, 201)
    assert len(examine(data).samples.groups.unique()) == 200


def test_missing_cells_and_signed_zeros_are_equal():
    rows = noise()
    rows[3], rows[5] = [np.nan, 0.0, 1, 2], [np.nan, -0.0, 1, 2]
    assert together(table(rows), 3, 5)


def test_a_hundred_duplicates_name_five_rows():
    assert len(finding(table(np.vstack([noise(), noise()[:90]])), "duplicates").rows) == 5


def test_duplicates_join_given_groups():
    rows = noise()
    rows[150] = rows[0]
    groups = examine(table(rows, groups=torch.arange(200) // 10)).samples.groups
    assert groups[:10].unique().tolist() == groups[150:160].unique().tolist()
    assert len(groups.unique()) == 19


def test_given_groups_without_copies_stay():
    groups = torch.arange(200) // 10
    assert torch.equal(examine(table(noise(), groups=groups)).samples.groups, groups)


def test_equal_rows_are_normal_in_a_coarse_table():
    rows = np.random.default_rng(0).integers(0, 2, size=(500, 3))
    data = table(rows, kinds=["boolean"] * 3, classes=2)
    assert examine(data).samples.groups is None
    found = finding(data, "duplicates")
    assert found.weight == "note"
    assert "only 8 different rows" in found.message
    assert finding(data, "contradictory-labels").weight == "note"


def test_a_fine_table_pasted_twice_is_no_coarse_table():
    data = table(np.vstack([noise(), noise()]))
    assert together(data, 0, 200)
    assert len(examine(data).samples.groups.unique()) == 200


def test_a_set_larger_than_a_fold_stays_apart():
    rows = noise()
    rows[:80] = 0
    rows[199] = rows[198]
    data = table(rows)
    groups = examine(data).samples.groups
    assert groups.bincount().max() == 2
    assert groups[198] == groups[199]
    found = finding(data, "duplicates")
    assert found.weight == "warning"
    assert "80 of them stay ungrouped" in found.message


def test_a_constant_column_makes_no_group():
    rows = noise()
    rows[:, 1] = 3
    assert examine(table(rows)).samples.groups is None


def test_time_rules_the_split_so_copies_are_not_grouped():
    data = table(np.vstack([noise(), noise()[:1]]), times=torch.arange(201.0))
    assert examine(data).samples.groups is None
    assert finding(data, "duplicates").weight == "warning"


def test_rows_shared_with_the_test_part_are_counted():
    sealed = torch.arange(203) >= 200
    found = finding(table(np.vstack([noise(), noise()[:3]]), sealed=sealed), "duplicates")
    assert found.weight == "warning"
    assert "test part that are also among the others: 3" in found.message


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    copies=st.lists(st.tuples(st.integers(0, 59), st.booleans()), max_size=20),
    grouped=st.booleans(),
    folds=st.integers(2, 5),
)
def test_copies_never_straddle_a_split(seed, copies, grouped, folds):
    rows = noise(60, 3, seed)
    extra = [rows[i] * (1 + 1e-9 * near) for i, near in copies[:10]]
    rows = np.vstack([rows, *extra]) if extra else rows
    groups = torch.arange(len(rows)) // 2 if grouped else None
    examined = examine(table(rows, groups=groups))
    assume(not any("stay ungrouped" in found.message for found in examined.findings))
    tied = None if examined.samples.groups is None else examined.samples.groups.numpy()
    for train, validation in kfold(len(rows), folds, seed, groups=tied):
        close = np.abs(rows[train][:, None] - rows[validation]).max(2) < 1e-7
        assert not close.any()
    if grouped:
        assert np.array_equal(tied[0::2][: len(rows) // 2], tied[1::2])


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_near_duplicates_are_found_at_any_scale(scale):
    rows = np.vstack([noise(500), noise(500)[:3] * (1 + 1e-6)]) * scale
    data = table(rows)
    found = finding(data, "near-duplicates")
    assert found.weight == "warning"
    assert "another one: 6." in found.message
    assert found.rows == ("line 2", "line 502", "line 3", "line 503", "line 4")
    assert together(data, 0, 500)


def test_near_duplicates_are_found_in_many_columns():
    rows = np.vstack([noise(1000, 60), np.round(noise(1000, 60)[:1], 3)])
    assert together(table(rows), 0, 1000)


def test_rows_of_another_category_or_gap_are_not_near():
    rows = np.column_stack([noise(300), np.arange(300) % 2])
    rows = np.vstack([rows, rows[:2] * (1 + 1e-9)])
    rows[300, 4] = 1
    rows[301, 0] = np.nan
    kinds = [*["numeric"] * 4, "category"]
    assert "near-duplicates" not in codes(table(rows, kinds=kinds))
    rows[300, 4] = 0
    assert together(table(rows, kinds=kinds), 0, 300)


def test_many_near_rows_are_the_nature_of_the_data():
    rows = np.vstack([noise(400), 1 + 1e-9 * noise(300)])
    data = table(rows)
    assert finding(data, "near-duplicates").weight == "note"
    assert examine(data).samples.groups is None


def test_the_cap_is_stated():
    data = table(noise(20_500, 3))
    assert neighbours(data, equal_sets(data)).seen == 20_000
    assert "20,000 of 20,500" in finding(data, "near-duplicates").message


def photographs(count=60, size=32):
    """Smooth random colour pictures."""
    coarse = torch.from_numpy(np.random.default_rng(1).uniform(0, 255, size=(count, 3, 6, 6)))
    smooth = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic")
    return smooth.clamp(0, 255).round().to(torch.uint8).numpy()


def compressed(picture, quality):
    file = io.BytesIO()
    Pillow.fromarray(picture.transpose(1, 2, 0)).save(file, "JPEG", quality=quality)
    return np.array(Pillow.open(file)).transpose(2, 0, 1)


def test_equal_pictures_are_duplicates():
    data = pictures(np.concatenate([photographs(), photographs()[:2]]))
    assert together(data, 0, 60)
    assert "near-duplicates" not in codes(data)


def test_a_picture_compressed_again_is_a_near_duplicate():
    plain = photographs()
    copies = [compressed(plain[0], 80), (plain[1] * 0.9).astype(np.uint8)]
    data = pictures(np.concatenate([plain, copies]))
    assert finding(data, "near-duplicates").rows == ("0", "60", "1", "61")
    assert together(data, 0, 60)


def test_equal_thumbnails_of_different_pictures_are_not_near():
    plain = photographs().astype(int)
    board = 40 * (np.indices((32, 32)).sum(0) % 2) - 20  # each thumbnail cell averages it away
    plain = plain.clip(20, 235)
    data = pictures(np.concatenate([plain, plain[:1] // 2 + 60, plain[:1] // 2 + 60 + board]))
    assert not together(data, 0, 61)


def test_plain_pictures_are_not_near():
    plain = np.stack([np.full((1, 9, 9), i) for i in range(30)])
    assert "near-duplicates" not in codes(pictures(plain))


@pytest.mark.parametrize("side", [1, 5, 8, 11])
def test_any_size_of_pictures(side):
    pixels = np.random.default_rng(0).integers(0, 256, size=(40, 1, side, side))
    assert "small-data" in codes(pictures(pixels))


# --- labels ---


def test_contradictory_classes_and_their_ceiling():
    rows, labels = np.vstack([noise(), noise()[:1]]), np.arange(201) % 2
    labels[200] = 1 - labels[0]
    found = finding(table(rows, labels, classes=2), "contradictory-labels")
    assert found.weight == "warning"
    assert found.rows == ("line 2", "line 202")
    assert f"{200 / 201:.4f}" in found.message


def test_equal_rows_with_equal_labels_do_not_contradict():
    rows, labels = np.vstack([noise(), noise()[:1]]), np.arange(201) % 2
    assert "contradictory-labels" not in codes(table(rows, labels, classes=2))


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_contradictory_quantities_up_to_rounding(scale):
    rows, y = np.vstack([noise(), noise()[:1]]), noise(201, 1, 5)[:, 0] * scale
    y[200] = y[0] * (1 + 1e-15)
    assert "contradictory-labels" not in codes(table(rows, y))
    y[200] = y[0] + 2 * scale
    floor = np.sqrt(2 / 201) * scale
    assert f"below {floor:.4g}" in finding(table(rows, y), "contradictory-labels").message


# --- columns ---


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_constant_column_up_to_rounding(scale):
    rows = noise() * scale
    assert "constant-column" not in codes(table(rows))
    rows[:, 1] = scale * (1 + 1e-15 * (np.arange(200) % 2))
    found = finding(table(rows), "constant-column")
    assert '"c1"' in found.message
    assert found.remedy == "--drop c1"
    rows[:, 1] = scale * (1 + 1e-10 * np.arange(200))
    assert "constant-column" not in codes(table(rows))


def test_zeros_are_constant():
    assert "constant-column" in codes(table(np.column_stack([noise(), np.zeros(200)])))


def test_missing_column_and_cells():
    rows = noise()
    rows[:, 0] = np.nan
    rows[:7, 2] = np.nan
    rows[5, 3] = np.nan
    data = table(rows)
    assert '"c0"' in finding(data, "missing-column").message
    found = finding(data, "missing-cells")
    assert '"c2" 7, "c3" 1' in found.message
    assert found.rows == ("line 2", "line 3", "line 4", "line 5", "line 6")
    assert "constant-column" not in codes(data)


def test_a_constant_with_gaps_may_tell_something():
    rows = noise()
    rows[:, 0] = 4
    rows[::3, 0] = np.nan
    assert "constant-column" not in codes(table(rows))


SHUFFLED = np.random.default_rng(3).permutation(200)


@pytest.mark.parametrize(
    ("values", "kind", "named"),
    [
        (np.arange(200), "numeric", True),
        (5000 - 7 * np.arange(200), "numeric", True),
        (SHUFFLED + 1, "numeric", True),
        (SHUFFLED, "category", True),
        (np.where(SHUFFLED < 10, 0, SHUFFLED), "category", True),
        (SHUFFLED // 2, "category", False),
        (SHUFFLED * 1000 + SHUFFLED[::-1], "numeric", False),
        (np.arange(200) / 8, "numeric", False),
        (SHUFFLED // 2, "numeric", False),
        (np.arange(200), "date", False),
    ],
)
def test_id_like_column(values, kind, named):
    rows = np.column_stack([noise(), values])
    data = table(rows, kinds=[*["numeric"] * 4, kind])
    assert ("id-like-column" in codes(data)) == named


def test_a_dozen_rows_have_no_id():
    assert "id-like-column" not in codes(table(np.column_stack([noise(12), np.arange(12)])))


def test_more_columns_than_rows():
    assert "many-columns" in codes(table(noise(110, 120)))
    assert "many-columns" not in codes(table(noise(110, 110)))


# --- leaks ---

LABELS = np.random.default_rng(8).integers(0, 3, size=300)
AMOUNTS = np.random.default_rng(9).lognormal(size=300)


@pytest.mark.parametrize(
    ("values", "kind", "targets", "classes"),
    [
        (LABELS % 2 + 0.2 * noise(300)[:, 0].clip(-2, 2), "numeric", LABELS % 2, 2),
        (-3 * LABELS, "numeric", LABELS, 3),
        (np.array([5, 1, 9])[LABELS], "numeric", LABELS, 3),
        (np.array([2, 0, 1])[LABELS], "category", LABELS, 3),
        (LABELS % 2, "boolean", LABELS % 2, 2),
        (3 * (np.arange(300) % 20) + LABELS, "category", LABELS, 3),
        (np.where(LABELS == 1, AMOUNTS, np.nan), "numeric", LABELS == 1, 2),
        (np.log(AMOUNTS), "numeric", AMOUNTS, 0),
        (-AMOUNTS + 1e-5 * noise(300)[:, 0], "date", AMOUNTS, 0),
        (LABELS, "category", 10.0**LABELS, 0),
    ],
)
def test_leak_blocks(values, kind, targets, classes):
    rows = np.column_stack([noise(300), values])
    found = finding(table(rows, targets, [*["numeric"] * 4, kind], classes), "leak")
    assert found.weight == "blocking"
    assert '"c4"' in found.message
    assert "--drop c4" in found.remedy
    assert "--allow-leak" in found.remedy


@pytest.mark.parametrize(
    ("values", "kind", "targets", "classes"),
    [
        (LABELS % 2 + 0.5 * noise(300)[:, 0], "numeric", LABELS % 2, 2),
        (LABELS == 0, "numeric", LABELS, 3),  # one class of three is easy: iris
        (np.arange(300), "category", LABELS, 3),
        (np.arange(300), "category", AMOUNTS, 0),
        (np.where(np.arange(300) < 297, LABELS % 2, 1 - LABELS % 2), "boolean", LABELS % 2, 2),
        (np.arange(300) % 7, "category", np.arange(300) < 2, 2),
        (np.log(AMOUNTS) + 0.2 * noise(300)[:, 0], "numeric", AMOUNTS, 0),
        (np.where(noise(300)[:, 1] > 0, AMOUNTS, np.nan), "boolean", LABELS, 3),
    ],
)
def test_merely_useful_columns_are_no_leak(values, kind, targets, classes):
    rows = np.column_stack([noise(300), values])
    assert "leak" not in codes(table(rows, targets, [*["numeric"] * 4, kind], classes))


def test_six_rows_are_too_few_for_a_leak():
    assert "leak" not in codes(table(np.arange(6.0)[:, None] * [1, 2], np.arange(6) > 2, None, 2))


def test_perfect_columns_among_thousands_are_luck():
    rows, labels = noise(16, 2000), np.arange(16) % 2
    rows[:, 5] += 100 * labels
    assert "leak" not in codes(table(rows, labels, None, 2))


def test_the_only_column_does_not_block():
    data = table(AMOUNTS[:, None], np.log(AMOUNTS))
    assert finding(data, "leak").weight == "warning"


def test_a_leak_in_the_test_part_alone_is_not_read():
    rows, sealed = noise(300), torch.arange(300) >= 150
    labels = (noise(300, 1, 4)[:, 0] > 0).astype(int)
    rows[150:, 0] = labels[150:]
    assert "leak" not in codes(table(rows, labels, None, 2, sealed=sealed))


def test_a_picture_has_no_leaking_column():
    plain = np.random.default_rng(0).integers(0, 256, size=(200, 1, 8, 8))
    plain[:, 0, 0, 0] = 200 * (np.arange(200) % 2)
    assert codes(pictures(plain)) == set()


def test_column_names_are_quoted_for_the_shell():
    data = table(np.column_stack([noise(300), LABELS]), LABELS, None, 3)
    columns = [*data.signature.input.columns[:4], Column(name="a b; rm", kind="numeric")]
    signature = Signature(input=Table(columns=tuple(columns)), output=data.signature.output)
    data = Dataset("d", data.samples, signature, data.row_names, "", "")
    assert "--drop 'a b; rm'" in finding(data, "leak").remedy


# --- how much there is ---


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((800, 200), set()),
        ((810, 190), {"imbalance"}),
        ((500, 491, 9), {"imbalance"}),
        ((500, 490, 10), set()),
        ((500, 496, 4), {"imbalance", "few-members"}),
        ((500, 500, 0), {"few-members"}),
    ],
)
def test_classes(counts, expected):
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    data = table(noise(1000), labels, classes=len(counts))
    assert codes(data) == expected
    for code in expected:
        assert f'"k{np.argmin(counts)}" {min(counts)}' in finding(data, code).message


def test_small_data():
    assert "99 rows" in finding(table(noise(99)), "small-data").message
    assert "small-data" not in codes(table(noise(100)))


def test_rows_outside_the_test_part_are_counted():
    sealed = torch.arange(150) >= 90
    assert "90 rows" in finding(table(noise(150), sealed=sealed), "small-data").message


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("classes", [0, 2])
def test_hardly_any_data(rows, classes):
    assert "small-data" in codes(table(noise(rows), classes=classes))
    one = np.zeros((rows, 1, 4, 4))
    assert "small-data" in codes(pictures(one))


def test_everything_sealed_or_missing():
    assert "small-data" in codes(table(noise(), sealed=torch.ones(200, dtype=torch.bool)))
    assert "missing-column" in codes(table(np.full((200, 2), np.nan)))


def test_data_without_answers():
    data = table(noise(), np.zeros(0), classes=2)
    assert codes(data) == set()
    assert [row["count"] for row in inspection(data)["target"]["classes"]] == [0, 0]


def test_messages_are_short():
    rows = np.vstack([np.column_stack([noise(40), np.arange(40)])] * 2)
    rows[:9, 1] = np.nan
    data = table(rows, np.arange(80) % 3, classes=4, sealed=torch.arange(80) > 60)
    found = examine(data).findings
    assert len(found) > 4
    assert all(len(f.message.splitlines()) <= 2 and len(f.rows) <= 5 for f in found)


# --- inspection ---


def test_inspection_of_a_table():
    rows = np.array([[1.0, 0, 0], [3.0, 1, 1], [np.nan, 1, 19000.5], [2.0, 0, 2]])
    kinds = ["numeric", "category", "date"]
    summary = inspection(examine(table(rows, [1.0, 2.0, 3.0, 5.0], kinds)))
    json.dumps(summary, allow_nan=False)
    first, second, third = summary["input"]["columns"]
    assert first == {
        "name": "c0",
        "kind": "numeric",
        "missing": 1,
        "distinct": 3,
        "minimum": 1.0,
        "maximum": 3.0,
        "mean": 2.0,
    }
    assert (second["distinct"], second["mean"]) == (2, None)
    assert third["maximum"] == "2022-01-08T12:00:00+00:00"
    (quantity,) = summary["target"]["quantities"]
    assert quantity["quantiles"]["median"] == 2.5
    assert summary["findings"][0]["code"] == "small-data"
    assert set(summary["findings"][0]) == {"code", "weight", "message", "remedy", "rows"}


def test_inspection_of_pictures():
    summary = inspection(pictures(np.concatenate([photographs(), photographs()[:3]])))
    json.dumps(summary, allow_nan=False)
    assert summary["input"] == {"kind": "image", "channels": 3, "height": 32, "width": 32}
    assert summary["duplicates"] == 3
    assert summary["target"]["classes"] == [
        {"name": "0", "count": 32},
        {"name": "1", "count": 31},
    ]


def test_inspection_lists_a_thousand_columns():
    summary = inspection(table(noise(5, 1200)))
    assert len(summary["input"]["columns"]) == 1000
    assert summary["truncated"] == ["1,000 of 1,200 columns are listed"]


def test_inspection_of_extreme_numbers():
    rows = np.array([[1e308, -np.inf], [1e308, np.nan], [-1e308, 1e-320]])
    data = table(rows, kinds=["numeric", "date"])
    columns = inspection(data)["input"]["columns"]
    json.dumps(columns, allow_nan=False)
    assert columns[0]["mean"] == pytest.approx(1e308 / 3)
    assert columns[1]["missing"] == 2
    far = table([[1e300], [0.0]], kinds=["date"])
    assert inspection(far)["input"]["columns"][0]["maximum"] == 1e300


def test_groups_that_copies_join_are_called_by_all_their_names():
    """A recording of one speaker that is filed under another as well."""
    cells = torch.arange(20.0, dtype=torch.float64)[:, None] ** 2
    cells[19] = cells[0]
    groups = torch.arange(20) // 5
    field = Table(columns=(Column(name="x", kind="numeric"),))
    signature = Signature(input=field, output=Category(names=("a", "b")))
    samples = Samples(cells, torch.arange(20) % 2, groups)
    data = Dataset("four", samples, signature, [str(i) for i in range(20)], "", "")
    named = replace(data, group_names=("anna", "ben", "eva", "theo"))
    said = examine(named)
    names = [said.group_names[code] for code in said.samples.groups.tolist()]
    assert set(names) <= {"anna", "ben", "eva", "theo", "anna + theo"}
    assert names[5] == "ben"
    assert names[10] == "eva"
    assert examine(data).group_names == ()

"""Sequences: three axes of floats are read, coded, examined, fitted, asked and shown."""

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import gradatim
from gradatim.core.errors import ConfigError, DataError
from gradatim.core.signature import Category, Image, Quantity, Series, Signature
from gradatim.core.source import ReadOptions
from gradatim.data.doctor import examine, inspection
from gradatim.data.read import read
from gradatim.layers.features import flat_features
from gradatim.layers.steps import Steps
from gradatim.report.traces import limits, trace
from gradatim.session.ask import predict
from gradatim.session.evaluate import evaluate

STEPS, CHANNELS = 16, 2


def waves(rows: int = 90, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Waves that go once or three times around, under noise; the second channel is far from 0."""
    chance = np.random.default_rng(seed)
    label = np.arange(rows) % 2
    angle = 2 * np.pi * np.arange(STEPS) / STEPS
    wave = np.sin((1 + 2 * label[:, None]) * angle)
    x = np.stack([wave, 1000 + 5 * wave], axis=2)
    x += chance.normal(size=x.shape) * [0.3, 1.5]
    return x, np.array(["slow", "fast"])[label]


def npz(path: Path, **arrays: np.ndarray) -> str:
    np.savez(path, **arrays)
    return str(path)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory) -> Path:
    """A run of a quick rung on sequences."""
    folder = tmp_path_factory.mktemp("fitted")
    x, t = waves()
    data = npz(folder / "waves.npz", X=x, y=t)
    gradatim.climb(data, rungs=["majority", "logistic"], folds=3, out=folder / "run")
    return folder / "run"


# --- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_three_axes_of_floats_are_sequences(dtype):
    x, t = waves()
    data = read((x.astype(dtype), t))
    assert data.signature.input == Series(channels=CHANNELS, steps=STEPS)
    assert data.signature.output == Category(name="y", names=("fast", "slow"))
    assert data.samples.inputs.dtype == torch.float64
    np.testing.assert_array_equal(data.samples.inputs, x.astype(dtype).astype(np.float64))


def test_the_arrays_that_were_given_stay_as_they_are():
    x, t = waves()
    x.flags.writeable = False
    data = read((x, t))
    data.samples.inputs[0] = 0
    assert x[0].any()


def test_nested_lists_quantities_and_archives_are_read(tmp_path):
    x, _ = waves(20)
    amounts = x[:, 0, 0].round(2)
    from_lists = read((x.tolist(), amounts.tolist()))
    assert isinstance(from_lists.signature.output, Quantity)
    from_file = read(npz(tmp_path / "t.npz", X=x, y=amounts))
    assert torch.equal(from_lists.samples.inputs, from_file.samples.inputs)
    assert from_lists.signature == from_file.signature
    assert from_lists.fingerprint == from_file.fingerprint


def test_an_archive_may_bring_its_own_test_part(tmp_path):
    x, t = waves()
    parts = {"x_train": x[:60], "y_train": t[:60], "x_test": x[60:], "y_test": t[60:]}
    data = read(npz(tmp_path / "t.npz", **parts))
    assert data.sealed.tolist() == [False] * 60 + [True] * 30


def test_small_whole_numbers_stay_grey_pictures_and_two_axes_a_table():
    t = np.arange(20) % 2
    assert isinstance(read((np.zeros((20, 8, 8), np.uint8), t)).signature.input, Image)
    assert read((waves(20)[0][:, :, 0], t)).signature.input.kind == "table"


def test_other_whole_numbers_on_three_axes_are_refused_with_both_ways_out():
    with pytest.raises(DataError, match="uint8, or floats for sequences"):
        read((np.zeros((20, 8, 8), np.int64), np.arange(20) % 2))


def test_the_fingerprint_is_of_numbers_shape_and_targets():
    x, t = waves(20)
    prints = {
        read(data).fingerprint
        for data in ((x, t), (x + 1, t), (x.reshape(20, CHANNELS, STEPS), t), (x, t[::-1]))
    }
    assert len(prints) == 4


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused_with_their_rows(value):
    x, t = waves()
    for row in (3, 7, 9, 11, 13, 17):
        x[row, 2, 1] = value
    with pytest.raises(DataError) as caught:
        read((x, t))
    message = str(caught.value)
    assert "6 of 90 sequences" in message
    assert "row 3, row 7, row 9, row 11, row 13 and 1 more" in message


@pytest.mark.parametrize("shape", [(20, 0, 2), (20, 5, 0), (0, 5, 2), (1, 5, 2)])
def test_too_little_is_refused(shape):
    with pytest.raises(DataError):
        read((np.zeros(shape), np.arange(shape[0]) % 2))


def test_columns_cannot_be_named():
    with pytest.raises(ConfigError, match="sequences have no columns"):
        read(waves(), ReadOptions(group="x"))


def test_one_target_a_sequence():
    x, t = waves()
    with pytest.raises(DataError, match="90 sequences and 89 targets"):
        read((x, t[:-1]))


def test_sequences_of_several_lengths_are_refused():
    ragged = [[[1.0], [2.0]], [[3.0]]]
    with pytest.raises(DataError, match="one length"):
        read((ragged, ["a", "b"]))
    pieces = np.empty(2, dtype=object)
    pieces[:] = [np.zeros((2, 1)), np.zeros((1, 1))]
    with pytest.raises(DataError, match=r"\(rows, steps, channels\)"):
        read((pieces, ["a", "b"]))


# --- for a model --------------------------------------------------------------------------------

MODEL = Signature(
    input=Series(channels=CHANNELS, steps=STEPS), output=Category(name="y", names=("fast", "slow"))
)


def test_new_sequences_need_no_targets_and_may_be_whole_numbers():
    data = read(np.ones((1, STEPS, CHANNELS), int), ReadOptions(signature=MODEL))
    assert data.samples.inputs.dtype == torch.float64
    assert len(data.samples.targets) == 0


@pytest.mark.parametrize("shape", [(5, 12, CHANNELS), (5, STEPS, 3), (5, CHANNELS, STEPS)])
def test_another_shape_names_what_was_expected_and_given(shape):
    with pytest.raises(DataError) as caught:
        read(np.zeros(shape), ReadOptions(signature=MODEL))
    assert f"{shape[1]} x {shape[2]} (steps x channels)" in str(caught.value)
    assert f"(rows, {STEPS}, {CHANNELS})" in str(caught.value)


@pytest.mark.parametrize(
    ("given", "word"), [(np.zeros((5, 4)), "table"), (np.zeros((5, 9, 9, 3), np.uint8), "pictures")]
)
def test_another_kind_of_data_is_refused(given, word):
    with pytest.raises(DataError, match=f"{word}.*the model reads sequences"):
        read(given, ReadOptions(signature=MODEL))


@pytest.mark.parametrize(
    ("other", "word"), [("iris", "reads a table"), ("digits", "no known white")]
)
def test_sequences_are_refused_by_other_models(other, word):
    with pytest.raises(DataError, match=word):
        read(np.zeros((5, 9, 9)), ReadOptions(signature=read(other).signature))


def test_a_run_answers_new_archives_and_scores_them(fitted, tmp_path):
    x, t = waves(seed=1)
    answers = predict(fitted, npz(tmp_path / "new.npz", X=x))
    assert (answers.predictions == t).mean() > 0.9
    scored = evaluate(fitted, npz(tmp_path / "both.npz", X=x, y=t))
    assert scored["score"] == (answers.predictions == t).mean()
    with pytest.raises(DataError, match=re.escape(f"(rows, {STEPS}, {CHANNELS})")):
        predict(fitted, npz(tmp_path / "short.npz", X=x[:, :9]))


# --- preprocessing ------------------------------------------------------------------------------


def test_each_channel_is_standardised_over_rows_and_steps():
    x = torch.from_numpy(waves()[0])
    steps = Steps(MODEL.input)
    z = steps.fit(x)(x)
    assert z.shape == x.shape
    assert z.dtype == torch.float32
    torch.testing.assert_close(z.mean((0, 1)), torch.zeros(2), rtol=0, atol=1e-5)
    torch.testing.assert_close(z.std((0, 1), correction=0), torch.ones(2), rtol=0, atol=1e-5)
    flat = flat_features(MODEL).fit(x)
    assert flat.features == STEPS * CHANNELS
    torch.testing.assert_close(
        flat(x), ((x - x.mean((0, 1))) / x.std((0, 1), correction=0)).flatten(1)
    )


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_a_constant_channel_is_switched_off_at_any_size(size):
    x = torch.from_numpy(waves()[0])
    x[:, :, 1] = 0.1 * size
    steps = Steps(MODEL.input).fit(x)
    assert (steps(x)[:, :, 1] == 0).all()
    x[0, 0, 1] = 3.0  # it varies in other rows alone
    assert (steps(x)[:, :, 1] == 0).all()
    x[:, :, 1] = x[:, :, 0] * size
    z = Steps(MODEL.input).fit(x)(x)
    torch.testing.assert_close(z[:, :, 1], z[:, :, 0], rtol=1e-5, atol=1e-6)


# --- the doctor ---------------------------------------------------------------------------------


def codes(data) -> set[str]:
    return {finding.code for finding in data.findings}


def test_copies_are_grouped():
    x, t = waves(120)
    x[5], x[9] = x[4], x[8] * (1 + 1e-9)
    data = examine(read((x, t)))
    groups = data.samples.groups
    assert groups[4] == groups[5]
    assert groups[8] == groups[9]
    assert len(groups.unique()) == 118
    assert {"duplicates", "near-duplicates", "contradictory-labels"} <= codes(data)


def test_honest_sequences_have_no_findings():
    assert codes(examine(read(waves(120)))) == set()


def test_a_step_that_tells_the_class_is_no_leak():
    x, t = waves(120)
    x[:, 0, 0] = np.where(t == "slow", 5, -5)
    assert not any(f.weight == "blocking" for f in examine(read((x, t))).findings)


def test_a_constant_channel_is_found():
    x, t = waves(120)
    x[:, :, 1] = 0.1
    (finding,) = (f for f in examine(read((x, t))).findings if f.code == "constant-channel")
    assert "channel 1." in finding.message


def test_inspection_has_the_range_of_each_channel():
    x, t = waves()
    said = json.loads(json.dumps(inspection(read((x, t)))))["input"]
    assert (said["kind"], said["steps"], said["channels"]) == ("sequence", STEPS, CHANNELS)
    for channel, numbers in enumerate(said["ranges"]):
        values = x[:, :, channel]
        expected = {"minimum": values.min(), "maximum": values.max(), "mean": values.mean()}
        assert numbers == pytest.approx(expected)


# --- the report ---------------------------------------------------------------------------------


def drawn(uri: str) -> str:
    kind, _, content = uri.partition(",")
    assert kind == "data:image/svg+xml;base64"
    return base64.b64decode(content).decode()


def test_a_report_shows_sequences_as_lines(fitted):
    kept = np.load(fitted / "gallery.npz")
    assert kept["sequences"].shape[1:] == (STEPS, CHANNELS)
    page = (fitted / "report.html").read_text(encoding="utf-8")
    uris = re.findall(r'src="(data:image/svg[^"]*)"', page)
    assert uris
    assert all(drawn(uri).count("<polyline") == CHANNELS for uri in uris)
    assert "channel 0 minimum" in page


def test_a_line_goes_from_left_to_right_between_its_limits():
    sequence = np.array([[0.0], [10.0], [5.0]])
    picture = drawn(trace(sequence, limits(sequence[None])))
    assert 'points="6.0,90.0 48.0,6.0 90.0,48.0"' in picture


@pytest.mark.parametrize("steps", [1, 5000])
def test_short_and_long_sequences_have_small_pictures(steps):
    chance = np.random.default_rng(0)
    sequences = chance.normal(size=(3, steps, 9)) * 1e300
    picture = drawn(trace(sequences[0], limits(sequences)))
    assert picture.count("<polyline") == 6
    assert "nan" not in picture
    assert len(picture) < 6000

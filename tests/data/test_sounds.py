"""Recordings: folders, names of files, tables of them, and whatever is wrong with a file."""

import csv
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from gradatim.core.errors import ConfigError, DataError, ResourceError
from gradatim.core.signature import Category, Image, Signature, Sound
from gradatim.core.source import ReadOptions
from gradatim.data.sounds import conversion, decoding
from gradatim.data.sounds.listing import holds_sounds
from gradatim.data.sources import SOURCES
from gradatim.data.sources.sounds import SOURCE

soundfile = pytest.importorskip("soundfile")
RATE = 8000


def tone(hertz: float, seconds: float = 0.1, rate: int = RATE) -> np.ndarray:
    levels = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.rint(32767 * levels).astype(np.int16)


def write(path: Path, samples: np.ndarray, rate: int = RATE, **how: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **how)
    return path


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """Two classes by three speakers, two recordings each, of several lengths."""
    for label, speaker, index in product("79", ("anna", "theo", "zoe"), "01"):
        length = 0.05 + 0.01 * int(index) + 0.02 * int(label == "9")
        write(tmp_path / f"recordings/{label}_{speaker}_{index}.wav", tone(300.0, length))
    (tmp_path / "README.md").write_text("digits")
    return tmp_path


BY_NAME = ReadOptions(names="{label}_{speaker}_{index}.wav", group="speaker")


def folders(root: Path, rows: int = 3, ending: str = "wav") -> Path:
    for label, hertz in (("low", 200.0), ("high", 900.0)):
        for row in range(rows):
            write(root / label / f"{row}.{ending}", tone(hertz + row))
    return root


def codes(data) -> set[str]:
    return {finding.code for finding in data.findings}


def said(data, code: str) -> str:
    return next(finding.message for finding in data.findings if finding.code == code)


def test_labels_and_groups_come_from_names(digits):
    data = SOURCE.read(str(digits), BY_NAME)
    assert data.signature.output == Category(name="class", names=("7", "9"))
    assert data.group_names == ("anna", "theo", "zoe")
    assert data.row_names[2] == "recordings/7_theo_0.wav"
    assert data.samples.targets.tolist() == [0] * 6 + [1] * 6
    assert data.samples.groups.tolist() == [0, 0, 1, 1, 2, 2] * 2
    lengths = data.samples.sizes[:, 0]
    assert data.signature.input == Sound(rate=RATE, length=int(lengths.max()))
    assert len(set(lengths.tolist())) == 4


def test_samples_are_those_of_the_file_with_zeros_behind(digits):
    data = SOURCE.read(str(digits), BY_NAME)
    for row, name in enumerate(data.row_names):
        samples, _ = soundfile.read(digits / name, dtype="int16")
        length = int(data.samples.sizes[row, 0])
        np.testing.assert_array_equal(data.samples.inputs[row, :length], samples[:length])
        assert not samples[length:].any()
        assert not data.samples.inputs[row, length:].any()
        assert data.samples.inputs[row, length - 1] != 0


def test_zeros_after_the_longest_recording_are_not_kept(tmp_path):
    for label, length in (("a", 100), ("b", 150)):
        loud = np.full(length, 1000, np.int16)
        write(tmp_path / label / "0.wav", np.concatenate([loud, np.zeros(300, np.int16)]))
    data = SOURCE.read(str(tmp_path), ReadOptions())
    assert data.samples.inputs.shape == (2, 150)
    assert data.samples.sizes.tolist() == [[100], [150]]
    assert data.signature.input.length == 150


def test_names_that_do_not_fit_are_left_out(digits):
    write(digits / "recordings/notes.wav", tone(100))
    data = SOURCE.read(str(digits), BY_NAME)
    assert len(data) == 12
    assert "notes.wav" in said(data, "names")


def test_a_folder_is_a_class(tmp_path):
    data = SOURCE.read(str(folders(tmp_path)), ReadOptions())
    assert data.signature.output.names == ("high", "low")
    assert data.samples.targets.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.sealed is None
    assert data.samples.groups is None


def test_train_and_test_stay_apart(tmp_path):
    folders(tmp_path / "train")
    folders(tmp_path / "test", rows=2)
    data = SOURCE.read(str(tmp_path), ReadOptions())
    assert data.sealed.tolist() == [name.startswith("test/") for name in data.row_names]
    assert data.sealed.sum() == 4
    by_name = SOURCE.read(str(tmp_path), ReadOptions(names="{label}/{index}.wav"))
    assert torch.equal(by_name.sealed, data.sealed)
    assert torch.equal(by_name.samples.targets, data.samples.targets)


@pytest.mark.parametrize(
    ("ending", "how"), [("flac", {}), ("ogg", {}), ("mp3", {}), ("aiff", {}), ("wav", {})]
)
def test_reads_every_format(tmp_path, ending, how):
    data = SOURCE.read(str(folders(tmp_path, ending=ending)), ReadOptions())
    assert len(data) == 6
    heard = np.abs(np.fft.rfft(data.samples.inputs[3][:800].double().numpy())).argmax() * RATE / 800
    assert abs(heard - 200) <= 10  # the first of low/


@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"]
)
def test_reads_every_depth(tmp_path, subtype):
    path = write(tmp_path / "a.wav", tone(200).astype(np.float64) / 32768, subtype=subtype)
    samples = conversion.load_sound(path.read_bytes(), Sound(rate=RATE, length=800), "a.wav")
    worst = {"PCM_U8": 260, "ULAW": 1000}.get(subtype, 1)  # steps of 1/128; logarithmic steps
    assert np.abs(samples.astype(int) - tone(200)[: len(samples)]).max() <= worst


def test_floats_above_full_scale_are_not_clipped(tmp_path):
    path = write(tmp_path / "a.wav", tone(200).astype(np.float64), subtype="FLOAT")
    samples = conversion.load_sound(path.read_bytes(), Sound(rate=RATE, length=800), "a.wav")
    expected = tone(200) * (32768 / np.abs(tone(200)).max())
    assert np.abs(samples - expected[: len(samples)].clip(-32768, 32767)).max() <= 1


def test_channels_are_averaged_with_a_note(tmp_path):
    folders(tmp_path)
    both = np.stack([tone(200), tone(900)], axis=1)
    write(tmp_path / "low/both.wav", both)
    data = SOURCE.read(str(tmp_path), ReadOptions())
    row = list(data.row_names).index("low/both.wav")
    mean = both.astype(float).mean(1)
    assert np.abs(data.samples.inputs[row, :800].numpy() - mean[:800]).max() <= 1
    assert "low/both.wav" in said(data, "stereo")


def test_the_commonest_rate_is_taken(tmp_path):
    folders(tmp_path)
    write(tmp_path / "low/fast.wav", tone(200, rate=44_100), 44_100)
    data = SOURCE.read(str(tmp_path), ReadOptions())
    assert data.signature.input.rate == RATE
    row = list(data.row_names).index("low/fast.wav")
    inner = slice(100, 700)  # a filter has its edges
    expected = tone(200)[inner].astype(int)
    assert np.abs(data.samples.inputs[row, inner].numpy() - expected).max() <= 0.02 * 16384
    assert "8,000 samples a second" in said(data, "resampled")


def test_of_two_rates_as_common_the_lower_is_taken(tmp_path):
    for label, rate in (("a", 8000), ("b", 16_000)):
        write(tmp_path / label / "0.wav", tone(200, rate=rate), rate)
    assert SOURCE.read(str(tmp_path), ReadOptions()).signature.input.rate == 8000


def test_one_very_long_recording_is_cut(tmp_path):
    folders(tmp_path, rows=150)
    write(tmp_path / "low/long.wav", tone(200, seconds=5.0))
    data = SOURCE.read(str(tmp_path), ReadOptions())
    assert data.samples.inputs.shape[1] <= 800
    assert "low/long.wav" in said(data, "cut")


def test_another_format_than_the_name_says_is_read_by_content(tmp_path):
    folders(tmp_path)
    write(tmp_path / "low/x.flac", tone(200)).rename(tmp_path / "low/x.wav")
    data = SOURCE.read(str(tmp_path), ReadOptions())
    assert "low/x.wav" in said(data, "other-format")
    assert len(data) == 7


def _cut_off(path: Path, ending: str) -> None:
    whole = write(path.with_suffix(ending), tone(300, 2.0))
    content = whole.read_bytes()
    whole.unlink()
    path.write_bytes(content[: len(content) // 3])


def _nan(path: Path) -> None:
    levels = tone(300).astype(np.float64) / 32768
    levels[50] = np.nan
    write(path, levels, subtype="FLOAT")


BROKEN = {
    "empty file": (lambda path: path.write_bytes(b""), "the file is empty"),
    "no samples": (lambda path: write(path, np.zeros(0, np.int16)), "holds no samples"),
    "text": (lambda path: path.write_text("hello " * 50), "format not recogni"),
    "silent": (lambda path: write(path, np.zeros(800, np.int16)), "silent from begin to end"),
    "nan": (_nan, "NaN or infinite"),
    "header alone": (
        lambda path: path.write_bytes(write(path, tone(300)).read_bytes()[:20]),
        "",
    ),
    "cut FLAC": (lambda path: _cut_off(path, ".flac"), "lost sync"),
    "cut MP3": (lambda path: _cut_off(path, ".mp3"), "it breaks off after"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_files_are_set_apart(tmp_path, kind):
    folders(tmp_path, rows=4)
    make, reason = BROKEN[kind]
    make(tmp_path / "low/broken.wav")
    data = SOURCE.read(str(tmp_path), ReadOptions())
    assert len(data) == 8
    assert "low/broken.wav" not in data.row_names
    finding = next(f for f in data.findings if f.code == "quarantined")
    assert finding.rows == ("low/broken.wav",)
    assert reason in finding.message
    assert torch.isfinite(data.samples.inputs.double()).all()


def test_many_broken_files_are_refused(tmp_path):
    folders(tmp_path, rows=4)
    for row in range(3):
        write(tmp_path / f"low/silent{row}.wav", np.zeros(800, np.int16))
    with pytest.raises(DataError, match=r"3 of 11 recordings cannot be used; the first: .*silent"):
        SOURCE.read(str(tmp_path), ReadOptions())


def test_a_class_without_a_usable_recording_is_refused(tmp_path):
    folders(tmp_path, rows=4)
    write(tmp_path / "none/0.wav", np.zeros(800, np.int16))
    with pytest.raises(DataError, match='no usable recording of class "none"'):
        SOURCE.read(str(tmp_path), ReadOptions())


def test_a_header_that_cannot_be_is_not_believed(tmp_path, monkeypatch):
    path = write(tmp_path / "a.wav", tone(200))
    monkeypatch.setattr(conversion, "_DENSEST", 0.1)
    with pytest.raises(DataError, match=r"it claims 800 samples in 1,644 bytes"):
        conversion.sound_header(path, "a.wav")


def test_recordings_that_do_not_fit_into_memory_are_refused(tmp_path, monkeypatch):
    folders(tmp_path)
    monkeypatch.setattr("gradatim.data.files.available_memory", lambda: 1000)
    with pytest.raises(ResourceError):
        SOURCE.read(str(tmp_path), ReadOptions())


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (ReadOptions(), DataError, 'one class only, "recordings"'),
        (ReadOptions(group="speaker"), ConfigError, '--names "{label}_{speaker}_{index}.wav"'),
        (ReadOptions(target="label"), ConfigError, "recordings have no columns"),
        (
            ReadOptions(names="{label}_{speaker}_{index}.wav", task="regress"),
            ConfigError,
            "classes",
        ),
        (ReadOptions(names="{label}-{index}.wav"), DataError, "12 of 12 names do not fit"),
    ],
)
def test_complaints(digits, options, error, words):
    with pytest.raises(error) as caught:
        SOURCE.read(str(digits), options)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


def test_without_soundfile_it_says_what_to_install(digits, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ConfigError, match=r'pip install "gradatim\[sound\]"'):
        SOURCE.read(str(digits), BY_NAME)


def catalogue(
    root: Path, header: list[str], rows: list[list[str]], name: str = "meta/esc.csv"
) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    with (root / name).open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def esc(tmp_path: Path) -> Path:
    rows = []
    for row in range(12):
        name, label = f"{row % 3 + 1}-{row}-A.wav", ("dog", "rain")[row % 2]
        write(tmp_path / "audio" / name, tone(200 + 10 * row))
        rows.append([name, str(row % 3 + 1), str(row % 2), label, "False"])
    catalogue(tmp_path, ["filename", "fold", "target", "category", "esc10"], rows)
    return tmp_path


def test_a_table_says_class_and_fold(esc):
    data = SOURCE.read(str(esc), ReadOptions())
    assert data.signature.output.names == ("dog", "rain")
    assert data.group_names == ("1", "2", "3")
    for row, name in enumerate(data.row_names):
        number = int(name.split("-")[1])
        assert data.samples.targets[row] == number % 2
        assert data.samples.groups[row] == number % 3
    assert "meta/esc.csv" in said(data, "catalogue")


def test_another_column_can_be_the_class_or_the_group(esc):
    data = SOURCE.read(str(esc), ReadOptions(target="target", group="category"))
    assert data.signature.output.names == ("0", "1")
    assert data.group_names == ("dog", "rain")
    with pytest.raises(ConfigError, match="no column"):
        SOURCE.read(str(esc), ReadOptions(group="speaker"))


def test_recordings_of_the_table_may_be_missing(esc):
    (esc / "audio/1-0-A.wav").unlink()
    assert "1-0-A.wav" in said(SOURCE.read(str(esc), ReadOptions()), "missing-files")
    for row in (3, 6):
        (esc / f"audio/1-{row}-A.wav").unlink()
    with pytest.raises(DataError, match="3 of 12 recordings of the table are not there"):
        SOURCE.read(str(esc), ReadOptions())


def test_two_tables_are_ambiguous(esc):
    catalogue(esc, ["file", "label"], [["a", "b"]], "other.csv")
    with pytest.raises(ConfigError, match="are all tables of recordings"):
        SOURCE.read(str(esc), ReadOptions())


def model(rate: int = RATE, length: int = 800) -> Signature:
    return Signature(
        input=Sound(rate=rate, length=length), output=Category(name="class", names=("high", "low"))
    )


def test_a_model_gets_recordings_as_it_wants_them(tmp_path):
    path = write(tmp_path / "a.wav", tone(200, 0.3, 16_000), 16_000)
    data = SOURCE.read(str(path), ReadOptions(signature=model()))
    assert data.samples.inputs.shape == (1, 800)
    assert len(data.samples.targets) == 0
    assert {"resampled", "cut"} <= codes(data)
    flat = SOURCE.read(str(tmp_path), ReadOptions(signature=model()))
    assert torch.equal(flat.samples.inputs, data.samples.inputs)


def test_a_model_gets_classes_where_folders_are_called_so(tmp_path):
    folders(tmp_path)
    data = SOURCE.read(str(tmp_path), ReadOptions(signature=model()))
    assert data.samples.targets.tolist() == [0, 0, 0, 1, 1, 1]
    (tmp_path / "low").rename(tmp_path / "deep")
    with pytest.raises(DataError, match='knows no class "deep"'):
        SOURCE.read(str(tmp_path), ReadOptions(signature=model()))


def test_a_model_of_pictures_is_not_given_recordings(tmp_path):
    wrong = Signature(
        input=Image(channels=1, height=8, width=8), output=Category(name="c", names=("a", "b"))
    )
    with pytest.raises(DataError, match="the model reads pictures"):
        SOURCE.read(str(folders(tmp_path)), ReadOptions(signature=wrong))


def test_a_folder_of_recordings_is_claimed_by_one_source(digits, tmp_path):
    claiming = [n for n, s in SOURCES.all().items() if s.claims(str(digits), ReadOptions())]
    assert claiming == ["sounds"]
    recording = str(digits / "recordings/7_anna_0.wav")
    assert [n for n, s in SOURCES.all().items() if s.claims(recording, ReadOptions())] == ["sounds"]
    assert not SOURCE.claims(str(digits), ReadOptions(task="denoise"))


def test_the_fingerprint_changes_with_any_byte(digits):
    before = SOURCE.read(str(digits), BY_NAME).fingerprint
    assert SOURCE.read(str(digits), BY_NAME).fingerprint == before
    write(digits / "recordings/7_anna_0.wav", tone(301, 0.05))
    assert SOURCE.read(str(digits), BY_NAME).fingerprint != before


def test_common_sound_is_of_the_headers_that_there_are():
    headers = [conversion.Header(8000, 100 + n, 1, "WAV") for n in range(400)]
    sound = decoding.common_sound([*headers, DataError("broken")], "x")
    assert sound == Sound(rate=8000, length=100 + 398)  # 99.5 % of 400, from 0
    with pytest.raises(DataError, match="none of 1 recordings"):
        decoding.common_sound([DataError("broken")], "x")


def test_a_folder_with_more_pictures_than_recordings_is_one_of_pictures(tmp_path):
    for name in ("a.png", "b.png", ".hidden1.wav", ".hidden2.wav", "c.txt"):
        (tmp_path / name).write_bytes(b"")
    write(tmp_path / "deep/er/0.wav", tone(200))
    assert not holds_sounds(tmp_path)
    write(tmp_path / "deep/er/1.wav", tone(200))
    write(tmp_path / "deep/er/2.WAV", tone(200))
    assert holds_sounds(tmp_path)
    assert holds_sounds(tmp_path / "deep")

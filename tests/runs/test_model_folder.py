"""A model folder of a stranger: everything in it is checked before it is believed."""

import hashlib
import json
import os
import pickle
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save

from gradatim.core.errors import CorruptError
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Signature, Table
from gradatim.models import RUNGS
from gradatim.runs.model_folder import load_model, save_model

SIGNATURE = Signature(
    input=Table(columns=tuple(Column(name=f"x{i}", kind="numeric") for i in range(12))),
    output=Category(names=("no", "yes")),
)
WEIGHTS, CARD = "model.safetensors", "model.json"


def make(folder: Path, name: str = "knn") -> Path:
    """A good model folder."""
    chance = torch.Generator().manual_seed(0)
    inputs = torch.randn(40, 12, generator=chance, dtype=torch.float64)
    samples = Samples(inputs, (inputs[:, 0] > 0).long())
    rung = RUNGS[name].of_size("tiny")
    model = rung.solve(samples, SIGNATURE, 0)
    save_model(folder, model, rung, SIGNATURE, "classify", "accuracy", "# a model\n")
    return folder


@pytest.fixture
def folder(tmp_path):
    return make(tmp_path / "model")


def card_of(folder: Path) -> dict:
    return json.loads((folder / CARD).read_text())


def change_card(folder: Path, **changes: object) -> None:
    (folder / CARD).write_text(json.dumps(card_of(folder) | changes))


def change_weights(folder: Path, content: bytes) -> None:
    """Put other weights, and the hash that fits them: a stranger can do that too."""
    (folder / WEIGHTS).write_bytes(content)
    change_card(folder, sha256=hashlib.sha256(content).hexdigest())


def change_numbers(folder: Path, state: dict[str, torch.Tensor]) -> None:
    """Put other tensors, with everything else as it was."""
    change_weights(folder, save(state, header(folder)[0]["__metadata__"]))


def refused(folder: Path, *words: str) -> str:
    with pytest.raises(CorruptError) as caught:
        load_model(folder)
    message = str(caught.value)
    assert caught.value.exit_code == 7
    assert message.count("\n") < 3
    assert len(message) < 1500
    absent = [word for word in words if word not in message]
    assert not absent, message
    return message


def test_a_good_folder_loads_frozen_and_in_evaluation_mode(folder):
    model, card = load_model(folder)
    assert not model.training
    assert not any(p.requires_grad for p in model.parameters())
    assert (card.rung, card.signature) == ("knn", SIGNATURE)
    assert sorted(p.name for p in folder.iterdir()) == ["README.md", CARD, WEIGHTS]


def test_a_loaded_model_does_not_hang_on_the_file(folder):
    """Numbers that were only mapped into memory would change, or crash, with the file."""
    model, _ = load_model(folder)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    path = folder / WEIGHTS
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


@pytest.mark.parametrize("keep", [0, 4, 8, 100, -1])
def test_truncated_weights(folder, keep):
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[:keep])
    refused(folder, WEIGHTS, CARD)
    change_weights(folder, content[:keep])
    refused(folder, WEIGHTS)


def test_trailing_bytes(folder):
    change_weights(folder, (folder / WEIGHTS).read_bytes() + b"\0" * 16)
    refused(folder, WEIGHTS)


@pytest.mark.parametrize("length", [2**63, 10**12, 200_000_000])
def test_a_header_longer_than_the_file(folder, length):
    content = (folder / WEIGHTS).read_bytes()
    change_weights(folder, struct.pack("<Q", length) + content[8:])
    refused(folder, WEIGHTS)


def header(folder: Path) -> tuple[dict, bytes]:
    content = (folder / WEIGHTS).read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def with_header(head: dict, numbers: bytes) -> bytes:
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def test_numbers_that_overlap(folder):
    head, numbers = header(folder)
    big = max((k for k in head if k != "__metadata__"), key=lambda k: head[k]["data_offsets"][1])
    start, end = head[big]["data_offsets"]
    head[big]["data_offsets"] = [start - 8, end - 8]
    change_weights(folder, with_header(head, numbers))
    refused(folder, WEIGHTS)


def test_a_flipped_bit_is_seen_by_the_hash(folder):
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    refused(folder, WEIGHTS, CARD, "not the file")


def test_weights_of_another_model(folder, tmp_path):
    other = make(tmp_path / "other", "ridge")
    (folder / WEIGHTS).write_bytes((other / WEIGHTS).read_bytes())
    refused(folder, "not the file")
    change_weights(folder, (other / WEIGHTS).read_bytes())
    refused(folder, "does not fit", "network.")


def test_wrong_keys_and_shapes_are_listed_up_to_ten(folder):
    state = load_file(folder / WEIGHTS)
    extra = {f"extra.{i:02}": torch.zeros(1) for i in range(15)}
    change_numbers(folder, state | extra)
    message = refused(folder, "extra.00", "extra.09", "...")
    assert "extra.10" not in message
    name = max(state, key=lambda k: state[k].numel())
    change_numbers(folder, state | {name: state[name].flatten()})
    assert refused(folder, name).count("network.") == 1
    del state[name]
    change_numbers(folder, state)
    refused(folder, name)


def test_numbers_of_another_type(folder):
    """int32 where float64 belongs would be read as other numbers, or fail when asked."""
    state = load_file(folder / WEIGHTS)
    name = next(k for k, v in state.items() if v.dtype == torch.float64 and v.numel() > 1)
    change_numbers(folder, state | {name: state[name].to(torch.int32)})
    refused(folder, name)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers(folder, value):
    state = load_file(folder / WEIGHTS)
    name = max(state, key=lambda k: state[k].numel() if state[k].is_floating_point() else 0)
    state[name].view(-1)[3] = value
    change_numbers(folder, state)
    refused(folder, name, "NaN")


def test_a_model_with_nan_is_not_saved(tmp_path):
    source = make(tmp_path / "good")
    model, _ = load_model(source)
    model.preprocess.mean[0] = float("nan")
    rung = RUNGS["knn"].of_size("tiny")
    with pytest.raises(CorruptError, match="not saved"):
        save_model(tmp_path / "bad", model, rung, SIGNATURE, "classify", "accuracy", "")
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize(
    "extents",
    [
        {"points": 10**9, "k": 3},
        {"points": 10**9, "k": 10**9},
        {"points": 10**12, "k": 1},
        {"points": -1, "k": 1},
        {"points": 40, "k": 10**9},
        {"points": 1.5, "k": 1},
        {"points": "40", "k": None},
        {"points": 3},
        {},
    ],
    ids=str,
)
def test_sizes_that_are_lies_cost_no_memory(folder, extents):
    """10^9 points of 12 numbers would be 48 GB: the shapes are compared before any is allocated."""
    change_card(folder, extents=extents)
    refused(folder)


def test_settings_that_ask_for_a_giant_cost_no_memory(tmp_path):
    """An MLP of 64 layers of 65,536 units has 10^12 bytes; it is only ever described."""
    folder = make(tmp_path / "model")
    change_card(folder, rung="mlp", settings={"width": 65_536, "depth": 64}, extents={})
    refused(folder, "does not fit")
    for settings in ({"depth": 10**9}, {"width": 10**9}, {"width": -1}, {"width": "wide"}):
        change_card(folder, rung="mlp", settings=settings, extents={})
        refused(folder, CARD)


@pytest.mark.parametrize(
    "rung",
    [
        *("vitt", "os.path", "gradatim.models.knn", "../knn", "_support", "knn\n", "__init__", ""),
        *("x" * 1000, "http://example.org/knn", "{{ 7 * 7 }}", 3, None),
    ],
)
def test_only_names_of_the_catalog_are_rungs(folder, rung):
    change_card(folder, rung=rung)
    refused(folder, CARD)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"format_version": 2}, "newer"),
        ({"format_version": 10**30}, "newer"),
        ({"format_version": "2"}, CARD),
        ({"format_version": None}, CARD),
        ({"sha256": "0" * 64}, "not the file"),
        ({"sha256": "short"}, "sha256"),
        ({"settings": {"most": 10**9}}, CARD),
        ({"settings": {"__class__": "os"}}, CARD),
        ({"settings": []}, "settings"),
        ({"signature": {}}, "signature"),
        ({"signature": None}, "signature"),
        ({"weights": "/etc/passwd"}, "weights"),
        ({"url": "http://example.org"}, "url"),
        ({"task": "../classify"}, "task"),
        ({"metric": None}, "metric"),
    ],
    ids=str,
)
def test_a_card_with_anything_else_is_refused(folder, changes, word):
    change_card(folder, **changes)
    refused(folder, word)


def test_classes_that_are_not_those_of_the_weights(folder):
    """Neither another number of names nor another order shows in the shapes of these weights."""
    signature = card_of(folder)["signature"]
    for names in (["no", "yes", "maybe"], ["yes", "no"], ["no", "Yes"]):
        signature["output"]["names"] = names
        change_card(folder, signature=signature)
        refused(folder, "another model.json")
    signature["output"]["names"] = ["no", "no"]
    change_card(folder, signature=signature)
    refused(folder, "repeat")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"3",
        b"\xff\xfe{}",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"format_version": ' + b"9" * 5000 + b"}",
        b"NaN",
    ],
    ids=["empty", "cut", "list", "null", "number", "bytes", "deep list", "deep", "digits", "nan"],
)
def test_a_card_that_is_garbage(folder, content):
    (folder / CARD).write_bytes(content)
    refused(folder, CARD)


@pytest.mark.parametrize("name", [WEIGHTS, CARD])
def test_a_file_that_is_missing_or_no_file(folder, name):
    (folder / name).unlink()
    refused(folder, name)
    (folder / name).mkdir()
    refused(folder, name)


@pytest.mark.parametrize("name", [WEIGHTS, CARD])
def test_a_pipe_or_a_device_does_not_hold_the_reader(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    refused(folder, name)
    (folder / name).unlink()
    (folder / name).symlink_to("/dev/zero")
    refused(folder, name)


@pytest.mark.parametrize("name", [WEIGHTS, CARD])
def test_a_link_that_leads_nowhere_or_round(folder, name):
    (folder / name).unlink()
    (folder / name).symlink_to(folder / "gone")
    refused(folder, name)
    (folder / name).unlink()
    (folder / name).symlink_to(folder / name)
    refused(folder, name)


class Exploding:
    """Unpickling it ends the process."""

    def __reduce__(self):
        return (os._exit, (99,))


def test_a_pickle_is_never_opened(folder):
    change_weights(folder, pickle.dumps(Exploding()))
    refused(folder, WEIGHTS)
    torch.save({"a": torch.zeros(2)}, folder / "model.pt")
    change_weights(folder, (folder / "model.pt").read_bytes())
    refused(folder, WEIGHTS)


def test_odd_names_of_folders_work(tmp_path):
    for name in ("a b", "ü", "a'b\"c", "-rf", "x\ny"):
        model, _ = load_model(make(tmp_path / name))
        assert model.extents["points"] == 40


def test_equal_models_are_equal_bytes(tmp_path):
    """Several entries of metadata would come in any order: a few tries would show it."""
    first, *others = (make(tmp_path / str(i)) for i in range(6))
    for other in others:
        for name in (WEIGHTS, CARD):
            assert (other / name).read_bytes() == (first / name).read_bytes()

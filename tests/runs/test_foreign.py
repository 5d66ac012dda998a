"""Published weights: what fits is taken bit by bit, everything else is refused and runs nothing."""

import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from gradatim.core.errors import ConfigError, CorruptError, DataError
from gradatim.core.signature import Category, Image, Signature
from gradatim.models import rung_named
from gradatim.models.googlenet import GoogLeNet
from gradatim.models.resnet import ResNet
from gradatim.runs.foreign import Normalisation, imagenet_names, imported, read_state

PICTURES = Image(channels=3, height=224, width=224)
SIGNATURE = Signature(input=PICTURES, output=Category(names=("cat", "dog", "owl")))
SCALE = Normalisation((0.5, 0.4, 0.3), (0.1, 0.2, 0.3))
RUNG = ResNet(width=0.0625)


def weights(rung=RUNG) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return dict(rung.build(SIGNATURE, {}).network.state_dict())


def bring(path, rung=RUNG):
    return imported(path, rung, SIGNATURE, SCALE)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.pth"


class Evil:
    """A pickle of this makes a file when it is loaded by a reader that runs code."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
def test_weights_arrive_bit_by_bit(form, tmp_path):
    state = weights()
    path = tmp_path / ("w.safetensors" if form == "safetensors" else "w.pth")
    if form == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=form == "zip")
    model, left_out = bring(path)
    assert left_out == ()
    assert all(torch.equal(v, state[k]) for k, v in model.network.state_dict().items())
    assert model.preprocess.mean.flatten().tolist() == pytest.approx(SCALE.mean)
    assert model.preprocess.deviation.flatten().tolist() == pytest.approx(SCALE.deviation)
    assert not model.training
    pictures = torch.randint(0, 256, (2, 3, 224, 224), dtype=torch.uint8)
    reference = RUNG.build(SIGNATURE, {}).eval()
    reference.network.load_state_dict(state)
    planes = (pictures / 255 - torch.tensor(SCALE.mean)[:, None, None]) / torch.tensor(
        SCALE.deviation
    )[:, None, None]
    torch.testing.assert_close(model(pictures), reference.network(planes))


def test_half_precision_becomes_what_the_network_computes_in(path):
    torch.save({k: v.half() if v.is_floating_point() else v for k, v in weights().items()}, path)
    model, _ = bring(path)
    assert all(p.dtype == torch.float32 for p in model.parameters())


def test_the_file_may_change_afterwards(path):
    """It is read through a memory map; a model must not change with it."""
    torch.save(weights(), path)
    model, _ = bring(path)
    before = model.network.fc.weight.clone()
    path.write_bytes(b"\0" * path.stat().st_size)
    assert torch.equal(model.network.fc.weight, before)


@pytest.mark.parametrize("form", ["zip", "legacy", "pickle", "nested"])
def test_a_pickle_that_runs_code_is_refused_and_runs_nothing(form, path, tmp_path):
    mark = tmp_path / "it-ran"
    if form == "pickle":
        path.write_bytes(pickle.dumps(Evil(mark)))
    else:
        state = weights() | {"x": [Evil(mark)] if form == "nested" else Evil(mark)}
        torch.save(state, path, _use_new_zipfile_serialization=form != "legacy")
    with pytest.raises(CorruptError, match="is refused") as caught:
        bring(path)
    assert not mark.exists()
    assert len(str(caught.value).splitlines()) <= 3


def test_the_malicious_file_would_run_in_an_unsafe_reader(path, tmp_path):
    """The guard has something to guard against."""
    mark = tmp_path / "it-ran"
    torch.save({"x": Evil(mark)}, path)
    torch.load(path, weights_only=False)["x"].close()
    assert mark.exists()


def test_torchscript_is_code(path):
    torch.jit.script(nn.Linear(2, 2)).save(str(path))
    with pytest.raises(CorruptError, match="TorchScript"):
        bring(path)


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(form, share, tmp_path):
    path = tmp_path / ("w.safetensors" if form == "safetensors" else "w.pth")
    if form == "safetensors":
        save_file(weights(), path)
    else:
        torch.save(weights(), path, _use_new_zipfile_serialization=form == "zip")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CorruptError, match="is refused"):
        bring(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04 no zip", b"\x80\x02.", b"hello", b"\xff" * 100])
def test_what_is_no_file_of_weights_is_refused(content, path):
    path.write_bytes(content)
    with pytest.raises((CorruptError, DataError)):
        bring(path)


def test_a_zip_of_something_else_is_refused(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello")
    with pytest.raises(CorruptError):
        bring(path)


@pytest.mark.parametrize(
    "value", [[], {}, torch.zeros(3), {"state_dict": {"a": torch.zeros(1)}}, {1: torch.zeros(1)}]
)
def test_what_is_no_flat_state_dict_is_refused(value, path):
    torch.save(value, path)
    with pytest.raises(DataError, match="state"):
        read_state(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="is no file"):
        bring(tmp_path / "none.pth")


def test_differences_are_listed_with_both_shapes(path):
    state = weights()
    del state["bn1.weight"]
    state |= {"extra": torch.zeros(1), "fc.weight": torch.zeros(10, 32)}
    torch.save(state, path)
    with pytest.raises(CorruptError) as caught:
        bring(path)
    text = str(caught.value)
    assert "bn1.weight is missing" in text
    assert "'extra' is unexpected" in text
    assert "fc.weight is 10 x 32 in the file, 3 x 32 in the model" in text
    assert len(text.splitlines()) == 3


def test_ten_differences_are_listed_at_most(path):
    torch.save({f"x{i}": torch.zeros(1) for i in range(30)}, path)
    with pytest.raises(CorruptError, match="more") as caught:
        bring(path)
    assert str(caught.value).count(" is ") == 10


def test_shapes_are_compared_before_the_model_gets_memory(path):
    """A thousand gigabytes would be needed for this one."""
    torch.save({"a": torch.zeros(1)}, path)
    huge = rung_named("vit_l_16").model_copy(update={"width": 4096, "depth": 100, "ratio": 16})
    many = Signature(input=PICTURES, output=Category(names=tuple(map(str, range(100)))))
    with pytest.raises(CorruptError, match="does not fit"):
        imported(path, huge, many, SCALE)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(value, path):
    state = weights()
    state["layer1.0.conv1.weight"][0, 0, 0, 0] = value
    torch.save(state, path)
    with pytest.raises(CorruptError, match=r"layer1\.0\.conv1\.weight holds NaN"):
        bring(path)


def test_complex_numbers_do_not_lose_a_part(path):
    state = weights()
    state["fc.bias"] = state["fc.bias"].to(torch.complex64)
    torch.save(state, path)
    with pytest.raises(CorruptError, match=r"fc\.bias holds torch\.complex64"):
        bring(path)


def test_old_files_lack_the_counters_of_batch_normalisation(path):
    torch.save({k: v for k, v in weights().items() if "num_batches" not in k}, path)
    model, _ = bring(path)
    assert model.network.bn1.num_batches_tracked.item() == 0


def test_auxiliary_heads_are_left_out_where_they_are_not_wanted(path):
    """The published GoogLeNet has them; only training needs them."""
    with_heads = GoogLeNet(width=0.0625, auxiliary=True)
    state = weights(with_heads)
    torch.save(state, path)
    model, left_out = bring(path, GoogLeNet(width=0.0625))
    assert left_out
    assert all(key.startswith(("aux1.", "aux2.")) for key in left_out)
    assert {*left_out, *model.network.state_dict()} == set(state)
    model, left_out = bring(path, with_heads)
    assert left_out == ()


def test_heads_of_another_network_are_unexpected(path):
    torch.save(weights() | {"aux1.fc.weight": torch.zeros(1)}, path)
    with pytest.raises(CorruptError, match=r"aux1\.fc\.weight"):
        bring(path)


@pytest.mark.parametrize(
    ("mean", "deviation"),
    [((0.5,), (0.1, 0.2, 0.3)), ((0.5,) * 3, (0.1, 0.0, 0.3)), ((float("nan"),) * 3, (1.0,) * 3)],
)
def test_a_normalisation_that_cannot_be_is_refused(mean, deviation, path):
    torch.save(weights(), path)
    with pytest.raises(ConfigError):
        imported(path, RUNG, SIGNATURE, Normalisation(mean, deviation))


def test_imagenet_has_a_thousand_names_of_their_own():
    names = imagenet_names()
    assert len(names) == len(set(names)) == 1000
    places = {"tench": 0, "crane (bird)": 134, "Egyptian cat": 285, "crane (machine)": 517}
    places |= {"espresso": 967, "palace": 698, "toilet tissue": 999}
    assert {name: names.index(name) for name in places} == places

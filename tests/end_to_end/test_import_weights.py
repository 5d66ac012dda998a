"""Published weights from the command line to the name of what is in a photograph."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from gradatim.cli.main import main
from gradatim.models.resnet import ResNet
from gradatim.runs.model_folder import load_model

FILES = {
    "mobilenet_v2": "mobilenet_v2-b0353104.pth",
    "efficientnet_lite0": "efficientnet-lite0-57934424.pth",
}
CATS = {"tabby", "tiger cat", "Egyptian cat"}


@pytest.fixture(scope="module")
def photographs(tmp_path_factory) -> Path:
    from skimage import data
    from sklearn.datasets import load_sample_image

    folder = tmp_path_factory.mktemp("photographs")
    shown = {
        "coffee": data.coffee(),
        "cat": data.chelsea(),
        "china": load_sample_image("china.jpg"),
    }
    for name, picture in shown.items():
        Pillow.fromarray(picture).save(folder / f"{name}.jpg", quality=95)
    return folder


@pytest.fixture
def small(tmp_path, monkeypatch) -> Path:
    """Weights of ResNet-18, scaled down is none of its published forms: so the real one."""
    monkeypatch.chdir(tmp_path)
    from gradatim.core.signature import Category, Image, Signature

    torch.manual_seed(0)
    image, classes = Image(channels=3, height=224, width=224), Category(names=("a", "b", "c"))
    network = ResNet().build(Signature(input=image, output=classes), {}).network
    torch.save(network.state_dict(), tmp_path / "w.pth")
    (tmp_path / "names.txt").write_text("ape\nbear\ncow\n")
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_published_weights_name_what_is_in_photographs(
    name, photographs, data_root, tmp_path, capsys
):
    file, run = data_root / "weights" / FILES[name], tmp_path / "run"
    if not file.is_file():
        pytest.skip(f"skipped: no data ({file.name})")
    assert main(["import-weights", str(file), "--model", name, "--out", str(run)]) == 0
    capsys.readouterr()
    answers = {}
    for picture in sorted(photographs.iterdir()):
        assert main(["predict", str(run), str(picture)]) == 0
        (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
        answers[picture.stem] = row["prediction"]
    assert answers["coffee"] == "espresso"
    assert answers["cat"] in CATS
    assert answers["china"] == "palace"


def test_an_imported_model_predicts_and_is_evaluated_like_any(small, capsys):
    words = ["import-weights", "w.pth", "--model", "resnet18", "--names", "names.txt", "--json"]
    assert main([*words, "--mean", "0.5", "0.4", "0.3", "--std", "0.1", "0.2", "0.3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["run"] == "runs/resnet18-imported"
    assert (found["rung"], found["classes"], found["left_out"]) == ("resnet18", 3, [])
    model, card = load_model(Path(found["run"]))
    assert card.signature.output.names == ("ape", "bear", "cow")
    assert model.preprocess.mean.flatten().tolist() == pytest.approx([0.5, 0.4, 0.3])
    for name in ("ape", "bear", "cow"):
        folder = small / "zoo" / name
        folder.mkdir(parents=True)
        noise = np.random.default_rng(len(name)).integers(0, 256, (30, 50, 3), np.uint8)
        Pillow.fromarray(noise).save(folder / "1.png")
    assert main(["predict", found["run"], "zoo/ape/1.png", "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)["predictions"]
    assert answer["prediction"] in ("ape", "bear", "cow")
    assert main(["evaluate", found["run"], "zoo", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 3


def test_a_photograph_is_cropped_and_not_squeezed(small, capsys):
    """What lies outside the middle square changes nothing."""
    words = ["import-weights", "w.pth", "--model", "resnet18", "--names", "names.txt"]
    assert main([*words, "--out", "run"]) == 0
    wide = np.full((256, 800, 3), 90, np.uint8)
    wide[100:150, 380:420] = 200
    other = wide.copy()
    other[:, :200] = 255
    answers = []
    for name, picture in (("wide", wide), ("other", other)):
        Pillow.fromarray(picture).save(f"{name}.png")
        capsys.readouterr()
        assert main(["predict", "run", f"{name}.png", "--json"]) == 0
        (row,) = json.loads(capsys.readouterr().out)["predictions"]
        answers.append({key: value for key, value in row.items() if key != "row"})
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("words", "code", "needed"),
    [
        (("w.pth", "--model", "resnet18"), 7, "fc.bias is 3 in the file, 1000 in the model"),
        (("w.pth", "--model", "vgg11"), 7, "unexpected"),
        (("w.pth", "--model", "resnt18"), 2, 'did you mean "resnet18"?'),
        (("w.pth", "--model", "ridge"), 2, "published"),
        (("none.pth", "--model", "resnet18"), 3, "is no file"),
        (("names.txt", "--model", "resnet18"), 7, "is refused"),
        (("w.pth", "--model", "resnet18", "--names", "none.txt"), 3, "--names"),
        (("w.pth", "--model", "resnet18", "--names", "twice.txt"), 3, "line of its own"),
        (("w.pth", "--model", "resnet18", "--names", "names.txt", "--out", "full"), 2, "--out"),
        (("w.pth", "--model", "resnet18", "--names", "names.txt", "--std", "0", "1", "1"), 2, "0"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(words, code, needed, small, capsys):
    (small / "twice.txt").write_text("ape\nape\n")
    (small / "full").mkdir()
    (small / "full" / "mine.txt").write_text("mine")
    before = sorted(p.relative_to(small) for p in small.rglob("*"))
    assert main(["import-weights", *words]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) <= 3
    assert needed in captured.err
    assert sorted(p.relative_to(small) for p in small.rglob("*")) == before


def test_a_disk_that_fills_up_leaves_nothing_behind(small, capsys, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gradatim.session.import_weights.finish_all", full)
    before = sorted(small.rglob("*"))
    words = ["import-weights", "w.pth", "--model", "resnet18", "--names", "names.txt"]
    assert main([*words, "--out", "run"]) == 5
    assert sorted(small.rglob("*")) == before

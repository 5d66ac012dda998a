"""`gradatim shapes` through the command line: text, JSON, page, and what is refused."""

import json

import pytest

from gradatim.cli.main import main

KEYS = {"name", "kind", "output", "parameters", "multiply_adds", "stride", "receptive_field"}


def said(capsys, *words: str) -> tuple[int, str, str]:
    code = main(["shapes", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_json_holds_three_keys_and_the_layers(capsys):
    code, out, err = said(capsys, "lenet5", "--input", "1x28x28", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert set(found) == {"parameters", "multiply_adds", "layers"}
    assert (found["parameters"], found["multiply_adds"]) == (61_706, 416_520)
    assert all(set(layer) == KEYS for layer in found["layers"])
    first = found["layers"][0]
    assert (first["output"], first["parameters"]) == ([6, 28, 28], 156)
    assert (first["stride"], first["receptive_field"]) == (1, 5)
    assert found["layers"][-1]["output"] == [10]


def test_text_has_a_row_a_layer_and_the_sums(capsys):
    code, out, _ = said(capsys, "resnet18", "--input", "3x224x224")
    assert code == 0
    rows = out.splitlines()
    assert rows[0].split()[:4] == ["layer", "kind", "output", "parameters"]
    assert "11,689,512 parameters, 1.81 G multiply-adds" in out
    assert any(row.startswith("layer1.0.conv1 ") for row in rows)
    assert "all 224 pixels" in out


def test_classes_size_and_settings_change_the_network(capsys):
    words = ("resnet18", "--input", "3x224x224", "--json")
    parameters = [
        json.loads(said(capsys, *words, *more)[1])["parameters"]
        for more in ((), ("--classes", "10"), ("--set", "model.width=0.5"), ("--size", "tiny"))
    ]
    assert parameters[0] - parameters[1] == 990 * 513
    assert len(set(parameters)) == 4
    assert parameters == sorted(parameters, reverse=True)


def test_numbers_mean_columns_and_steps(capsys):
    _, out, _ = said(capsys, "mlp", "--input", "13", "--json")
    first = json.loads(out)["layers"][0]
    assert (first["parameters"], first["receptive_field"]) == (14 * 256, 13)
    _, out, _ = said(capsys, "recurrent", "--input", "20x2", "--json")
    assert json.loads(out)["layers"][0]["receptive_field"] == 20


def test_a_network_larger_than_any_memory_is_traced(capsys):
    words = ("mlp", "--input", "100000", "--set", "model.width=65536", "--set", "model.depth=64")
    _, out, _ = said(capsys, *words, "--json")
    assert json.loads(out)["parameters"] > 250e9


@pytest.mark.parametrize("name", ["lenet5", "resnet152", "vit_b_16", "mlp"])
def test_the_page_has_a_figure_and_every_layer(name, capsys, tmp_path):
    page = tmp_path / "page.html"
    code, out, _ = said(capsys, name, "--input", "3x224x224", "--out", str(page), "--json")
    assert code == 0
    layers = json.loads(out)["layers"]
    text = page.read_text()
    assert text.count("<tr>") == len(layers) + 1
    products = sum(1 for layer in layers if layer["multiply_adds"])
    assert text.count('class="bar"') >= 2 * products
    assert "<svg" in text
    assert "://" not in text
    again = tmp_path / "again.html"
    said(capsys, name, "--input", "3x224x224", "--out", str(again), "--json")
    assert again.read_text() == text


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (("resnet18", "--input", "3x224"), ("pictures", "3x224x224")),
        (("resnet18", "--input", "13"), ("pictures", "3x224x224")),
        (("resnet18", "--input", "2x224x224"), ("1 or 3 channels",)),
        (("resnet18", "--input", "3x0x224"), ("3x224x224",)),
        (("resnet18", "--input", "3x9999999x2"), ("3x224x224",)),
        (("resnet18", "--input", "large"), ("3x224x224",)),
        (("transformer", "--input", "3x8x8"), ("--input 13", "--input 20x2")),
        (("resnt18", "--input", "3x224x224"), ('did you mean "resnet18"?',)),
        (("ridge", "--input", "13"), ("solved", "mlp", "lenet5")),
        (("resnet18", "--input", "3x32x32", "--size", "tny"), ('did you mean "tiny"?',)),
        (("mlp", "--input", "3", "--set", "model.wdth=3"), ('did you mean "width"?',)),
        (("mlp", "--input", "3", "--set", "optimizer.lr=3"), ("model.NAME=VALUE",)),
        (("mlp", "--input", "3", "--classes", "1"), ("--classes 1", "10")),
    ],
)
def test_what_is_refused_says_what_to_write(words, needed, capsys, tmp_path):
    page = tmp_path / "page.html"
    code, out, err = said(capsys, *words, "--out", str(page))
    assert (code, out) == (2, "")
    assert len(err.splitlines()) <= 3
    assert all(text in err for text in needed), err
    assert not page.exists()

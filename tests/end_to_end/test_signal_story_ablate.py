"""`signal`, `story` and `ablate` on the command line: pages, JSON, and what they refuse."""

import pytest

from .shell import gradatim


def test_signal_writes_a_page_and_names_the_layer(tmp_path):
    flags = ["--depth", "8", "--init", "small", "--seeds", "1", "--input", "20"]
    said = gradatim(tmp_path, "signal", "mlp", *flags)
    assert said.code == 0, said.err
    assert "Signals are vanishing: at layer" in said.out
    page = (tmp_path / "runs" / "signal-mlp.html").read_text()
    assert "theory" in page
    assert "measured" in page


def test_signal_as_json(tmp_path):
    flags = ["--set", "initialisation=he", "--set", "model.dropout=0", "--seeds", "1", "--json"]
    facts = gradatim(tmp_path, "signal", "mlp", *flags, "--out", "page.html").json
    assert facts["initialisation"] == "he"
    assert facts["layers"][0]["kind"] == "Linear 784 to 256"
    assert len(facts["sentences"]) == 2
    assert (tmp_path / "page.html").is_file()


@pytest.mark.parametrize("rung", ["resnet_small", "lenet5"])
def test_signal_of_networks_that_theory_does_not_cover(tmp_path, rung):
    facts = gradatim(tmp_path, "signal", rung, "--seeds", "1", "--json").json
    assert all(layer["signal"] > 0 for layer in facts["layers"])
    assert facts["layers"][-1]["expected_signal"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["signal", "ridge"], "solved"),
        (["signal", "mpl"], "did you mean"),
        (["signal", "mlp", "--input", "3x"], "--input 3x"),
        (["signal", "mlp", "--seeds", "0"], "--seeds 0"),
        (["signal", "lenet5", "--input", "7"], "does not take"),
        (["signal", "mlp", "--set", "model.depht=3"], "depth"),
        (["story", "zebra"], "zebra"),
        (["story", "xor", "--seed", "-1"], "--seed -1"),
        (["ablate", "iris", "--rung", "mlp", "--only", "flip"], "flip means nothing"),
        (["fit", "iris", "--rung", "mlp", "--set", "augmentation.flip=true"], "augmentation.flip"),
        (["fit", "iris", "--rung", "mlp", "--set", "loss.name=huber"], "cross_entropy, focal"),
    ],
)
def test_what_is_refused(tmp_path, arguments, words):
    said = gradatim(tmp_path, *arguments)
    assert said.code == 2
    assert words in said.err
    assert said.err.count("\n") <= 3


def test_a_story(tmp_path):
    said = gradatim(tmp_path, "story", "xor", "--out", "xor.html")
    assert said.code == 0, said.err
    assert "XOR by perceptron: 2 of 4" in said.out
    assert "overlap" in (tmp_path / "xor.html").read_text()


def test_an_ablation_says_a_sentence_each(tmp_path):
    flags = ["--only", "dropout,l2", "--folds", "2", "--set", "epochs=2", "--out", "run"]
    said = gradatim(tmp_path, "ablate", "iris", "--rung", "mlp", *flags)
    assert said.code == 0, said.err
    assert "dropout 0.1 (in use)" in said.out
    assert "l2 0.001 (not in use)" in said.out
    assert (tmp_path / "run" / "report.html").is_file()

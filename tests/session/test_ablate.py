"""Ablation: which switches there are, what their effects are, and going on after a cut."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gradatim.compare.effects import effect_of
from gradatim.compare.job import Work
from gradatim.core.errors import ConfigError
from gradatim.core.recipe import Recipe
from gradatim.core.samples import Samples
from gradatim.core.signature import (
    Actions,
    Category,
    Column,
    Game,
    Image,
    Quantity,
    Signature,
    Table,
    Text,
    Translation,
)
from gradatim.core.task import Task
from gradatim.models import rung_named
from gradatim.ops.paired import corrected_interval
from gradatim.session.ablate import _features as features_of
from gradatim.session.ablate import ablate
from gradatim.session.switches import switches
from gradatim.tasks import TASKS

TABLE = Table(columns=(Column(name="x", kind="numeric"),))
PICTURE = Image(channels=1, height=8, width=8)
NAMES = Category(names=("a", "b"))
FLAT, PLANES = torch.zeros(2, 3), torch.zeros(2, 1, 8, 8)


class Unsupervised(Task):
    """A task whose step has no loss of rows."""

    name, metrics = "unsupervised", {}
    suits = default_metric = step = answers = None


def work(rung: str, given, output=NAMES) -> Work:
    chosen = rung_named(rung)
    task = TASKS["classify" if output is NAMES else "regress"]
    signature = Signature(input=given, output=output)
    return Work(chosen, chosen.recipe(100, signature), task, signature, "as it is")


def test_switches_of_a_rung_on_pictures():
    found = {s.name: s for s in switches(work("resnet_small", PICTURE), PLANES)}
    assert {"without weight_decay", "without normalisation", "without shift"} <= found.keys()
    assert {"without early_stopping", "with dropout=0.2", "with mixup=0.2"} <= found.keys()
    assert {"with normalisation=layer", "with flip=yes", "with l2=0.001"} <= found.keys()
    assert not any(s.on != s.name.startswith("without") for s in found.values())
    assert found["without normalisation"].changes == {"model": {"normalisation": "none"}}
    assert found["with cutout=0.25"].changes == {"augmentation": {"cutout": 0.25}}


def test_switches_that_mean_nothing_are_left_out():
    names = {s.regulariser for s in switches(work("mlp", TABLE), FLAT)}
    assert {"dropout", "noise", "mixup", "label_smoothing"} <= names
    assert not names & {"shift", "flip", "crop", "rotation", "cutout"}
    quantity = Quantity(names=("y",))
    names = {s.regulariser for s in switches(work("mlp", TABLE, quantity), FLAT)}
    assert "label_smoothing" not in names
    with pytest.raises(ConfigError, match="flip means nothing"):
        switches(work("mlp", TABLE), FLAT, ["flip"])
    with pytest.raises(ConfigError, match='did you mean "dropout"'):
        switches(work("mlp", TABLE), FLAT, ["dropuot"])


def test_what_has_no_loss_of_rows_is_not_stopped_early():
    """An adversary and a player of games hold no rows out, so there is nothing to switch."""
    base = work("mlp", TABLE)
    names = {s.regulariser for s in switches(replace(base, task=Unsupervised()), FLAT)}
    assert "early_stopping" not in names
    assert names >= {"dropout", "weight_decay"}


def test_what_a_network_of_games_reads_is_known_without_playing():
    game, actions = Game(name="no such game", shape=(4, 10, 10)), Actions(names=("a", "b"))
    base = replace(work("mlp", TABLE), signature=Signature(input=game, output=actions))
    samples = Samples(torch.arange(9)[:, None], torch.zeros(9, 1))
    data = SimpleNamespace(samples=samples)
    place = SimpleNamespace(data=data, split=SimpleNamespace(training=np.array([2, 5])))
    seeds = features_of(place, base)
    assert seeds.tolist() == [[2], [5]]
    names = {s.regulariser for s in switches(base, seeds)}
    assert not names & {"noise", "mixup", "shift", "cutout", "label_smoothing"}


def test_translations_have_label_smoothing():
    text = Text(length=3, alphabet="ab")
    signature = Signature(input=text, output=Translation(length=3, alphabet="xy"))
    base = replace(work("mlp", TABLE), signature=signature)
    names = {s.regulariser for s in switches(base, torch.zeros(2, 3, dtype=torch.int64))}
    assert "label_smoothing" in names
    assert not names & {"noise", "mixup", "shift"}


def test_a_switch_follows_the_recipe_that_is_looked_at():
    base = replace(work("mlp", TABLE), recipe=Recipe(l2=0.3, validation=0.0))
    found = [(s.name, s.value) for s in switches(base, FLAT, ["l2", "early_stopping"])]
    assert found == [("without l2", 0.3), ("with early_stopping=0.1", 0.1)]


@pytest.mark.parametrize(("on", "effect", "low", "high"), [(True, -2, -3, -1), (False, 2, 1, 3)])
def test_an_effect_is_with_minus_without(on, effect, low, high):
    row = {"score": 1.0, "status": "ok", "reason": None, "remedy": None}
    row["reference"] = {"difference": 2.0, "low": 1.0, "high": 3.0, "p_holm": 0.01}
    told = effect_of(row, on)
    assert (told["effect"], told["low"], told["high"]) == (effect, low, high)
    assert told["verdict"] == ("hurts" if on else "helps")
    row["reference"]["p_holm"] = 0.05
    assert effect_of(row, on)["verdict"] == "not shown"


def test_folds_that_all_differ_alike_prove_nothing():
    row = {"score": 1.0, "status": "ok", "reason": None, "remedy": None}
    row["reference"] = {"difference": 0.05, "low": 0.05, "high": 0.05, "p_holm": 0.0}
    told = effect_of(row, False)
    assert (told["effect"], told["p_holm"], told["verdict"]) == (0.05, None, "not shown")


def test_a_variant_without_a_score_has_no_effect():
    row = {"score": None, "status": "failed", "reason": "NaN", "remedy": "", "reference": None}
    told = effect_of(row, True)
    assert (told["effect"], told["verdict"], told["reason"]) == (None, "failed", "NaN")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ablation") / "run"
    return ablate("iris", out=folder, **ASKED), folder


ASKED = {
    "rung": "mlp",
    "only": ["dropout", "label_smoothing", "noise"],
    "folds": 3,
    "settings": ["epochs=4", "model.width=16", "augmentation.noise=3.0"],
}


def test_effects_are_the_paired_differences_of_the_folds(finished):
    result, folder = finished
    board = json.loads((folder / "ablation.json").read_text())
    assert board == json.loads(json.dumps(result.board, default=str))
    names = [e["name"] for e in board["effects"]]
    assert names == ["without dropout", "without noise", "with label_smoothing=0.1"]

    def folds(name: str) -> list[float]:
        files = sorted((folder / "fits" / name).glob("*/result.json"))
        return [json.loads(f.read_text())["scores"][board["metric"]] for f in files]

    base = folds("as it is")
    for effect in board["effects"]:
        sign = -1 if effect["on"] else 1
        paired = [sign * (a - b) for a, b in zip(folds(effect["name"]), base, strict=True)]
        assert len(paired) == 3
        assert effect["effect"] == pytest.approx(sum(paired) / 3)
        # Rows of a fold over rows that it learns from: three folds, which copies make uneven.
        low, high = corrected_interval(paired, 0.5)
        assert effect["low"] == pytest.approx(low, rel=1e-3)
        assert effect["high"] == pytest.approx(high, rel=1e-3)
        assert effect["spoken"] in effect["sentence"]


def test_only_the_switched_setting_differs(finished):
    _, folder = finished
    works = json.loads((folder / "question.json").read_text())["works"]
    base = works["as it is"]
    assert base["recipe"]["augmentation"]["noise"] == 3.0
    assert works["without noise"]["recipe"]["augmentation"]["noise"] == 0.0
    assert works["without noise"]["rung"] == base["rung"]
    assert works["without dropout"]["rung"] == base["rung"] | {"dropout": 0.0}
    assert works["without dropout"]["recipe"] == base["recipe"]


def test_the_page_shows_every_effect(finished):
    result, _ = finished
    page = result.report.read_text()
    assert "<svg" in page
    for effect in result.board["effects"]:
        assert effect["spoken"] in page
    assert ">None<" not in page


def test_an_ablation_that_was_cut_off_reuses_its_fits(tmp_path):
    folder, seen = tmp_path / "run", []

    def cut(event) -> None:
        seen.append(event)
        if event.kind == "fitted":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ablate("iris", out=folder, watch=cut, **ASKED)
    kinds: list[str] = []
    result = ablate("iris", out=folder, watch=lambda e: kinds.append(e.kind), **ASKED)
    assert kinds.count("reused") >= 1
    assert kinds.count("reused") + kinds.count("fitted") == 4 * 3
    assert len(result.board["effects"]) == 3


def test_a_solved_rung_has_no_recipe(tmp_path):
    with pytest.raises(ConfigError, match="solved"):
        ablate("iris", rung="ridge", out=tmp_path / "run")

"""Order, budget, failures and forecasts of the climb, with planned times instead of a clock."""

import json
import math
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import gradatim.compare.climb as room
import gradatim.compare.fits as fit_room
from gradatim.compare.bundles import bundled
from gradatim.compare.climb import climb
from gradatim.compare.fits import fit_fold
from gradatim.compare.forecast import Forecast, forecast
from gradatim.compare.job import Job, Work, samples_of
from gradatim.core.recipe import Recipe
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Signature, Table
from gradatim.core.task import Supervised
from gradatim.data.splits import Fold, Partition
from gradatim.models import RUNGS
from gradatim.tasks import TASKS

SIGNATURE = Signature(
    input=Table(columns=(Column(name="x", kind="numeric"), Column(name="y", kind="numeric"))),
    output=Category(names=("no", "yes")),
)


def rows(count: int = 60) -> dict[str, np.ndarray]:
    inputs = np.random.default_rng(0).normal(size=(count, 2))
    return {"inputs": inputs, "targets": (inputs[:, 0] > 0).astype(np.int64)}


def work(name: str, **recipe: object) -> Work:
    rung, task = RUNGS[name].of_size("tiny"), TASKS["classify"]
    return Work(rung, Recipe.parse({"epochs": 3, **recipe}), task, SIGNATURE)


def partition(count: int = 60, folds: int = 3) -> Partition:
    checks = np.array_split(np.arange(count), folds)
    everything = np.arange(count)
    cuts = [Fold(0, i, np.setdiff1d(everything, c), c) for i, c in enumerate(checks)]
    return Partition(everything, np.arange(0), tuple(cuts))


def events(folder, names, planned, deadline=math.inf):
    works = [work(name) for name in names]
    told = {name: Forecast(seconds) for name, seconds in planned.items()}
    return list(climb(works, rows(), partition(), folder, told, deadline))


def test_cheapest_first_and_every_fold_of_every_rung(tmp_path):
    planned = {"majority": 0.2, "linear": 0.1, "ridge": 0.3}
    happened = events(tmp_path, planned, planned)
    order = [e.rung for e in happened if e.kind == "planned"]
    assert order == ["linear", "majority", "ridge"]
    fitted = sorted((e.rung, e.fold) for e in happened if e.kind == "fitted")
    assert fitted == [(name, f"0-{i}") for name in sorted(planned) for i in range(3)]
    assert {e.folds for e in happened} == {3}


def test_a_rung_that_would_end_after_the_deadline_is_skipped(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "workers", lambda crew: 2)
    planned = {"majority": 0.0, "linear": 0.0, "ridge": 10_000.0}
    happened = events(tmp_path, planned, planned, time.monotonic() + 5000)
    (skipped,) = [e for e in happened if e.kind == "skipped"]
    assert skipped.rung == "ridge"
    assert skipped.reason == "needs about 333.3 minutes"
    assert not (tmp_path / "fits" / "ridge").exists()
    assert sum(e.kind == "fitted" for e in happened) == 6


def test_rounds_of_side_by_side_fits_decide_not_their_sum(tmp_path, monkeypatch):
    """Three folds on two workers are two rounds: with the last fit (125 s) and 4 s, 329 s."""
    planned = {"linear": 100.0}
    monkeypatch.setattr(room, "workers", lambda crew: 2)
    happened = events(tmp_path / "two", planned, planned, time.monotonic() + 340)
    assert [e.kind for e in happened].count("fitted") == 3
    monkeypatch.setattr(room, "workers", lambda crew: 1)
    happened = events(tmp_path / "one", planned, planned, time.monotonic() + 340)
    assert [e.kind for e in happened] == ["planned", "skipped"]


def test_finished_fits_cost_no_time(tmp_path):
    """What is there already is reused, even when the rung as a whole would not fit the time."""
    events(tmp_path, ["linear"], {"linear": 0.0})
    again = events(tmp_path, ["linear"], {"linear": 1e9}, time.monotonic())
    assert [e.kind for e in again] == ["planned", "reused", "reused", "reused"]
    assert all(e.result["scores"]["accuracy"] > 0.5 for e in again if e.kind == "reused")


def test_workers_write_where_the_climb_was_asked_wherever_they_live(tmp_path, monkeypatch):
    """Workers outlive a climb; a relative folder must not be taken from where they began."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        happened = events(room.Path("run"), ["majority"], {"majority": 0.0})
        assert sum(e.kind == "fitted" for e in happened) == 3
        assert len(list((tmp_path / name / "run").glob("fits/majority/*/complete.json"))) == 3


@pytest.fixture
def here(monkeypatch):
    """`fit_fold` in this process, which it must not change."""
    monkeypatch.setattr(fit_room, "behave", lambda: None)


def job(folder, name: str, **recipe: object) -> Job:
    return Job(work(name, **recipe), folder, 0, 0, np.arange(40), np.arange(40, 60))


def test_a_fit_leaves_all_that_a_report_needs(tmp_path, here):
    result = fit_fold(job(tmp_path, "mlp", epochs=5), rows())
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        *("complete.json", "predictions.npy", "records.jsonl", "result.json"),
    ]
    assert json.loads((tmp_path / "result.json").read_text()) == result
    said = np.load(tmp_path / "predictions.npy")
    assert said.shape == (20, 2)
    assert result["scores"]["accuracy"] == np.mean(said.argmax(1) == rows()["targets"][40:])
    assert result["epochs"] == len((tmp_path / "records.jsonl").read_text().splitlines()) == 5
    assert set(result["costs"]) >= {"parameters", "multiply_adds", "bytes"}


@pytest.mark.parametrize("error", [MemoryError(), ValueError("no\nway" * 200), ArithmeticError()])
def test_a_fit_that_fails_is_a_result_too(tmp_path, here, monkeypatch, error):
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(fit_room, "fit_one", fail)
    result = fit_fold(job(tmp_path, "linear"), rows())
    assert result["failed"].startswith(type(error).__name__)
    assert len(result["failed"]) <= 300
    assert json.loads((tmp_path / "complete.json").read_text()).keys() == {"result.json"}


def test_predictions_that_are_no_numbers_fail_the_fit(tmp_path, here, monkeypatch):
    monkeypatch.setattr(Supervised, "answers", lambda task, model, s: np.full((20, 2), np.nan))
    assert "NaN" in fit_fold(job(tmp_path, "linear"), rows())["failed"]


def test_samples_for_a_worker_are_copies_of_the_chosen_rows():
    whole = rows() | {"groups": np.arange(60), "times": np.arange(60.0)}
    part = samples_of(whole, np.array([3, 1]))
    assert part.groups.tolist() == [3, 1]
    assert part.times.tolist() == [3.0, 1.0]
    part.inputs.fill_(0)
    assert whole["inputs"][3].any()


# --- forecasts ------------------------------------------------------------------------------------


def samples(count: int) -> Samples:
    whole = rows(count)
    return Samples(torch.from_numpy(whole["inputs"]), torch.from_numpy(whole["targets"]))


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test turns: `clock.now += seconds`."""
    import gradatim.compare.forecast as forecast_room

    class Clock:
        now = 0.0

        def perf_counter(self) -> float:
            return self.now

    turned = Clock()
    monkeypatch.setattr(forecast_room, "time", turned)
    return turned


def predicted(rung, count: int, **recipe: object) -> float:
    asked = Recipe.parse({"epochs": 10, "batch": 10, "validation": 0.0, **recipe})
    return forecast(rung, TASKS["classify"], samples(count), SIGNATURE, asked).alone


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_a_solver_is_extended_by_the_power_that_was_seen(clock, monkeypatch, power):
    kind = RUNGS["linear"]

    def solve(self, part: Samples, signature: Signature, seed: int) -> None:
        clock.now += 1e-9 * len(part) ** power

    monkeypatch.setattr(kind, "solve", solve)
    assert predicted(kind(), 4000) == pytest.approx(1e-9 * 4000**power, rel=1e-6)


def test_a_solver_is_never_taken_for_cheaper_than_linear(clock, monkeypatch):
    kind = RUNGS["linear"]

    def solve(self, part: Samples, signature: Signature, seed: int) -> None:
        clock.now += 1.0  # the same for 125 and 500 rows

    monkeypatch.setattr(kind, "solve", solve)
    assert predicted(kind(), 5000) == pytest.approx(10.0)


def test_the_first_call_pays_for_imports_and_does_not_count(clock, monkeypatch):
    kind, calls = RUNGS["linear"], []

    def solve(self, part: Samples, signature: Signature, seed: int) -> None:
        calls.append(len(part))
        clock.now += 100.0 if len(calls) == 1 else 1.0 * len(part)

    monkeypatch.setattr(kind, "solve", solve)
    assert predicted(kind(), 100) == pytest.approx(100.0)
    assert calls == [100, 100]


def test_a_network_is_extended_to_its_last_step(clock, monkeypatch):
    from gradatim.train.fitting import Fitting

    def move(self) -> None:
        clock.now += 0.01

    monkeypatch.setattr(Fitting, "move", move)
    tiny = RUNGS["mlp"].of_size("tiny")
    # 200 rows in batches of 10, 10 epochs: 200 steps.
    assert predicted(tiny, 200) == pytest.approx(2.0)
    assert predicted(tiny, 200, epochs=30) == pytest.approx(6.0)
    assert predicted(tiny, 400) == pytest.approx(4.0)


@pytest.mark.parametrize("name", ["majority", "svm", "boosted_trees", "mlp"])
def test_a_forecast_of_the_real_thing_is_a_positive_number(name):
    assert 0 < predicted(RUNGS[name].of_size("tiny"), 80) < math.inf


def test_a_rung_that_cannot_even_be_timed_is_tried_first(monkeypatch):
    """Its folds will say what is wrong; the others are not held up."""

    def fail(*arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(fit_room, "behave", lambda: None)
    monkeypatch.setattr(room, "behave", lambda: None)
    monkeypatch.setattr(room, "forecast", fail)
    assert room._forecast(work("linear"), rows(), np.arange(40), 3) == Forecast(0.0)


def test_folds_of_a_dense_network_are_timed_as_a_stack_and_the_faster_way_is_taken():
    rung = RUNGS["mlp"].of_size("tiny")
    recipe = Recipe.parse({"epochs": 10, "batch": 10})
    told = forecast(rung, TASKS["classify"], samples(200), SIGNATURE, recipe, 5)
    assert told.stacked is not None
    assert told.together, "five tiny folds cost little more than one"
    assert told.seconds == told.stacked
    slow = replace(told, stacked=1.3 * told.alone)
    assert not slow.together
    assert slow.seconds == slow.alone


def stacked(folder, names=("mlp",), planned=None, **recipe: object):
    works = [work(name, **recipe) for name in names]
    told = planned or {name: Forecast(0.2, 0.1 if name == "mlp" else None) for name in names}
    return list(climb(works, rows(), partition(), folder, told, math.inf))


def test_stacked_folds_leave_what_folds_alone_leave(tmp_path):
    alone = stacked(tmp_path / "alone", planned={"mlp": Forecast(0.2)}, epochs=5)
    together = stacked(tmp_path / "together", epochs=5)
    assert [e.kind for e in together] == [e.kind for e in alone] == ["planned", *["fitted"] * 3]
    sizes = [e.result.get("stacked", 1) for e in together if e.kind == "fitted"]
    assert sorted(sizes) == [1, 2, 2], "two workers take three folds: two as one model, and one"
    for fold in ("0-0", "0-1", "0-2"):
        one, other = (tmp_path / way / "fits" / "mlp" / fold for way in ("alone", "together"))
        assert sorted(p.name for p in one.iterdir()) == sorted(p.name for p in other.iterdir())
        np.testing.assert_allclose(
            np.load(one / "predictions.npy"), np.load(other / "predictions.npy"), atol=1e-4
        )
        lines = [(fit / "records.jsonl").read_text().splitlines() for fit in (one, other)]
        values = [[json.loads(line)["values"] for line in each] for each in lines]
        assert len(values[0]) == len(values[1]) == 5
        for a, b in zip(*values, strict=True):
            assert a == pytest.approx(b, rel=1e-3, abs=1e-4)
    assert not list((tmp_path / "together" / "stacks").iterdir())
    again = stacked(tmp_path / "together", epochs=5)
    assert [e.kind for e in again] == ["planned", *["reused"] * 3]


def test_rungs_alone_and_stacked_share_a_climb(tmp_path):
    happened = stacked(tmp_path, ["mlp", "linear"])
    assert sorted(e.rung for e in happened if e.kind == "fitted") == ["linear"] * 3 + ["mlp"] * 3


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("too much"), ValueError("a mistake")])
def test_a_stack_that_dies_fits_its_folds_alone_or_fails_them(tmp_path, here, monkeypatch, error):
    """Too little memory for all is enough for one; of anything else every fold says what it was."""

    def die(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(fit_room, "_fit_stack", die)
    jobs = [replace(job(tmp_path / f"0-{i}", "mlp"), fold=i) for i in range(2)]
    results = fit_room.fit_folds(jobs, rows())
    short = isinstance(error, torch.OutOfMemoryError)
    assert [("scores" in r, r.get("failed", "")) for r in results] == [
        (short, "" if short else "ValueError: a mistake")
    ] * 2
    assert all((tmp_path / f"0-{i}" / "complete.json").exists() for i in range(2))


def test_a_fold_that_cannot_begin_fails_alone(tmp_path, here):
    jobs = [replace(job(tmp_path / f"0-{i}", "mlp"), fold=i) for i in range(2)]
    wrong = replace(jobs[1].work, recipe=Recipe.parse({"augmentation": {"flip": True}}))
    results = fit_room.fit_folds([jobs[0], replace(jobs[1], work=wrong)], rows())
    assert "scores" in results[0]
    assert results[1]["failed"].startswith("ConfigError")


def test_bundles_give_every_worker_a_part_where_there_is_nothing_else():
    plan = {name: Forecast(1.0, 0.2) for name in ("a", "b")} | {"linear": Forecast(0.5)}
    jobs = [
        Job(replace(work("mlp"), variant=name), Path(), 0, fold, np.arange(2), np.arange(2))
        for name in ("a", "b")
        for fold in range(5)
    ]
    sizes = [len(bundle.jobs) for bundle in bundled(jobs, plan)]
    assert sizes == [5, 5]
    other = Job(work("linear"), Path(), 0, 0, np.arange(2), np.arange(2))
    assert [len(bundle.jobs) for bundle in bundled([other, *jobs], plan)] == [1, 10]
    assert bundled(jobs, plan)[0].seconds == pytest.approx(1.0)


def test_as_many_fits_side_by_side_as_there_are_cores_for_this_process():
    assert room.workers() == len(os.sched_getaffinity(0))

"""Fits with a folder: they go on where they were cut off, end in time, and stop when asked."""

import json
import math
import os
import signal
import time

import pytest
import torch

import gradatim.train.lasting as room
from gradatim.train.interrupts import listening
from gradatim.train.lasting import Lasting
from gradatim.train.stacked import Stacked

from .test_stacked import fitting

MEANING = {"fit": "a"}


def lines(folder) -> list[dict]:
    told = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in told]


def numbers(fit) -> dict[str, torch.Tensor]:
    fits = fit.fittings.values() if isinstance(fit, Stacked) else [fit]
    return {f"{i}.{k}": v for i, f in enumerate(fits) for k, v in f.model.state_dict().items()}


MAKERS = {
    "alone": lambda: fitting(0, settings={"dropout": 0.2}),
    "augmented": lambda: fitting(0, augmentation={"noise": 0.2, "mixup": 0.3}),
    "stacked": lambda: Stacked([fitting(s, settings={"dropout": 0.2}) for s in range(3)]),
}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("cuts", [(3,), (12,), (5, 9)], ids=["in epoch 0", "later", "twice"])
def test_a_request_to_stop_is_answered_between_steps_and_nothing_is_lost(
    tmp_path, monkeypatch, kind, cuts
):
    monkeypatch.setattr(room, "PAUSE", 0.0)  # every step is a boundary to stop at
    whole = MAKERS[kind]()
    list(Lasting(whole, tmp_path / "whole", MEANING))
    for cut in cuts:
        fit = MAKERS[kind]()
        steps = fit.run

        def run(pause, steps=steps, cut=cut):
            for k, due in enumerate(steps(pause)):
                if k == cut:
                    os.kill(os.getpid(), signal.SIGTERM)
                yield due

        fit.run = run
        with pytest.raises(KeyboardInterrupt), listening():
            list(Lasting(fit, tmp_path / "cut", MEANING))
    last = MAKERS[kind]()
    list(Lasting(last, tmp_path / "cut", MEANING))
    assert lines(tmp_path / "cut") == lines(tmp_path / "whole")
    expected = numbers(whole)
    assert all(torch.equal(v, expected[k]) for k, v in numbers(last).items())


@pytest.mark.parametrize("kind", MAKERS)
def test_a_deadline_ends_a_fit_with_what_it_has(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(room, "PAUSE", 0.0)
    fit = MAKERS[kind]()
    lasting = Lasting(fit, tmp_path, MEANING, time.monotonic())
    assert list(lasting) == []
    assert lasting.late
    assert 0 < fit.step < 6
    assert not any(
        m.training for f in (getattr(fit, "fittings", {0: fit})).values() for m in f.model.modules()
    )
    again = MAKERS[kind]()
    lasting = Lasting(again, tmp_path, MEANING, math.inf)
    list(lasting)
    assert not lasting.late
    whole = MAKERS[kind]()
    list(Lasting(whole, tmp_path / "whole", MEANING))
    expected = numbers(whole)
    assert all(torch.equal(v, expected[k]) for k, v in numbers(again).items())


def test_a_member_that_broke_stays_broken_after_a_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "PAUSE", 0.0)

    def make() -> Stacked:
        members = [fitting(s) for s in range(3)]
        members[1].draw.samples.inputs[3, 0] = torch.nan
        return Stacked(members)

    whole = make()
    list(Lasting(whole, tmp_path / "whole", MEANING))
    first = make()
    Lasting(first, tmp_path / "cut", MEANING, time.monotonic())
    cut = Lasting(first, tmp_path / "cut", MEANING)
    for k, _ in enumerate(cut):
        if k == 3:
            break
    cut.store.save(first.step, first.state_dict(), records=cut.records)
    cut.store.wait()
    last = make()
    list(Lasting(last, tmp_path / "cut", MEANING))
    assert {i: str(e) for i, e in last.failed.items()} == {
        i: str(e) for i, e in whole.failed.items()
    }
    assert lines(tmp_path / "cut") == lines(tmp_path / "whole")


def test_too_little_memory_cuts_the_batch_and_keeps_its_mean(monkeypatch):
    """The first attempts find no memory; pieces of the same batch give the same step."""
    plain, short = (fitting(0, settings={"dropout": 0.0}) for _ in range(2))
    network, sizes = short.model.network, []
    forward = network.forward

    def narrow(inputs):
        sizes.append(len(inputs))
        if network.training and len(inputs) > 5:
            raise torch.OutOfMemoryError("no memory for more than five rows")
        return forward(inputs)

    monkeypatch.setattr(network, "forward", narrow)
    plain.move()
    short.move()
    assert short.learner.pieces == 4
    assert sizes[:2] == [16, 8]
    assert sizes[2:6] == [4, 4, 4, 4]
    for a, b in zip(network.parameters(), plain.model.network.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    assert int(short.state_dict()["learner.pieces"]) == 4


def test_features_that_are_too_many_are_made_a_batch_at_a_time(monkeypatch):
    """The bits are the same, alone and stacked; what is kept are the inputs."""
    import gradatim.train.fitting as fitting_room

    kept = [fitting(s) for s in range(2)]
    monkeypatch.setattr(fitting_room, "MOST", 0)
    late, stacked = ([fitting(s) for s in range(2)] for _ in range(2))
    assert late[0].draw.samples.inputs.dtype == torch.float64, "raw cells of the table"
    records = [list(fit) for fit in kept]
    assert [[r.values for r in fit] for fit in late] == [[r.values for r in own] for own in records]
    list(Stacked(stacked))
    for one, other, third in zip(kept, late, stacked, strict=True):
        for name, tensor in one.model.state_dict().items():
            assert torch.equal(tensor, other.model.state_dict()[name])
            torch.testing.assert_close(tensor, third.model.state_dict()[name], rtol=2e-3, atol=2e-4)


def test_a_row_that_is_too_large_for_the_memory_is_an_error(monkeypatch):
    fit = fitting(0)

    def never(inputs):
        raise torch.OutOfMemoryError("none at all")

    monkeypatch.setattr(fit.model.network, "forward", never)
    with pytest.raises(torch.OutOfMemoryError):
        fit.move()

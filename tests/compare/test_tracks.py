"""Costs and losses of variants, from records that are written out here."""

import json

import pytest

from gradatim.compare.tracks import Track, common_level, read_track


def records(folder, losses, evaluations=1.0, held=None):
    folder.mkdir(parents=True)
    lines = []
    for k, loss in enumerate(losses, 1):
        values = {"loss": loss, "evaluations": evaluations}
        if held:
            values["validation_loss"] = held[k - 1]
        lines.append(json.dumps({"step": 10 * k, "seconds": 0.5 * k, "values": values}))
    (folder / "records.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def test_means_over_folds_as_far_as_all_go(tmp_path):
    fits = [
        records(tmp_path / "a", [4.0, 2.0, 1.0], held=[5.0, 3.0, 2.0]),
        records(tmp_path / "b", [2.0, 1.0], held=[3.0, 2.0]),
    ]
    track = read_track(fits)
    assert track.loss == [3.0, 1.5]
    assert track.watched == [4.0, 2.5]
    assert track.steps == [10, 20]
    assert track.seconds == [0.5, 1.0]


def test_passes_add_up_what_a_step_cost(tmp_path):
    """A record is an epoch, one pass over the rows: 2.5 gradients a step are 2.5 passes."""
    track = read_track([records(tmp_path / "a", [3.0, 2.0, 1.0], evaluations=2.5)])
    assert track.passes == [2.5, 5.0, 7.5]
    assert track.watched == track.loss, "nothing was held out"


def track(*losses: float) -> Track:
    count = range(1, len(losses) + 1)
    return Track([10 * k for k in count], [k / 2 for k in count], list(count), losses, losses)


def test_the_common_level_is_what_at_least_half_reached():
    tracks = [track(3.0, 1.0), track(3.0, 2.0), track(2.5, 4.0), track(9.0, 8.0)]
    assert common_level(tracks) == 2.5
    assert sum(t.reached(2.5) is not None for t in tracks) == 3
    assert common_level([track(3.0, 1.0), track(2.0, 2.0)]) == 2.0
    assert common_level([]) is None


def test_what_a_level_cost_is_that_of_the_first_epoch_there():
    found = track(5.0, 2.0, 3.0, 1.0).reached(2.0)
    assert found == {"steps": 20, "seconds": 1.0, "passes": 2}
    assert track(5.0, 2.1).reached(2.0) is None


def test_a_level_is_no_level_of_nan():
    assert track(float("nan"), 2.0).reached(2.0) == pytest.approx(
        {"steps": 20, "seconds": 1.0, "passes": 2}
    )

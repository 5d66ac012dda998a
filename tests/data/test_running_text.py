"""Windows of a running text: a function of the step, in order, and all of the text."""

import pytest
import torch

from gradatim.core.errors import ConfigError
from gradatim.core.recipe import Recipe
from gradatim.core.samples import Samples
from gradatim.data.running_text import RunningText
from gradatim.layers.text.tokens import BEGIN


def passages(rows: int = 20, length: int = 13, numbers: list[int] | None = None) -> Samples:
    tokens = torch.arange(rows * length).reshape(rows, length) + 100  # each token is met once
    return Samples(tokens, tokens, numbers=None if numbers is None else torch.tensor(numbers))


def draw(samples: Samples | None = None, **changes: object) -> RunningText:
    recipe = Recipe.parse({"batch": 4, "window": 8, "seed": 3, **changes})
    return RunningText(samples or passages(), recipe)


def test_a_batch_is_a_function_of_the_step_alone():
    one, other = draw(), draw()
    later = [other(step) for step in (9, 2, 17)]
    for step, batch in zip((9, 2, 17), later, strict=True):
        assert torch.equal(one(step).inputs, batch.inputs)
        assert torch.equal(one(step).targets, batch.targets)
    assert not torch.equal(draw(seed=4)(0).inputs, one(0).inputs)


def test_targets_are_the_tokens_after_the_inputs():
    batch = draw()(0)
    assert batch.inputs.shape == batch.targets.shape == (4, 8)
    assert torch.equal(batch.inputs[:, 1:], batch.targets[:, :-1])


def test_windows_of_a_stream_go_on_where_the_last_one_ended():
    text = draw()
    assert text.per_epoch == 20 * 13 // (4 * 8)
    for step in range(1, text.per_epoch):
        before, now = text(step - 1), text(step)
        assert now.times.tolist() == [8.0 * step] * 4
        for row in range(4):
            assert now.inputs[row, 0] in (before.targets[row, -1], BEGIN)
    assert text(text.per_epoch).times.tolist() == [0.0] * 4


def test_an_epoch_meets_a_token_at_most_once_and_nearly_all_of_them():
    text = draw()
    for epoch in range(3):
        steps = range(epoch * text.per_epoch, (epoch + 1) * text.per_epoch)
        met = torch.cat([text(step).targets.flatten() for step in steps])
        assert len(met.unique()) == len(met) == text.per_epoch * 32


def test_epochs_begin_elsewhere():
    text = draw()
    first = {int(text(epoch * text.per_epoch).targets[0, 0]) for epoch in range(6)}
    assert len(first) > 3


def test_what_does_not_go_on_has_a_beginning_before_it():
    """Rows 0 and 1 are of one place, 2 and 3 of another: two beginnings in the ring."""
    text = draw(passages(4, numbers=[5, 6, 11, 12]), batch=1, window=52)
    batch = text(0)
    order = torch.argsort(batch.targets[0])
    assert batch.targets[0, order].tolist() == list(range(100, 152))
    assert (batch.inputs[0] == BEGIN).sum() == 2
    begun = batch.targets[0][batch.inputs[0] == BEGIN]
    assert sorted(begun.tolist()) == [100, 100 + 2 * 13]


def test_a_window_knows_the_row_it_begins_in():
    samples = passages(6, numbers=[40, 41, 42, 50, 51, 52])
    batch = draw(samples)(1)
    rows = samples.numbers[(batch.targets[:, 0] - 100) // 13]
    assert torch.equal(batch.numbers, rows)


def test_a_short_text_has_fewer_streams_and_shorter_windows():
    text = draw(passages(1, 5), batch=64, window=128)
    assert (text.size, text.window, text.per_epoch) == (1, 5, 1)
    assert text(7).inputs.shape == (1, 5)


def test_pads_are_no_tokens():
    tokens = torch.tensor([[5, 6, 0], [7, 0, 0], [8, 9, 4]])
    text = draw(Samples(tokens, tokens), batch=1, window=6)
    assert sorted(text(0).targets[0].tolist()) == [4, 5, 6, 7, 8, 9]


def test_augmentation_is_refused():
    with pytest.raises(ConfigError, match="a text is not changed"):
        draw(augmentation={"noise": 0.1})

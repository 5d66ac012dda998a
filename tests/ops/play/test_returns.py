"""Returns over several moves, and the memory that they are drawn from."""

from dataclasses import fields

import pytest
import torch

from gradatim.ops.play.replay import Replay, empty
from gradatim.ops.play.returns import CUT, GOES_ON, OVER, RESTS, n_step


def by_hand(rewards, ends, gamma):
    """The definition, move by move."""
    total, discount = 0.0, 1.0
    for moves, (reward, end) in enumerate(zip(rewards, ends, strict=True), 1):
        total += discount * reward
        discount *= gamma
        if end == OVER:
            return total, 0.0, moves
        if end == CUT:
            return total, discount, moves
    return total, discount, len(rewards)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_n_step_returns_are_those_of_the_definition(n):
    chance = torch.Generator().manual_seed(n)
    rewards = torch.rand(200, n, generator=chance)
    ends = torch.randint(0, 6, (200, n), generator=chance)
    ends = torch.where(ends > CUT, GOES_ON, ends).to(torch.uint8)
    said = n_step(rewards, ends, 0.9)
    for row in range(200):
        expected = by_hand(rewards[row].tolist(), ends[row].tolist(), 0.9)
        assert [float(part[row]) for part in said] == pytest.approx(list(expected), abs=1e-5)


def test_the_time_limit_is_not_the_end_of_the_future():
    """A pitfall: a game that was cut is bootstrapped, one that is over is not."""
    ends = torch.tensor([[CUT], [OVER]], dtype=torch.uint8)
    _, discounts, _ = n_step(torch.zeros(2, 1), ends, 0.99)
    assert discounts.tolist() == pytest.approx([0.99, 0.0])


def told(replay: Replay, moments: int, games: int) -> None:
    """Write rows whose numbers say which moment and game they are."""
    for t in range(moments):
        seen = torch.stack([torch.full((3,), 10.0 * t + g) for g in range(games)])
        actions = torch.arange(games) % 2
        ends = torch.full((games,), RESTS if t % 5 == 4 else GOES_ON, dtype=torch.uint8)
        replay.add(seen, actions, torch.full((games,), float(t)), ends)


@pytest.mark.parametrize("moments", [12, 47])
def test_a_draw_is_a_moment_and_what_followed_on_it(moments):
    """Also after the ring has gone round: 47 moments in a memory of 20."""
    replay = Replay(empty(20, 4, (3,), 0.0, stacked=False), (3,), 0.0, stacked=False)
    told(replay, moments, 4)
    torch.manual_seed(0)
    drawn = replay.draw(3000, 1, 0.5)
    seen = replay.seen(drawn.now)[:, 0]
    t, game = seen.div(10, rounding_mode="floor"), seen % 10
    assert torch.equal(drawn.now, (4 * t + game).long())
    assert torch.equal(drawn.returns, t)
    assert torch.equal(replay.seen(drawn.later)[:, 0], seen + 10)
    assert torch.equal(drawn.actions, (game % 2).long())
    assert torch.equal(drawn.weights, (t % 5 != 4).float())
    assert t.min() == max(0, moments - 20)
    assert t.max() == moments - 2, "what follows on the newest is not known yet"
    assert len(seen.unique()) == 4 * (min(moments, 20) - 1)


def test_a_draw_is_split_row_by_row():
    replay = Replay(empty(20, 4, (3,), 0.0, stacked=False), (3,), 0.0, stacked=False)
    told(replay, 12, 4)
    drawn = replay.draw(10, 2, 0.5)
    parts = drawn.split(4)
    assert [len(part.now) for part in parts] == [4, 4, 2]
    for field in fields(drawn):
        whole = torch.cat([getattr(part, field.name) for part in parts])
        assert torch.equal(whole, getattr(drawn, field.name))


def test_planes_of_squares_take_a_bit_each_and_come_back():
    tensors = empty(6, 2, (4, 10, 10), 1.0, stacked=False)
    replay = Replay(tensors, (4, 10, 10), 1.0, stacked=False)
    planes = torch.randint(0, 2, (6, 2, 4, 10, 10), generator=torch.Generator().manual_seed(3))
    for row in planes.to(torch.uint8):
        going = torch.zeros(2, dtype=torch.uint8)
        replay.add(row, torch.zeros(2).long(), torch.zeros(2), going)
    assert tensors["seen"].shape == (6, 2, 50)
    t, game = torch.arange(6).repeat(2), torch.arange(2).repeat_interleave(6)
    assert torch.equal(replay.seen(2 * t + game).long(), planes[t, game])


def test_pictures_are_stacked_anew_and_never_across_games():
    """One picture a moment is kept; before a game's first there are zeros."""
    stack, side = 3, 2
    shape = (stack, side, side)
    replay = Replay(empty(50, 1, shape, 255.0, stacked=True), shape, 255.0, stacked=True)
    shown, history = [], torch.zeros(1, stack, side, side, dtype=torch.uint8)
    for t in range(30):
        if t % 7 == 0:
            history = torch.zeros_like(history)
        history = torch.cat([history[:, 1:], torch.full((1, 1, side, side), t + 1).byte()], 1)
        shown.append(history[0])
        rests = torch.tensor([RESTS if t % 7 == 6 else GOES_ON], dtype=torch.uint8)
        replay.add(history, torch.zeros(1).long(), torch.zeros(1), rests)
    assert torch.equal(replay.seen(torch.arange(30)), torch.stack(shown))

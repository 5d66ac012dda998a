"""Breakout on 10 x 10 squares: its rules, its chance, its state."""

import pytest
import torch

from gradatim.data.games.breakout10 import STICKY, Breakout10
from gradatim.layers.play.rules import FollowTheBall


def returns(policy, games: int = 1000) -> torch.Tensor:
    """Full returns of games with the seeds 0, 1, ..."""
    played = Breakout10(games)
    seen, gained = played.reset(torch.arange(games)), torch.zeros(games)
    playing = torch.ones(games, dtype=torch.bool)
    while playing.any():
        step = played.step(policy(seen))
        seen, gained = step.seen, gained + step.rewards
        playing &= ~(step.over | step.cut)
    return gained


def test_chance_scores_what_is_known_of_it():
    """0.42 in MinAtar, of whose six actions four do nothing; 5 standard errors."""
    chance = torch.Generator().manual_seed(0)
    weights = torch.tensor([4.0, 1.0, 1.0])
    said = returns(lambda seen: weights.multinomial(len(seen), True, generator=chance))
    assert abs(said.mean() - 0.42) < 5 * said.std() / 1000**0.5


def test_following_the_ball_scores_what_is_known_of_it():
    """10.8 as measured with MinAtar; 4 standard errors of both."""
    rule = FollowTheBall()
    said = returns(lambda seen: rule(seen.float()).argmax(1))
    assert abs(said.mean() - 10.8) < 4 * (2 * said.var() / 1000) ** 0.5


def one(**state: int) -> Breakout10:
    """One game in a state of one's choice, without bricks, that no chance will touch."""
    game = Breakout10(1)
    game.reset(torch.tensor([0]))
    for name, value in state.items():
        game.state[name] = torch.tensor([value])
    game.state["bricks"] = torch.zeros(1, 30, dtype=torch.bool)
    return game


def ball(game: Breakout10) -> tuple[int, ...]:
    return tuple(int(game.state[name]) for name in ("x", "y", "across", "down"))


def test_the_ball_keeps_to_its_diagonal():
    game = one(x=3, y=4, across=1, down=1)
    game.step(torch.tensor([0]))
    assert ball(game) == (4, 5, 1, 1)


def test_a_wall_turns_the_ball_and_holds_it_in_its_column():
    game = one(x=9, y=5, across=1, down=-1)
    game.step(torch.tensor([0]))
    assert ball(game) == (9, 4, -1, -1)


def test_a_brick_breaks_once_and_turns_the_ball():
    game = one(x=2, y=4, across=1, down=-1)
    game.state["bricks"][0, 2 * 10 + 3] = True  # row 3, column 3
    step = game.step(torch.tensor([0]))
    assert step.rewards.tolist() == [1.0]
    assert ball(game) == (3, 4, 1, 1)
    assert not game.state["bricks"].any()


def test_the_ball_passes_a_brick_right_behind_one_that_it_broke():
    game = one(x=2, y=4, across=1, down=-1)
    game.state["bricks"][0, 2 * 10 + 3] = True
    game.state["struck"] = torch.tensor([True])
    step = game.step(torch.tensor([0]))
    assert step.rewards.tolist() == [0.0]
    assert ball(game) == (3, 3, 1, -1)
    assert game.state["bricks"].sum() == 1


@pytest.mark.parametrize(("paddle", "across"), [(4, 1), (5, -1)])
def test_the_paddle_sends_the_ball_up_or_back(paddle, across):
    game = one(x=4, y=8, across=1, down=1, paddle=paddle)
    step = game.step(torch.tensor([0]))
    assert not step.over.any()
    assert ball(game) == (5, 8, across, -1)


def test_three_new_rows_come_when_none_is_left_and_the_ball_is_down():
    game = one(x=4, y=8, across=1, down=1, paddle=4)
    game.step(torch.tensor([0]))
    assert game.state["bricks"].all()


def test_a_lost_ball_ends_the_game_which_then_rests():
    game = one(x=4, y=8, across=1, down=1, paddle=0)
    game.state["last"] = torch.tensor([0])
    step = game.step(torch.tensor([0]))
    assert step.over.tolist() == [True]
    for _ in range(3):
        step = game.step(torch.tensor([0]))
        assert not step.over.any()
        assert not step.rewards.any()


def test_the_time_limit_cuts_and_does_not_end():
    game = Breakout10(1, limit=5)
    game.reset(torch.tensor([3]))
    cuts, overs = [], []
    for _ in range(8):
        step = game.step(torch.tensor([0]))
        cuts.append(bool(step.cut))
        overs.append(bool(step.over))
    assert cuts == [False] * 4 + [True] + [False] * 3
    assert not any(overs)


def test_actions_stick_as_often_as_they_should():
    """Of 4000 games at the left wall told to go right, a tenth stays; 5 standard errors."""
    games = Breakout10(4000)
    games.reset(torch.arange(4000))
    games.step(torch.ones(4000, dtype=torch.int64))
    before = games.state["paddle"].clone()
    games.step(torch.full((4000,), 2))
    stuck = (games.state["paddle"] < before).double().mean()
    assert abs(stuck - STICKY) < 5 * (STICKY * (1 - STICKY) / 4000) ** 0.5


def test_a_game_is_a_function_of_its_seed_and_actions_alone():
    """The same in company, at another place and after other games."""
    actions = torch.randint(0, 3, (40,), generator=torch.Generator().manual_seed(1))
    alone, company = Breakout10(1), Breakout10(5)
    alone.reset(torch.tensor([17]))
    company.reset(torch.arange(5))
    for _ in range(10):
        company.step(torch.zeros(5, dtype=torch.int64))
    company.begin(torch.tensor([False, False, True, False, False]), torch.full((5,), 17))
    for action in actions:
        one_step, many = alone.step(action[None]), company.step(action.expand(5))
        assert torch.equal(one_step.seen[0], many.seen[2])
        assert one_step.rewards[0] == many.rewards[2]


def test_goes_on_from_its_state_with_the_same_bits():
    games, again = Breakout10(8), Breakout10(8)
    games.reset(torch.arange(8))
    for _ in range(5):
        games.step(torch.ones(8, dtype=torch.int64))
    state = {k: v.clone() for k, v in games.state_dict().items()}
    seen = again.load_state_dict(state)
    assert torch.equal(seen, games._seen())
    for action in (0, 1, 2, 2, 1, 0, 2):
        chosen = torch.full((8,), action)
        first, second = games.step(chosen), again.step(chosen)
        assert torch.equal(first.seen, second.seen)
        assert torch.equal(first.over, second.over)


def test_a_picture_shows_paddle_ball_and_bricks():
    games = Breakout10(1)
    games.reset(torch.tensor([0]))
    picture = games.picture()
    assert picture.shape == (160, 160, 3)
    assert len({tuple(pixel) for pixel in picture.reshape(-1, 3)}) == 4

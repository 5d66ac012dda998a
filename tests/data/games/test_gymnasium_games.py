"""Games of others side by side: the same as one by one, and restored by playing them again."""

import numpy as np
import pytest
import torch

from gradatim.core.errors import ConfigError
from gradatim.core.signature import Game
from gradatim.core.source import ReadOptions
from gradatim.data.games.opening import games_named, opened
from gradatim.data.sources.env import SOURCE

gymnasium = pytest.importorskip("gymnasium")
ATARI = "ALE/Breakout-v5"


def by_one(seed: int, actions: list[int]) -> tuple[list[list[float]], float]:
    """What gymnasium itself shows and gives."""
    environment = gymnasium.make("CartPole-v1")
    seen, gained = [environment.reset(seed=seed)[0].tolist()], 0.0
    for action in actions:
        after, reward, over, cut, _ = environment.step(action)
        seen.append(after.tolist())
        gained += float(reward)
        if over or cut:
            break
    return seen, gained


def test_poles_side_by_side_are_poles_one_by_one():
    actions = torch.randint(0, 2, (200,), generator=torch.Generator().manual_seed(0))
    games, seeds = games_named("CartPole-v1", 3), torch.tensor([5, 6, 7])
    shown, gained = [games.reset(seeds)], torch.zeros(3)
    for action in actions:
        step = games.step(action.expand(3))
        shown.append(step.seen)
        gained += step.rewards
    for game, seed in enumerate(seeds.tolist()):
        seen, total = by_one(seed, actions.tolist())
        ours = [picture[game].tolist() for picture in shown[: len(seen)]]
        assert ours == seen
        assert gained[game] == total
        assert torch.equal(shown[-1][game], shown[len(seen) - 1][game]), "it rests"


def test_the_time_limit_of_gymnasium_is_a_cut():
    games = games_named("MountainCar-v0", 1)
    games.reset(torch.tensor([0]))
    steps = [games.step(torch.tensor([1])) for _ in range(201)]
    assert [i for i, step in enumerate(steps) if step.cut] == [199]
    assert not any(step.over for step in steps)


def played(name: str, moves: int):
    """Games of different ages, some begun anew."""
    chance = torch.Generator().manual_seed(4)
    games = games_named(name, 4)
    games.reset(torch.arange(4))
    for move in range(moves):
        step = games.step(torch.randint(len(games.actions), (4,), generator=chance))
        ended = step.over | step.cut
        if move == moves // 2:
            ended = ended | torch.tensor([False, True, False, False])
        if ended.any():
            games.begin(ended, torch.arange(4) + 10 * move)
    return games


@pytest.mark.parametrize(("name", "moves"), [("CartPole-v1", 40), (ATARI, 30)])
def test_restored_games_go_on_with_the_same_bits(name, moves):
    if name == ATARI:
        pytest.importorskip("ale_py")
    games = played(name, moves)
    state = {k: v.clone() for k, v in games.state_dict().items()}
    again = games_named(name, 4)
    again.reset(torch.full((4,), 99))
    seen = again.load_state_dict(state)
    assert torch.equal(seen, games._now)
    for move in range(20):
        actions = torch.full((4,), move % len(games.actions))
        first, second = games.step(actions), again.step(actions)
        assert torch.equal(first.seen, second.seen)
        assert torch.equal(first.rewards, second.rewards)
        assert torch.equal(first.over, second.over)


def test_lives_are_told_and_end_no_game():
    """Five lives of Breakout: four of them are lost before the game is over."""
    pytest.importorskip("ale_py")
    games = games_named(ATARI, 2)
    seen = games.reset(torch.tensor([1, 2]))
    assert seen.shape == (2, 4, 84, 84)
    assert seen.dtype == torch.uint8
    lost, over = torch.zeros(2, dtype=torch.int64), torch.zeros(2, dtype=torch.bool)
    for _ in range(600):
        step = games.step(torch.tensor([1, 1]))  # fire
        lost += step.lost
        over |= step.over
        if over.all():
            break
    assert over.all()
    assert lost.tolist() == [5, 5]


@pytest.mark.parametrize("name", ["breakout10", "CartPole-v1"])
def test_the_source_reads_seeds(name):
    data = SOURCE.read(name, ReadOptions())
    assert len(data) == 600
    assert int(data.sealed.sum()) == 100
    assert data.samples.inputs.dtype == torch.int64
    assert data.row_names[17] == "game 17"
    assert isinstance(data.signature.input, Game)
    games = opened(data.signature.input, 2)
    seen = games.reset(data.samples.inputs[:2, 0])
    assert tuple(seen.shape[1:]) == data.signature.input.shape
    assert games.actions == data.signature.output.names


def test_a_misspelt_game_is_told_of_the_nearest():
    with pytest.raises(ConfigError, match="CartPole-v1"):
        SOURCE.read("CartPol-v1", ReadOptions())


def test_games_of_another_kind_are_refused():
    with pytest.raises(ConfigError, match="Discrete"):
        SOURCE.read("Pendulum-v1", ReadOptions())


def test_a_model_does_not_play_another_game():
    signature = SOURCE.read("breakout10", ReadOptions()).signature
    with pytest.raises(ConfigError, match="env:breakout10"):
        SOURCE.read("CartPole-v1", ReadOptions(signature=signature))


def test_a_missing_package_names_the_command(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gymnasium", None)
    with pytest.raises(ConfigError, match=r"gradatim\[games\]"):
        SOURCE.read("CartPole-v1", ReadOptions())


def test_seeds_of_any_size_begin_a_game():
    games = games_named("CartPole-v1", 2)
    seen = games.reset(torch.tensor([2**62, 2**63 - 1]))
    assert np.isfinite(seen.numpy()).all()

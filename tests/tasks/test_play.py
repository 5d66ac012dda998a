"""Play: full returns of the greedy policy, whatever else is learnt from."""

import numpy as np
import pytest
import torch
from torch import nn

from gradatim.core.errors import ConfigError, NumericError
from gradatim.core.learner import Learner
from gradatim.core.samples import Samples
from gradatim.core.signature import Actions, Game, Signature
from gradatim.data.games.games import Games, Step
from gradatim.models import RUNGS
from gradatim.models.play._acting import Acting
from gradatim.ops.play.returns import CUT, OVER, RESTS
from gradatim.tasks import play as play_room
from gradatim.tasks.play import TASK, greedy

GAME = Game(name="lives", shape=(2,))
SIGNATURE = Signature(input=GAME, output=Actions(names=("a", "b")))


class Lives(Games):
    """Seven points a move; a life is lost at every second one; the seed says when and how it ends.

    An even seed ends by the rules after as many moves as it says, an odd one by the time limit.
    """

    shape = (2,)
    actions = ("a", "b")

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.state = {"seed": torch.zeros(count).long(), "moment": torch.zeros(count).long()}

    def begin(self, which, seeds):
        self.state = {
            "seed": torch.where(which, seeds, self.state["seed"]),
            "moment": self.state["moment"].masked_fill(which, 0),
        }
        return self._seen()

    def step(self, actions):
        seed, moment = self.state["seed"], self.state["moment"]
        playing = moment < seed
        self.state = {"seed": seed, "moment": moment + playing}
        ended, odd = playing & (moment + 1 == seed), seed % 2 == 1
        lost = playing & (moment % 2 == 1)
        return Step(self._seen(), 7.0 * playing, ended & ~odd, ended & odd, lost)

    def _seen(self):
        return torch.stack([self.state["seed"], self.state["moment"]], 1).float()

    def picture(self, game: int = 0) -> np.ndarray:
        return np.full((8, 8, 3), int(self.state["moment"][game]), np.uint8)

    def state_dict(self):
        return dict(self.state)

    def load_state_dict(self, state):
        self.state = dict(state)
        return self._seen()


@pytest.fixture
def lives(monkeypatch):
    monkeypatch.setattr(play_room, "opened", lambda game, count: Lives(count))
    monkeypatch.setattr("gradatim.models.play._acting.opened", lambda game, count: Lives(count))


class Says(nn.Module):
    """Answers with the same values whatever is seen."""

    def __init__(self, *values: float) -> None:
        super().__init__()
        self.values = torch.tensor([values])

    def forward(self, seen):
        return self.values.expand(len(seen), -1)


def samples(*seeds: int) -> Samples:
    return Samples(torch.tensor(seeds)[:, None], torch.zeros(len(seeds), 1))


def test_the_score_is_the_whole_game_unclipped_whatever_lives_were_lost(lives):
    """A pitfall: what ends a game for the learner does not end it for the score."""
    said = TASK.of(SIGNATURE).answers(Says(0.0, 1.0), samples(4, 5, 11))
    assert said.tolist() == [28.0, 35.0, 77.0]


def test_a_lost_life_has_no_future_for_the_learner_and_rewards_are_clipped(lives):
    """The same moves as the learner sees them: seeds 3 (cut) and 4 (over)."""
    learner = Learner(Says(0.0), {}, lambda step: 0.0)
    acting, seeds = Acting(GAME, 2, clip=True), torch.tensor([3, 4])
    rows = [acting.move(learner, Says(0.0, 1.0), 0.0, seeds) for _ in range(6)]
    ends = torch.stack([row.ends for row in rows]).T.tolist()
    assert ends == [[0, OVER, CUT, RESTS, 0, OVER], [0, OVER, 0, OVER, RESTS, 0]]
    rewards = torch.stack([row.rewards for row in rows]).T.tolist()
    assert rewards == [[1, 1, 1, 0, 1, 1], [1, 1, 1, 1, 0, 1]]
    assert [row.seen[0, 1].item() for row in rows] == [0, 1, 2, 3, 0, 1], "3 is its last picture"


def test_a_lost_life_is_noted_in_no_return(lives):
    learner = Learner(Says(0.0), {}, lambda step: 0.0)
    acting = Acting(GAME, 1, clip=True)
    for _ in range(5):
        acting.move(learner, Says(0.0, 1.0), 0.0, torch.tensor([4]))
    total, weight = learner.memory["games.return"].tolist()
    assert (total, weight) == (28.0, 1.0), "unclipped, and one game"


def test_pictures_of_the_first_game_are_kept(lives):
    frames: list[np.ndarray] = []
    TASK.of(SIGNATURE).returns(Says(0.0, 1.0), torch.tensor([3, 9]), frames)
    assert [int(frame[0, 0, 0]) for frame in frames] == [0, 1, 2]


def test_equal_values_are_chosen_among_by_the_chance_of_each_game():
    values = torch.zeros(3000, 3)
    values[:, 2] = -1.0
    seeds = torch.arange(3000)
    said = greedy(values, seeds, 5)
    assert set(said.tolist()) == {0, 1}
    assert abs(said.double().mean() - 0.5) < 5 * 0.5 / 3000**0.5
    assert torch.equal(greedy(values[7:9], seeds[7:9], 5), said[7:9]), "in any company"
    assert not torch.equal(greedy(values, seeds, 6), said)


def test_metrics_are_mean_and_interquartile_mean():
    returns = np.array([0.0, 1.0, 3.0, 500.0], dtype=np.float32)
    reading = TASK.read(returns, samples(1, 2, 3, 4))
    scores = {name: metric(*reading) for name, metric in TASK.metrics.items()}
    assert scores == {"return": 126.0, "iqm": 2.0}
    assert (TASK.quality(reading) == returns).all()


def test_a_value_that_is_not_finite_is_told(lives):
    with pytest.raises(NumericError, match="learning rate"):
        TASK.of(SIGNATURE).answers(Says(0.0, float("nan")), samples(3))


def test_a_model_of_another_game_is_refused(lives):
    with pytest.raises(ConfigError, match="3 actions"):
        TASK.of(SIGNATURE).answers(Says(0.0, 1.0, 2.0), samples(3))


def test_random_play_acts_by_chance_and_repeats_itself():
    signature = Signature(
        input=Game(name="breakout10", shape=(4, 10, 10), levels=1.0),
        output=Actions(names=("stay", "left", "right")),
    )
    rows = samples(*range(300))
    model = RUNGS["random_play"]().solve(rows, signature, 0)
    task = TASK.of(signature)
    said = task.answers(model, rows)
    assert 0.2 < said.mean() < 0.6
    assert (task.answers(model, rows) == said).all()
    assert (task.answers(model, rows.take([5, 9])) == said[[5, 9]]).all()

"""Deep Q-learning: aims against their definition, the target, the memory, exact resume."""

from pathlib import Path

import pytest
import torch
from torch import nn

from gradatim.core.samples import Samples
from gradatim.core.signature import Actions, Game, Signature
from gradatim.data.games.opening import games_named
from gradatim.models import RUNGS
from gradatim.models.play._deep_q import DeepQLearning
from gradatim.models.play._observed import Observed
from gradatim.ops.play.replay import Moments, Replay, empty
from gradatim.tasks.play import TASK
from gradatim.train.fitting import Fitting
from gradatim.train.lasting import Lasting

BREAKOUT = Signature(
    input=Game(name="breakout10", shape=(4, 10, 10), levels=1.0),
    output=Actions(names=("stay", "left", "right")),
)
POLE = Signature(input=Game(name="CartPole-v1", shape=(4,)), output=Actions(names=("0", "1")))
DEEP = ("dqn", "double_dqn", "dueling_dqn", "n_step_dqn")
FLAT = ("tabular_q", "linear_q")


def fitting(name: str, signature: Signature = BREAKOUT, **changes: object) -> Fitting:
    """A fit that has not begun."""
    rung = RUNGS[name].of_size("tiny").model_copy(update=changes)
    settings = {"epochs": 4, "steps": 60, "batch": 16}
    recipe = rung.recipe(50, signature).model_copy(update=settings)
    seeds = Samples(torch.arange(50)[:, None], torch.zeros(50, 1))
    return Fitting(rung, TASK.of(signature), seeds, signature, recipe)


def moments() -> tuple[Moments, Replay]:
    """Three moments: one goes on, one is over, one was no move."""
    chance = torch.Generator().manual_seed(0)
    planes = torch.randint(0, 2, (6, 4, 10, 10), generator=chance).to(torch.uint8)
    drawn = Moments(
        torch.arange(3),
        torch.tensor([0, 2, 1]),
        torch.tensor([1.0, 0.5, 9.0]),
        torch.tensor([0.9, 0.0, 0.9]),
        torch.arange(3, 6),
        torch.tensor([1.0, 1.0, 0.0]),
    )
    replay = Replay(empty(6, 1, (4, 10, 10), 1.0, stacked=False), (4, 10, 10), 1.0, stacked=False)
    for row in planes.split(1):
        replay.add(row, torch.zeros(1).long(), torch.zeros(1), torch.zeros(1).byte())
    return drawn, replay


@pytest.mark.parametrize("name", ["dqn", "double_dqn"])
@pytest.mark.parametrize("target_every", [1, 250], ids=["asked always", "asked once"])
def test_the_loss_is_that_of_the_paper(name, target_every):
    """Against the equations, written out; the third moment was none, the second has no later."""
    fit = fitting(name, target_every=target_every)
    fit.move()
    task, network, (drawn, replay) = fit.trainee, fit.model.network, moments()
    fit.learner.memory = {}  # of answers about other planes
    with torch.no_grad():
        for parameter in task.target.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator()))
        seen, later = replay.seen(torch.arange(6)).float().split(3)
        ours, theirs, now = network(later), task.target(later), network(seen)
        best = ours.argmax(1) if name == "double_dqn" else theirs.argmax(1)
        errors = [now[0, 0] - (1.0 + 0.9 * theirs[0, best[0]]), now[1, 2] - 0.5]
        expected = sum(0.5 * e * e if abs(e) < 1 else abs(e) - 0.5 for e in errors) / 2
    aims = task.aims(fit.learner, replay, drawn, 2)
    assert ("answers.about" in fit.learner.memory) == (target_every == 250)
    said = task.loss_of(network, replay.seen(drawn.now), drawn, aims).detach()
    torch.testing.assert_close(said, expected)


def test_double_and_plain_aims_differ():
    """Else the test above would prove one of them only."""
    chance = torch.Generator().manual_seed(1)
    theirs, ours = torch.randn(2, 200, 3, generator=chance)
    plain, double = (RUNGS[name]().future(theirs, lambda: ours) for name in ("dqn", "double_dqn"))
    assert (plain >= double).all(), "a maximum is never below another choice"
    assert (plain > double + 1e-4).any()


@pytest.mark.parametrize("name", ["dqn", "n_step_dqn"])
def test_what_the_target_said_is_what_it_would_say(name, monkeypatch):
    """Answers are kept until the target is renewed; a moment that is written over has none."""
    fit = fitting(name, target_every=40, memory=120)
    honest, kept = DeepQLearning.aims, []

    def checked(task, learner, replay, drawn, rows):
        aims = honest(task, learner, replay, drawn, rows)
        about = learner.memory["answers.about"]
        kept.append(int((about >= 0).sum()))
        memory = {k: v for k, v in learner.memory.items() if not k.startswith("answers.")}
        monkeypatch.setattr(learner, "memory", memory)
        torch.testing.assert_close(honest(task, learner, replay, drawn, rows), aims)
        monkeypatch.undo()
        return aims

    for _ in range(100):
        monkeypatch.setattr(DeepQLearning, "aims", checked)
        fit.move()
    assert kept[39] > kept[40] > 0, "the target was renewed"
    assert kept[39] > 0.9 * 120


def test_a_dueling_head_is_the_mean_of_values_plus_advantages():
    head = RUNGS["dueling_dqn"]().head(6, 3)
    features = torch.randn(5, 6)
    said = head(features)
    torch.testing.assert_close(said.mean(1, keepdim=True), head.value(features))
    advantage = head.advantage(features)
    torch.testing.assert_close(said - said[:, :1], advantage - advantage[:, :1])


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", DEEP)
def test_the_target_is_synchronised_when_it_is_time_and_only_then(name):
    """A pitfall: a target that never moves, or always does, learns too, only badly."""
    fit = fitting(name, target_every=5)
    aims, networks = [], []
    for _ in range(11):
        networks.append({k: v.clone() for k, v in fit.model.network.state_dict().items()})
        fit.move()
        aims.append({k: v.clone() for k, v in fit.trainee.target.state_dict().items()})
    for step in range(11):
        last = step - step % 5
        assert all(torch.equal(aims[step][k], networks[last][k]) for k in aims[step])
    assert not same(fit.trainee.target, fit.model.network)


@pytest.mark.parametrize(("name", "signature"), [(n, BREAKOUT) for n in DEEP] + [("dqn", POLE)])
def test_learns_from_its_memory_from_the_first_step_on(name, signature):
    fit = fitting(name, signature)
    before = {k: v.clone() for k, v in fit.model.network.state_dict().items()}
    fit.move()
    assert int(fit.learner.memory["replay.written"]) * 4 >= 64
    after = fit.model.network.state_dict()
    assert any(not torch.equal(before[k], after[k]) for k in before)


def test_begins_when_its_memory_is_full_though_more_was_asked_for():
    """A memory of 30 moments of 4 games side by side holds 28."""
    fit = fitting("dqn", memory=30, begin=100)
    fit.move()
    assert int(fit.learner.memory["replay.written"]) == 8


CASES = [(n, BREAKOUT, {}) for n in (*DEEP, "linear_q")] + [
    ("dqn", POLE, {}),
    ("tabular_q", POLE, {}),
    ("dqn", BREAKOUT, {"target_every": 60, "updates": 2}),
    ("n_step_dqn", BREAKOUT, {"target_every": 10}),
]


@pytest.mark.parametrize(("name", "signature", "changes"), CASES)
def test_goes_on_with_the_same_bits_for_200_steps(name, signature, changes):
    """Memory, target, games and running means: all that a step reads is in the checkpoint."""
    whole = fitting(name, signature, **changes)
    for _ in range(33):
        whole.move()
    state = whole.state_dict()
    torch.manual_seed(71)
    torch.rand(3)
    resumed = fitting(name, signature, **changes)
    for _ in range(7):
        resumed.move()  # whatever it has seen, it must go
    resumed.load_state_dict(state)
    for _ in range(200):
        whole.move()
        resumed.move()
    first, second = whole.state_dict(), resumed.state_dict()
    assert first.keys() == second.keys()
    assert not [k for k in first if not torch.equal(first[k], second[k])]


def test_lasts_through_a_checkpoint_on_disk(tmp_path: Path):
    """Flat names and plain tensors: what a checkpoint can hold."""
    whole = fitting("n_step_dqn")
    for _ in Lasting(whole, tmp_path / "whole", {"fit": "a"}):
        pass
    late = fitting("n_step_dqn")
    for _ in Lasting(late, tmp_path / "cut", {"fit": "a"}, deadline=0.0):
        pass
    assert late.step < whole.step
    resumed = fitting("n_step_dqn")
    for _ in Lasting(resumed, tmp_path / "cut", {"fit": "a"}):
        pass
    assert resumed.step == whole.step
    assert same(resumed.model, whole.model)


@pytest.mark.parametrize("name", [*DEEP, *FLAT])
def test_records_say_what_games_bring(name):
    fit = fitting(name, POLE)
    last = list(fit)[-1]
    assert {"loss", "gradient_norm", "return"} <= last.values.keys()
    assert last.values["return"] > 5, "a pole stands for some moves whatever is done"


def test_a_table_moves_by_the_rate_of_the_error():
    """Watkins' rule on the cell and the action of each move, and nowhere else."""
    fit = fitting("tabular_q", POLE, games=1, epsilon=1.0)
    rate = fit.learner.schedule(0)
    values = fit.model.network.values
    with torch.no_grad():
        values.copy_(torch.rand(values.shape, generator=torch.Generator().manual_seed(2)))
    before = values.detach().clone()
    moved: list = []
    honest = fit.trainee.acting.move

    def noted(*arguments: object):
        moved.append(honest(*arguments))
        return moved[-1]

    fit.trainee.acting.move = noted
    fit.move()
    (move,) = moved
    observe, table = fit.model.preprocess, fit.model.network
    here, there = (int(table.places(observe(seen))) for seen in (move.seen, move.later))
    action = int(move.actions)
    aim = 1.0 + 0.99 * before[there].max()
    expected = before.clone()
    expected[here, action] += rate * (aim - before[here, action])
    torch.testing.assert_close(values.detach(), expected)


def test_pictures_of_a_console_are_learnt_and_resumed_bit_for_bit():
    """Large pictures in tiles, several moments at a time; answers of the target are kept."""
    pytest.importorskip("ale_py")
    atari = Signature(
        input=Game(name="ALE/Breakout-v5", shape=(4, 84, 84), levels=255.0),
        output=Actions(names=("noop", "fire", "right", "left")),
    )
    whole, resumed = (fitting("dqn", atari, memory=120, updates=1) for _ in range(2))
    for _ in range(3):
        whole.move()
    state = whole.state_dict()
    assert state["learner.memory.replay.seen"].shape == (30, 4, 84 * 84)
    assert (state["learner.memory.answers.about"] >= 0).any()
    resumed.move()
    resumed.load_state_dict(state)
    for _ in range(10):
        whole.move()
        resumed.move()
    first, second = whole.state_dict(), resumed.state_dict()
    assert not [k for k in first if not torch.equal(first[k], second[k])]


def test_what_is_remembered_is_what_was_seen():
    """The network is asked with pictures while it plays, and with rows of its memory later on."""
    pytest.importorskip("ale_py")
    game = Game(name="ALE/Breakout-v5", shape=(4, 84, 84), levels=255.0)
    observe, games = Observed(game), games_named(game.name, 2)
    shape = (4, 21, 21, 16)
    replay = Replay(empty(20, 2, shape, 255.0, stacked=True), shape, 255.0, stacked=True)
    seen, shown = games.reset(torch.tensor([1, 2])), []
    for move in range(12):
        shown.append(observe(seen))
        step = games.step(torch.tensor([move % 4, 1]))
        replay.add(observe.kept(seen[:, -1:]), torch.zeros(2), step.rewards, torch.zeros(2).byte())
        seen = step.seen
    assert torch.equal(observe(replay.seen(torch.arange(24))), torch.cat(shown))
    assert shown[0].shape == (2, 64, 21, 21)

"""Agent steps a second of a deep Q-network on Atari: `python bench/dqn_speed.py`.

The same work twice, one thread each, in turn: ALE/Breakout-v5 in grey, 84 x 84, four frames an
action and four pictures at a time; the network of Mnih et al. 2015; one batch of 32 for every four
agent steps; epsilon 0.1. `loop` is what CleanRL's dqn_atari.py does, one environment under
gymnasium wrappers, a memory of NumPy arrays, torch.optim.Adam. `gradatim` is the rung dqn as
`gradatim fit env:ALE/Breakout-v5 --rung dqn` trains it: 32 games in ale-py's vector environment.

The rung renews its target every 8000 agent steps, remembers 30,000 moments, and keeps what the
target says of a moment that is drawn again. So it is measured with its memory full and over one
whole life of a target: its rates are those of all rounds together. The loop renews its target every
1000 agent steps, which costs it nothing measurable; `gradatim, renewing as often` does so too, and
has nothing to keep. Memories are filled by chance before the clock starts; the loop's, which costs
the same at any size, holds 6400 moments and has 2000 of them.

Pillow shrinks the pictures of the loop, as OpenCV is no dependency here. Figures are agent steps
(not frames) a second; those of the processor are beside those of the wall, for a busy machine.
"""

import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import ale_py
import gymnasium
import numpy as np
import torch
from contest.results import publish
from PIL import Image
from torch import nn

from gradatim.core.source import ReadOptions
from gradatim.data.read import read
from gradatim.models import RUNGS
from gradatim.session.objects import task_for, work_for
from gradatim.train.fitting import Fitting

GAME, BATCH, EVERY, MEMORY, BEGIN = "ALE/Breakout-v5", 32, 4, 6400, 2000
ROUNDS, GOALS, EPSILON = 5, (2.0, 2.5), 0.1
RENEWED = 1000
"""Agent steps between two copies of the loop's network to its target."""
OWN, OFTEN, LOOP = "gradatim", "gradatim, renewing as often", "loop"
STEPS = {OWN: 1600, OFTEN: 320, LOOP: 320}
"""Agent steps of a round."""
Times = dict[str, list[float]]


class Small(gymnasium.ObservationWrapper):
    """Grey pictures of 84 x 84 out of those of the console."""

    def __init__(self, environment: gymnasium.Env) -> None:
        super().__init__(environment)
        self.observation_space = gymnasium.spaces.Box(0, 255, (84, 84), np.uint8)

    def observation(self, observation: np.ndarray) -> np.ndarray:
        """Shrink by averages."""
        picture = Image.fromarray(observation)
        return np.asarray(picture.resize((84, 84), Image.Resampling.BOX))


class Skipping(gymnasium.Wrapper):
    """Four frames an action; the brighter pixels of the last two are seen, rewards are clipped."""

    def step(self, action: int) -> tuple[Any, ...]:
        """Act four times."""
        total, shown = 0.0, deque(maxlen=2)
        for _ in range(4):
            seen, reward, over, cut, facts = self.env.step(action)
            shown.append(seen)
            total += float(reward)
            if over or cut:
                break
        return np.max(np.stack(shown), 0), float(np.sign(total)), over, cut, facts


def network() -> nn.Sequential:
    """Return the network of the paper, as CleanRL has it."""
    return nn.Sequential(
        *(nn.Conv2d(4, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU()),
        *(nn.Conv2d(64, 64, 3, 1), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, 4)),
    )


class Memory:
    """Moments in NumPy arrays, drawn with return."""

    def __init__(self) -> None:
        self.seen = np.zeros((MEMORY, 4, 84, 84), np.uint8)
        self.later = np.zeros((MEMORY, 4, 84, 84), np.uint8)
        self.actions, self.rewards = np.zeros(MEMORY, np.int64), np.zeros(MEMORY, np.float32)
        self.over, self.written = np.zeros(MEMORY, np.float32), 0

    def add(self, seen: Any, later: Any, action: int, reward: float, over: bool) -> None:
        """Write one moment."""
        place = self.written % MEMORY
        self.seen[place], self.later[place] = seen, later
        self.actions[place], self.rewards[place], self.over[place] = action, reward, over
        self.written += 1

    def draw(self) -> list[torch.Tensor]:
        """Return a batch."""
        rows = np.random.randint(0, min(self.written, MEMORY), BATCH)  # noqa: NPY002  as CleanRL does
        parts = (self.seen, self.actions, self.rewards, self.later, self.over)
        return [torch.from_numpy(part[rows]) for part in parts]


def loop() -> Iterator[None]:
    """Yield after every round of the usual loop; first when it has begun to learn."""
    gymnasium.register_envs(ale_py)
    environment = gymnasium.make(GAME, obs_type="grayscale", frameskip=1)
    environment = gymnasium.wrappers.FrameStackObservation(Small(Skipping(environment)), 4)
    online, target, memory = network(), network(), Memory()
    target.load_state_dict(online.state_dict())
    optimizer = torch.optim.Adam(online.parameters(), lr=1e-4)
    seen, _ = environment.reset(seed=1)
    step = 0
    while True:
        if step < BEGIN or np.random.random() < EPSILON:  # noqa: NPY002  as CleanRL does
            action = int(environment.action_space.sample())
        else:
            action = int(online(torch.from_numpy(np.array(seen))[None] / 255.0).argmax(1))
        later, reward, over, cut, _ = environment.step(action)
        memory.add(seen, later, action, reward, over)
        seen = environment.reset()[0] if over or cut else later
        step += 1
        if step > BEGIN and step % EVERY == 0:
            descend(online, target, optimizer, memory.draw())
        if step % RENEWED == 0:
            target.load_state_dict(online.state_dict())
        if step >= BEGIN and (step - BEGIN) % STEPS[LOOP] == 0:
            yield


def descend(
    online: nn.Module, target: nn.Module, optimizer: Any, batch: list[torch.Tensor]
) -> None:
    """Take one step down the squared error."""
    seen, actions, rewards, later, over = batch
    with torch.no_grad():
        best = target(later / 255.0).max(1).values
        aim = rewards + 0.99 * best * (1 - over)
    said = online(seen / 255.0).gather(1, actions[:, None])[:, 0]
    loss = nn.functional.mse_loss(said, aim)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def gradatim(name: str, **numbers: int) -> Iterator[None]:
    """Yield after every round of the rung; first when its memory is full and it begins to learn."""
    data = read(f"env:{GAME}", ReadOptions())
    full = {"begin": 10**8, "explore": 1, "epsilon": EPSILON}
    rung = RUNGS["dqn"].parse({**full, **numbers})
    task = task_for(data.signature)
    work = work_for(rung, task, data.signature, 500, 0)
    assert work.recipe.batch == BATCH, "the same work"
    samples = data.samples.take(range(500))
    fitting = Fitting(rung, task, samples, data.signature, work.recipe)
    plan = fitting.trainee.plan
    assert plan.games == EVERY * plan.updates, "the same work"
    assert name != OWN or STEPS[name] * ROUNDS == plan.games * plan.target_every, "a whole life"
    fitting.move()
    while True:
        yield
        for _ in range(STEPS[name] // plan.games):
            fitting.move()


def main() -> int:
    """Measure in turn, write the results, return how many goals are missed."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    contenders = {
        OWN: gradatim(OWN),
        OFTEN: gradatim(OFTEN, target_every=RENEWED // (EVERY * 8)),
        LOOP: loop(),
    }
    wall: Times = {name: [] for name in contenders}
    processor: Times = {name: [] for name in contenders}
    for steps in contenders.values():
        next(steps)
    for turn in range(ROUNDS):
        for name in list(contenders)[:: 1 if turn % 2 else -1]:
            begun, worked = time.perf_counter(), time.process_time()
            next(contenders[name])
            wall[name].append(time.perf_counter() - begun)
            processor[name].append(time.process_time() - worked)
    publish("dqn_speed", _facts(wall, processor), trial=False)
    return sum(not goal["reached"] for goal in _facts(wall, processor)["goals"])


def _facts(wall: Times, processor: Times) -> dict[str, Any]:
    """Return what is written: rates, and those of the rung over that of the loop."""
    clocks = {"wall": wall, "processor": processor}
    ratios = {
        clock: {name: round(_rate(times, name) / _rate(times, LOOP), 2) for name in (OWN, OFTEN)}
        for clock, times in clocks.items()
    }
    measured = ratios["wall"][OWN]
    work = f"DQN on {GAME}, agent steps a second"
    goals = [
        {
            "goal": f"{work} >= {least:g}x a CleanRL-style loop",
            "measured": measured,
            "unit": "times as fast",
            "reached": measured >= least,
        }
        for least in GOALS
    ]
    return {
        "goals": goals,
        "protocol": (__doc__ or "").split("\n\n")[1:],
        "steps_a_second": _rates(wall),
        "steps_a_processor_second": _rates(processor),
        "ratios": ratios,
    }


def _rate(times: Times, name: str) -> float:
    return STEPS[name] * len(times[name]) / sum(times[name])


def _rates(times: Times) -> dict[str, list[float]]:
    return {name: [round(STEPS[name] / t, 1) for t in rounds] for name, rounds in times.items()}


if __name__ == "__main__":
    sys.exit(main())

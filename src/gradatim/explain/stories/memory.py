"""Memory: adding two numbers that stand far apart, which a plain recurrent network cannot."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from gradatim.core.randomness import generator
from gradatim.core.recipe import OptimizerChoice, Recipe, Schedule
from gradatim.core.samples import Samples
from gradatim.core.signature import Quantity, Series, Signature
from gradatim.layers.recurrent_cells import GRUCell, LSTMCell, RNNCell
from gradatim.models.recurrent import Recurrent
from gradatim.tasks.regress import Regress
from gradatim.train.fitting import Fitting

__all__ = ["STORY", "adding_problem", "state_gradients", "tell"]

LENGTH, ROWS, NEW = 100, 10_000, 10_000
WIDTH, BATCH, RATE, CLIP = 64, 64, 5e-3, 1.0
STEPS, EVERY, LOOKED_AT = 600, 25, 64
RUNS: tuple[tuple[str, Literal["rnn", "lstm", "gru"]], ...] = (
    ("plain RNN", "rnn"),
    ("LSTM", "lstm"),
    ("GRU", "gru"),
)
CELLS = {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell}
SIGNATURE = Signature(
    input=Series(channels=2, steps=LENGTH), output=Quantity(names=("sum of the marked",))
)


def tell(seed: int) -> dict[str, Any]:
    """Let a plain recurrent network, an LSTM and a GRU add two marked numbers among a hundred.

    Who answers 1 whatever is read is wrong by 1/6 in the mean square, the variance of the sum of
    two numbers from [0, 1]. To do better is to remember a number for up to a hundred steps.

    Returns:
        For each of `runs` the mean squared error every `every` steps of training and at last on
        sequences that are new, and the norm of the loss's gradient by the state after each step of
        a sequence, `before` and `after` training; `constant`: the mean squared error of
        answering 1 on the new sequences.

    Source: Hochreiter & Schmidhuber 1997, experiment 4; Hochreiter 1991 and Bengio, Simard &
        Frasconi 1994 for the gradients; course 001, chapter 6.

    Deviations: numbers from [0, 1], not from [-1, 1], and their sum itself; one marked number in
        each half and none at the ends, as in Arjovsky, Shah & Bengio 2016; Adam, clipped.
    """
    learnt, new = adding_problem(ROWS, seed, "learnt"), adding_problem(NEW, seed, "new")
    return {
        "runs": [_run(name, cell, learnt, new, seed) for name, cell in RUNS],
        "constant": float((new.targets - 1).square().mean()),
        "length": LENGTH,
        "steps": STEPS,
        "every": EVERY,
        "batch": BATCH,
        "width": WIDTH,
    }


def adding_problem(rows: int, seed: int, part: str, length: int = LENGTH) -> Samples:
    """Return sequences of (number, mark), and the sum of the two numbers that are marked.

    Args:
        rows: how many.
        seed: they are a function of it.
        part: of the data; another name is other sequences.
        length: steps of a sequence; one mark is in either half.
    """
    chance, half = generator(seed, f"adding {part}"), length // 2
    numbers = torch.rand(rows, length, generator=chance, dtype=torch.float64)
    first = torch.randint(half, (rows, 1), generator=chance)
    second = half + torch.randint(length - half, (rows, 1), generator=chance)
    places = torch.cat([first, second], dim=1)
    marks = torch.zeros_like(numbers).scatter_(1, places, 1.0)
    sums = numbers.gather(1, places).sum(1, keepdim=True)
    return Samples(torch.stack([numbers, marks], dim=2), sums)


def _run(
    name: str, cell: Literal["rnn", "lstm", "gru"], learnt: Samples, new: Samples, seed: int
) -> dict[str, Any]:
    plan = Recipe(
        optimizer=OptimizerChoice(name="adamw", lr=RATE, weight_decay=0.0),
        schedule=Schedule(name="constant", warmup=0.0),
        epochs=STEPS // EVERY,
        steps=EVERY,
        batch=BATCH,
        validation=0.0,
        clip=CLIP,
        seed=seed,
    )
    rung = Recurrent(cell=cell, width=WIDTH)
    fitting = Fitting(rung, Regress(), learnt, SIGNATURE, plan)
    before = _gradients(fitting, new)
    losses = [record.values["loss"] for record in fitting]
    # A loss is in units of the variance of the sums learnt from.
    variance = float(learnt.targets.var(correction=0))
    return {
        "name": name,
        "cell": cell,
        "errors": [loss * variance for loss in losses],
        "error": _error(fitting.model, new),
        "before": before,
        "after": _gradients(fitting, new),
    }


@torch.no_grad()
def _error(model: nn.Module, samples: Samples) -> float:
    pairs = zip(samples.inputs.split(1000), samples.targets.split(1000), strict=True)
    squares = [(model(x) - t).square() for x, t in pairs]
    return float(torch.cat(squares).mean())


def _gradients(fitting: Fitting, samples: Samples) -> list[float]:
    """Return the norms for some sequences, in their mean."""
    model, few = fitting.model, samples.take(range(LOOKED_AT))
    x, t = model.preprocess(few.inputs), model.output.encode(few.targets)  # type: ignore[operator]
    state, head = model.network[0], model.network[1]  # type: ignore[index]
    return state_gradients(state.cell, head, x, t).mean(1).tolist()


def state_gradients(cell: nn.RNNBase, head: nn.Module, x: Tensor, t: Tensor) -> Tensor:
    """Return |dL/ds_k|, L = (head(h_n) - t)^2 of each row and s_k the state after step k.

    s is h, and of an LSTM h and c together: what one step hands to the next.

    Args:
        cell: of torch, one layer, batch first.
        head: from the last h to what is compared with t.
        x: (rows, steps, numbers).
        t: (rows, 1).

    Returns:
        (steps, rows).
    """
    kind = {nn.RNN: "rnn", nn.LSTM: "lstm", nn.GRU: "gru"}[type(cell)]
    step = CELLS[kind](cell.input_size, cell.hidden_size).to(x.dtype)
    step.load_state_dict({name.removesuffix("_l0"): w for name, w in cell.state_dict().items()})
    state = (x.new_zeros(len(x), cell.hidden_size),) * (2 if kind == "lstm" else 1)
    handed: list[Tensor] = []
    for k in range(x.shape[1]):
        said = step(x[:, k], *state)
        # Views of their own, so that each has the gradient of what is made of it alone.
        state = tuple(s.view_as(s) for s in (said if isinstance(said, tuple) else (said,)))
        handed += state
    loss = (head(state[0]) - t).square().sum()
    slopes = torch.autograd.grad(loss, handed, allow_unused=True, materialize_grads=True)
    slopes_of_steps = torch.stack(slopes).unflatten(0, (x.shape[1], len(state)))
    return slopes_of_steps.square().sum((1, 3)).sqrt()


STORY = tell

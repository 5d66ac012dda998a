"""JAX alone: an epoch is one compiled scan over its batches, Adam written out. Dense networks."""

from itertools import pairwise
from typing import Any

import jax
import numpy as np
from contest.folds import accuracy, folds_of
from contest.worker import Job, Plain, enter
from jax import numpy as jnp

Weights = list[tuple[jax.Array, jax.Array]]
B1, B2, EPS = 0.9, 0.999, 1e-8


def _start(widths: list[int], key: jax.Array) -> Weights:
    keys = jax.random.split(key, len(widths))
    return [
        (jax.random.uniform(k, pair, minval=-1, maxval=1) / pair[0] ** 0.5, jnp.zeros(pair[1]))
        for k, pair in zip(keys, pairwise(widths), strict=False)
    ]


def _forward(weights: Weights, x: jax.Array) -> jax.Array:
    for w, b in weights[:-1]:
        x = jax.nn.relu(x @ w + b)
    w, b = weights[-1]
    return x @ w + b


def _loss(weights: Weights, x: jax.Array, y: jax.Array) -> jax.Array:
    said = jax.nn.log_softmax(_forward(weights, x))
    return -jnp.take_along_axis(said, y[:, None], 1).mean()


def _epoch(rate: float, batch: int) -> Any:
    tree = jax.tree.map

    def step(state: Any, rows: jax.Array) -> Any:
        weights, mean, square, count, x, y = state
        g = jax.grad(_loss)(weights, x[rows], y[rows])
        count = count + 1
        mean = tree(lambda m, d: B1 * m + (1 - B1) * d, mean, g)
        square = tree(lambda v, d: B2 * v + (1 - B2) * d * d, square, g)
        up, down = 1 - B1**count, 1 - B2**count
        weights = tree(
            lambda w, m, v: w - rate * (m / up) / (jnp.sqrt(v / down) + EPS), weights, mean, square
        )
        return (weights, mean, square, count, x, y), None

    @jax.jit
    def epoch(weights: Any, mean: Any, square: Any, count: Any, x: Any, y: Any, key: Any) -> Any:
        order = jax.random.permutation(key, len(x))
        rows = order[: len(x) // batch * batch].reshape(-1, batch)
        return jax.lax.scan(step, (weights, mean, square, count, x, y), rows)[0][:4]

    return epoch


def prepare(job: Job) -> Plain:
    """Train all folds one after the other."""
    folds = folds_of(job)
    widths = [job["inputs"], *job["widths"], 10]
    epoch = _epoch(job["lr"], job["batch"])
    placed = [(jnp.asarray(fold.x), jnp.asarray(fold.y)) for fold in folds]

    def train(x: jax.Array, y: jax.Array) -> Weights:
        weights = _start(widths, jax.random.key(0))
        zeros = jax.tree.map(jnp.zeros_like, weights)
        state = (weights, zeros, zeros, jnp.zeros(()))
        for number in range(job["epochs"]):
            state = epoch(*state, x, y, jax.random.key(number))
        return jax.block_until_ready(state[0])

    def score(fitted: list[Weights]) -> float:
        pairs = zip(fitted, folds, strict=True)
        return float(np.mean([accuracy(_forward(w, f.x_held), f.y_held) for w, f in pairs]))

    return Plain(lambda: [train(x, y) for x, y in placed], score)


if __name__ == "__main__":
    enter(prepare)

import numpy as np
import pytest
import torch

from gradatim.core.randomness import array_generator
from gradatim.ops.perceptron import linearly_separable, perceptron

CORNERS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
GATES = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "xor": [0, 1, 1, 0]}


def blobs(classes, gap, rows=90, seed=0):
    chance = torch.Generator().manual_seed(seed)
    t = torch.arange(rows) % classes
    centre = gap * torch.randn(classes, 5, generator=chance, dtype=torch.float64)
    return centre[t] + torch.randn(rows, 5, generator=chance, dtype=torch.float64), t


def row_by_row(x, t, classes, epochs, seed):
    """Rosenblatt's rule as it is told, for two or more classes."""
    x = np.concatenate([x.numpy(), np.ones((len(x), 1))], axis=1)
    w, mistakes = np.zeros((x.shape[1], classes)), []
    for epoch in range(epochs):
        count = 0
        for i in array_generator(seed, "perceptron order", epoch).permutation(len(x)):
            scores = x[i] @ w
            right = scores[t[i]]
            scores[t[i]] = -np.inf
            if right <= scores.max():
                w[:, t[i]] += x[i]
                w[:, scores.argmax()] -= x[i]
                count += 1
        mistakes.append(count)
        if not count:
            break
    return w, mistakes


@pytest.mark.parametrize("gate", ["and", "or"])
@pytest.mark.parametrize("seed", range(5))
def test_learns_and_and_or(gate, seed):
    t = torch.tensor(GATES[gate])
    fit = perceptron(CORNERS, t, 2, 100, seed)
    assert fit.left == 0
    assert fit.mistakes[-1] == 0
    assert (CORNERS @ fit.weights + fit.bias).argmax(1).tolist() == GATES[gate]


@pytest.mark.parametrize("seed", range(5))
def test_cannot_learn_xor(seed):
    fit = perceptron(CORNERS, torch.tensor(GATES["xor"]), 2, 100, seed)
    assert len(fit.mistakes) == 100
    assert (fit.mistakes > 0).all()
    assert fit.left >= 1


def test_proofs_of_the_gates():
    known = {name: linearly_separable(CORNERS, torch.tensor(t), 2) for name, t in GATES.items()}
    assert known == {"and": True, "or": True, "xor": False}


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_blocks_change_nothing(classes):
    # More rows than a block, so scores are carried over corrections.
    x, t = blobs(classes, gap=2.5, rows=200)
    w, mistakes = row_by_row(x, t, classes, 300, seed=3)
    fit = perceptron(x, t, classes, 300, seed=3)
    assert fit.mistakes.tolist() == mistakes
    if not mistakes[-1]:
        # Sums of the same rows in the same order.
        assert torch.allclose(fit.weights, torch.from_numpy(w[:-1]), rtol=0, atol=1e-10)


def test_novikoff_bounds_the_corrections():
    x, t = blobs(2, gap=4)
    fit = perceptron(x, t, 2, 1000, seed=0)
    assert fit.left == 0
    # The margin of any separating plane bounds the corrections: here that of the learnt one.
    margin = (x @ fit.weights + fit.bias).diff(dim=1)[:, 0] * (2 * t - 1)
    length = (fit.weights.square().sum() + fit.bias.square().sum()).sqrt()
    radius = x.square().sum(1).add(1).sqrt().max()
    assert fit.mistakes.sum() <= 2 * (radius / (margin.min() / length)) ** 2


@pytest.mark.parametrize("classes", [2, 4])
def test_the_pocket_is_no_worse_than_the_last_epoch(classes):
    x, t = blobs(classes, gap=0.5)
    fit = perceptron(x, t, classes, 50, seed=0)
    wrong = (x @ fit.weights + fit.bias).argmax(1) != t
    assert fit.left == int(wrong.sum())
    w, _ = row_by_row(x, t, classes, 50, seed=0)
    last = (x @ torch.from_numpy(w[:-1]) + torch.from_numpy(w[-1])).argmax(1) != t
    assert fit.left <= int(last.sum())


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("gap", [0.3, 8.0])
def test_a_proof_agrees_with_learning(classes, gap):
    x, t = blobs(classes, gap)
    separable = linearly_separable(x, t, classes)
    assert separable is (gap > 1)
    assert (perceptron(x, t, classes, 1000, seed=0).left == 0) is separable


def test_a_proof_too_large_is_not_tried():
    x, t = torch.randn(5000, 100, dtype=torch.float64), torch.arange(5000) % 2
    assert linearly_separable(x, t, 2) is None


def test_the_seed_decides_the_order():
    x, t = blobs(3, gap=1)
    first, again, other = (perceptron(x, t, 3, 20, seed) for seed in (0, 0, 1))
    assert torch.equal(first.weights, again.weights)
    assert not torch.equal(first.mistakes, other.mistakes)

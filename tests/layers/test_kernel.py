"""Kernels, blocks of rows, votes, neighbours and trees, against their formulas."""

import numpy as np
import pytest
import torch

from gradatim.layers import blocks
from gradatim.layers.blocks import in_blocks
from gradatim.layers.kernel import RbfExpansion, nystroem, rbf, scale_of, squared_distances
from gradatim.layers.neighbours import NeighbourVotes, nearest_points, votes_of
from gradatim.layers.trees import Trees
from gradatim.layers.votes import PairwiseMachine, Present


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def expansion() -> RbfExpansion:
    return RbfExpansion(3, 6, 2).fill(
        normal(6, 3, seed=1), normal(6, 2, seed=2), normal(2, seed=3), 0.4
    )


def test_rbf_is_its_formula():
    x, points = normal(5, 3), normal(4, 3, seed=1)
    expected = (
        -0.7 * torch.cdist(x, points, compute_mode="donot_use_mm_for_euclid_dist") ** 2
    ).exp()
    torch.testing.assert_close(rbf(x, points, 0.7), expected)


def test_rbf_of_a_point_with_itself_is_at_most_one():
    far = 1e6 + normal(20, 3)
    assert rbf(far, far, 1.0).max() <= 1


def test_scale_is_scikit_learns():
    svm = pytest.importorskip("sklearn.svm")
    x = normal(30, 4).numpy()
    solver = svm.SVC(gamma="scale").fit(x, np.arange(30) % 2)
    assert scale_of(torch.from_numpy(x)) == pytest.approx(solver._gamma)
    assert scale_of(torch.ones(5, 4, dtype=torch.float64)) == 0.25


def test_expansion_is_its_sum():
    module, x = expansion(), normal(7, 3, seed=4)
    rows = [
        module.bias
        + sum(
            a * (-0.4 * (row - p).square().sum()).exp()
            for a, p in zip(module.coefficients, module.points, strict=True)
        )
        for row in x
    ]
    torch.testing.assert_close(module(x), torch.stack(rows))


def test_blocks_bound_the_rows_and_change_nothing(monkeypatch):
    module, x = expansion(), normal(50, 3, seed=4)
    whole = module(x)
    seen: list[int] = []
    monkeypatch.setattr(blocks, "_NUMBERS", 6 * 8)
    monkeypatch.setattr(
        module, "_sum", lambda rows: seen.append(len(rows)) or type(module)._sum(module, rows)
    )
    torch.testing.assert_close(module(x), whole)
    assert max(seen) == 8
    assert sum(seen) == 50


def test_gradients_flow_through_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "_NUMBERS", 6)
    x = normal(4, 3).requires_grad_()
    assert torch.autograd.gradcheck(expansion(), x)


def test_blocks_take_no_rows():
    assert in_blocks(lambda rows: rows, torch.zeros(0, 3), per_row=3).shape == (0, 3)


def test_nystroem_with_all_rows_is_the_kernel():
    x = normal(40, 3)
    z = rbf(x, x, 0.2) @ nystroem(x, 0.2)
    torch.testing.assert_close(z @ z.T, rbf(x, x, 0.2), atol=1e-7, rtol=0)


def test_nystroem_survives_equal_landmarks():
    x = normal(5, 3).repeat(4, 1)
    features = rbf(x, x, 0.2) @ nystroem(x, 0.2)
    assert features.shape == (20, 5)
    assert torch.isfinite(features).all()


def circular(classes: int) -> PairwiseMachine:
    """A machine without support that counts: class 0 beats 1, 1 beats 2, 2 beats 0."""
    machine = PairwiseMachine(1, [1] * classes)
    machine.bias.copy_(torch.tensor([2.0, -1.0, 0.5]))  # 0:1, 0:2, 1:2
    return machine


def test_confidence_breaks_a_tie_of_votes():
    scores = circular(3)(torch.zeros(1, 1, dtype=torch.float64))[0]
    # Each class has one vote; confidences are 2 - 1, -2 + 0.5 and 1 - 0.5.
    expected = [1 + 1 / (3 * 2), 1 - 1.5 / (3 * 2.5), 1 + 0.5 / (3 * 1.5)]
    torch.testing.assert_close(scores, torch.tensor(expected, dtype=torch.float64))


def test_scores_are_those_of_scikit_learn():
    from sklearn.utils.multiclass import _ovr_decision_function

    machine = PairwiseMachine(2, [3, 2, 4, 1]).fill(
        normal(10, 2).numpy(), normal(3, 10, seed=1).numpy(), normal(6, seed=2).numpy(), 0.5
    )
    x = normal(30, 2, seed=3)
    d = machine.decisions(x).numpy()
    torch.testing.assert_close(machine(x), torch.from_numpy(_ovr_decision_function(d < 0, -d, 4)))


def test_unseen_classes_come_last():
    machine = PairwiseMachine(1, [0, 1, 0, 1])
    scores = machine(torch.zeros(2, 1, dtype=torch.float64))
    assert scores.shape == (2, 4)
    assert (scores[:, [0, 2]].amax(1) < scores[:, [1, 3]].amin(1)).all()


def test_a_lone_class_wins():
    scores = PairwiseMachine(1, [0, 1, 0])(torch.zeros(2, 1, dtype=torch.float64))
    assert scores.argmax(1).tolist() == [1, 1]


def test_present_leaves_seen_classes_alone():
    scores = torch.tensor([[3.0, -2.0, 9.0]])
    present = Present(3).fill(torch.tensor([True, True, False]))
    assert present(scores).tolist() == [[3.0, -2.0, -3.0]]


def test_nearest_points_are_exact(monkeypatch):
    from gradatim.layers import neighbours

    monkeypatch.setattr(neighbours, "_POINTS", 16)
    points, x = normal(100, 3).float(), normal(20, 3, seed=1).float()
    distance = (x.double()[:, None] - points.double()).square().sum(-1)
    assert torch.equal(nearest_points(x, points, 7), distance.argsort(dim=1)[:, :7])


def test_the_lower_number_is_nearer_in_a_tie():
    points = torch.zeros(40, 2)
    assert nearest_points(torch.ones(3, 2), points[:5], 3).tolist() == [[0, 1, 2]] * 3


def test_barred_points_come_last():
    points = torch.arange(4.0)[:, None]
    barred = torch.eye(4, dtype=torch.bool)
    near = nearest_points(points, points, 4, barred)
    assert near[:, -1].tolist() == [0, 1, 2, 3]
    assert near[0].tolist() == [1, 2, 3, 0]


def test_equal_votes_go_to_the_lowest_class():
    votes = votes_of(torch.tensor([[2, 1, 1, 2]]), 4, 0.5)
    assert votes.argmax(1).tolist() == [1]
    torch.testing.assert_close(votes.exp().sum(1), torch.ones(1, dtype=torch.float64))


def test_neighbours_of_many_rows_equal_those_of_each(monkeypatch):
    machine = NeighbourVotes(3, 30, 5, 2, 0.5)
    machine.fill(normal(30, 3).float(), torch.arange(30) % 2)
    x = normal(9, 3, seed=1).float()
    whole = machine(x)
    monkeypatch.setattr(blocks, "_NUMBERS", 100)
    assert torch.equal(machine(x), whole)


def test_trees_walk_left_right_and_where_missing_numbers_go():
    trees = Trees(rounds=1, outputs=1, nodes=5, depth=2)
    stump = [
        [1, 0, 0, 0, 0],  # feature
        [0.5, -1.0, 0, 0, 0],  # threshold
        [1, 0, 0, 0, 0],  # missing goes left
        [1, 3, 0, 0, 0],  # left
        [2, 4, 0, 0, 0],  # right
        [0, 0, 7.0, 8.0, 9.0],  # value
        [0, 0, 1, 1, 1],  # leaf
    ]
    trees.plant(0, 0, [np.array(row) for row in stump], factor=2.0)
    trees.bias.fill_(1.0)
    nan = float("nan")
    cells = [[0.0, 0.6], [-1.0, 0.5], [0.0, 0.5], [0.0, nan], [nan, nan]]
    answers = trees(torch.tensor(cells, dtype=torch.float64))[:, 0].tolist()
    assert answers == [15.0, 17.0, 19.0, 19.0, 19.0]


def test_distances_are_those_of_the_definition():
    x, points = torch.randn(7, 3, dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64)
    brute = (x[:, None] - points).square().sum(2)
    assert torch.allclose(squared_distances(x, points), brute, rtol=0, atol=1e-12)
    assert (squared_distances(x, x) >= 0).all()
    torch.testing.assert_close(rbf(x, points, 0.7), (-0.7 * brute).exp())

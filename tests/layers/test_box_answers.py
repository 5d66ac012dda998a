"""From scores to boxes and back: answers of three kinds of networks, and their losses."""

from math import log

import pytest
import torch
from torch.autograd import gradcheck

from gradatim.layers.detection.centre_maps import CentreMaps
from gradatim.layers.detection.distance_maps import DistanceMaps, taught_places
from gradatim.layers.detection.found_boxes import usual_size
from gradatim.layers.detection.query_boxes import QueryBoxes
from gradatim.ops.detection.boxes import centred
from gradatim.ops.detection.heat_maps import bells, heat_maps, middles

NOTHING = [-1.0] * 5
BOXES = torch.tensor(
    [
        [[0.1, 0.1, 0.4, 0.3, 0.0], [0.5, 0.4, 0.9, 0.9, 1.0], [0.05, 0.5, 0.3, 0.95, 0.0]],
        [[0.3, 0.2, 0.8, 0.7, 1.0], NOTHING, NOTHING],
        [NOTHING, NOTHING, NOTHING],
    ]
)
"""Three pictures: three boxes, one and none."""
LEVELS = [(16, 16), (8, 8)]


def centre_maps() -> CentreMaps:
    return CentreMaps(2, most=10).fit(BOXES)


def distance_maps() -> DistanceMaps:
    return DistanceMaps(2, 10, 0.6, LEVELS).fit(BOXES)


def query_boxes() -> QueryBoxes:
    return QueryBoxes(2, most=10, overlap=1.0).fit(BOXES)


def perfect_centres(output: CentreMaps) -> torch.Tensor:
    """Scores of a network that knows the boxes: each place speaks of the box with the middle next
    to it."""
    heat = heat_maps(bells(BOXES, 16, 16), BOXES, 2).clamp(1e-4, 1 - 1e-4)
    centre, size = centred(BOXES[..., :4]).split(2, -1)
    away = (middles(16, 16)[None, ..., None, :] - centre[:, None, None]).square().sum(-1)
    nearest = away.argmin(-1)
    rows = torch.arange(3)[:, None, None]
    offset = (centre[rows, nearest] - middles(16, 16)) / output.usual * 2
    logs = (size[rows, nearest].clamp_min(1e-3) / output.usual).log()
    return torch.cat([heat.logit(), offset.movedim(-1, 1), logs.movedim(-1, 1)], 1)


def perfect_places(output: DistanceMaps) -> torch.Tensor:
    owner = torch.cat([taught_places(BOXES, LEVELS, k) for k in (0, 1)], 1)
    at = torch.cat([middles(*level).flatten(0, 1) for level in LEVELS])
    scores = torch.full((3, len(at), 2 + 5), -12.0)
    for row, place in (owner >= 0).nonzero().tolist():
        box = BOXES[row, owner[row, place]]
        away = torch.cat([at[place] - box[:2], box[2:4] - at[place]]) * 2 / output.usual.repeat(2)
        scores[row, place, int(box[4])] = 12.0
        scores[row, place, 2:6] = away.log()
        scores[row, place, 6] = 12.0
    return scores


def perfect_queries(output: QueryBoxes) -> torch.Tensor:
    """Two layers that both know; truth k is named by query 4 - k."""
    scores = torch.zeros(3, 2, 5, 3 + 4)
    scores[..., 2] = 20.0
    for row, boxes in enumerate(BOXES):
        for k, box in enumerate(boxes):
            if box[4] >= 0:
                scores[row, :, 4 - k, 2] = 0.0
                scores[row, :, 4 - k, int(box[4])] = 20.0
                scores[row, :, 4 - k, 3:] = centred(box[:4]).logit()
    return scores


CASES = {
    "centre": (centre_maps, perfect_centres),
    "distance": (distance_maps, perfect_places),
    "query": (query_boxes, perfect_queries),
}


@pytest.fixture(params=CASES)
def case(request):
    make, perfect = CASES[request.param]
    output = make()
    return output, perfect(output)


def test_a_network_that_knows_is_understood(case):
    output, scores = case
    said = output(scores)
    assert said.shape == (3, 10, 6)
    for found, there in zip(said, BOXES, strict=True):
        there = there[there[:, 4] >= 0]
        sure = found[found[:, 4] > 0.5]
        assert len(sure) == len(there)
        order = [int((sure[:, :4] - box[:4]).abs().sum(1).argmin()) for box in there]
        torch.testing.assert_close(sure[order][:, :4], there[:, :4], atol=1e-3, rtol=0)
        assert sure[order][:, 5].tolist() == there[:, 4].tolist()


def test_an_answer_is_in_order_and_filled_up(case):
    output, scores = case
    chance = torch.Generator().manual_seed(0)
    said = output(scores + torch.randn(scores.shape, generator=chance))
    for found in said:
        real = found[:, 5] >= 0
        count = int(real.sum())
        assert real[:count].all()
        assert (found[count:] == -1).all()
        assert (found[:count, 4].diff() <= 0).all()
        assert (found[:count, :4] >= 0).all()
        assert (found[:count, :4] <= 1).all()


def test_knowing_costs_less_than_guessing(case):
    output, scores = case
    chance = torch.Generator().manual_seed(0)
    known = output.losses(scores, BOXES)
    guessed = output.losses(scores + torch.randn(scores.shape, generator=chance), BOXES)
    assert known.shape == (3,)
    assert (known < guessed)[:2].all()
    assert known[2] <= guessed[2]  # in an empty picture 20 to 0 is enough for any query


def test_a_loss_is_of_its_row_alone(case):
    output, scores = case
    together = output.losses(scores, BOXES)
    alone = [output.losses(scores[[k]], BOXES[[k]]) for k in range(3)]
    torch.testing.assert_close(together, torch.cat(alone))


def test_the_order_of_boxes_does_not_matter(case):
    output, scores = case
    scores = scores + 0.1
    torch.testing.assert_close(output.losses(scores, BOXES), output.losses(scores, BOXES.flip(1)))


def test_slopes_of_losses(case):
    """Against finite differences, at scores off the perfect ones, where minimum and maximum bend.

    Of queries the pairs stay the same within the differences' 1e-6.
    """
    output, scores = case
    chance = torch.Generator().manual_seed(1)
    scores = scores.clamp(-3, 3)[:2]
    off = scores.double() + 0.3 * torch.randn(scores.shape, generator=chance).double()
    if not isinstance(output, QueryBoxes):
        # Some numbers of each kind; there are thousands.
        chosen = torch.randperm(off.numel(), generator=chance)[:40]
    else:
        chosen = torch.arange(off.numel())

    def losses(numbers):
        return output.losses(off.flatten().index_put((chosen,), numbers).view_as(off), boxes)

    boxes = BOXES[:2].double()
    assert gradcheck(losses, (off.flatten()[chosen].clone().requires_grad_(),))


def test_targets_stay_boxes(case):
    """Augmentation moves encoded targets."""
    output, _ = case
    assert output.encode(BOXES) is BOXES


def test_usual_size_is_a_geometric_mean():
    """Widths 0.3, 0.4, 0.25, 0.5."""
    expected = (0.3 * 0.4 * 0.25 * 0.5) ** 0.25
    assert usual_size(BOXES)[0].item() == pytest.approx(expected)
    assert usual_size(BOXES[2:]).tolist() == [1.0, 1.0]


def test_the_loss_of_a_heat_map_by_hand():
    """One place, one box on all of it, heat 1/2, sides e times too long: iou = e^-2.

    The hull is the larger box, so giou is iou: 1/4 log 2 + 2 (1 - e^-2).
    """
    output = CentreMaps(1)
    whole = torch.tensor([[[0.0, 0.0, 1.0, 1.0, 0.0]]])
    scores = torch.tensor([0.0, 0.0, 0.0, 1.0, 1.0]).view(1, 5, 1, 1)
    expected = log(2) / 4 + 2 * (1 - torch.tensor(-2.0).exp().item())
    assert output.losses(scores, whole).item() == pytest.approx(expected)


def test_the_loss_of_distances_by_hand():
    """One place in the middle: centre-ness 1. Class and centre-ness at 1/2, the box exact."""
    output = DistanceMaps(1, 1, 0.6, [(1, 1)])
    whole = torch.tensor([[[0.0, 0.0, 1.0, 1.0, 0.0]]])
    focal = 0.25 / 4 * log(2)
    assert output.losses(torch.zeros(1, 1, 6), whole).item() == pytest.approx(focal + log(2))


def test_the_loss_of_queries_by_hand():
    """Two queries of one class at even odds; the first is exact, so the other is for nothing.

    Cross-entropy log 2 for both, whatever their weights; no distance.
    """
    output = QueryBoxes(1)
    truth = torch.tensor([[[0.25, 0.25, 0.75, 0.75, 0.0]]])
    scores = torch.zeros(1, 1, 2, 6)
    scores[0, 0, 1, 2:] = 3.0
    assert output.losses(scores, truth).item() == pytest.approx(log(2))


def test_more_boxes_than_queries_are_borne():
    scores = torch.zeros(1, 1, 2, 3 + 4)
    assert query_boxes().losses(scores, BOXES[:1]).isfinite().all()


def test_each_box_is_taught_on_the_level_of_its_size():
    """On 16 x 16 places the farthest side may be 8 away: 0.5 of the picture at most."""
    small, large = [0.4, 0.4, 0.6, 0.6, 0.0], [0.0, 0.0, 1.0, 1.0, 1.0]
    boxes = torch.tensor([[small, large]])
    fine, coarse = (taught_places(boxes, LEVELS, k) for k in (0, 1))
    assert set(fine.unique().tolist()) == {-1, 0}
    assert set(coarse.unique().tolist()) == {-1, 1}
    # Four places along each axis are at most 1.5 from a middle that lies between two.
    assert (fine == 0).sum() == (coarse == 1).sum() == 16


def test_of_several_boxes_the_smallest_is_taught():
    boxes = torch.tensor([[[0.3, 0.3, 0.7, 0.7, 0.0], [0.4, 0.4, 0.6, 0.6, 1.0], NOTHING]])
    assert set(taught_places(boxes, LEVELS, 0).unique().tolist()) == {-1, 1}

"""Early stopping keeps the latest weights that are not shown to be worse than the best."""

import pytest
import torch
from torch import nn

from gradatim.train.stopping import EarlyStopping


def looked(*rows: list[float], patience: int = 2) -> tuple[EarlyStopping, nn.Linear]:
    """Show one list of part losses after the other; the weight says which look it was."""
    stopping, network = EarlyStopping(patience), nn.Linear(1, 1, bias=False)
    for i, losses in enumerate(rows):
        nn.init.constant_(network.weight, i)
        stopping.look(torch.tensor(losses), network)
    return stopping, network


def kept(stopping: EarlyStopping, network: nn.Linear) -> int:
    stopping.restore(network)
    return int(network.weight.item())


def test_a_lower_loss_is_kept():
    assert kept(*looked([2.0, 2.0], [1.0, 1.0])) == 1


def test_what_cannot_be_told_from_the_best_is_kept_when_it_is_later():
    # differences 0.3 and -0.1: mean 0.1, standard error 0.2
    assert kept(*looked([1.0, 1.0], [1.3, 0.9])) == 1


def test_what_is_worse_by_more_than_a_standard_error_is_not():
    # differences 0.3 and 0.2: mean 0.25, standard error 0.05
    assert kept(*looked([1.0, 1.0], [1.3, 1.2])) == 0


def test_a_slow_rise_is_measured_from_the_best_not_from_the_kept():
    stopping, network = looked([1.0, 1.0], [1.3, 0.9], [1.5, 1.4])
    assert kept(stopping, network) == 1


def test_patience_counts_looks_in_a_row():
    assert not looked([1.0, 1.0], [2.0, 2.0], [0.5, 0.5], [2.0, 2.0])[0].exhausted
    assert looked([1.0, 1.0], [2.0, 2.0], [2.0, 2.0])[0].exhausted


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_nan_is_never_kept(bad):
    assert kept(*looked([1.0, 1.0], [bad, 0.0])) == 0


def test_state_round_trip_goes_on_alike():
    stopping, network = looked([1.0, 1.0], [2.0, 2.0])
    other = EarlyStopping(2)
    other.load_state_dict({k: v.clone() for k, v in stopping.state_dict().items()})
    for each in (stopping, other):
        each.look(torch.tensor([3.0, 3.0]), network)
    assert stopping.exhausted
    assert other.exhausted
    assert kept(stopping, network) == kept(other, network) == 0

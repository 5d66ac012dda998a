"""Which networks are looked into, and what the others are told."""

import pytest

from gradatim.core.errors import ConfigError
from gradatim.core.rung import Trained
from gradatim.explain.examples import KINDS, signature_for, trained
from gradatim.models import RUNGS

ELSEWHERE = [
    name
    for name, rung in RUNGS.all().items()
    if issubclass(rung, Trained)
    and not (set(rung.reads) & set(KINDS) and {"category", "quantity"} & set(rung.answers))
]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_networks_of_other_jobs_are_refused_in_two_lines(name):
    with pytest.raises(ConfigError) as refused:
        signature_for(trained(name, "tiny"))
    said = str(refused.value)
    assert said.startswith(f"{name} goes from ")
    assert said.splitlines()[1] == "try mlp, lenet5 or recurrent"
    assert len(said) < 300


def test_there_are_such_networks():
    assert {"unet", "centernet"} <= set(ELSEWHERE)


@pytest.mark.parametrize("name", ["mlp", "lenet5", "recurrent", "transformer"])
def test_what_is_offered_is_looked_into(name):
    assert signature_for(trained(name, "tiny")).output.kind == "category"

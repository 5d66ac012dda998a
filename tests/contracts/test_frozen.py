"""Contracts of frozen models: every rung that reads pictures, rows, sequences or sounds."""

import pytest
from jaxtyping import config

from gradatim.export.frozen import frozen
from gradatim.export.parity import difference, tolerance

from .examples import SIGNATURES, accepted, fitted

ASKED = [
    (name, signature)
    for name, signature in accepted()
    if SIGNATURES[signature].input.kind in ("table", "image", "sequence", "sound")
    and SIGNATURES[signature].output.kind in ("category", "quantity", "picture", "mask", "boxes")
]


@pytest.fixture
def as_users_have_it():
    """Without checks of shapes, which cannot tell a tensor from what stands for it in a trace."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("as_users_have_it")
@pytest.mark.parametrize(("name", "signature"), ASKED)
def test_a_frozen_model_answers_as_the_model_does(name, signature):
    case, model = fitted(name, signature)
    inputs = case.samples.inputs
    quick = frozen(model, inputs[:3])
    assert quick.obstacle is None
    for rows in (inputs[:1], inputs[:5], inputs[5:]):
        said, right = quick(rows), model(rows)
        assert difference(right, said, tolerance(model)) is None
        assert not said.requires_grad

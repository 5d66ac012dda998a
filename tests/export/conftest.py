"""Frozen models as users have them: without checks of shapes in the layers."""

from collections.abc import Iterator

import pytest
from jaxtyping import config


@pytest.fixture(autouse=True)
def unchecked() -> Iterator[None]:
    """A check cannot tell a tensor from what stands for it in a trace."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)

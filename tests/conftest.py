"""What every test runs under: one thread, checked tensor shapes, properties without a deadline."""

import os
from pathlib import Path

# Before anything loads a numeric library: these are read once, when it is loaded.
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

# Before anything imports these rooms: from here on a call whose tensors do not have the shapes
# that its signature promises is an error. Users' machines do not pay for this.
install_import_hook(["gradatim.ops", "gradatim.layers", "gradatim.models"], "beartype.beartype")

# A loaded machine is no bug, and a failure in CI has to fail again at home.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of real data sets, named by GRADATIM_DATA; a test that needs it skips without."""
    root = os.environ.get("GRADATIM_DATA")
    if not root or not Path(root).is_dir():
        pytest.skip("skipped: no data (GRADATIM_DATA names no folder)")
    return Path(root)

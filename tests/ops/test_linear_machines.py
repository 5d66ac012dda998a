"""Linear machines against scikit-learn's liblinear."""

import numpy as np
import torch
from sklearn.svm import LinearSVC

from gradatim.ops.linear_machines import linear_machines


def rows(count=200, features=12, seed=0):
    chance = torch.Generator().manual_seed(seed)
    x = torch.randn(count, features, generator=chance, dtype=torch.float64)
    noise = torch.randn(count, 3, generator=chance, dtype=torch.float64)
    return x, torch.sign(x[:, :3] + 0.7 * noise)


def test_machines_are_liblinears():
    """Both solve one strictly convex problem; liblinear stops at 1e-10 of its own measure."""
    x, signs = rows()
    ours = linear_machines(x, signs, cost=0.3, tolerance=1e-10).T.numpy()
    for w, y in zip(ours, signs.T.numpy(), strict=True):
        peer = LinearSVC(C=0.3, dual=False, fit_intercept=False, tol=1e-10).fit(x.numpy(), y)
        np.testing.assert_allclose(w, peer.coef_[0], atol=1e-6)


def test_single_precision_is_near_double():
    x, signs = rows()
    single = linear_machines(x.float(), signs.float(), cost=0.3)
    assert single.dtype == torch.float32
    torch.testing.assert_close(
        single.double(), linear_machines(x, signs, cost=0.3), atol=1e-3, rtol=0
    )

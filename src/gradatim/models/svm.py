"""Support vector machine: the widest street between the classes, in the kernel's space."""

from collections.abc import Mapping
from typing import ClassVar

from torch import nn

from gradatim.core.refusal import Refusal
from gradatim.core.signature import Signature
from gradatim.layers.features import flat_features
from gradatim.models._support import SupportVectors

__all__ = ["RUNG", "Svm"]


class Svm(SupportVectors):
    """Separate with the largest margin, and pay C for each row on the wrong side.

    min |w|^2 / 2 + C sum_i xi_i, t_i (w.phi(x_i) + b) >= 1 - xi_i, k(x, y) = exp(-gamma |x - y|^2).
    Quantities: xi_i is what the error exceeds epsilon by. Several classes: one against one.

    Idea: only the rows at the border matter; the others could be dropped.
    Cost: support vectors x (d + classes - 1) numbers; between O(n^2) and O(n^3) to solve.
    Fails when: columns are many and most of them noise, or rows are very many.
    """

    place: ClassVar[int] = 60
    idea: ClassVar[str] = "keeps the rows at the border and puts the widest street between classes"
    source: ClassVar[str] = "Cortes & Vapnik 1995; Smola & Schölkopf 2004; solver: libsvm"
    deviations: ClassVar[tuple[str, ...]] = SupportVectors.shared_deviations
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"trial_rows": 100, "limit": 300, "landmarks": 50}
    }

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any table, picture or sequence."""
        return None

    def features(self, signature: Signature) -> nn.Module:
        """Return one row of numbers a sample."""
        return flat_features(signature)


RUNG = Svm

"""Majority: the commonest class, whatever is asked."""

from collections.abc import Mapping
from typing import ClassVar

import torch

from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.layers.constant import Constant
from gradatim.layers.features import flat_features
from gradatim.layers.outputs import Logits

__all__ = ["RUNG", "Majority"]


class Majority(Solved):
    """Answer every row with the class shares of the training rows.

    p_c = (n_c + 1) / (n + k) for k classes, one imagined row a class (Laplace).

    Idea: the score to beat; a rung that does not is not looking at its input.
    Cost: one number a class; one count.
    Fails when: the input says anything about the class.
    """

    place: ClassVar[int] = 0
    dummy: ClassVar[bool] = True
    idea: ClassVar[str] = "answers with the class shares, without looking: the score to beat"
    source: ClassVar[str] = "Laplace 1814 (rule of succession); Holte 1993 (rule 0R)"
    deviations: ClassVar[tuple[str, ...]] = ()
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {}}
    reads: ClassVar[tuple[str, ...]] = ("table", "image", "sequence", "sound")

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take anything with categories."""
        if isinstance(signature.output, Category):
            return None
        return Refusal("majority counts classes, and the target is a quantity", "use mean")

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return one number a class."""
        return Model(flat_features(signature), Constant(signature.outputs), Logits())

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Count."""
        constant = Constant(signature.outputs)
        count = torch.bincount(samples.targets, minlength=signature.outputs).double() + 1
        constant.scores.copy_((count / count.sum()).log())
        return Model(flat_features(signature).fit(samples.inputs), constant, Logits())


RUNG = Majority

"""Mean: the average of the training targets, whatever is asked."""

from collections.abc import Mapping
from typing import ClassVar

from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Quantity, Signature
from gradatim.layers.constant import Constant
from gradatim.layers.features import flat_features
from gradatim.layers.outputs import Quantities

__all__ = ["RUNG", "Mean"]


class Mean(Solved):
    """Answer every row with the mean of the training targets.

    y = (1/n) sum_i t_i, the constant with the smallest squared error.

    Idea: the score to beat; a rung that does not is not looking at its input.
    Cost: one number an output; one sum.
    Fails when: the input says anything about the target.
    """

    place: ClassVar[int] = 0
    dummy: ClassVar[bool] = True
    idea: ClassVar[str] = "answers with the average, without looking: the score to beat"
    source: ClassVar[str] = "course 000, equation (1) with w_0 alone"
    deviations: ClassVar[tuple[str, ...]] = ()
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {}}

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take anything with quantities."""
        if isinstance(signature.output, Quantity):
            return None
        return Refusal("classes have no mean", "use majority")

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return zeros: the output adds the mean."""
        constant = Constant(signature.outputs)
        return Model(flat_features(signature), constant, Quantities(signature.outputs))

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Take the average."""
        constant, output = Constant(signature.outputs), Quantities(signature.outputs)
        features = flat_features(signature).fit(samples.inputs)
        return Model(features, constant, output.fit(samples.targets))


RUNG = Mean

"""Perceptron: weights that are corrected at every mistake."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.layers.features import flat_features
from gradatim.layers.outputs import Logits
from gradatim.ops.calibration import temperature
from gradatim.ops.inner import inner_holdout
from gradatim.ops.perceptron import Perceptron as Fit
from gradatim.ops.perceptron import linearly_separable, perceptron

__all__ = ["RUNG", "Perceptron", "PerceptronNetwork"]


class Perceptron(Solved):
    """One linear unit a class, the strongest wins; a mistake moves the two units concerned.

    Where w_t'x <= w_r'x for the right class t and its strongest rival r: w_t += x, w_r -= x.

    Idea: learn from one row at a time, and only from mistakes: the first neuron.
    Cost: (features + 1) x classes parameters; one product with the weights a row and epoch.
    Fails when: no flat boundary separates the classes (XOR): then it never comes to rest.
    """

    place: ClassVar[int] = 90
    idea: ClassVar[str] = "the first neuron: learns row by row, from its mistakes alone"
    source: ClassVar[str] = "Rosenblatt 1958; course 000, perceptron algorithm"
    deviations: ClassVar[tuple[str, ...]] = (
        "several classes by Kesler's construction: one unit a class, corrected in pairs",
        "the weights with the fewest training mistakes are kept (Gallant's pocket, with ratchet)",
        "the kept weights are brought to length 1; which class wins does not change",
        "a fit without a held-out fifth sets the scale of the probabilities",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"epochs": 10}}

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Most passes over the rows; fewer when one has no mistake."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take anything with categories."""
        if isinstance(signature.output, Category):
            return None
        return Refusal("a perceptron answers with a class", "use linear or mlp for a quantity")

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return a linear layer on features, with room for the mistakes of each epoch."""
        features = flat_features(signature)
        layer = PerceptronNetwork(features.features, signature.outputs, extents["epochs"])
        return Model(features, layer, Logits(), extents)

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Learn on four fifths to scale the scores, then on all rows."""
        features = flat_features(signature)
        x, t = features.fit(samples.inputs)(samples.inputs), samples.targets
        fit = perceptron(x, t, signature.outputs, self.epochs, seed)
        epochs = {"epochs": len(fit.mistakes)}
        network = PerceptronNetwork(features.features, signature.outputs, epochs["epochs"])
        network.requires_grad_(False).take(fit)
        network.rows.fill_(len(x))
        if fit.left:
            proof = linearly_separable(x, t, signature.outputs)
            network.separable.fill_(-1 if proof is None else int(proof))
        output, split = Logits(), inner_holdout(samples, 0.2, seed)
        if split is not None:
            train, held = torch.from_numpy(split[0]), torch.from_numpy(split[1])
            part = perceptron(x[train], t[train], signature.outputs, self.epochs, seed)
            scores = (x[held] @ part.weights + part.bias) / _length(part)
            output.scale.fill_(temperature(scores, t[held]))
        return Model(features, network, output, epochs)


class PerceptronNetwork(nn.Linear):
    """A linear layer that remembers how it was learnt.

    `mistakes` counts the corrections of each epoch, `left` the training rows that the weights get
    wrong, out of `rows`. `separable` is 1 (the classes can be separated by linear scores), 0 (they
    provably cannot) or -1 (not known).
    """

    mistakes: Tensor
    left: Tensor
    rows: Tensor
    separable: Tensor

    def __init__(self, features: int, classes: int, epochs: int) -> None:
        super().__init__(features, classes, dtype=torch.float64)
        self.register_buffer("mistakes", torch.zeros(epochs, dtype=torch.int64))
        for name in ("left", "rows"):
            self.register_buffer(name, torch.zeros((), dtype=torch.int64))
        self.register_buffer("separable", torch.ones((), dtype=torch.int64))

    def take(self, fit: Fit) -> None:
        """Take over what was learnt."""
        self.weight.copy_(fit.weights.T / _length(fit))
        self.bias.copy_(fit.bias / _length(fit))
        self.mistakes.copy_(fit.mistakes)
        self.left.fill_(fit.left)

    @property
    def note(self) -> str:
        """Return how the learning ended, and why it could not end better."""
        epochs, left, rows = len(self.mistakes), int(self.left), int(self.rows)
        if not left:
            return f"linearly separable: epoch {epochs} made no mistake on {rows} rows"
        mistakes = f"{left} of {rows} training rows wrong after {epochs} epochs"
        if self.separable > 0:
            return f"{mistakes}, yet linearly separable: more epochs would get all of them right"
        if self.separable < 0:
            return f"{mistakes}; whether the classes are linearly separable is not known"
        if self.out_features == 2:
            return f"not linearly separable: {mistakes}; the two classes' convex hulls overlap"
        return f"not linearly separable: {mistakes}; no linear scores put every right class first"


def _length(fit: Fit) -> float:
    square = fit.weights.square().sum() + fit.bias.square().sum()
    return float(square.sqrt()) or 1.0


RUNG = Perceptron

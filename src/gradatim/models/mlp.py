"""Multilayer perceptron: features that are learnt instead of chosen."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from gradatim.core.recipe import OptimizerChoice, Recipe
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Trained
from gradatim.core.signature import Signature
from gradatim.layers.features import flat_features
from gradatim.layers.normalisation import row_normalisation
from gradatim.layers.outputs import output_for

__all__ = ["ACTIVATIONS", "RUNG", "Mlp"]

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "gelu": nn.GELU}


class Mlp(Trained):
    """Fully connected layers with a bend and dropout: z = a(W2 a(W1 x + b1) + b2) ...

    Idea: the feature space of the kernel machine, but learnt.
    Cost: d w + (depth - 1) w^2 + w k parameters and as many multiply-adds.
    Fails when: rows are few, or neighbouring pixels mean something.
    """

    place: ClassVar[int] = 100
    idea: ClassVar[str] = "learns its features: layers of linear maps with a bend between them"
    source: ClassVar[str] = "Rumelhart, Hinton & Williams 1986; course 000, equations (8)-(11)"
    deviations: ClassVar[tuple[str, ...]] = (
        "ReLU, dropout, AdamW and torch's initialisation instead of sigmoid and plain descent",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"width": 16, "depth": 1}}
    reads: ClassVar[tuple[str, ...]] = ("table", "image", "sequence", "sound")

    width: Annotated[int, Field(ge=1, le=65_536)] = 256
    depth: Annotated[int, Field(ge=1, le=64)] = 2
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    activation: Literal["sigmoid", "tanh", "relu", "gelu"] = "relu"
    normalisation: Literal["batch", "layer", "none"] = "none"

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any table, picture, sequence or recording."""
        return None

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return a hundred epochs for few rows, thirty for many, ended early when nothing improves.

        The rate has to fall, and steps have to be steady, before many rows are learnt by heart:
        docs/experiments.md has the figures on MNIST.
        """
        batch = 32 if rows < 5000 else 64 if rows < 20_000 else 128
        epochs = min(100, max(30, 1_000_000 // rows))
        return Recipe(optimizer=OptimizerChoice(lr=2e-3), epochs=epochs, batch=batch, patience=15)

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the network on a row of features."""
        features = flat_features(signature, torch.float32)
        widths = [features.features] + [self.width] * self.depth
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), *self._norm(), ACTIVATIONS[self.activation]()]
            layers += [nn.Dropout(self.dropout)]
        head = nn.Linear(self.width, signature.outputs)
        return Model(features, nn.Sequential(*layers, head), output_for(signature))

    def _norm(self) -> list[nn.Module]:
        named = self.normalisation
        return [] if named == "none" else [row_normalisation(named, self.width)]


RUNG = Mlp

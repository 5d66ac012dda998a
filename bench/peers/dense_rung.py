"""A rung that the ladder does not have: dense layers of given widths, for equal networks."""

from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar

import torch
from torch import nn

from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Trained
from gradatim.core.signature import Signature
from gradatim.layers.features import flat_features
from gradatim.layers.outputs import output_for

__all__ = ["Dense"]


class Dense(Trained):
    """Linear layers with ReLU between them, as `mlp`, each with a width of its own."""

    place: ClassVar[int] = 100
    idea: ClassVar[str] = "the dense network of the contest"
    source: ClassVar[str] = "Rumelhart, Hinton & Williams 1986"

    widths: tuple[int, ...] = (256, 128)

    def accepts(self, signature: Signature) -> Refusal | None:
        return None

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        features = flat_features(signature, torch.float32)
        layers: list[nn.Module] = []
        for before, after in pairwise([features.features, *self.widths, signature.outputs]):
            layers += [nn.Linear(before, after), nn.ReLU()]
        return Model(features, nn.Sequential(*layers[:-1]), output_for(signature))

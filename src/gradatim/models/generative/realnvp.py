"""RealNVP: couplings, in which half of a row says how the other half is scaled and shifted."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from jaxtyping import Bool
from pydantic import Field
from torch import Tensor, nn

from gradatim.core.refusal import Refusal
from gradatim.core.signature import Image, Signature
from gradatim.layers.generative.affine import ActNorm, AffineCoupling
from gradatim.layers.generative.ends import Logit, Tails
from gradatim.layers.generative.flow import Bijection, Flow
from gradatim.layers.generative.generative import asked
from gradatim.layers.generative.scaled import Way, numbers_in
from gradatim.models.generative._likelihood import LearntFlow

__all__ = ["RUNG", "RealNvp"]

MARGIN = 0.01
BOUND = 5.0


class RealNvp(LearntFlow):
    """z_b = x_b exp(s(x_a)) + t(x_a), with the halves a and b changing places at every coupling.

    Idea: steps that can be undone bend one normal distribution into any shape.
    Cost: depth (3 d w + w^2) parameters, and as many multiply-adds a row.
    Fails when: rows are few, or values pile up: an affine step cannot tear them apart.
    """

    place: ClassVar[int] = 80
    idea: ClassVar[str] = "bends noise into data by steps that can be undone, half by half"
    source: ClassVar[str] = "Dinh, Sohl-Dickstein & Bengio 2017 (RealNVP)"
    deviations: ClassVar[tuple[str, ...]] = (
        "dense layers on flat rows in place of residual convolutions and scales",
        "activation normalisation (Kingma & Dhariwal 2018) in place of batch normalisation",
        "dropout, for few rows; AdamW with one cycle of the rate",
        "the logit of levels with a margin of 0.01 in place of 0.05",
        "tables: standardised columns, beyond 5 deviations pulled in by a logarithm",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"depth": 2, "width": 8}}

    depth: Annotated[int, Field(ge=1, le=256)] = 8
    """Couplings."""
    width: Annotated[int, Field(ge=1, le=65_536)] = 128
    """Units of each of the two hidden layers of a coupling."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any table of numbers and any picture."""
        return None

    def way(self, signature: Signature) -> tuple[Way, bool]:
        """Scale levels to [0, 1], columns to deviation 1."""
        return ("unit" if isinstance(signature.input, Image) else "apart"), True

    def network(self, signature: Signature) -> Flow:
        """Return the couplings, behind open ends."""
        features = numbers_in(signature)
        picture = isinstance(signature.input, Image)
        steps: list[Bijection] = [Logit(MARGIN) if picture else Tails(BOUND)]
        stays = _every_other(signature)
        for place in range(self.depth):
            own = stays if place % 2 else ~stays
            steps += [ActNorm(features), AffineCoupling(own, self._says(features))]
        return Flow(steps, (features,), asked(signature))

    def _says(self, features: int) -> nn.Sequential:
        last = nn.Linear(self.width, 2 * features)
        nn.init.normal_(last.weight, std=0.01)
        nn.init.zeros_(last.bias)
        return nn.Sequential(
            nn.Linear(features, self.width),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            nn.Linear(self.width, self.width),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            last,
        )


def _every_other(signature: Signature) -> Bool[Tensor, " features"]:
    """Return a chessboard of pixels, the same for all channels, or every other column."""
    field = signature.input
    if not isinstance(field, Image):
        return torch.arange(numbers_in(signature)) % 2 == 1
    board = torch.arange(field.height)[:, None] + torch.arange(field.width)
    return (board % 2 == 1).flatten().repeat(field.channels)


RUNG = RealNvp

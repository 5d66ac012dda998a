"""Raw rows to features of a common size, and back: with the Jacobian that a density needs."""

from typing import Literal

import torch
from jaxtyping import Float, Float64, Shaped
from torch import Tensor, nn

from gradatim.core.signature import Density, Image, Signature, Synthesis, Table

__all__ = ["Nats", "NewRows", "Scaled", "Way", "answer_of", "grains_of", "numbers_in"]

Way = Literal["alike", "apart", "range", "unit"]


def numbers_in(signature: Signature) -> int:
    """Return how many numbers a row has."""
    field = signature.input
    if isinstance(field, Image):
        return field.channels * field.height * field.width
    assert isinstance(field, Table), "distributions are of tables and pictures"
    return len(field.columns)


def grains_of(signature: Signature) -> tuple[float, ...]:
    """Return the step between neighbouring values: one for all numbers, or one each; 0: none."""
    if isinstance(signature.output, Density):
        return signature.output.grains or (0.0,)
    return (1.0,) if isinstance(signature.input, Image) else (0.0,)


def _levels(signature: Signature) -> int:
    output = signature.output
    return output.levels if isinstance(output, Density | Synthesis) else 256


class Scaled(nn.Module):
    """z = (x - shift) scale, a shift and a scale for every number of a row.

    A value v of discrete data stands for all of [v, v + grain): it is fitted so.

    Args:
        signature: of the data.
        way: "apart": mean 0 and deviation 1 for each number; "alike": for all numbers of a channel
            together, which for a table is "apart"; "range": the training rows fill [-3, 3] of each
            number; "unit": all levels that a picture can have fill [0, 1].
        flat: return rows of numbers; else planes.
        dtype: of the features.
    """

    shift: Tensor
    scale: Tensor

    def __init__(
        self,
        signature: Signature,
        way: Way = "apart",
        *,
        flat: bool = True,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        field, self.features = signature.input, numbers_in(signature)
        self.shape: tuple[int, ...] = (self.features,)
        self.channels = self.features
        if isinstance(field, Image):
            self.shape = (field.channels, field.height, field.width)
            self.channels = field.channels if way == "alike" else self.features
        self.way, self.flat, self.dtype = way, flat, dtype
        self.grains, self.levels = grains_of(signature), _levels(signature)
        self.register_buffer("shift", torch.zeros(self.features, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(self.features, dtype=torch.float64))

    def fit(self, inputs: Shaped[Tensor, "rows *shape"]) -> "Scaled":
        """Learn shifts and scales; a number that never varies keeps its size."""
        rows = inputs.flatten(1)
        grains = torch.tensor(self.grains, dtype=torch.float64).expand(self.features)
        if self.way == "unit":
            self.shift.zero_()
            self.scale.fill_(1 / self.levels)
        elif self.way == "range":
            low, high = rows.amin(0).double(), rows.amax(0).double() + grains
            reach = torch.where(high > low, (high - low) / 2, 1.0)
            self.shift.copy_(low + reach)
            self.scale.copy_(3 / reach)
        else:
            mean, deviation = self._moments(rows, grains)
            self.shift.copy_(mean)
            self.scale.copy_(1 / deviation)
        return self

    def _moments(self, rows: Tensor, grains: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and deviation of each number, or of each channel for all its numbers."""
        each = self.features // self.channels
        values = rows.reshape(len(rows), self.channels, each).transpose(0, 1).flatten(1).double()
        # Dividing by the largest entry first keeps squares of 1e200 finite.
        largest = values.abs().amax(1).clamp_min(torch.finfo(torch.float64).tiny)
        unit = values / largest[:, None]
        grain = grains.reshape(self.channels, each)[:, 0]
        mean = unit.mean(1) * largest + grain / 2
        spread = unit.std(1, correction=0)
        spread = torch.where(spread > 64 * torch.finfo(torch.float64).eps, spread, 0.0)
        deviation = (spread * largest).hypot(grain / 12**0.5)
        deviation = torch.where(deviation > 0, deviation, 1.0)
        return mean.repeat_interleave(each), deviation.repeat_interleave(each)

    def forward(self, inputs: Shaped[Tensor, "rows *shape"]) -> Float[Tensor, "rows *features"]:
        """Return the features of raw rows."""
        features = ((inputs.flatten(1).double() - self.shift) * self.scale).to(self.dtype)
        return features if self.flat else features.view(len(features), *self.shape)

    def inverse(self, features: Float[Tensor, "rows *features"]) -> Float64[Tensor, "rows *shape"]:
        """Return the raw rows that have these features, pictures as planes."""
        rows = features.flatten(1).double() / self.scale + self.shift
        return rows.view(len(rows), *self.shape)

    @property
    def log_det(self) -> Float64[Tensor, ""]:
        """Return log |det dz/dx|, the same for every row."""
        return self.scale.log().sum()


class _Answer(nn.Module):
    """What is said of rows in the units of the data; it learns nothing from targets.

    Args:
        scaled: the preprocessing, of which it uses the fitted numbers without owning them.
    """

    def __init__(self, scaled: Scaled) -> None:
        super().__init__()
        self.of = (scaled,)

    def fit(self, targets: Shaped[Tensor, "rows *target"]) -> "_Answer":
        """Learn nothing."""
        return self

    def encode(self, targets: Shaped[Tensor, "rows *target"]) -> Shaped[Tensor, "rows *target"]:
        """Return the targets, which say nothing."""
        return targets


class Nats(_Answer):
    """Log densities of features to log densities of raw rows: log p(x) = log p(z) + log |dz/dx|."""

    def forward(self, log_prob: Float[Tensor, " rows"]) -> Float64[Tensor, " rows"]:
        """Return nats in the units of the data."""
        return log_prob.double() + self.of[0].log_det


class NewRows(_Answer):
    """Features that were drawn to rows as the data has them: levels of pixels are whole."""

    def forward(self, features: Float[Tensor, "rows *features"]) -> Shaped[Tensor, "rows *shape"]:
        """Return rows; pictures as uint8, each level the one below its value."""
        rows = self.of[0].inverse(features)
        if rows.dim() < 4:
            return rows
        return rows.nan_to_num().floor().clamp(0, self.of[0].levels - 1).to(torch.uint8)


def answer_of(signature: Signature, scaled: Scaled) -> Nats | NewRows:
    """Return the output that fits what the signature asks for."""
    return Nats(scaled) if isinstance(signature.output, Density) else NewRows(scaled)

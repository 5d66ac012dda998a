"""Normalisation layers by name, for maps of features and for rows of features."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.errors import ConfigError, nearest
from gradatim.layers.hooks import heard
from gradatim.ops.batch_norm import batch_norm

__all__ = [
    "NORMALISATIONS",
    "ROW_NORMALISATIONS",
    "normalisation",
    "normalised",
    "row_normalisation",
]

NORMALISATIONS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": lambda channels: nn.InstanceNorm2d(channels, affine=True),
    "layer": lambda channels: nn.GroupNorm(1, channels),
    "none": lambda channels: nn.Identity(),
}
ROW_NORMALISATIONS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm1d,
    "layer": nn.LayerNorm,
    "none": lambda features: nn.Identity(),
}


def normalisation(name: str, channels: int) -> nn.Module:
    """Return the layer that normalises maps (rows, channels, height, width).

    Batch: over rows and places, a mean for each channel. Instance: over the places of each map.
    Layer: over the channels and places of each row, which torch calls a group norm of one group.
    All scale and shift each channel afterwards; "none" changes nothing.

    Args:
        name: "batch", "instance", "layer" or "none".
        channels: of the maps.

    Raises:
        ConfigError: another name.

    Source: course 000, equations (57) to (62); `gradatim.ops.normalisation` writes them out.

    Deviations: batch normalisation keeps running statistics for prediction, as Ioffe & Szegedy
    2015 and torch do.

    >>> type(normalisation("layer", 8)).__name__
    'GroupNorm'
    """
    return _chosen(name, NORMALISATIONS)(channels)


def normalised(
    norm: nn.Module,
    x: Float[Tensor, "rows channels h w"],
    *,
    added: Float[Tensor, "rows channels h w"] | None = None,
    relu: bool = False,
) -> Float[Tensor, "rows channels h w"]:
    """Return norm(x) + added, and what ReLU leaves of it, in one pass where there is one.

    Args:
        norm: a normalisation of maps; one that somebody listens to by hooks is called by itself.
        x: maps of features.
        added: the shortcut of a residual block.
        relu: whether numbers below 0 become 0.
    """
    if type(norm) is nn.BatchNorm2d and norm.training and norm.affine and not heard(norm):
        mean, variance, momentum = norm.running_mean, norm.running_var, norm.momentum
        if mean is not None and variance is not None and momentum is not None:
            assert norm.num_batches_tracked is not None, "it comes with the other two"
            norm.num_batches_tracked.add_(1)
            numbers, how = (norm.weight, norm.bias), (momentum, norm.eps)
            return batch_norm(x, *numbers, (mean, variance), *how, added=added, relu=relu)
    z = norm(x) if added is None else norm(x) + added
    return F.relu(z) if relu else z


def row_normalisation(name: str, features: int) -> nn.Module:
    """Return the layer that normalises rows of features.

    Batch: each feature over the rows. Layer: the features of each row.

    Args:
        name: "batch", "layer" or "none".
        features: of a row.

    Raises:
        ConfigError: another name. "instance" is refused: a feature has one value a row, and one
            value less its own mean is 0.

    Source: course 000, equations (57), (58), (61), (62) with H = W = 1.

    >>> type(row_normalisation("layer", 8)).__name__
    'LayerNorm'
    """
    if name == "instance":
        raise ConfigError(
            'normalisation "instance" would turn every feature of a row into 0\n'
            "expected batch, layer or none for rows; instance is for pictures"
        )
    return _chosen(name, ROW_NORMALISATIONS)(features)


def _chosen(name: str, known: dict[str, Callable[[int], nn.Module]]) -> Callable[[int], nn.Module]:
    if name not in known:
        raise ConfigError(f'no normalisation is called "{name}"; {nearest(name, known)}')
    return known[name]

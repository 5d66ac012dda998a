"""Normalisation layers by name, for maps of features and for rows of features."""

from collections.abc import Callable

from torch import nn

from gradatim.core.errors import ConfigError, nearest

__all__ = ["NORMALISATIONS", "ROW_NORMALISATIONS", "normalisation", "row_normalisation"]

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

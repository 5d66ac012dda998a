"""Regularisers as switches: which of them a recipe uses, and the variant without or with each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from torch import Tensor

from gradatim.compare.job import Work
from gradatim.core.errors import ConfigError, nearest
from gradatim.core.rung import Rung
from gradatim.core.signature import Category, Translation
from gradatim.core.task import Supervised
from gradatim.data.augment import PICTURES_ONLY

__all__ = ["Switch", "switches"]

PATHS: dict[str, tuple[str, Any, Any]] = {
    "weight_decay": ("optimizer.weight_decay", 0.0, 0.01),
    "l2": ("l2", 0.0, 0.001),
    "dropout": ("model.dropout", 0.0, 0.2),
    "early_stopping": ("validation", 0.0, 0.1),
    "label_smoothing": ("loss.label_smoothing", 0.0, 0.1),
    "shift": ("augmentation.shift", 0, 2),
    "flip": ("augmentation.flip", False, True),
    "crop": ("augmentation.crop", 0.0, 0.2),
    "rotation": ("augmentation.rotation", 0.0, 10.0),
    "cutout": ("augmentation.cutout", 0.0, 0.25),
    "noise": ("augmentation.noise", 0.0, 0.1),
    "mixup": ("augmentation.mixup", 0.0, 0.2),
    "normalisation": ("model.normalisation", "none", None),
}
"""Name -> (setting, its value when off, the value that is tried when it is off)."""


@dataclass(frozen=True)
class Switch:
    """One regulariser, and the variant of the recipe that tells what it buys.

    Args:
        regulariser: its name.
        name: of the variant, such as "without dropout" or "with mixup=0.2".
        value: the value that is judged: the one in use, or the one that is tried.
        on: whether the recipe uses it, so that the variant leaves it out.
        setting: that the variant changes.
        changed: to this value.
    """

    regulariser: str
    name: str
    value: Any
    on: bool
    setting: str
    changed: Any

    @property
    def spoken(self) -> str:
        """What is judged, in short."""
        words = self.regulariser.replace("_", " ")
        return words if self.value is True else f"{words} {self.value}"

    @property
    def changes(self) -> dict[str, Any]:
        """The change as nested settings."""
        nested: Any = self.changed
        for part in reversed(self.setting.split(".")):
            nested = {part: nested}
        return nested


def switches(base: Work, features: Tensor, only: Sequence[str] = ()) -> list[Switch]:
    """Return a switch for each regulariser that this rung can use on this data.

    Args:
        base: the rung with the recipe that is looked at.
        features: some rows as the network reads them.
        only: names to keep; all by default.

    Raises:
        ConfigError: a name is unknown, or means nothing here.
    """
    for name in only:
        if name not in PATHS:
            raise ConfigError(f'there is no regulariser "{name}"; {nearest(name, PATHS)}')
    fitting = [name for name in PATHS if _fits(name, base, features)]
    useless = [name for name in only if name not in fitting]
    if useless:
        raise ConfigError(
            f"{', '.join(useless)} means nothing for {base.rung.name} on this data; "
            f"what does: {', '.join(fitting)}"
        )
    found = [s for name in fitting for s in _of(name, base) if not only or name in only]
    return sorted(found, key=lambda s: not s.on)


def _fits(name: str, base: Work, features: Tensor) -> bool:
    if name in ("dropout", "normalisation"):
        return name in type(base.rung).model_fields
    if name == "label_smoothing":
        return isinstance(base.signature.output, Category | Translation)
    if name == "early_stopping":
        return isinstance(base.task, Supervised)  # others have no loss of rows to be held out
    if name in PICTURES_ONLY:
        return features.dim() == 4
    return features.is_floating_point() or name not in ("noise", "mixup")


def _of(name: str, base: Work) -> list[Switch]:
    setting, off, tried = PATHS[name]
    now = _value(base, setting)
    on = now != off
    found = [Switch(name, f"without {name}", now, True, setting, off)] if on else []
    others = _kinds(base.rung, setting, now) if tried is None else [] if on else [tried]
    swapped = f" instead of {now}" if on else ""  # of two kinds, one stands for the other
    return found + [
        Switch(
            name,
            f"with {name}={_written(other)}",
            f"{other}{swapped}" if swapped else other,
            False,
            setting,
            other,
        )
        for other in others
        if other != off
    ]


def _value(base: Work, setting: str) -> Any:
    values: Mapping[str, Any] = base.recipe.model_dump() | {"model": base.rung.model_dump()}
    for part in setting.split("."):
        values = values[part]
    return values


def _kinds(rung: Rung, setting: str, now: Any) -> list[Any]:
    """Return the other kinds that a setting with named kinds may have."""
    kinds = get_args(type(rung).model_fields[setting.rpartition(".")[2]].annotation)
    return [kind for kind in kinds if kind != now]


def _written(value: Any) -> str:
    return "yes" if value is True else str(value)

"""Who races: `sgd`, `sgd:batch=1`, `momentum:lr=0.1:momentum=0.95`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gradatim.compare.job import Work
from gradatim.compare.variant import Variant
from gradatim.core.errors import ConfigError, nearest
from gradatim.core.recipe import OptimizerChoice, Recipe
from gradatim.optim import OPTIMIZERS
from gradatim.session.ground import Ground
from gradatim.session.objects import merged, settings_from, work_for

__all__ = ["Entrant", "entrants", "works_of"]

ALL_ROWS = 1_000_000
"""As many rows a batch as a recipe may have: a batch is never larger than the data."""
NEVER = 100_000
"""Epochs of patience: as many as a recipe may have."""


@dataclass(frozen=True)
class Entrant:
    """An optimizer with its settings, and the name it has in tables and on the disk."""

    name: str
    optimizer: str
    settings: Mapping[str, Any]

    def variant(self, place: int) -> Variant:
        """Return it as it stands in a table."""
        said = (OPTIMIZERS[self.optimizer].__doc__ or "").strip().splitlines()
        return Variant(self.name, place, said[0] if said else "")


def entrants(specs: Sequence[str]) -> list[Entrant]:
    """Return who races, in the order in which they were named.

    A spec is the name of an optimizer and `:key=value` as often as wanted, a key being a number of
    the optimizer (lr, momentum, rho, ...), or a setting of the recipe (batch, clip,
    schedule.name, ...). `batch=all` is full gradient descent, `batch=1` descent sample by sample.

    Raises:
        ConfigError: a name, a key or a value is unknown, or two are the same.
    """
    found = [_entrant(spec) for spec in specs]
    names = [entrant.name for entrant in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"{twice} is in the race twice; give each its own settings")
    if not found:
        raise ConfigError("no optimizer is in the race; name some, such as sgd,momentum,adam")
    return found


def _entrant(spec: str) -> Entrant:
    name, *changes = (part.strip() for part in spec.split(":"))
    OPTIMIZERS[name]  # says which is nearest when there is no such optimizer
    settings = settings_from(None, [_full(change, spec) for change in changes])
    label = " ".join([name, *changes])
    if re.search(r"[^\w .=,+-]", label):
        raise ConfigError(f"{spec}: write NAME:KEY=VALUE, such as sgd:lr=0.1:batch=1")
    return Entrant(label, name, settings)


def _full(change: str, spec: str) -> str:
    """Return a change with its whole path: lr is optimizer.lr, batch=all is a number."""
    key, equals, value = change.partition("=")
    if not equals or not value:
        raise ConfigError(f"{spec}: write NAME:KEY=VALUE, such as sgd:lr=0.1:batch=1")
    own, general = list(OptimizerChoice.model_fields), list(Recipe.model_fields)
    if key in own:
        return f"optimizer.{change}"
    if key.partition(".")[0] not in general:
        raise ConfigError(f'{spec}: there is no setting "{key}"; {nearest(key, own + general)}')
    return f"batch={ALL_ROWS}" if change == "batch=all" else change


def works_of(place: Ground, members: Sequence[Entrant], settings: Mapping[str, Any]) -> list[Work]:
    """Return one work for each entrant, all with the same folds and seed.

    A race is about the rule of the update alone: no weight decay, no clipping, no early end, each
    optimizer with its own default rate and batch, unless the settings or the entrant say more.

    Raises:
        ConfigError: naming every setting that does not fit.
    """
    return [_work(place, entrant, settings) for entrant in members]


def _work(place: Ground, entrant: Entrant, settings: Mapping[str, Any]) -> Work:
    maker = OPTIMIZERS[entrant.optimizer]
    plain: dict[str, Any] = {"clip": 0.0, "patience": NEVER}
    if maker.default_batch is not None:
        plain["batch"] = maker.default_batch
    plain["optimizer"] = {"lr": maker.default_lr, "weight_decay": 0.0}
    named = {"optimizer": {"name": entrant.optimizer}}
    changes = merged(merged(plain, settings), merged(entrant.settings, named))
    rows, seed = len(place.split.training), int(place.question["seed"])
    work = work_for(place.rung, place.task, place.data.signature, rows, seed, changes)
    return replace(work, variant=entrant.name)

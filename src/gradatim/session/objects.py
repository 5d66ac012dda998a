"""Names become objects: data, task, metric, rungs, recipes."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field

from gradatim.compare.job import Work
from gradatim.core.errors import ConfigError, DataError, nearest
from gradatim.core.metric import Metric
from gradatim.core.recipe import Recipe, Settings
from gradatim.core.rung import Rung, Trained
from gradatim.core.samples import Dataset
from gradatim.core.signature import Signature, Table
from gradatim.core.source import ReadOptions
from gradatim.core.task import Task
from gradatim.data.doctor import examine
from gradatim.data.read import read
from gradatim.data.splits import thinned
from gradatim.data.streams.drawn import drawn
from gradatim.models import RUNGS, rung_named
from gradatim.optim import OPTIMIZERS
from gradatim.tasks import TASKS

__all__ = [
    "check_numbers",
    "choose_metric",
    "choose_rungs",
    "merged",
    "open_data",
    "settings_from",
    "task_for",
    "work_for",
]


class Numbers(Settings):
    """What may be asked for in numbers."""

    folds: Annotated[int, Field(ge=2, le=10_000)] = 5
    repeats: Annotated[int, Field(ge=1, le=1000)] = 1
    minutes: Annotated[float, Field(gt=0)] | None = None
    memory: Annotated[float, Field(gt=0)] | None = None
    disk: Annotated[float, Field(gt=0)] | None = None
    rows: Annotated[int, Field(ge=10)] | None = None
    rope: Annotated[float, Field(ge=0)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0


def check_numbers(**numbers: float | None) -> None:
    """Look at the numbers of a command before any work starts.

    Raises:
        ConfigError: naming every number that is out of range.
    """
    Numbers.parse(numbers, "--")


def open_data(
    data: Any,
    options: ReadOptions,
    drop: Sequence[str] = (),
    *,
    rows: int | None = None,
    allow_leak: bool = False,
) -> Dataset:
    """Read data, leave out what the user does not want, and have the doctor look at it.

    Args:
        data: as for `climb`.
        options: how it is read.
        drop: columns to leave out.
        rows: draw this many of the rows to learn from; a test part of the data's own stays whole.
        allow_leak: go on although a finding blocks the way.

    Raises:
        DataError: the data cannot be used, or a finding blocks the way.
    """
    whole = drawn(data, options, rows)
    whole = read(data, options) if whole is None else whole
    dataset = examine(thinned(_without(whole, drop), rows))
    blocking = [f for f in dataset.findings if f.weight == "blocking"]
    if blocking and not allow_leak:
        raise DataError(f"{dataset.name}: {blocking[0].message}\n{blocking[0].remedy}")
    return dataset


def _without(data: Dataset, drop: Sequence[str]) -> Dataset:
    if not drop:
        return data
    if not isinstance(data.signature.input, Table):
        raise ConfigError("--drop leaves out columns; this data has none")
    columns = data.signature.input.columns
    names = [c.name for c in columns]
    for name in drop:
        if name not in names:
            raise ConfigError(f'--drop: there is no column "{name}"; {nearest(name, names)}')
    kept = [i for i, name in enumerate(names) if name not in drop]
    if not kept:
        raise ConfigError("--drop leaves no column; keep at least one")
    table = Table(columns=tuple(columns[i] for i in kept))
    samples = replace(data.samples, inputs=data.samples.inputs[:, torch.tensor(kept)])
    signature = Signature(input=table, output=data.signature.output)
    return replace(data, samples=samples, signature=signature)


def task_for(signature: Signature) -> Task:
    """Return the task that the data asks for."""
    return next(task for task in TASKS.all().values() if task.suits(signature)).of(signature)


def choose_metric(task: Task, name: str | None, data: Dataset) -> Metric:
    """Return the metric of a name, or the one that a careful person would take."""
    name = name or task.default_metric(data.samples)
    if name not in task.metrics:
        hint = nearest(name, task.metrics)
        raise ConfigError(f'{task.name} has no metric "{name}"; {hint}')
    return task.metrics[name]


def choose_rungs(
    names: Sequence[str] | None, without: Sequence[str] = (), signature: Signature | None = None
) -> list[Rung]:
    """Return rungs in ladder order: those named, or all that a climb tries unasked.

    Broken ones, those that ask for more than a climb's time, and those of another job's ladder
    join only when they are named.

    Args:
        names: of those wanted; None for the whole ladder.
        without: names to leave out of it.
        signature: of the data, whose kinds say which ladder is meant.
    """
    usual = [
        name
        for name, rung in RUNGS.all().items()
        if rung.default and (signature is None or rung.joins(signature))
    ]
    chosen = names or [name for name in usual if name not in without]
    for name in without:
        rung_named(name)
    # By the name of the network: resnet and resnet18 are one.
    rungs = {rung.name: rung for rung in map(rung_named, chosen)}
    return sorted(rungs.values(), key=_height)


def _height(rung: Rung) -> tuple[int, int, str]:
    """Published networks of one file stand in the order in which the file names them."""
    published = list(rung.published)
    return rung.place, published.index(rung.name) if rung.name in published else -1, rung.name


def settings_from(recipe: Path | None, changes: Sequence[str]) -> dict[str, Any]:
    """Return nested settings from a TOML file and `a.b=value` changes, the changes winning."""
    settings: dict[str, Any] = {}
    if recipe is not None:
        try:
            settings = tomllib.loads(recipe.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"cannot read --recipe {recipe}: {error}") from error
    for change in changes:
        path, equals, text = change.partition("=")
        if not equals or not path:
            raise ConfigError(f"--set {change!r}: write it as name=value, such as optimizer.lr=0.1")
        _put(settings, path.strip().split("."), _value(text))
    return settings


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(settings: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for part in path[:-1]:
        settings = settings.setdefault(part, {})
        if not isinstance(settings, dict):
            raise ConfigError(f"--set {'.'.join(path)}: {part} is a value, not a group")
    settings[path[-1]] = value


def work_for(
    rung: Rung,
    task: Task,
    signature: Signature,
    rows: int,
    seed: int,
    settings: Mapping[str, Any] | None = None,
) -> Work:
    """Return a rung with its recipe: the rung's default, changed by the settings.

    Another optimizer brings its own learning rate, unless the settings name one.

    Raises:
        ConfigError: naming every setting that does not fit.
    """
    changes = dict(settings or {})
    own = changes.pop("model", {})
    if not isinstance(own, dict):
        raise ConfigError("model is a group of settings, such as model.width=64")
    wrong: list[str] = []
    try:
        rung = type(rung).parse({**rung.model_dump(), **own}, "model.")
    except ConfigError as error:
        wrong.append(str(error))
    recipe = rung.recipe(rows, signature) if isinstance(rung, Trained) else Recipe()
    usual = recipe.optimizer.name
    try:
        recipe = Recipe.parse(merged({**recipe.model_dump(), "seed": seed}, changes))
        maker = OPTIMIZERS[recipe.optimizer.name]
        if recipe.optimizer.name != usual and "lr" not in changes["optimizer"]:
            own_rate = {"optimizer": {"lr": maker.default_lr}}
            recipe = Recipe.parse(merged(recipe.model_dump(), own_rate))
    except ConfigError as error:
        wrong.append(str(error))
    if wrong:
        raise ConfigError("; ".join(wrong))
    return Work(rung, recipe, task, signature)


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested settings with others laid over them."""
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            value = merged(old, value)
        result[key] = value
    return result

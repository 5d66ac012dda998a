"""Small generated data of every kind that a signature can describe, for the contracts.

Tables have numeric, categorical, boolean and date columns and missing cells; pictures are grey
8 x 8 and coloured 12 x 10; sequences have 12 steps of two channels. Targets are two classes, three
classes or a quantity, and can be learnt. What is drawn into larger pictures (`drawn.py`) is to be
freed from noise, marked or surrounded; recordings are tones.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import torch
from torch import Tensor

from gradatim.compare.job import Work
from gradatim.core.recipe import Augmentation, OptimizerChoice, Recipe, Schedule
from gradatim.core.rung import Model, Rung, Trained
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Image, Quantity, Series, Signature, Table
from gradatim.core.task import Supervised
from gradatim.models import RUNGS
from gradatim.tasks import TASKS
from gradatim.train.fitting import Fitting

from .crowds import CROWDS, crowd
from .drawn import DRAWN, drawn
from .seeds import SEEDS, seeds
from .sentences import SENTENCES, sentences

ROWS = 90

TABLE = Table(
    columns=(
        Column(name="width", kind="numeric"),
        Column(name="height", kind="numeric", missing=True),
        Column(name="colour", kind="category", values=("red", "green", "blue"), missing=True),
        Column(name="sold", kind="boolean", values=("no", "yes")),
        Column(name="day", kind="date", missing=True),
    )
)
INPUTS = {
    "table": TABLE,
    "grey": Image(channels=1, height=8, width=8),
    "colour": Image(channels=3, height=12, width=10),
    "sequence": Series(channels=2, steps=12),
}
OUTPUTS = {
    "two": Category(names=("no", "yes")),
    "three": Category(names=("a", "b", "c")),
    "quantity": Quantity(names=("price",), units=("EUR",)),
}
SIGNATURES = {
    f"{i}-{o}": Signature(input=INPUTS[i], output=OUTPUTS[o]) for i, o in product(INPUTS, OUTPUTS)
} | DRAWN
SIGNATURES |= SENTENCES | CROWDS | SEEDS
NAMES = sorted(RUNGS.names())


@dataclass(frozen=True)
class Example:
    """A rung, data that it accepts, and the task."""

    rung: Rung
    task: Supervised
    signature: Signature
    samples: Samples

    def recipe(self, **changes: object) -> Recipe:
        """Few epochs: a contract asks how a rung behaves, not how good it is."""
        return Recipe.parse({"epochs": 4, "batch": 16, **changes})

    def fitting(self, **changes: object) -> Fitting:
        """A fitting that has not begun."""
        return Fitting(self.rung, self.task, self.samples, self.signature, self.recipe(**changes))

    def work(self, **changes: object) -> Work:
        """The rung as the climb hands it to its workers."""
        return Work(self.rung, self.recipe(**changes), self.task, self.signature)


def tiny(name: str) -> Rung:
    """The smallest size of a rung."""
    return RUNGS[name].of_size("tiny")


def accepted(kind: type = Rung) -> list[tuple[str, str]]:
    """Every rung of a kind with every signature that it accepts."""
    pairs = product(NAMES, SIGNATURES)
    return [
        (name, signature)
        for name, signature in pairs
        if isinstance(tiny(name), kind) and tiny(name).refusal(SIGNATURES[signature]) is None
    ]


def trained() -> list[tuple[str, str]]:
    """As `accepted`, of the rungs that descend a gradient."""
    return accepted(Trained)


def spared(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out half of the work on rungs that a climb tries only when they are named.

    They are costly, and their layers are the same whatever the pictures: two classes and quantities
    are learnt on grey pictures, three classes on coloured ones.
    """
    left_out = ("grey-three", "colour-two", "colour-quantity")
    return [(n, s) for n, s in pairs if RUNGS[n].default or s not in left_out]


def example(name: str, signature: str, rows: int = ROWS, shuffled: bool = False) -> Example:
    """A rung with data to learn from; shuffled targets cannot be learnt."""
    meant = SIGNATURES[signature]
    task = next(task for task in TASKS.all().values() if task.suits(meant)).of(meant)
    return Example(tiny(name), task, meant, samples_for(meant, rows, shuffled))


@cache
def fitted(name: str, signature: str) -> tuple[Example, Model]:
    """A fitted model, made once; nobody may change it."""
    case = example(name, signature)
    torch.manual_seed(1)  # whatever it is: a fit takes its chance from its own seed
    fitting = case.fitting()
    list(fitting)
    return case, fitting.model


def samples_for(signature: Signature, rows: int = ROWS, shuffled: bool = False) -> Samples:
    """Rows that fit a signature; the class, or the sign of the quantity, can be seen in them."""
    chance = np.random.default_rng(len(str(signature)))
    if signature in DRAWN.values():
        return drawn(signature, rows, chance, shuffled)
    if signature in CROWDS.values():
        return crowd(signature, rows, chance)
    if signature in SEEDS.values():
        return seeds(rows)
    if signature in SENTENCES.values():
        return sentences(signature, rows, chance, shuffled)
    classes = 2 if isinstance(signature.output, Quantity) else signature.outputs
    label = np.arange(rows) % classes
    maker = {"table": _cells, "image": _pictures, "sequence": _sequences}[signature.input.kind]
    inputs = maker(signature.input, label, chance)
    if shuffled:
        label = chance.permutation(label)
    if isinstance(signature.output, Category):
        return Samples(inputs, torch.from_numpy(label))
    values = 1000.0 + 50 * label + chance.normal(size=rows)
    return Samples(inputs, torch.from_numpy(values[:, None]))


def _cells(table: Table, label: np.ndarray, chance: np.random.Generator) -> Tensor:
    rows = len(label)
    cells = np.stack(
        [
            3.0 * label + chance.normal(size=rows),
            1e6 * (label + chance.normal(size=rows)),
            chance.integers(0, 3, rows).astype(float),
            (chance.random(rows) < 0.3 + 0.3 * label).astype(float),
            18_000 + chance.integers(0, 2000, rows).astype(float),
        ],
        axis=1,
    )
    for column, about in enumerate(table.columns):
        if about.missing:
            cells[chance.choice(rows, rows // 10, replace=False), column] = np.nan
    return torch.from_numpy(cells)


def _pictures(image: Image, label: np.ndarray, chance: np.random.Generator) -> Tensor:
    """Stripes: horizontal, vertical or slanted, under noise."""
    down, across = np.mgrid[: image.height, : image.width]
    stripes = np.stack([down // 2 % 2, across // 2 % 2, (down + across) // 2 % 2])[label]
    shape = (len(label), image.channels, image.height, image.width)
    noisy = 60 + 120 * stripes[:, None] + chance.normal(0, 25, shape)
    return torch.from_numpy(noisy.clip(0, 255).astype(np.uint8))


def _sequences(series: Series, label: np.ndarray, chance: np.random.Generator) -> Tensor:
    """Waves: once, twice or three times around, and the level goes with them, under noise."""
    angle = 2 * np.pi * np.arange(series.steps) / series.steps
    wave = np.sin((label[:, None] + 1) * angle)
    steps = np.stack([wave, 100 + 5 * (wave + label[:, None])], axis=2)
    return torch.from_numpy(steps + chance.normal(size=steps.shape) * [0.5, 5.0])


EIGHT = Recipe(
    optimizer=OptimizerChoice(lr=1e-2, weight_decay=0.0),
    schedule=Schedule(name="cosine", warmup=0.1),
    augmentation=Augmentation(),
    epochs=300,
    batch=8,
    validation=0.0,
)
"""Enough to learn eight rows by heart."""

"""Networks asked for by name, and inputs of the form that they take: `--input 3x224x224`."""

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from gradatim.core.errors import ConfigError
from gradatim.core.rung import Rung, Trained
from gradatim.core.signature import (
    Category,
    Column,
    Image,
    InputField,
    Quantity,
    Series,
    Signature,
    Sound,
    Table,
)
from gradatim.models import RUNGS, rung_named

__all__ = ["form", "random_inputs", "signature_for", "spoken", "trained"]

MOST = 100_000  # of any number in --input
USUAL = ("1x28x28", "8", "20x2", "3x224x224")
KINDS: Mapping[str, tuple[str, str]] = {
    "image": ("pictures", "--input 3x224x224 (channels, height, width)"),
    "sequence": ("sequences", "--input 20x2 (steps, numbers a step)"),
    "table": ("tables", "--input 13 (columns)"),
}
_SIZES = re.compile(r"[0-9]{1,6}([xX][0-9]{1,6}){0,2}")


def trained(name: str, size: str | None = None) -> Rung:
    """Return a rung that descends a gradient, or a published network.

    Raises:
        ConfigError: nothing has that name, or it is solved and has no layers to look into.
    """
    rung = rung_named(name)
    if not isinstance(rung, Trained):
        names = sorted(n for n, other in RUNGS.all().items() if issubclass(other, Trained))
        raise ConfigError(
            f"{name} is solved, not trained: no gradient passes through layers\n"
            f"these have layers: {', '.join(names)}"
        )
    return rung if size is None else type(rung).of_size(size)


def signature_for(
    rung: Rung, text: str | None = None, classes: int = 10, usual: Sequence[str] = USUAL
) -> Signature:
    """Return what to build a rung for: classes, or a quantity when it takes no classes.

    Args:
        rung: at its size.
        text: "3x224x224" for channels, height and width of pictures, "20x2" for steps and numbers
            a step of sequences, "13" for columns of a table.
        classes: that are told apart.
        usual: what is tried without a text.

    Raises:
        ConfigError: the text says nothing, or something that the rung does not take.
    """
    _looked_into(rung)
    reason = ""
    for tried in usual if text is None else (text,):
        field = _field(rung, tried)
        for output in (_classes(classes), Quantity(names=("target",))):
            signature = Signature(input=field, output=output)
            refusal = rung.refusal(signature)
            if refusal is None:
                return signature
            reason = reason or refusal.reason
        kind = KINDS[field.kind][0]
        reason = f"{tried} means {kind}, and {rung.name} does not take {tried}: {reason}"
    raise ConfigError(f"--input {reason}\n{_such_as(rung)}")


def _looked_into(rung: Rung) -> None:
    """Refuse networks whose inputs are no numbers, or whose answers are none."""
    asked, told = set(KINDS) & set(rung.reads), {"category", "quantity"} & set(rung.answers)
    if not asked or not told:
        goes = f"{' or '.join(rung.reads)} to {' or '.join(rung.answers)}"
        raise ConfigError(
            f"{rung.name} goes from {goes}; what is looked into here are networks from tables, "
            "pictures or sequences to classes or quantities\ntry mlp, lenet5 or recurrent"
        )


def form(field: InputField) -> tuple[tuple[int, ...], torch.dtype]:
    """Return the shape and type of one sample."""
    if isinstance(field, Image):
        return (field.channels, field.height, field.width), torch.uint8
    if isinstance(field, Series):
        return (field.steps, field.channels), torch.float64
    if isinstance(field, Sound):
        return (field.length,), torch.int16
    assert isinstance(field, Table), "texts and games are refused before"
    return (len(field.columns),), torch.float64


def random_inputs(field: InputField, rows: int, chance: torch.Generator) -> Tensor:
    """Return rows of noise: uniform pixels, standard normal numbers."""
    shape, dtype = form(field)
    if dtype == torch.int16:
        return torch.randint(-1000, 1000, (rows, *shape), generator=chance, dtype=dtype)
    if dtype == torch.uint8:
        return torch.randint(0, 256, (rows, *shape), generator=chance, dtype=dtype)
    return torch.randn((rows, *shape), generator=chance, dtype=dtype)


def spoken(field: InputField) -> str:
    """Return the inputs in words."""
    if isinstance(field, Image):
        return f"pictures of {field.channels} x {field.height} x {field.width}"
    if isinstance(field, Series):
        return f"sequences of {field.steps} steps x {field.channels} channels"
    if isinstance(field, Sound):
        return f"recordings of {field.length} samples"
    assert isinstance(field, Table), "texts and games are refused before"
    return f"rows of {len(field.columns)} columns"


def _field(rung: Rung, text: str) -> InputField:
    numbers = [int(n) for n in text.lower().split("x")] if _SIZES.fullmatch(text) else []
    if not numbers or any(not 1 <= n <= MOST for n in numbers):
        raise ConfigError(f"--input {text!r:.80}: write whole numbers; {_such_as(rung)}")
    if len(numbers) == 3 and numbers[0] not in (1, 3):
        raise ConfigError(f"--input {text}: pictures have 1 or 3 channels; {_such_as(rung)}")
    return _of_numbers(numbers)


def _of_numbers(numbers: Sequence[int]) -> InputField:
    if len(numbers) == 3:
        channels, height, width = numbers
        return Image(channels=1 if channels == 1 else 3, height=height, width=width)
    if len(numbers) == 2:
        return Series(steps=numbers[0], channels=numbers[1])
    names = (f"x{i + 1}" for i in range(numbers[0]))
    return Table(columns=tuple(Column(name=name, kind="numeric") for name in names))


def _classes(count: int) -> Category:
    return Category(names=tuple(f"class {i}" for i in range(count)))


def _such_as(rung: Rung) -> str:
    tried = {"image": [3, 224, 224], "sequence": [20, 2], "table": [13]}
    two = _classes(2)
    taken = [
        KINDS[kind]
        for kind, numbers in tried.items()
        if rung.refusal(Signature(input=_of_numbers(numbers), output=two)) is None
    ]
    kinds = " and ".join(what for what, _ in taken)
    return f"{rung.name} takes {kinds}: {' or '.join(example for _, example in taken)}"

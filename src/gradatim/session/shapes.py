"""`shapes`: a network for inputs of some size, layer by layer, built without memory."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import ValidationError

from gradatim.core.errors import ConfigError
from gradatim.core.rung import Model, Rung, Trained
from gradatim.core.signature import Category, Column, Image, InputField, Series, Signature, Table
from gradatim.explain.shapes import Shapes
from gradatim.explain.shapes import shapes as trace
from gradatim.models import RUNGS, rung_named
from gradatim.report.figures.layers import brief, layer_figure, working_layers
from gradatim.report.sheet import Part, sheet
from gradatim.session.objects import settings_from

__all__ = ["ShapesOfModel", "shapes"]

MOST = 100_000  # of any number in --input
EXAMPLES: Mapping[str, tuple[str, str]] = {
    "image": ("pictures", "--input 3x224x224 (channels, height, width)"),
    "sequence": ("sequences", "--input 20x2 (steps, numbers a step)"),
    "table": ("tables", "--input 13 (columns)"),
}


@dataclass(frozen=True)
class ShapesOfModel:
    """The layers of a model for one kind of input."""

    name: str
    input: str
    classes: int
    sides: tuple[int, ...]
    unit: str
    """What a place of the input is called."""
    notes: tuple[str, ...]
    shapes: Shapes

    def as_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "parameters": self.shapes.parameters,
            "multiply_adds": self.shapes.multiply_adds,
            "layers": [
                {
                    "name": layer.name,
                    "kind": layer.kind,
                    "output": list(layer.output),
                    "parameters": layer.parameters,
                    "multiply_adds": layer.multiply_adds,
                    "stride": layer.stride,
                    "receptive_field": layer.receptive_field,
                }
                for layer in self.shapes.layers
            ],
        }

    @property
    def headline(self) -> str:
        """The sums, in a sentence."""
        sums = self.shapes
        return (
            f"{self.name} for {self.input} and {self.classes} classes: {sums.parameters:,} "
            f"parameters, {brief(sums.multiply_adds)} multiply-adds, {len(sums.layers)} layers"
        )

    def rows(self) -> list[list[str]]:
        """Return the cells of the table, a row a layer."""
        return [
            [
                layer.name,
                layer.kind,
                " x ".join(map(str, layer.output)),
                f"{layer.parameters:,}" if layer.parameters else "",
                f"{layer.multiply_adds:,}" if layer.multiply_adds else "",
                "" if layer.stride is None else str(layer.stride),
                self._seen(layer.receptive_field, layer.whole),
            ]
            for layer in self.shapes.layers
        ]

    def page(self) -> str:
        """Return the layers as a page with a figure and a table."""
        layers = working_layers(self.as_dict()["layers"])
        said = (
            "Layers that multiply, or that change how far apart the places of a map are. The "
            f"window is what one place sees, in {self.unit} of the input, drawn to scale; a full "
            "bar sees all of it."
        )
        figure = Part("What each layer costs and sees", said, layer_figure(layers, *self._scale()))
        table = Part("Every layer", " ".join(self.notes), columns=COLUMNS, rows=self.rows())
        return sheet(f"Layers of {self.name}", self.headline + ".", [figure, table])

    def _scale(self) -> tuple[int, str]:
        return max(self.sides), self.unit

    def _seen(self, field: int | None, whole: bool) -> str:
        if field is None:
            return ""
        if whole:
            return f"all {field} {self.unit}"
        return f"{field} (all {max(self.sides)})" if field >= max(self.sides) > 1 else str(field)


COLUMNS = ("layer", "kind", "output", "parameters", "multiply-adds", "stride", "sees")


def shapes(
    model: str,
    given: str,
    *,
    classes: int | None = None,
    size: str | None = None,
    settings: Sequence[str] = (),
) -> ShapesOfModel:
    """Build a network without memory for its weights and say what each layer makes of an input.

    Args:
        model: a rung that is trained, or a published network.
        given: the input: channels x height x width of pictures, such as "3x224x224"; steps x
            channels of sequences; columns of a table.
        classes: that are told apart; 1000 for pictures of 224 pixels a side, else 10.
        size: a named size of the rung.
        settings: changes such as "model.width=64".

    Raises:
        ConfigError: a name, a number or a shape does not fit; a layer that fails is named.
    """
    rung = _rung(model, size, settings)
    field = _field(rung, model, given)
    classes = classes or (1000 if isinstance(field, Image) and field.height == 224 else 10)
    if not 2 <= classes <= MOST:
        raise ConfigError(f"--classes {classes}: expected 2 to {MOST}, such as --classes 10")
    output = Category(names=tuple(f"class {i}" for i in range(classes)))
    signature = Signature(input=field, output=output)
    with torch.device("meta"):
        built = rung.build(signature, {}).eval()
    row = _features(built, field)
    sides, unit = _sides(field, row)
    traced = trace(built.network, row, sides)
    asked = "x".join(re.findall(r"\d+", given))
    notes = tuple(_notes(field, sides, traced))
    return ShapesOfModel(model, asked, classes, sides, unit, notes, traced)


def _rung(model: str, size: str | None, settings: Sequence[str]) -> Rung:
    rung = rung_named(model)
    if not isinstance(rung, Trained):
        works = [name for name, other in RUNGS.all().items() if issubclass(other, Trained)]
        raise ConfigError(
            f"{model} is solved, not built of layers; these are: {', '.join(sorted(works))}"
        )
    if size is not None:
        rung = type(rung).of_size(size)
    changes = settings_from(None, settings)
    own = changes.pop("model", {})
    if changes or not isinstance(own, dict):
        raise ConfigError("--set changes the network alone here; write it as model.NAME=VALUE")
    return type(rung).parse({**rung.model_dump(), **own}, "model.")


def _field(rung: Rung, model: str, text: str) -> InputField:
    """Return the kind of input that the text describes, which the rung must take."""
    numbers = [int(n) for n in text.lower().split("x")] if _SIZES.fullmatch(text) else []
    if not numbers or any(not 1 <= n <= MOST for n in numbers):
        raise ConfigError(f"--input {text!r:.80}: write whole numbers; {_such_as(rung, model)}")
    try:
        field = _of_numbers(numbers)
    except ValidationError as error:
        raise ConfigError(f"--input {text}: pictures have 1 or 3 channels") from error
    refusal = rung.accepts(Signature(input=field, output=_TWO))
    if refusal is not None:
        kind = EXAMPLES[field.kind][0]
        raise ConfigError(
            f"--input {text} means {kind}, and {model} does not take them: "
            f"{refusal.reason}\n{_such_as(rung, model)}"
        )
    return field


_SIZES = re.compile(r"\d{1,6}([xX]\d{1,6}){0,2}")
_TWO = Category(names=("no", "yes"))


def _of_numbers(numbers: Sequence[int]) -> InputField:
    if len(numbers) == 3:
        channels, height, width = numbers
        return Image.model_validate({"channels": channels, "height": height, "width": width})
    if len(numbers) == 2:
        return Series(steps=numbers[0], channels=numbers[1])
    names = (f"x{i + 1}" for i in range(numbers[0]))
    return Table(columns=tuple(Column(name=name, kind="numeric") for name in names))


def _such_as(rung: Rung, model: str) -> str:
    tried = {"image": [3, 224, 224], "sequence": [20, 2], "table": [13]}
    taken = [
        EXAMPLES[kind]
        for kind, numbers in tried.items()
        if rung.accepts(Signature(input=_of_numbers(numbers), output=_TWO)) is None
    ]
    kinds = " and ".join(what for what, _ in taken)
    return f"{model} takes {kinds}: {' or '.join(example for _, example in taken)}"


def _features(built: Model, field: InputField) -> torch.Tensor:
    """Return one row as the network takes it, on the meta device."""
    if isinstance(field, Image):
        shape, dtype = (1, field.channels, field.height, field.width), torch.uint8
    elif isinstance(field, Series):
        shape, dtype = (1, field.steps, field.channels), torch.float64  # type: ignore[assignment]
    else:
        shape, dtype = (1, len(field.columns)), torch.float64  # type: ignore[assignment]
    features: torch.Tensor = built.preprocess(torch.empty(shape, dtype=dtype, device="meta"))
    return features


def _sides(field: InputField, row: torch.Tensor) -> tuple[tuple[int, ...], str]:
    if isinstance(field, Image):
        planes = tuple(row.shape[2:]) if row.dim() == 4 else (field.height, field.width)
        return planes, "pixels"
    if isinstance(field, Series):
        return (field.steps,), "steps"
    return (len(field.columns),), "columns"


def _notes(field: InputField, sides: tuple[int, ...], traced: Shapes) -> list[str]:
    notes = []
    if isinstance(field, Image) and sides != (field.height, field.width):
        notes.append(f"Pictures are resized to {sides[0]} x {sides[1]} pixels first.")
    if traced.unused:
        notes.append(f"Not called when predicting: {', '.join(traced.unused[:10])}.")
    return notes

"""`shapes`: a network for inputs of some size, layer by layer, built without memory."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from gradatim.core.errors import ConfigError
from gradatim.core.rung import Rung
from gradatim.core.signature import Image, InputField, Series, Sound, Table
from gradatim.explain.examples import form, signature_for, spoken, trained
from gradatim.explain.shapes import Shapes
from gradatim.explain.shapes import shapes as trace
from gradatim.report.figures.layers import brief, layer_figure, working_layers
from gradatim.report.sheet import Part, sheet
from gradatim.session.objects import settings_from

__all__ = ["ShapesOfModel", "shapes"]

MOST = 100_000  # classes


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
    given: str | None = None,
    *,
    classes: int | None = None,
    size: str | None = None,
    settings: Sequence[str] = (),
) -> ShapesOfModel:
    """Build a network without memory for its weights and say what each layer makes of an input.

    Args:
        model: a rung that is trained, or a published network.
        given: the input: channels x height x width of pictures, such as "3x224x224"; steps x
            channels of sequences; columns of a table; by default what suits the model.
        classes: that are told apart; 1000 for pictures of 224 pixels a side, else 10.
        size: a named size of the rung.
        settings: changes such as "model.width=64".

    Raises:
        ConfigError: a name, a number or a shape does not fit; a layer that fails is named.
    """
    rung = _changed(trained(model, size), settings)
    if given is None and rung.name in rung.published:
        given = "3x224x224"
    large = re.fullmatch(r"[0-9]+[xX]224[xX][0-9]+", given or "")
    classes = classes or (1000 if large else 10)
    if not 2 <= classes <= MOST:
        raise ConfigError(f"--classes {classes}: expected 2 to {MOST}, such as --classes 10")
    signature = signature_for(rung, given, classes)
    field = signature.input
    with torch.device("meta"):
        built = rung.build(signature, {}).eval()
    shape, dtype = form(field)
    row = built.preprocess(torch.empty((1, *shape), dtype=dtype, device="meta"))
    sides, unit = _sides(field, row)
    traced = trace(built.network, row, sides)
    notes = tuple(_notes(field, sides, traced))
    return ShapesOfModel(model, spoken(field), classes, sides, unit, notes, traced)


def _changed(rung: Rung, settings: Sequence[str]) -> Rung:
    changes = settings_from(None, settings)
    own = changes.pop("model", {})
    if changes or not isinstance(own, dict):
        raise ConfigError("--set changes the network alone here; write it as model.NAME=VALUE")
    return type(rung).parse({**rung.model_dump(), **own}, "model.")


def _sides(field: InputField, row: torch.Tensor) -> tuple[tuple[int, ...], str]:
    if isinstance(field, Image):
        planes = tuple(row.shape[2:]) if row.dim() == 4 else (field.height, field.width)
        return planes, "pixels"
    if isinstance(field, Series):
        return (field.steps,), "steps"
    if isinstance(field, Sound):
        return (field.length,), "samples"
    assert isinstance(field, Table), "texts and games are refused before"
    return (len(field.columns),), "columns"


def _notes(field: InputField, sides: tuple[int, ...], traced: Shapes) -> list[str]:
    notes = []
    if isinstance(field, Image) and sides != (field.height, field.width):
        notes.append(f"Pictures are resized to {sides[0]} x {sides[1]} pixels first.")
    if traced.unused:
        notes.append(f"Not called when predicting: {', '.join(traced.unused[:10])}.")
    return notes

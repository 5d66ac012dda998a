"""`Signature`: what goes into a model and what comes out, with the vocabularies and units learnt.

A closed union of fields, as frozen pydantic models: they go to JSON and come back checked, so a
model folder written by a stranger cannot smuggle anything in.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Category", "Column", "Image", "InputField", "OutputField", "Quantity", "Signature"]
__all__ += ["Series", "Table"]

Size = Annotated[int, Field(ge=1, le=100_000)]


class Frozen(BaseModel):
    """An immutable value that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Column(Frozen):
    """One input column of a table.

    How a cell becomes a float64: numeric as it is; category its index in `values` (-1 when it is
    none of them); boolean 0 or 1 in the order of `values`; date days since 1970-01-01 UTC.
    A missing cell is NaN.
    """

    name: str
    kind: Literal["numeric", "category", "boolean", "date"]
    values: tuple[str, ...] = ()
    missing: bool = False
    clock: bool = False
    """For dates: do the cells carry a time of day?"""


class Table(Frozen):
    """Rows of columns, as float64 of shape (rows, columns)."""

    kind: Literal["table"] = "table"
    columns: tuple[Column, ...] = Field(min_length=1)


class Image(Frozen):
    """Pictures, as uint8 of shape (rows, channels, height, width)."""

    kind: Literal["image"] = "image"
    channels: Literal[1, 3]
    height: Size
    width: Size
    fit: Annotated[Literal["squeeze", "crop"], Field(exclude_if=lambda fit: fit == "squeeze")] = (
        "squeeze"
    )
    """How a picture of another size comes to this one: squeeze gives up its aspect ratio, crop
    keeps the middle of it at 7/8 of its shorter side, as networks for ImageNet are evaluated."""


class Series(Frozen):
    """Sequences of one length, as finite float64 of shape (rows, steps, channels).

    Called Series since Python's own `Sequence` has the other name.
    """

    kind: Literal["sequence"] = "sequence"
    channels: Size
    """Numbers a step."""
    steps: Size


class Category(Frozen):
    """One of `names`; a model answers with one logit a name."""

    kind: Literal["category"] = "category"
    name: str = "label"
    names: tuple[str, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _distinct(self) -> "Category":
        if len(set(self.names)) != len(self.names):
            raise ValueError("category names repeat")
        return self


class Quantity(Frozen):
    """Numbers in the units of the data; a model answers with one number a name."""

    kind: Literal["quantity"] = "quantity"
    names: tuple[str, ...] = Field(min_length=1)
    units: tuple[str, ...] = ()


InputField = Annotated[Table | Image | Series, Field(discriminator="kind")]
OutputField = Annotated[Category | Quantity, Field(discriminator="kind")]


class Signature(Frozen):
    """What goes into a model and what comes out."""

    input: InputField
    output: OutputField

    @property
    def outputs(self) -> int:
        """How many numbers a model answers with for one sample."""
        return len(self.output.names)

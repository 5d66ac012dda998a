"""`Signature`: what goes into a model and what comes out, with the vocabularies and units learnt.

A closed union of fields, as frozen pydantic models: they go to JSON and come back checked, so a
model folder written by a stranger cannot smuggle anything in.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["IGNORED", "Actions", "Boxes", "Category", "Column", "Continuation", "Density", "Game"]
__all__ += ["Image", "InputField", "Mask", "OutputField", "Picture", "Quantity", "Series"]
__all__ += ["Signature", "Sound", "Synthesis", "Table", "Text", "Translation"]

MOST_CHARACTERS = 0x110000  # that Unicode has room for

IGNORED = 255
"""Pixels of a mask that neither teach nor count, such as those outside of a picture."""

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
    fit: Annotated[
        Literal["squeeze", "crop", "pad"], Field(exclude_if=lambda fit: fit == "squeeze")
    ] = "squeeze"
    """How a picture of another size comes to this one: squeeze gives up its aspect ratio, crop
    keeps the middle of it at 7/8 of its shorter side, as networks for ImageNet are evaluated. With
    pad it keeps its own size, in the upper left of a canvas as large as the largest picture."""


class Series(Frozen):
    """Sequences of one length, as finite float64 of shape (rows, steps, channels).

    Called Series since Python's own `Sequence` has the other name.
    """

    kind: Literal["sequence"] = "sequence"
    channels: Size
    """Numbers a step."""
    steps: Size


class Sound(Frozen):
    """Recordings with one channel, as int16 of shape (rows, length), zeros after the end.

    Zeros at the end of a recording are no part of it.
    """

    kind: Literal["sound"] = "sound"
    rate: Annotated[int, Field(ge=100, le=1_000_000)]
    """Samples a second."""
    length: Annotated[int, Field(ge=1, le=2**31)]
    """Samples of the longest recording."""


class Text(Frozen):
    """Text, as int32 of shape (rows, length): the number of each character in `alphabet`.

    `len(alphabet)` stands for a character that is not in it, -1 for none after the end.
    """

    kind: Literal["text"] = "text"
    length: Size
    """Characters of the longest row."""
    alphabet: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
    """The different characters, in the order of their code points."""
    language: Annotated[str, Field(max_length=35)] = ""
    """Its code, such as fr, where it is known."""


class Game(Frozen):
    """Games, as int64 seeds of shape (rows, 1); a model is asked with what is seen of a game."""

    kind: Literal["game"] = "game"
    name: Annotated[str, Field(min_length=1, max_length=200)]
    """Such as breakout10, CartPole-v1 or ALE/Breakout-v5."""
    shape: Annotated[tuple[Size, ...], Field(min_length=1, max_length=4)]
    """Of what is seen at a time."""
    levels: Annotated[float, Field(ge=0, le=255)] = 0.0
    """The largest value of a pixel, where pixels are seen; else 0."""


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


class Picture(Frozen):
    """The same picture without its noise: levels from 0 to 255, as float32, never clipped.

    Then the inputs are levels too, for noise knows no borders.
    """

    kind: Literal["picture"] = "picture"
    channels: Literal[1, 3]
    sigma: Annotated[float, Field(gt=0, le=255)] | None = None
    """Standard deviation of the white Gaussian noise, where it is known."""
    noisy: bool = False
    """Whether targets are noisy too when a network learns from them (Noise2Noise)."""


class Mask(Frozen):
    """A class for every pixel, as uint8 of shape (rows, height, width); 255 is ignored.

    A model answers with logits (rows, classes, height, width).
    """

    kind: Literal["mask"] = "mask"
    names: Annotated[tuple[str, ...], Field(min_length=2, max_length=IGNORED)]
    levels: tuple[tuple[int, ...], ...] = ()
    """The grey level or the colour that stands for each class in the files of the data."""


class Boxes(Frozen):
    """Boxes with a class, as float32 of shape (rows, most, 5), -1 where there are fewer.

    A box is left, top, right and bottom as shares of the picture's width and height, then the
    number of its class. A model answers with (rows, found, 6): the box, how sure, its class.
    """

    kind: Literal["boxes"] = "boxes"
    names: Annotated[tuple[str, ...], Field(min_length=1)]


class Continuation(Frozen):
    """How the text goes on, token by token; the targets of a text are the text itself."""

    kind: Literal["continuation"] = "continuation"


class Translation(Frozen):
    """The same in another language, as int32 of shape (rows, length), coded as a `Text` is.

    A model answers so too, with rows as long as its longest answer.
    """

    kind: Literal["translation"] = "translation"
    length: Size
    alphabet: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
    language: Annotated[str, Field(max_length=35)] = ""


class Density(Frozen):
    """How probable a row is; there are no targets. A model answers with its log density in nats."""

    kind: Literal["density"] = "density"
    grains: tuple[Annotated[float, Field(ge=0)], ...] = ()
    """The step between neighbouring values, one for pictures or one a column; 0: continuous."""
    levels: Annotated[int, Field(ge=2, le=256)] = 256
    """Of a pixel."""


class Synthesis(Frozen):
    """New rows like those that are there; targets are their classes, where these are known."""

    kind: Literal["synthesis"] = "synthesis"
    names: tuple[str, ...] = ()
    levels: Annotated[int, Field(ge=2, le=256)] = 256
    """Of a pixel."""


class Actions(Frozen):
    """What to do next in a game; a model answers with the value of each action."""

    kind: Literal["actions"] = "actions"
    names: Annotated[tuple[str, ...], Field(min_length=2)]


InputField = Annotated[Table | Image | Series | Sound | Text | Game, Field(discriminator="kind")]
OutputField = Annotated[
    Category
    | Quantity
    | Picture
    | Mask
    | Boxes
    | Continuation
    | Translation
    | Density
    | Synthesis
    | Actions,
    Field(discriminator="kind"),
]


class Signature(Frozen):
    """What goes into a model and what comes out."""

    input: InputField
    output: OutputField

    @property
    def outputs(self) -> int:
        """How many numbers a model answers with: for a sample, a pixel, a box's class or a move.

        Of a text, 0: its tokeniser knows.
        """
        field = self.output
        if isinstance(field, Picture):
            return field.channels
        if isinstance(field, Continuation | Translation):
            return 0
        return 1 if isinstance(field, Density) else len(field.names)

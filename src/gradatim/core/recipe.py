"""`Recipe`: how a network is trained. Frozen, typed, the same in Python, TOML and in flags."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gradatim.core.errors import ConfigError, nearest

__all__ = ["Augmentation", "OptimizerChoice", "Recipe", "Schedule", "Settings"]

Rate = Annotated[float, Field(gt=0, le=1000)]
Share = Annotated[float, Field(ge=0, lt=1)]


class Settings(BaseModel):
    """Typed, immutable settings; every wrong field is reported at once, with the nearest name."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def parse(cls, values: dict[str, Any], prefix: str = "") -> Self:
        """Return checked settings.

        Args:
            values: nested, as TOML or JSON gives them.
            prefix: where the values stand, such as "model.", for messages.

        Raises:
            ConfigError: naming every field that does not fit.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            lines = [_explain(cls, e, prefix) for e in error.errors()]
            raise ConfigError("; ".join(lines)) from error


def _explain(settings: type[BaseModel], error: Any, prefix: str) -> str:
    path = [str(part) for part in error["loc"]]
    name = prefix + ".".join(path)
    if error["type"] == "extra_forbidden":
        known: list[str] = list(settings.model_fields)
        for part in path[:-1]:
            field = settings.model_fields[part].annotation
            known = list(getattr(field, "model_fields", known))
        return f'there is no setting "{name}"; {nearest(path[-1], known)}'
    return f"{name} = {error['input']!r}: {error['msg'][0].lower()}{error['msg'][1:]}"


class OptimizerChoice(Settings):
    """Which optimizer, and its numbers; one that does not use a number ignores it."""

    name: str = "adamw"
    lr: Rate = 1e-3
    weight_decay: Annotated[float, Field(ge=0, le=10)] = 1e-2
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9


class Schedule(Settings):
    """How the learning rate moves over the run; `warmup` is a share of all steps."""

    name: Literal["constant", "cosine"] = "cosine"
    warmup: Share = 0.05


class Augmentation(Settings):
    """Changes to training pictures that keep their meaning, drawn anew in every step."""

    shift: Annotated[int, Field(ge=0, le=64)] = 0
    """Largest move in pixels, along each axis."""
    flip: bool = False
    """Mirror left and right half of the time."""


class Recipe(Settings):
    """All choices of one training run."""

    optimizer: OptimizerChoice = OptimizerChoice()
    schedule: Schedule = Schedule()
    augmentation: Augmentation = Augmentation()
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 50
    batch: Annotated[int, Field(ge=1, le=1_000_000)] = 64
    validation: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    """Share of the training rows that early stopping watches; 0 trains to the last epoch."""
    patience: Annotated[int, Field(ge=1, le=100_000)] = 10
    """Epochs without a better validation loss before training stops."""
    clip: Annotated[float, Field(ge=0)] = 1.0
    """Largest norm of the gradient; 0 never clips."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

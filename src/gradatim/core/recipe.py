"""`Recipe`: how a network is trained. Frozen, typed, the same in Python, TOML and in flags."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gradatim.core.errors import ConfigError, nearest

__all__ = [
    "Augmentation",
    "Initialisation",
    "LossChoice",
    "OptimizerChoice",
    "Recipe",
    "Schedule",
    "Settings",
]

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
    """Decoupled from the gradient where the optimizer says so; `l2` of the recipe never is."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Of momentum, nesterov and muon."""
    rho: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Memory of rmsprop for squared gradients."""
    damping: Annotated[float, Field(ge=0, le=1e6)] = 1e-2
    """Added to the Hessian by newton."""
    iterations: Annotated[int, Field(ge=1, le=10_000)] = 10
    """Conjugate gradients a step of newton."""
    history: Annotated[int, Field(ge=1, le=1000)] = 10
    """Pairs of steps and gradient changes that lbfgs remembers."""
    population: Annotated[int, Field(ge=2, le=100_000)] = 32
    """Networks that evolution tries a step; even."""
    sigma: Rate = 0.02
    """Standard deviation of what evolution adds to the weights."""


class Schedule(Settings):
    """How the learning rate moves over the run, after a warm-up that is a share of all steps."""

    name: Literal["constant", "step", "exponential", "inverse", "cosine", "onecycle"] = "cosine"
    warmup: Share = 0.05
    decay: Annotated[float, Field(gt=0, le=1000)] = 5.0
    """k of exponential, rate e^(-k t), and of inverse, rate / (1 + k t); t is the share done."""
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """What step multiplies the rate with, each time."""
    every: Annotated[float, Field(gt=0, le=1)] = 0.2
    """Share of the run between two moves of step."""


class Augmentation(Settings):
    """Changes to training samples that keep their meaning, drawn anew in every step.

    A rung that sees no planes of pixels refuses those of pictures; it takes mixup and noise.
    """

    shift: Annotated[int, Field(ge=0, le=64)] = 0
    """Largest move in pixels, along each axis."""
    flip: bool = False
    """Mirror left and right half of the time."""
    updown: bool = False
    """Mirror top and bottom half of the time."""
    turn: bool = False
    """Turn by a quarter, a half or three quarters, or not at all; pictures must be square."""
    crop: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share of each side that is cut away before the rest is enlarged again."""
    rotation: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Largest turn in degrees, either way."""
    cutout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Side of the square that is blanked, as a share of the shorter side."""
    mixup: Annotated[float, Field(ge=0, le=10)] = 0.0
    """alpha of the Beta(alpha, alpha) that mixes two samples and their targets; 0 mixes none."""
    noise: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Standard deviation of what is added to standardised features."""
    mask_time: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share of a spectrogram's time that is blanked (SpecAugment)."""
    mask_frequency: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share of its frequencies that is blanked."""
    bend: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share by which a spectrogram's frequencies are stretched, as voices differ."""


class LossChoice(Settings):
    """What training descends; scores and early stopping keep to the task's own loss."""

    name: Literal[
        "own", "squared", "absolute", "huber", "hinge", "logistic", "cross_entropy", "focal"
    ] = "own"
    """own is cross_entropy for categories and squared for quantities."""
    label_smoothing: Share = 0.0
    """Share of the probability that is spread over all classes."""
    class_weights: Literal["none", "balanced"] = "none"
    """balanced weighs a row by rows / (classes * rows of its class)."""
    gamma: Annotated[float, Field(ge=0, le=20)] = 2.0
    """Of focal: (1 - p)^gamma."""
    delta: Annotated[float, Field(gt=0, le=1000)] = 1.0
    """Of huber, in standard deviations of the target: where squares turn into absolute values."""


Initialisation = Literal["own", "constant", "small", "large", "xavier", "he", "orthogonal"]


class Recipe(Settings):
    """All choices of one training run."""

    optimizer: OptimizerChoice = OptimizerChoice()
    schedule: Schedule = Schedule()
    augmentation: Augmentation = Augmentation()
    loss: LossChoice = LossChoice()
    initialisation: Initialisation = "own"
    """How weights begin: own is what the rung's file says."""
    l2: Annotated[float, Field(ge=0, le=1000)] = 0.0
    """lambda of the penalty lambda/2 |W|^2, a part of the loss."""
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 50
    batch: Annotated[int, Field(ge=1, le=1_000_000)] = 64
    steps: Annotated[int, Field(ge=0, le=10**9, exclude_if=lambda count: count == 0)] = 0
    """Steps an epoch, where rows do not say it, as in games; 0: as many as there are batches."""
    window: Annotated[int, Field(ge=0, le=100_000, exclude_if=lambda count: count == 0)] = 0
    """Tokens a step of each stream of a running text; 0 where no text is modelled."""
    patch: Annotated[int, Field(ge=0, le=4096, exclude_if=lambda side: side == 0)] = 0
    """Side of squares that are cut at random from pictures of any size; 0 takes them whole."""
    patches: Annotated[int, Field(ge=1, le=10_000, exclude_if=lambda count: count == 1)] = 1
    """Squares cut from each picture in an epoch."""
    validation: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    """Share of the training rows that early stopping watches; 0 trains to the last epoch."""
    patience: Annotated[int, Field(ge=1, le=100_000)] = 10
    """Epochs without a better validation loss before training stops."""
    settle: Annotated[float, Field(ge=0, lt=1, exclude_if=lambda share: share == 0)] = 0.0
    """Of classes: once the training loss of an epoch is this share of a guess's, log(classes), the
    rate falls to 0 in as many steps as were taken; 0 keeps to the epochs. One process alone."""
    clip: Annotated[float, Field(ge=0)] = 1.0
    """Largest norm of the gradient; 0 never clips."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

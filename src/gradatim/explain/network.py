"""A rung's network with a batch of rows, as one function of its weights, in float64.

Deviations:
    The network is new, not fitted, and in evaluation mode: dropout passes everything on and batch
    normalisation uses its initial statistics, so that the loss is a function of the weights alone.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from gradatim.core.errors import ConfigError
from gradatim.core.randomness import generator, seed_for
from gradatim.core.rung import Model, Rung, Trained
from gradatim.core.signature import Category, Column, Image, Quantity, Series, Signature, Table
from gradatim.core.task import Supervised
from gradatim.models import RUNGS
from gradatim.tasks import TASKS

__all__ = ["Example", "example", "signature_for"]

ROWS, CLASSES, COLUMNS = 8, 10, 8
SIZES = ((COLUMNS,), (1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 224, 224), (32, 3))


@dataclass(frozen=True)
class Example:
    """A network with a batch for it, all in float64.

    `features` is what the network reads: the preprocessed inputs.
    """

    rung: str
    model: Model
    task: Supervised
    signature: Signature
    features: Tensor
    targets: Tensor

    def loss(self, weights: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the loss of the batch, as it is or with other weights."""
        network: Callable[..., Any] = self.model.network
        if weights is not None:
            network = lambda x: functional_call(self.model.network, dict(weights), (x,))  # noqa: E731
        with _plain_attention():
            return self.task.loss(self.model.output(network(self.features)), self.targets)


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Attention as its formula says: the fused kernels have no forward mode."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


def signature_for(rung: Rung, size: tuple[int, ...] | None) -> Signature:
    """Return what to build the rung for: the first that it accepts.

    Args:
        rung: at its size.
        size: (columns,) of a table, (channels, height, width) of pictures or (steps, channels) of
            sequences; None tries a table of eight columns, then pictures of usual sizes.

    Raises:
        ConfigError: the rung accepts none of them.
    """
    sizes = (size,) if size else SIZES
    names = tuple(f"class {k}" for k in range(CLASSES))
    outputs = (Category(names=names), Quantity(names=("target",)))
    refusal = None
    for tried in sizes:
        for output in outputs:
            signature = Signature(input=_input(tried), output=output)
            refusal = rung.accepts(signature)
            if refusal is None:
                return signature
    assert refusal is not None
    asked = "x".join(map(str, size)) if size else "a table or pictures"
    raise ConfigError(f"{rung.name} does not take {asked}: {refusal.reason}; {refusal.remedy}")


def _input(size: tuple[int, ...]) -> Table | Image | Series:
    if len(size) == 1:
        return Table(columns=tuple(Column(name=f"x{k}", kind="numeric") for k in range(size[0])))
    if len(size) == 2:
        return Series(steps=size[0], channels=size[1])
    channels, height, width = size
    if channels not in (1, 3):
        raise ConfigError(f"--input: pictures have 1 or 3 channels, not {channels}")
    return Image(channels=1 if channels == 1 else 3, height=height, width=width)


def example(name: str, size: str = "tiny", shape: tuple[int, ...] | None = None) -> Example:
    """Build a rung's network and a batch of eight random rows.

    Raises:
        ConfigError: there is no such rung or size, or it has no gradient to follow.
    """
    rung = RUNGS[name].of_size(size)
    if not isinstance(rung, Trained):
        trained = [n for n, kind in RUNGS.all().items() if issubclass(kind, Trained)]
        raise ConfigError(
            f"{name} is solved, not trained: no gradient passes through its layers\n"
            f"rungs with a gradient: {', '.join(trained)}"
        )
    signature = signature_for(rung, shape)
    task = next(task for task in TASKS.all().values() if task.suits(signature))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(0, "derive"))
        model = rung.build(signature, {}).eval()
    inputs = _inputs(signature)
    features = model.preprocess.fit(inputs)(inputs)  # type: ignore[operator]
    features = features.double() if features.is_floating_point() else features
    model.double()
    return Example(name, model, task, signature, features, _targets(signature))


def _inputs(signature: Signature) -> Tensor:
    chance, field_ = generator(0, "derive inputs"), signature.input
    shape: tuple[int, ...]
    if isinstance(field_, Image):
        shape = (ROWS, field_.channels, field_.height, field_.width)
        return torch.randint(0, 256, shape, generator=chance, dtype=torch.uint8)
    if isinstance(field_, Table):
        shape = (ROWS, len(field_.columns))
    else:
        shape = (ROWS, field_.steps, field_.channels)
    return torch.randn(shape, generator=chance, dtype=torch.float64)


def _targets(signature: Signature) -> Tensor:
    if isinstance(signature.output, Category):
        return torch.arange(ROWS) % signature.outputs
    chance = generator(0, "derive targets")
    return torch.randn((ROWS, signature.outputs), generator=chance, dtype=torch.float64)

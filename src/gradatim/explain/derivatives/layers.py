"""A network as a graph of layers: what each gave going forwards, what came back to it.

Forward pass: mean and deviation of a layer's values. Backward pass: the norm of the loss's gradient
by them. Who reads whom is taken from autograd's own graph, so shortcuts are seen.

Source: course 000, "Chain rule" (forward and backward pass) and "Vanishing gradients".
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from gradatim.explain.derivatives.network import Example

__all__ = ["Layer", "layers"]

MOST_LAYERS = 36  # drawn; a deeper network is drawn by its blocks


@dataclass
class Layer:
    """One layer: what it gave, and the gradient that came back to it.

    Args:
        name: where it stands in the network, such as "0" or "blocks.2".
        kind: its class.
        shape: of what it gave, for one row.
        parameters: how many it holds.
        mean: of the values it gave.
        deviation: of them, around the mean.
        gradient: norm of the loss's gradient by them.
        parents: places of the layers it reads; -1 is the input.
    """

    name: str
    kind: str
    shape: tuple[int, ...] = ()
    parameters: int = 0
    mean: float = 0.0
    deviation: float = 0.0
    gradient: float = 0.0
    parents: tuple[int, ...] = ()

    def receive(self, gradient: Tensor) -> None:
        """Add the gradient of one output; a recurrent layer gives several."""
        self.gradient = math.hypot(self.gradient, float(gradient.norm()))


@dataclass
class _Watch:
    """Listens to a forward and a backward pass; who reads whom follows autograd's own graph."""

    start: Tensor
    layers: list[Layer] = field(default_factory=list)
    made: dict[Any, int] = field(default_factory=dict)

    def listen(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        """Return the hook of one module."""

        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            outputs = [t for t in _tensors(output) if t.is_floating_point()]
            if not outputs:
                return
            values = outputs[0].detach()
            layer = Layer(name, type(module).__name__, tuple(values.shape[1:]))
            layer.parameters = sum(p.numel() for p in module.parameters())
            layer.mean, layer.deviation = float(values.mean()), float(values.std(correction=0))
            layer.parents = self._sources(_tensors(inputs)) or (-1,)
            for tensor in outputs:
                if tensor.requires_grad:
                    tensor.register_hook(layer.receive)
                    self.made[tensor.grad_fn] = len(self.layers)
            self.layers.append(layer)

        return hook

    def _sources(self, tensors: list[Tensor]) -> tuple[int, ...]:
        """Walk back from what a layer read to the layers that it came from."""
        found, seen = set[int](), set[Any]()
        open_: list[Any] = [t.grad_fn for t in tensors if t.grad_fn is not None]
        found |= {-1 for t in tensors if t is self.start}
        while open_:
            function = open_.pop()
            if function is None or function in seen:
                continue
            seen.add(function)
            if function in self.made:
                found.add(self.made[function])
            elif getattr(function, "variable", None) is self.start:
                found.add(-1)
            else:
                open_ += [before for before, _ in function.next_functions]
        return tuple(sorted(found))


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        return [tensor for part in value for tensor in _tensors(part)]
    return []


def layers(case: Example, most: int = MOST_LAYERS) -> list[Layer]:
    """Run the batch forwards and backwards; return the layers in the order they were reached.

    A network of more than `most` layers is told by the blocks that contain them.
    """
    depth = max(_depths(case.model.network), default=0)
    while True:
        found = _watched(case, depth)
        if len(found) <= most or depth <= 1:
            return found
        depth -= 1


def _depths(network: nn.Module) -> list[int]:
    return [name.count(".") + 1 for name, _ in network.named_modules() if name]


def _watched(case: Example, depth: int) -> list[Layer]:
    start = case.features.clone()
    if start.is_floating_point():
        start.requires_grad_()
    watch = _Watch(start)
    chosen = [
        (name, module)
        for name, module in case.model.network.named_modules()
        if _is_unit(name, module, depth)
    ]
    handles = [module.register_forward_hook(watch.listen(name)) for name, module in chosen]
    try:
        loss = case.task.loss(case.model.output(case.model.network(start)), case.targets)
    finally:
        for handle in handles:
            handle.remove()
    loss.backward()
    case.model.zero_grad()
    return watch.layers


def _is_unit(name: str, module: nn.Module, depth: int) -> bool:
    level = name.count(".") + 1 if name else 0
    leaf = next(module.children(), None) is None
    return level == depth or (leaf and level < depth)

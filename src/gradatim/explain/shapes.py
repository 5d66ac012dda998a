"""`shapes`: what each layer returns, how many parameters and products it takes, what it sees."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from gradatim.core.errors import ConfigError
from gradatim.explain.reach import Reach, follow, start
from gradatim.ops.multiply_adds import Watching, of_operation, plain_attention

__all__ = ["Layer", "Shapes", "shapes"]

ATOMS = (nn.MultiheadAttention,)
"""Layers with layers inside that are never called by themselves."""


@dataclass
class Layer:
    """A layer as it was called.

    `output` leaves the rows out. `stride` is how far the input moves when the output moves by one
    place, and `receptive_field` the side of the window seen, in places of the input: for `whole`
    there is no stride and the field is the longer side of the input.
    """

    name: str
    kind: str
    output: tuple[int, ...] = ()
    parameters: int = 0
    multiply_adds: int = 0
    stride: int | None = None
    receptive_field: int | None = None
    whole: bool = False


@dataclass(frozen=True)
class Shapes:
    """The layers of a network in the order of their first call, and its sums."""

    layers: tuple[Layer, ...]
    parameters: int
    multiply_adds: int
    unused: tuple[str, ...]
    """Layers with parameters that are not called when predicting."""


@torch.no_grad()
def shapes(network: nn.Module, inputs: Tensor, sides: tuple[int, ...]) -> Shapes:
    """Send one row through a network and note what every layer makes of it.

    Nothing is computed when network and row are on torch's meta device. Residual sums, branches
    and whatever stands between layers are followed operation by operation.

    Args:
        network: in evaluation mode.
        inputs: one row, as the network takes it.
        sides: height and width of a picture, steps of a sequence, columns of a table.

    Raises:
        ConfigError: a layer cannot take what reaches it; the layer is named.
    """
    trace = _Trace(network, inputs, sides)
    with trace.listening(), plain_attention(), trace:
        try:
            network(inputs)
        except ConfigError:
            raise
        except (RuntimeError, ValueError, AssertionError, NotImplementedError) as error:
            raise trace.complaint(error) from error
    layers = tuple(trace.layers.values())
    products = sum(layer.multiply_adds for layer in layers)
    parameters = sum(p.numel() for p in network.parameters())
    return Shapes(layers, parameters, products, tuple(trace.unused()))


class _Trace(Watching):
    """Watches modules through hooks, and operations as a dispatch mode."""

    def __init__(self, network: nn.Module, inputs: Tensor, sides: tuple[int, ...]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.network, self.sides = network, sides
        places = inputs[0].numel() // (inputs.shape[1] if inputs.dim() == 4 else 1)
        # The tensor is kept with its reach, so that its id stays its own.
        begin = start(len(sides), places)
        self.reach: dict[int, tuple[Tensor, Reach]] = {id(inputs): (inputs, begin)}
        self.layers: dict[str, Layer] = {}
        self.called: list[tuple[str, nn.Module, tuple[int, ...]]] = []
        self.seen = set[str]()

    def __torch_dispatch__(
        self, operation: Any, types: Any, arguments: tuple[Any, ...] = (), named: Any = None
    ) -> Any:
        named = named or {}
        result = operation(*arguments, **named)
        products = of_operation(operation, arguments, named, result)
        if products and self.called:
            name, module, _ = self.called[-1]
            self._layer(name, module).multiply_adds += products
        given = [id(t) for t in tree_leaves((arguments, named)) if isinstance(t, Tensor)]
        met = [self.reach[key][1] for key in given if key in self.reach]
        if met:
            reach = follow(operation, arguments, met, result)
            outs = [t for t in tree_leaves(result) if isinstance(t, Tensor)]
            self.reach |= {id(out): (out, reach) for out in outs}
        return result

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hang hooks on every module that can be called, and take them off again."""
        hooks = []
        for name, module in self._modules(self.network, ""):
            enter, leave = self._hooks(name or "network")
            hooks += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def complaint(self, error: Exception) -> ConfigError:
        """Return the error that names the layer that was at work."""
        name, module, shape = self.called[-1] if self.called else ("network", self.network, ())
        reason = str(error).splitlines()[0][:200]
        came = " x ".join(map(str, shape)) or "its input"
        return ConfigError(
            f"layer {name} ({type(module).__name__}) cannot take {came}: {reason}\n"
            "expected a larger input, or one that fits the settings; change --input or --set"
        )

    def unused(self) -> Iterator[str]:
        """Yield the modules with parameters that were not called."""
        for name, module in self._modules(self.network, ""):
            own = any(True for _ in module.parameters(recurse=not _has_layers(module)))
            if own and (name or "network") not in self.seen:
                yield name or "network"

    def _modules(self, module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
        yield name, module
        if _has_layers(module):
            for child, inner in module.named_children():
                yield from self._modules(inner, f"{name}.{child}".lstrip("."))

    def _hooks(self, name: str) -> tuple[Any, Any]:
        def enter(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            shape = tuple(inputs[0].shape[1:]) if inputs and isinstance(inputs[0], Tensor) else ()
            self.called.append((name, module, shape))
            if _has_layers(module) and name not in self.seen:
                self._loose(name, module)
            self.seen.add(name)

        def leave(module: nn.Module, inputs: tuple[Any, ...], result: Any) -> None:
            self.called.pop()
            out = next(t for t in tree_leaves(result) if isinstance(t, Tensor))
            if not _has_layers(module):
                self._describe(self._layer(name, module), out)
            elif name in self.layers:  # products that it takes outside the layers inside it
                self._describe(self.layers[name], out)

        return enter, leave

    def _layer(self, name: str, module: nn.Module) -> Layer:
        if name not in self.layers:
            own = [] if _has_layers(module) else module.parameters()
            count = sum(p.numel() for p in own)
            self.layers[name] = Layer(name, type(module).__name__, parameters=count)
        return self.layers[name]

    def _loose(self, name: str, module: nn.Module) -> None:
        """Note parameters that belong to no layer, such as learnt positions."""
        for own, parameter in module.named_parameters(recurse=False):
            full = f"{name}.{own}".removeprefix("network.")
            shape = tuple(parameter.shape)
            self.layers[full] = Layer(full, "Parameter", shape, parameter.numel())

    def _describe(self, layer: Layer, out: Tensor) -> None:
        layer.output = tuple(out.shape[1:])
        if id(out) not in self.reach:
            return
        reach = self.reach[id(out)][1]
        layer.whole = reach.covers(self.sides)
        layer.stride = None if layer.whole else max(reach.jump)
        layer.receptive_field = max(self.sides) if layer.whole else max(reach.field)


def _has_layers(module: nn.Module) -> bool:
    if isinstance(module, nn.Sequential):  # an empty one is a shortcut that changes nothing
        return True
    return not isinstance(module, ATOMS) and any(True for _ in module.children())

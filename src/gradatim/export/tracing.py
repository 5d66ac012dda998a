"""What a model does to its inputs, as a list of calls: a graph of `torch.fx`.

A part that cannot be traced, since what it does depends on the numbers or on how many rows there
are, is one call of the list; so are torch's own layers, the preprocessing and the output.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor, fx, nn

from gradatim.export.affine import KNOWN
from gradatim.ops.dense import dense
from gradatim.ops.fused_convolution import convolve_relu_pool
from gradatim.ops.products import linear

__all__ = ["shapes_of", "traced"]

WHOLE = (linear, dense, convolve_relu_pool)
"""Functions that look at sizes before they choose a way: one call each."""


def traced(model: nn.Module) -> fx.GraphModule:
    """Return a model in evaluation mode as a list of calls; it shares the model's parameters."""
    tracer = _Tracer(autowrap_functions=WHOLE)
    return fx.GraphModule(model, tracer.trace(model))


def shapes_of(calls: fx.GraphModule, example: Tensor) -> dict[fx.Node, Tensor]:
    """Return the tensor that each call makes of an example, for its shape and type."""
    seen: dict[fx.Node, Tensor] = {}

    class Watched(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            found = super().run_node(n)
            if isinstance(found, Tensor):
                seen[n] = found
            return found

    Watched(calls).run(example)
    return seen


class _Tracer(fx.Tracer):
    """Look into every module that can be looked into."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Take layers of torch as they are, and both ends of a `Model`."""
        ends = module_qualified_name in ("preprocess", "output")
        return ends or type(m) in KNOWN or super().is_leaf_module(m, module_qualified_name)

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Note what a module does, or its call where that cannot be told."""
        if isinstance(m, nn.Sequential):  # a subclass may take several layers at once; not here
            forward = nn.Sequential.forward.__get__(m)
        if self.is_leaf_module(m, self.path_of_module(m)):
            return super().call_module(m, forward, args, kwargs)
        before = len(self.graph.nodes)
        try:
            return super().call_module(m, forward, args, kwargs)
        except Exception:  # noqa: BLE001  whatever code makes of a stand-in for a tensor
            for node in reversed(list(self.graph.nodes)[before:]):
                self.graph.erase_node(node)
            return self.create_proxy("call_module", self.path_of_module(m), args, kwargs)

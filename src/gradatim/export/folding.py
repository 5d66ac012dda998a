"""The calls of a model, folded until fewer are left, with the same answers."""

from torch import Tensor, fx, nn

from gradatim.export import passes
from gradatim.export.affine import Affine
from gradatim.export.calls import Call, chained, chains, convolved, unheard
from gradatim.export.tracing import shapes_of, traced

__all__ = ["Folding", "folded"]


def folded(model: nn.Module, example: Tensor) -> fx.GraphModule:
    """Return the calls that compute what a model in evaluation mode does.

    Args:
        model: traced; the calls share what is left of it.
        example: raw inputs, rows first: shapes are those of its answers.
    """
    calls = traced(model)
    folding = Folding(calls, shapes_of(calls, example))
    for fold in passes.ALL:
        for call in folding.nodes():
            fold(folding, call)
    folding.write()
    return calls


class Folding:
    """The calls of a model while they are folded.

    Args:
        calls: as traced; they are changed.
        seen: the tensor that each call made of an example.
    """

    def __init__(self, calls: fx.GraphModule, seen: dict[fx.Node, Tensor]) -> None:
        self.calls, self.graph, self.seen = calls, calls.graph, seen
        found = {call: Affine.of(self.layer(call)) for call in self.nodes()}
        self.layers = {call: affine for call, affine in found.items() if affine is not None}

    def nodes(self) -> list[fx.Node]:
        """Return the calls in their order, to be changed while one looks at them."""
        return list(self.graph.nodes)

    def layer(self, call: fx.Node) -> nn.Module | None:
        """Return the layer that is called, or None where it is none."""
        return self.calls.get_submodule(str(call.target)) if call.op == "call_module" else None

    def before(self, call: fx.Node) -> tuple[fx.Node, Affine] | None:
        """Return the affine call before this one: one reads what the other makes, and no other."""
        inputs = call.all_input_nodes
        alone = len(inputs) == 1 and len(inputs[0].users) == 1
        return (inputs[0], self.layers[inputs[0]]) if alone and inputs[0] in self.layers else None

    def drop(self, call: fx.Node, instead: fx.Node) -> None:
        """Leave a call out: who read its result reads another one's."""
        call.replace_all_uses_with(instead)
        self.graph.erase_node(call)

    def put(self, call: fx.Node, function: Call, first: fx.Node | None = None) -> None:
        """Put a function in the place of a call, with another first input where one is given."""
        args = call.args if first is None else (first, *call.args[1:])
        with self.graph.inserting_before(call):
            new = self.graph.call_function(function, tuple(args), call.kwargs)
        self.drop(call, new)

    def write(self) -> None:
        """Put functions in the place of all layers that are left."""
        for call, affine in self.layers.items():
            if affine.places is not None:
                self.put(call, convolved(affine))
        for chain in self._chains():
            self._put_chain(chain)
        for call in self.nodes():
            layer = self.layer(call)
            if layer is not None:
                self.put(call, unheard(layer))
        self.calls.delete_all_unused_submodules()
        self.graph.lint()
        self.calls.recompile()

    def _put_chain(self, chain: list[fx.Node]) -> None:
        first = chain[0].args[0]
        assert isinstance(first, fx.Node), "a layer reads what another call made"
        self.put(chain[-1], chained([self.layers[call] for call in chain]), first)
        for call in reversed(chain[:-1]):
            self.graph.erase_node(call)

    def _chains(self) -> list[list[fx.Node]]:
        """Return linear layers, those together that follow on one another in machine code."""
        found: list[list[fx.Node]] = []
        for call, affine in self.layers.items():
            if affine.places is None:
                if found and self._joins(call, found[-1][-1]):
                    found[-1].append(call)
                else:
                    found.append([call])
        return found

    def _joins(self, call: fx.Node, last: fx.Node) -> bool:
        alone = call.args[0] is last and len(last.users) == 1
        return alone and chains(self.layers[call]) and chains(self.layers[last])

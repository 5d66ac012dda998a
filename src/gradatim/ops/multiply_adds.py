"""How many multiply-adds a network takes: those of matrix products and convolutions."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["Watching", "multiply_adds", "of_operation", "plain_attention"]


def of_operation(
    operation: Any, arguments: tuple[Any, ...], named: Mapping[str, Any], result: Any
) -> int:
    """Return the multiply-adds of one tensor operation; 0 for all but products.

    A product of (n, k) and (k, m) takes n k m; a convolution of K x K from c to c' channels in g
    groups takes K^2 c c' / g for each place of its output; torch's LSTM, one operation for all
    steps, the numbers of its two matrices at each. Sums with a bias are not counted.

    Args:
        operation: as a dispatch mode is told of it.
        arguments: its arguments.
        named: its keyword arguments.
        result: what it returned.

    Source: torch.utils.flop_counter, which counts two operations a multiply-add.
    """
    from torch.utils.flop_counter import flop_registry

    if operation.overloadpacket is torch.ops.aten.mkldnn_rnn_layer:
        steps, rows = arguments[0].shape[:2]
        return int(steps * rows * (arguments[1].numel() + arguments[2].numel()))
    count = flop_registry.get(operation.overloadpacket)
    return int(count(*arguments, **named, out_val=result)) // 2 if count else 0


@contextmanager
def plain_attention() -> Iterator[None]:
    """Let attention layers take the way of single products.

    Those can be seen and counted, and have forward-mode and second derivatives; fused ones do not.
    """
    from torch.backends import mha
    from torch.nn.attention import SDPBackend, sdpa_kernel

    fast = mha.get_fastpath_enabled()
    mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        mha.set_fastpath_enabled(fast)


class Watching(TorchDispatchMode):
    """A dispatch mode that torch need not hide from its compiler: it would import it."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


class _Counting(Watching):
    """Add up what every operation takes."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(
        self, operation: Any, types: Any, arguments: tuple[Any, ...] = (), named: Any = None
    ) -> Any:
        result = operation(*arguments, **(named or {}))
        self.total += of_operation(operation, arguments, named or {}, result)
        return result


@torch.no_grad()
def multiply_adds(function: Callable[..., Any], *inputs: Tensor) -> int:
    """Return the multiply-adds of one call, by making it.

    Args:
        function: a network, say.
        inputs: with one row, the count is that of one sample.

    >>> multiply_adds(torch.nn.Linear(7, 16), torch.zeros(1, 7))
    112
    """
    with plain_attention(), _Counting() as counting:
        function(*inputs)
    return counting.total

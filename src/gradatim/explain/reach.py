"""`Reach`: which places of the input one place of a tensor depends on, carried through operations.

Place i of a tensor sees the places first + i jump ... last + i jump of the input along each axis.
A window (convolution, pooling) widens that, what brings branches together takes the union, and a
product over all places, an attention or a global average makes it the whole input.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import torch
from torch import Tensor

from gradatim.core.errors import ConfigError

__all__ = ["Reach", "follow", "start"]

Each = tuple[int, ...]
"""A number for each axis."""


@dataclass(frozen=True)
class Reach:
    """What place i sees, along each axis: from `first` + i `jump` to `last` + i `jump`.

    `places` is how many places the tensor has; `whole` says that each of them sees everything.

    Source: Araujo, Norris & Sim 2019, equations (1) and (2), and section 3 on several paths.
    """

    first: Each
    last: Each
    jump: Each
    places: int
    whole: bool = False

    @property
    def field(self) -> Each:
        """Return how many places of the input lie in the window, without a border's cut."""
        return tuple(b - a + 1 for a, b in zip(self.first, self.last, strict=True))

    def covers(self, sides: Each) -> bool:
        """Tell whether every place sees the whole input: by a product, or as the only place."""
        spans = zip(self.first, self.last, sides, strict=True)
        return self.whole or (self.places == 1 and all(a <= 0 and b >= n - 1 for a, b, n in spans))

    def all_of_it(self) -> "Reach":
        """Return the reach of what has seen every place."""
        return replace(self, whole=True)

    def through(self, kernel: Each, stride: Each, padding: Each, dilation: Each) -> "Reach":
        """Return the reach behind a window."""
        axes = len(self.jump)
        if any(size != 1 for size in kernel[:-axes]):
            return self.all_of_it()
        size, step, pad, gap = (each[-axes:] for each in (kernel, stride, padding, dilation))
        first = [a - p * j for a, p, j in zip(self.first, pad, self.jump, strict=True)]
        spans = zip(self.last, size, pad, gap, self.jump, strict=True)
        last = [b + ((k - 1) * d - p) * j for b, k, p, d, j in spans]
        jump = [j * s for j, s in zip(self.jump, step, strict=True)]
        return replace(self, first=tuple(first), last=tuple(last), jump=tuple(jump))


def start(axes: int, places: int) -> Reach:
    """Return the reach of the input itself: each place sees itself."""
    return Reach((0,) * axes, (0,) * axes, (1,) * axes, places)


def follow(operation: Any, arguments: Sequence[Any], met: Sequence[Reach], result: Any) -> Reach:
    """Return the reach of what an operation returns.

    Operations without a rule of their own act on each place alone, such as activations, sums and
    normalisations (whose statistics are not counted as seeing), or move places, such as views.

    Args:
        operation: as a dispatch mode is told of it, with one row in the batch.
        arguments: of the operation.
        met: the reach of every argument that has one, at least one.
        result: what the operation returned.

    Raises:
        ConfigError: the operation makes a map larger.
    """
    union = _union(met)
    rule = _RULES.get(operation.overloadpacket)
    if rule is None or union.whole:
        return union
    return rule(union, arguments, len(met), result)


def _union(met: Sequence[Reach]) -> Reach:
    return Reach(
        tuple(map(min, zip(*(r.first for r in met), strict=True))),
        tuple(map(max, zip(*(r.last for r in met), strict=True))),
        tuple(map(max, zip(*(r.jump for r in met), strict=True))),
        max(r.places for r in met),
        any(r.whole for r in met),
    )


def _convolution(before: Reach, arguments: Sequence[Any], met: int, result: Tensor) -> Reach:
    _, weight, _, stride, padding, dilation, transposed = arguments[:7]
    if transposed:
        return _enlarged(before, arguments, met, result)
    kernel = tuple(weight.shape[2:])
    each = [_for_each(n, len(kernel)) for n in (stride, padding, dilation)]
    return replace(before.through(kernel, *each), places=prod(result.shape[2:]))


def _pooling(before: Reach, arguments: Sequence[Any], dilates: bool, result: Tensor) -> Reach:
    given = [*arguments[1:], *[[]] * 4][:4]
    kernel = _for_each(given[0], 2)
    stride = _for_each(given[1] or kernel, 2)
    padding = _for_each(given[2] or 0, 2)
    dilation = _for_each(given[3] or 1, 2) if dilates else (1, 1)
    return replace(
        before.through(kernel, stride, padding, dilation), places=prod(result.shape[-2:])
    )


def _average(before: Reach, arguments: Sequence[Any], met: int, result: Tensor) -> Reach:
    return _pooling(before, arguments, False, result)


def _largest(before: Reach, arguments: Sequence[Any], met: int, result: Any) -> Reach:
    return _pooling(before, arguments, True, result[0])


def _adaptive(before: Reach, arguments: Sequence[Any], met: int, result: Any) -> Reach:
    """Windows of equal shares; where the shares are no whole numbers, the widest counts."""
    out = result[0] if isinstance(result, tuple) else result
    sizes = list(zip(arguments[0].shape[-2:], out.shape[-2:], strict=True))
    if all(n == 1 for _, n in sizes) and before.places > 1:
        return before.all_of_it()
    kernel = tuple(max(-(-(i + 1) * m // n) - i * m // n for i in range(n)) for m, n in sizes)
    stride = tuple(max(1, m // n) for m, n in sizes)
    return replace(before.through(kernel, stride, (0, 0), (1, 1)), places=prod(out.shape[-2:]))


def _padded(before: Reach, arguments: Sequence[Any], met: int, result: Tensor) -> Reach:
    """Zeros in front move every place on."""
    pads, axes = arguments[1], len(before.jump)
    front = [pads[2 * i] if 2 * i < len(pads) else 0 for i in range(axes)][::-1]
    moved = [n * j for n, j in zip(front, before.jump, strict=True)]
    first = tuple(a - m for a, m in zip(before.first, moved, strict=True))
    last = tuple(b - m for b, m in zip(before.last, moved, strict=True))
    return replace(before, first=first, last=last)


def _product(before: Reach, arguments: Sequence[Any], met: int, result: Tensor) -> Reach:
    """A product of two things that were computed is an attention; a weight may mix places.

    A linear layer acts on each place alone, unless it takes all numbers of a row at once.
    """
    mixes = arguments[-2].shape[-2] == 1 and before.places > 1
    return before.all_of_it() if met > 1 or mixes else before


def _reduction(before: Reach, arguments: Sequence[Any], met: int, result: Tensor) -> Reach:
    """A mean over places sees all of them; one over channels does not."""
    x = arguments[0]
    dims = [arguments[1]] if isinstance(arguments[1], int) else list(arguments[1] or range(x.dim()))
    over = [d % x.dim() for d in dims]
    mixes = any(_is_of_places(d, x.dim()) or x.dim() < 3 for d in over if x.shape[d] > 1)
    return before.all_of_it() if mixes else before


def _selection(before: Reach, arguments: Sequence[Any], met: int, result: Any) -> Reach:
    """One place, taken from all, meets others later: it may have seen any, as in a recurrence."""
    x, dim = arguments[0], (arguments[1] if len(arguments) > 1 else 0) % arguments[0].dim()
    return before.all_of_it() if _is_of_places(dim, x.dim()) and x.shape[dim] > 1 else before


def _enlarged(before: Reach, arguments: Sequence[Any], met: int, result: Any) -> Reach:
    raise ConfigError(
        "this network enlarges its maps, and then places of one map see windows of several sizes\n"
        "expected a network whose maps keep their size or shrink"
    )


def _is_of_places(dim: int, dims: int) -> bool:
    """Maps are (rows, channels, height, width), tokens and steps (rows, places, numbers)."""
    return dim >= 2 if dims == 4 else dim < dims - 1


def _for_each(numbers: int | Sequence[int], axes: int) -> Each:
    values = (numbers,) if isinstance(numbers, int) else tuple(numbers)
    return values * axes if len(values) == 1 else values


_ATEN = torch.ops.aten
_RULES: dict[Any, Callable[[Reach, Sequence[Any], int, Any], Reach]] = {
    _ATEN.convolution: _convolution,
    _ATEN.max_pool2d_with_indices: _largest,
    _ATEN.avg_pool2d: _average,
    _ATEN._adaptive_avg_pool2d: _adaptive,
    _ATEN.adaptive_max_pool2d: _adaptive,
    _ATEN.constant_pad_nd: _padded,
    **dict.fromkeys((_ATEN.mm, _ATEN.addmm, _ATEN.bmm, _ATEN.baddbmm), _product),
    **dict.fromkeys((_ATEN.mean, _ATEN.sum, _ATEN.amax, _ATEN.var, _ATEN.logsumexp), _reduction),
    **dict.fromkeys((_ATEN.select, _ATEN.unbind), _selection),
    **dict.fromkeys((_ATEN.upsample_nearest2d, _ATEN.upsample_bilinear2d), _enlarged),
}

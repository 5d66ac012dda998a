"""Where the nodes of a graph stand: in layers from left to right, broken into bands like lines.

Layers by longest path, an input just before its first reader; long edges pass through a free slot
in every layer between; slots ordered by the mean place of their neighbours, then moved straight.

Source: Sugiyama, Tagawa & Toda 1981 (layers, slots for long edges, barycentres).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Layout", "Slot", "lay_out"]

SWEEPS = 12
PULL = 8.0  # how much straighter what is computed lies than what is put in


@dataclass
class Slot:
    """A place in a layer: of a node, or of an edge that passes (`node` is None)."""

    layer: int
    node: int | None
    height: float
    y: float = 0.0


@dataclass(frozen=True)
class Layout:
    """Slots with the middle of each in pixels, and the slots each edge passes, ends included."""

    slots: Sequence[Slot]
    layers: Sequence[Sequence[int]]
    paths: Sequence[Sequence[int]]


def lay_out(
    count: int, edges: Sequence[tuple[int, int]], node: float, passing: float, gap: float
) -> Layout:
    """Return where nodes and edges lie.

    Args:
        count: nodes, numbered so that every edge goes to a higher number.
        edges: (from, to).
        node: height of a node in pixels.
        passing: height that an edge takes in a layer that it passes.
        gap: between two slots of a layer.
    """
    ranks = _ranks(count, edges)
    slots = [Slot(ranks[k], k, node) for k in range(count)]
    paths = [_path(slots, a, b, passing) for a, b in edges]
    layers = [
        [k for k, slot in enumerate(slots) if slot.layer == layer]
        for layer in range(max(ranks, default=0) + 1)
    ]
    sources = set(range(count)) - {b for _, b in edges}
    near = _neighbours(len(slots), paths)
    _order(layers, near, sources)
    _straighten(slots, layers, near, sources, gap)
    return Layout(slots, layers, paths)


def _ranks(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        before[b].append(a)
        after[a].append(b)
    ranks = [0] * count
    for k in range(count):
        ranks[k] = 1 + max((ranks[p] for p in before[k]), default=-1)
    for k in range(count):
        if not before[k] and after[k]:
            ranks[k] = min(ranks[p] for p in after[k]) - 1
    return ranks


def _path(slots: list[Slot], start: int, stop: int, passing: float) -> list[int]:
    path = [start]
    for layer in range(slots[start].layer + 1, slots[stop].layer):
        path.append(len(slots))
        slots.append(Slot(layer, None, passing))
    return [*path, stop]


def _neighbours(count: int, paths: Sequence[Sequence[int]]) -> list[list[int]]:
    near: list[list[int]] = [[] for _ in range(count)]
    for path in paths:
        for a, b in pairwise(path):
            near[a].append(b)
            near[b].append(a)
    return near


def _order(layers: list[list[int]], near: Sequence[Sequence[int]], sources: set[int]) -> None:
    place = {k: float(i) for layer in layers for i, k in enumerate(layer)}
    for _ in range(SWEEPS):
        for layer in layers:
            means = {k: sum(place[n] for n in near[k]) / max(1, len(near[k])) for k in layer}
            layer.sort(key=lambda k: (round(means[k], 6), k not in sources, k))
            middle = (len(layer) - 1) / 2
            place.update({k: i - middle for i, k in enumerate(layer)})


def _straighten(
    slots: list[Slot],
    layers: Sequence[Sequence[int]],
    near: Sequence[Sequence[int]],
    sources: set[int],
    gap: float,
) -> None:
    for _ in range(SWEEPS):
        for layer in layers:
            wanted = [_level(slots, near[k], sources) for k in layer]
            weights = [1.0 if k in sources else PULL for k in layer]
            heights = [slots[k].height for k in layer]
            for k, y in zip(layer, _apart(wanted, weights, heights, gap), strict=True):
                slots[k].y = y


def _level(slots: Sequence[Slot], near: Sequence[int], sources: set[int]) -> float:
    """Return the mean place of the neighbours; inputs follow, they do not lead."""
    leading = [n for n in near if n not in sources] or near
    return sum(slots[n].y for n in leading) / len(leading) if leading else 0.0


def _apart(
    wanted: Sequence[float], weights: Sequence[float], heights: Sequence[float], gap: float
) -> list[float]:
    """Return places near those wanted, in this order and without overlap (pooled neighbours)."""
    offsets = [0.0]
    for above, below in pairwise(heights):
        offsets.append(offsets[-1] + (above + below) / 2 + gap)
    pools: list[tuple[float, float, int]] = []  # sum of weighted places, weight, members
    for y, weight, offset in zip(wanted, weights, offsets, strict=True):
        pools.append((weight * (y - offset), weight, 1))
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            (a, v, m), (b, w, n) = pools[-2:]
            pools[-2:] = [(a + b, v + w, m + n)]
    means = [total / weight for total, weight, members in pools for _ in range(members)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]

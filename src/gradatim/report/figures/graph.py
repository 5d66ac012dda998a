"""A computational graph: values at the nodes (forward), derivatives at the edges (backward)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from gradatim.report.figures.layered import Layout, lay_out
from gradatim.report.svg import group, picture, short, tag, write

__all__ = ["GraphEdge", "GraphNode", "graph_figure"]

WIDE, HIGH, ACROSS, DOWN = 100.0, 56.0, 56.0, 18.0  # a node, and the gaps between nodes
PASSING = 14.0  # height that an edge takes in a layer that it passes
MOST = 7  # layers side by side; those after them go on in a band below
MARGIN, LANE, BETWEEN = 14.0, 8.0, 26.0  # around, between edges to the next band, between bands
LETTER = 6.4  # pixels of a letter at 11 pixels

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom
Curve = tuple[Point, Point]


@dataclass(frozen=True)
class GraphNode:
    """A node: what it is, its value, what comes back to it; `title` is shown on hovering.

    `kind`: "input", "step" or "result".
    """

    label: str
    value: str
    back: str = ""
    kind: str = "step"
    title: str = ""


@dataclass(frozen=True)
class GraphEdge:
    """An edge with the derivative along it."""

    start: int
    stop: int
    label: str
    title: str = ""


@dataclass(frozen=True)
class Canvas:
    """Pixels of a layout: bands of layers, one below the other, lanes between them."""

    layout: Layout
    firsts: tuple[int, ...]
    """The layer that each band begins with."""

    @property
    def bands(self) -> list[tuple[float, float]]:
        """Return the smallest and the largest y of each band, before the bands are stacked."""
        layers, slots = self.layout.layers, self.layout.slots
        found = []
        for first, last in pairwise((*self.firsts, len(layers))):
            inside = [slots[k] for layer in layers[first:last] for k in layer]
            tops = [slot.y - slot.height / 2 for slot in inside]
            found.append((min(tops), max(slot.y + slot.height / 2 for slot in inside)))
        return found

    @property
    def lanes(self) -> list[int]:
        """Return how many edges go from each band to the next."""
        return [_crossings(self.layout)[first] for first in self.firsts[1:]] + [0]

    def band(self, slot: int) -> int:
        """Return the band of a slot."""
        layer = self.layout.slots[slot].layer
        return sum(first <= layer for first in self.firsts) - 1

    @property
    def side(self) -> float:
        """Return the margin left and right, where edges change bands."""
        return MARGIN + LANE * max(self.lanes, default=0)

    def top(self, band: int) -> float:
        """Return where a band begins."""
        above = zip(self.bands[:band], self.lanes, strict=False)
        return MARGIN + sum(high - low + BETWEEN + LANE * lanes for (low, high), lanes in above)

    @property
    def width(self) -> float:
        """Return the width of the figure."""
        ends = (*self.firsts, len(self.layout.layers))
        columns = max(last - first for first, last in pairwise(ends))
        return 2 * self.side + columns * (WIDE + ACROSS) - ACROSS

    @property
    def height(self) -> float:
        """Return the height of the figure."""
        low, high = self.bands[-1]
        return self.top(len(self.bands) - 1) + high - low + MARGIN

    def middle(self, slot: int) -> Point:
        """Return the middle of a slot."""
        found = self.layout.slots[slot]
        band = self.band(slot)
        column = found.layer - self.firsts[band]
        x = self.side + column * (WIDE + ACROSS) + WIDE / 2
        return x, self.top(band) + found.y - self.bands[band][0]


def graph_figure(nodes: Sequence[GraphNode], edges: Sequence[GraphEdge], label: str) -> Markup:
    """Return the graph, read from left to right and then band by band.

    Args:
        nodes: numbered so that every edge goes to a higher number.
        edges: what reads what.
        label: what a screen reader says.
    """
    layout = lay_out(len(nodes), [(e.start, e.stop) for e in edges], HIGH, PASSING, DOWN)
    canvas = Canvas(layout, _breaks(layout))
    lines = _lines(canvas, edges)
    taken = [_box(canvas.middle(k)) for k in range(len(nodes))]
    parts = [_edge(line, edge) for line, edge in zip(lines, edges, strict=True)]
    parts += [_node(canvas.middle(k), node) for k, node in enumerate(nodes)]
    parts += [
        _label(line, edge, _fans(edge, edges), taken)
        for line, edge in zip(lines, edges, strict=True)
    ]
    class_ = "wide" if canvas.width > 900 else ""
    return picture(label, canvas.width, canvas.height, *parts, class_=class_)


def _crossings(layout: Layout) -> list[int]:
    """Return how many edges come into each layer from the one before."""
    counts = [0] * len(layout.layers)
    for path in layout.paths:
        for k in path[1:]:
            counts[layout.slots[k].layer] += 1
    return counts


def _breaks(layout: Layout) -> tuple[int, ...]:
    """Return where bands begin: as few bands as hold the layers, broken where few edges pass."""
    counts, total = _crossings(layout), len(layout.layers)
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, (0,))}
    for first in range(1, total):
        before = [k for k in best if first - k <= MOST]
        options = [
            (best[k][0] + 100 + counts[first] + 0.1 * (first - k) ** 2, (*best[k][1], first))
            for k in before
        ]
        best[first] = min(options)
    ends = [k for k in best if total - k <= MOST]
    return min((best[k][0] + 0.1 * (total - k) ** 2, best[k][1]) for k in ends)[1]


def _box(middle: Point) -> Box:
    x, y = middle
    return x - WIDE / 2, y - HIGH / 2, x + WIDE / 2, y + HIGH / 2


@dataclass(frozen=True)
class Line:
    """An edge in pixels: curves from slot to slot, and corners where it changes bands."""

    path: str
    curves: tuple[Curve, ...]
    level: tuple[Point, ...]
    """Points on the stretch between two bands."""


def _lines(canvas: Canvas, edges: Sequence[GraphEdge]) -> list[Line]:
    """Edges that end in one node end below each other, in the order of where they come from."""
    paths = canvas.layout.paths
    comes = [canvas.layout.slots[path[-2]].y for path in paths]
    lanes = [0] * len(canvas.bands)
    found = []
    for k, edge in enumerate(edges):
        rivals = [j for j, other in enumerate(edges) if other.stop == edge.stop]
        rivals.sort(key=comes.__getitem__)
        port = (rivals.index(k) - (len(rivals) - 1) / 2) * min(14.0, (HIGH - 16) / len(rivals))
        found.append(_line(canvas, paths[k], port, lanes))
    return found


def _line(canvas: Canvas, path: Sequence[int], port: float, lanes: list[int]) -> Line:
    slots, curves, level, written = canvas.layout.slots, [], [], ""
    for a, b in pairwise(path):
        (x1, y1), (x2, y2) = canvas.middle(a), canvas.middle(b)
        start, stop = (x1 + WIDE / 2, y1), (x2 - WIDE / 2, y2 + (port if b == path[-1] else 0))
        if slots[a].node is None:
            written += f"L{start[0]:.1f} {start[1]:.1f}"
        else:
            written += f"M{start[0]:.1f} {start[1]:.1f}"
        band = canvas.band(a)
        if canvas.band(b) > band:
            corners = _turn(canvas, start, stop, band, lanes[band])
            lanes[band] += 1
            written += "".join(f"L{x:.1f} {y:.1f}" for x, y in (*corners, stop))
            level.append((canvas.width / 2, corners[1][1]))
        else:
            half = (start[0] + stop[0]) / 2
            written += (
                f"C{half:.1f} {start[1]:.1f} {half:.1f} {stop[1]:.1f} {stop[0]:.1f} {stop[1]:.1f}"
            )
            curves.append((start, stop))
    return Line(written, tuple(curves), tuple(level))


def _turn(canvas: Canvas, start: Point, stop: Point, band: int, lane: int) -> list[Point]:
    """Return the corners of an edge that goes out on the right and comes in on the left below."""
    low, high = canvas.bands[band]
    right = canvas.width - canvas.side + LANE * (lane + 1)
    level = canvas.top(band) + high - low + BETWEEN / 2 + LANE * lane
    left = canvas.side - LANE * (lane + 1)
    return [(right, start[1]), (right, level), (left, level), (left, stop[1])]


def _edge(line: Line, edge: GraphEdge) -> Markup:
    parts = [tag("title", edge.title)] if edge.title else []
    shaft = tag("path", *parts, d=line.path, class_="thin strong", fill="none")
    x, y = _end(line.path)
    head = f"{x - 7:.1f},{y - 3.5:.1f} {x:.1f},{y:.1f} {x - 7:.1f},{y + 3.5:.1f}"
    return group([shaft, tag("polygon", points=head, class_="quiet-mark")])


def _end(path: str) -> Point:
    last = path.replace("L", " ").replace("C", " ").replace("M", " ").split()[-2:]
    return float(last[0]), float(last[1])


def _node(middle: Point, node: GraphNode) -> Markup:
    left, top, _, _ = _box(middle)
    style = {"input": "plate", "result": "front-mark"}.get(node.kind, "open-mark")
    x = middle[0]
    return group(
        [
            tag("title", node.title or node.label),
            tag("rect", x=left, y=top, width=WIDE, height=HIGH, rx=8, class_=style),
            write(short(node.label, 15), x, top + 17, "tick", text_anchor="middle"),
            write(short(node.value, 15), x, top + 33, "", text_anchor="middle"),
            write(short(node.back, 15), x, top + 48, "chosen", text_anchor="middle"),
        ]
    )


def _fans(edge: GraphEdge, edges: Sequence[GraphEdge]) -> bool:
    """Tell whether more edges leave where this one leaves than arrive where it arrives."""
    leave = sum(other.start == edge.start for other in edges)
    return leave > sum(other.stop == edge.stop for other in edges)


def _label(line: Line, edge: GraphEdge, fans: bool, taken: list[Box]) -> Markup:
    """Write the derivative where it covers nothing, at the end where the edges lie apart."""
    half = LETTER * len(edge.label) / 2 + 1
    boxes = [(x - half, y - 9, x + half, y + 4) for x, y in _candidates(line, fans, half)]
    free = (box for box in boxes if not any(_cross(box, other) for other in taken))
    box = next(free, boxes[0])
    taken.append(box)
    parts = [tag("title", edge.title)] if edge.title else []
    x, y = (box[0] + box[2]) / 2, box[3] - 1.0
    return tag("text", edge.label, *parts, x=x, y=y, class_="value", text_anchor="middle")


def _candidates(line: Line, fans: bool, half: float) -> Iterator[Point]:
    """Return middles: above the level end of a curve, below it, further along, between bands."""
    for (x1, y1), (x2, y2) in line.curves if fans else reversed(line.curves):
        if abs(y2 - y1) < 10:
            yield from (((x1 + x2) / 2 - 2, y) for y in (min(y1, y2) - 7, max(y1, y2) + 12))
        ends = [(x1 + half + 2, y1), (x2 - half - 8, y2)]
        for x, y in reversed(ends) if fans else ends:
            away = 1 if (y2 > y1) == (y == y2) else -1  # the side that the curve does not take
            yield from ((x, y + 3 + 9 * away), (x, y), (x, y + 3 - 9 * away))
        yield from (((x1 + x2) / 2, (y1 + y2) / 2 + down) for down in (0, 14, -14, 28, -28))
    for x, y in line.level:
        yield from ((x + across, y) for across in (0, 60, -60, 120, -120, 180, -180))


def _cross(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]

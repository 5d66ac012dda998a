"""The drawing of a computational graph: nothing lies on anything, nothing is left out."""

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradatim.report.figures.graph import DOWN, HIGH, PASSING, GraphEdge, GraphNode, graph_figure
from gradatim.report.figures.growth import growth_figure, power_of_ten
from gradatim.report.figures.layered import lay_out

SLIDE = [(0, 2), (1, 2), (2, 3), (4, 5), (3, 5), (5, 6), (7, 8), (6, 8), (8, 9)]
CHAIN = [(k, k + 1) for k in range(19)]
FAN = [(0, k) for k in range(1, 19)] + [(k, 19) for k in range(1, 19)]


@st.composite
def graphs(draw) -> tuple[int, list[tuple[int, int]]]:
    count = draw(st.integers(2, 20))
    edges = []
    for stop in range(1, count):
        starts = draw(st.lists(st.integers(0, stop - 1), max_size=2))
        edges += [(start, stop) for start in starts]
    return count, edges


def drawn(count: int, edges: list[tuple[int, int]]) -> ET.Element:
    nodes = [GraphNode(f"u{k} = <{k}>", f"{k}.25", f"∂ {k}") for k in range(count)]
    lines = [GraphEdge(a, b, f"−0.{b:03}", f"d{b}/d{a}") for a, b in edges]
    return ET.fromstring(str(graph_figure(nodes, lines, "a graph")))


def box(rect: ET.Element) -> tuple[float, float, float, float]:
    x, y, width, height = (float(rect.get(key)) for key in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


@given(graphs())
def test_edges_go_right_and_slots_lie_apart(graph):
    count, edges = graph
    layout = lay_out(count, edges, HIGH, PASSING, DOWN)
    for path, (start, stop) in zip(layout.paths, edges, strict=True):
        assert (path[0], path[-1]) == (start, stop)
        layers = [layout.slots[k].layer for k in path]
        assert layers == list(range(layers[0], layers[-1] + 1))
    for layer in layout.layers:
        for a, b in pairwise(layer):
            above, below = layout.slots[a], layout.slots[b]
            gap = (below.y - below.height / 2) - (above.y + above.height / 2)
            assert gap >= DOWN - 1e-6


@given(graphs())
def test_boxes_lie_apart_and_inside(graph):
    count, edges = graph
    figure = drawn(count, edges)
    _, _, width, height = map(float, figure.get("viewBox").split())
    boxes = [box(rect) for rect in figure.iter("rect")]
    assert len(boxes) == count
    for left, top, right, bottom in boxes:
        assert left >= 0
        assert top >= 0
        assert right <= width
        assert bottom <= height
    for a, b in combinations(boxes, 2):
        assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]


@pytest.mark.parametrize("edges", [SLIDE, CHAIN, FAN], ids=["slide", "chain", "fan"])
def test_twenty_nodes_are_readable(edges):
    """Every derivative is written on no node and on no other derivative, on a page's width."""
    count = 1 + max(b for _, b in edges)
    figure = drawn(count, edges)
    assert float(figure.get("width")) < 1150  # a page has 1008 pixels: letters stay above 9
    labels = [t for t in figure.iter("text") if t.get("class") == "value"]
    assert len(labels) == len(edges)
    taken = [box(rect) for rect in figure.iter("rect")]
    for label in labels:
        x, y, half = float(label.get("x")), float(label.get("y")), 3.2 * len(label.text)
        place = (x - half, y - 9, x + half, y + 2)
        for other in taken:
            apart = place[0] >= other[2] or other[0] >= place[2]
            assert apart or place[1] >= other[3] or other[1] >= place[3]
        taken.append(place)


def test_the_slide_is_one_band_with_a_straight_spine():
    figure = drawn(10, SLIDE)
    tops = [float(rect.get("y")) for rect in figure.iter("rect")]
    spine = [tops[k] for k in (2, 3, 5, 6, 8, 9)]
    assert max(spine) - min(spine) < 12
    assert float(figure.get("height")) < 200


def test_paths_begin_and_end_at_their_nodes():
    """Every edge, also one that changes bands, leaves on the right and arrives on the left."""
    edges = [*CHAIN, (2, 17)]
    figure = drawn(20, edges)
    boxes = [box(rect) for rect in figure.iter("rect")]
    for path, (start, stop) in zip(figure.iter("path"), edges, strict=True):
        numbers = list(map(float, re.findall(r"-?\d+\.\d", path.get("d"))))
        assert numbers[0] == pytest.approx(boxes[start][2], abs=0.11)
        assert numbers[-2] == pytest.approx(boxes[stop][0], abs=0.11)
        assert boxes[start][1] < numbers[1] < boxes[start][3]
        assert boxes[stop][1] < numbers[-1] < boxes[stop][3]


def test_what_is_written_is_escaped():
    markup = str(graph_figure([GraphNode("<script>", "1")], [], "<b>"))
    assert "<script>" not in markup
    assert "<b>" not in markup


def test_equal_graphs_are_equal_bytes():
    first, second = (ET.tostring(drawn(20, FAN)) for _ in range(2))
    assert first == second


def test_growth_has_a_line_a_method_and_names_apart():
    lines = {name: [(4.0, 1e-3), (64.0, 1e-3)] for name in ("a", "b", "c")}
    figure = ET.fromstring(str(growth_figure(lines, "size", "cost", power_of_ten, "b")))
    names = [t for t in figure.iter("text") if (t.get("class") or "").startswith("name")]
    assert [t.text for t in names] == ["a", "b", "c"]
    places = sorted(float(t.get("y")) for t in names)
    assert all(b - a >= 13.9 for a, b in pairwise(places))
    assert sum(t.tag == "circle" for t in figure.iter()) == 6

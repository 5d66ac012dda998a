"""A formula becomes a computational graph: u1 = w1*x, u2 = sigmoid(u1), ..., ŷ.

The text is parsed by Python's `ast` and only an allow-list of nodes is taken; nothing is evaluated.
"""

import ast
import math
import re
from collections.abc import Sequence

from gradatim.core.errors import ConfigError, nearest
from gradatim.explain.derivatives.graph import Builder, Graph
from gradatim.explain.derivatives.operations import FUNCTIONS

__all__ = ["MOST_NODES", "default_values", "parse"]

MOST_NODES = 200
LONGEST, DEEPEST = 4000, 220  # letters of a formula; pieces inside one another
STRANGE = re.compile(r"[^A-Za-z0-9_+\-*/(). ,σ^]")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,23}")
ALIASES = {"σ": "sigmoid"}
BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
}


def parse(text: str) -> Graph:
    """Return the graph of a formula.

    Args:
        text: + - * / **, parentheses, numbers, pi, names and the functions of `FUNCTIONS`.

    Raises:
        ConfigError: with the position of what cannot be read, and the nearest known function.

    >>> [f"{n.name} = {n.text}" for n in parse("sigmoid(w*x)").nodes]
    ['w = w', 'x = x', 'u1 = w*x', 'ŷ = sigmoid(u1)']
    """
    line = " ".join(text.split())
    builder = Builder(most=MOST_NODES)
    root = _Reader(line, builder).read(_tree(line), 0)
    graph = Graph(tuple(builder.nodes))
    if not graph.names:
        raise ConfigError(f"{_quoted(line)} has no names to differentiate by; write one, such as w")
    if root != len(graph.nodes) - 1 or graph.nodes[root].operation == "input":
        raise ConfigError(f"{_quoted(line)} computes nothing; write an operation, such as w*x")
    return builder.graph()


def default_values(names: Sequence[str]) -> dict[str, float]:
    """Return 0.5, 0.6, 0.7, ... in the order of the names: positive, distinct, always the same.

    >>> default_values(("w", "x"))
    {'w': 0.5, 'x': 0.6}
    """
    return {name: round(0.5 + 0.1 * k, 10) for k, name in enumerate(names)}


def _tree(line: str) -> ast.expr:
    if not line:
        raise ConfigError("the formula is empty; write one, such as sigmoid(w*x)")
    if len(line) > LONGEST:
        raise ConfigError(f"the formula has {len(line)} letters, at most {LONGEST} are read")
    strange = STRANGE.search(line)
    if strange:
        raise _unreadable(line, strange.start(), f"{strange.group()!r} has no place in a formula")
    if "^" in line:
        raise _unreadable(line, line.index("^"), "write ** for a power")
    try:
        return ast.parse(line, mode="eval").body
    except SyntaxError as error:
        telling = any(word in error.msg for word in ("never closed", "unmatched", "parenthes"))
        reason = error.msg if telling else "an operation or an operand is missing"
        place = error.offset - 1 if error.offset else len(line)  # 0 stands for the end
        raise _unreadable(line, place, reason) from error
    except (RecursionError, MemoryError) as error:
        raise _unreadable(line, 0, "too many pieces inside one another") from error


class _Reader:
    """Walks the parsed text and builds nodes of what is allowed."""

    def __init__(self, line: str, builder: Builder) -> None:
        self.line, self.builder = line, builder

    def read(self, piece: ast.expr, depth: int) -> int:
        """Return the place of the node that a piece of the text stands for."""
        if depth > DEEPEST:
            raise self._refused(piece, "too many pieces inside one another")
        if isinstance(piece, ast.Constant):
            return self._number(piece)
        if isinstance(piece, ast.Name):
            return self._name(piece)
        if isinstance(piece, ast.Call):
            return self._call(piece, depth)
        return self._operation(piece, depth)

    def _operation(self, piece: ast.expr, depth: int) -> int:
        if isinstance(piece, ast.BinOp) and type(piece.op) in BINARY:
            left, right = self.read(piece.left, depth + 1), self.read(piece.right, depth + 1)
            return self.builder.apply(BINARY[type(piece.op)], left, right)
        if isinstance(piece, ast.UnaryOp) and isinstance(piece.op, ast.USub | ast.UAdd):
            inner = self.read(piece.operand, depth + 1)
            if isinstance(piece.op, ast.UAdd):
                return inner
            if isinstance(piece.operand, ast.Constant):
                return self._negative(inner)
            return self.builder.apply("negative", inner)
        raise self._refused(piece, "only + - * / **, numbers, names and functions are known")

    def _negative(self, place: int) -> int:
        number = self.builder.nodes[place].number
        if place == len(self.builder.nodes) - 1:  # made for this sign alone
            del self.builder.places["number", number]
            self.builder.nodes.pop()
        return self.builder.number(-number)

    def _number(self, piece: ast.Constant) -> int:
        value = piece.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._refused(piece, f"{value!r} is no real number")
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self._refused(piece, "the number is beyond 1e308")
        return self.builder.number(value)

    def _name(self, piece: ast.Name) -> int:
        if piece.id == "pi":
            return self.builder.number(math.pi)
        if ALIASES.get(piece.id, piece.id) in FUNCTIONS:
            raise self._refused(piece, f"{piece.id} is a function: write {piece.id}(...)")
        if not NAME.fullmatch(piece.id):
            raise self._refused(piece, f"{piece.id:.30} is no name: a letter, then at most 23 more")
        if re.fullmatch(r"u\d+", piece.id):
            raise self._refused(piece, f"{piece.id} is what an intermediate value will be called")
        return self.builder.name(piece.id)

    def _call(self, piece: ast.Call, depth: int) -> int:
        if not isinstance(piece.func, ast.Name):
            raise self._refused(piece, "only a function of the list can be called")
        name = ALIASES.get(piece.func.id, piece.func.id)
        if name not in FUNCTIONS:
            hint = nearest(name, FUNCTIONS)
            raise self._refused(piece, f'there is no function "{name:.30}"; {hint}')
        if len(piece.args) != 1 or piece.keywords:
            raise self._refused(piece, f"{name} takes one argument, not {len(piece.args)}")
        return self.builder.apply(name, self.read(piece.args[0], depth + 1))

    def _refused(self, piece: ast.expr, reason: str) -> ConfigError:
        # ast counts bytes, a reader counts letters
        before = self.line.encode()[: piece.col_offset].decode(errors="ignore")
        return _unreadable(self.line, len(before), reason)


def _unreadable(line: str, place: int, reason: str) -> ConfigError:
    return ConfigError(f"cannot read {_quoted(line)} at letter {place + 1}: {reason}")


def _quoted(line: str) -> str:
    return f'"{line}"' if len(line) <= 60 else f'"{line[:59]}…"'

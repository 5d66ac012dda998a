"""The operations of a formula: how each is written, computed and differentiated by hand.

Every operation is given over a module `m` of functions, so that the same formula runs in float64
(`math`) and in fifty digits (an mpmath context).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["FUNCTIONS", "OPERATIONS", "Operation", "Slope"]

Value = Callable[..., Any]
"""(m, *arguments) -> number."""


@dataclass(frozen=True)
class Slope:
    """The derivative of an operation by one argument.

    Args:
        written: the formula; {0} and {1} are the arguments, {v} the value.
        compute: (m, v, *arguments) -> number.
    """

    written: str
    compute: Callable[..., Any]


@dataclass(frozen=True)
class Operation:
    """One operation with its local derivatives.

    Args:
        written: as in a formula; {0} and {1} are the arguments.
        compute: (m, *arguments) -> number.
        slopes: one an argument.
        needs: what the arguments must be, for messages.
    """

    written: str
    compute: Value
    slopes: tuple[Slope, ...]
    needs: str = "a result below 1e308"


def _sigmoid(m: Any, x: Any) -> Any:
    if x >= 0:
        return 1 / (1 + m.exp(-x))
    return m.exp(x) / (1 + m.exp(x))


def _softplus(m: Any, x: Any) -> Any:
    return (x if x > 0 else 0 * x) + m.log1p(m.exp(-m.fabs(x)))


def _sign(x: Any) -> int:
    return (x > 0) - (x < 0)


def _power_slope(m: Any, v: Any, x: Any, y: Any) -> Any:
    return 0 * x if y == 0 else y * x ** (y - 1)


OPERATIONS: dict[str, Operation] = {
    "add": Operation(
        "{0} + {1}",
        lambda m, x, y: x + y,
        (Slope("1", lambda m, v, x, y: 1 + 0 * x), Slope("1", lambda m, v, x, y: 1 + 0 * x)),
    ),
    "subtract": Operation(
        "{0} - {1}",
        lambda m, x, y: x - y,
        (Slope("1", lambda m, v, x, y: 1 + 0 * x), Slope("-1", lambda m, v, x, y: -1 + 0 * x)),
    ),
    "multiply": Operation(
        "{0}*{1}",
        lambda m, x, y: x * y,
        (Slope("{1}", lambda m, v, x, y: y), Slope("{0}", lambda m, v, x, y: x)),
    ),
    "divide": Operation(
        "{0}/{1}",
        lambda m, x, y: x / y,
        (Slope("1/{1}", lambda m, v, x, y: 1 / y), Slope("-{v}/{1}", lambda m, v, x, y: -v / y)),
        "a divisor other than 0",
    ),
    "power": Operation(
        "{0}**{1}",
        lambda m, x, y: x**y,
        (
            Slope("{1}*{0}**({1} - 1)", _power_slope),
            Slope("{v}*log({0})", lambda m, v, x, y: v * m.log(x)),
        ),
        "a positive base, or a whole exponent (at least 1 for a base of 0)",
    ),
    "negative": Operation("-{0}", lambda m, x: -x, (Slope("-1", lambda m, v, x: -1 + 0 * x),)),
}

FUNCTIONS: dict[str, Operation] = {
    "sigmoid": Operation(
        "sigmoid({0})", _sigmoid, (Slope("{v}*(1 - {v})", lambda m, v, x: v * (1 - v)),)
    ),
    "tanh": Operation(
        "tanh({0})", lambda m, x: m.tanh(x), (Slope("1 - {v}**2", lambda m, v, x: 1 - v * v),)
    ),
    "relu": Operation(
        "relu({0})",
        lambda m, x: x if x > 0 else 0 * x,
        (Slope("1 if {0} > 0 else 0", lambda m, v, x: (x > 0) + 0 * x),),
    ),
    "softplus": Operation(
        "softplus({0})", _softplus, (Slope("sigmoid({0})", lambda m, v, x: _sigmoid(m, x)),)
    ),
    "exp": Operation("exp({0})", lambda m, x: m.exp(x), (Slope("{v}", lambda m, v, x: v),)),
    "log": Operation(
        "log({0})",
        lambda m, x: m.log(x),
        (Slope("1/{0}", lambda m, v, x: 1 / x),),
        "a positive number",
    ),
    "sqrt": Operation(
        "sqrt({0})",
        lambda m, x: m.sqrt(x),
        (Slope("1/(2*{v})", lambda m, v, x: 1 / (2 * v)),),
        "a positive number",
    ),
    "square": Operation(
        "square({0})", lambda m, x: x * x, (Slope("2*{0}", lambda m, v, x: 2 * x),)
    ),
    "abs": Operation(
        "abs({0})", lambda m, x: m.fabs(x), (Slope("sign({0})", lambda m, v, x: _sign(x) + 0 * x),)
    ),
    "sin": Operation(
        "sin({0})", lambda m, x: m.sin(x), (Slope("cos({0})", lambda m, v, x: m.cos(x)),)
    ),
    "cos": Operation(
        "cos({0})", lambda m, x: m.cos(x), (Slope("-sin({0})", lambda m, v, x: -m.sin(x)),)
    ),
}
OPERATIONS.update(FUNCTIONS)

"""Numbers as words: how every figure of the report is written. A missing number is a dash."""

from math import floor, log10

__all__ = ["chance", "compact", "count", "duration", "score", "share", "signed", "size"]

NOTHING = "–"
MINUS = "\N{MINUS SIGN}"
BOUNDED = {"accuracy", "balanced_accuracy", "f1", "auc", "brier", "r2", "ece"}
BOUNDED |= {"ssim", "miou", "dice", "pixel_accuracy", "ap", "ap50", "ap75", "ar", "coverage"}
DECIMALS = dict.fromkeys(BOUNDED, 3)
DECIMALS |= dict.fromkeys(("nats_per_character", "bits_per_character", "bits_per_dim"), 3)
DECIMALS |= {"bleu": 2, "chrf": 2, "exact": 2, "return": 2, "iqm": 2}
"""Decimals that scores of a metric are quoted with; of others, four digits."""


def score(value: float | None, metric: str = "") -> str:
    """Write a score: with the decimals that are usual for its metric, else with four digits.

    >>> score(0.97812, "accuracy"), score(54.1234, "rmse"), score(-0.5, "r2"), score(None)
    ('0.978', '54.12', '−0.500', '–')
    >>> score(9.1, "bleu"), score(0.98, "nats_per_character")
    ('9.10', '0.980')
    """
    if value is None:
        return NOTHING
    known = metric in DECIMALS and abs(value) < (100 if metric in BOUNDED else 10_000)
    digits = f"{value:.{DECIMALS[metric]}f}" if known else plain(value)
    return digits.replace("-", MINUS)


def plain(value: float, digits: int = 4) -> str:
    """Write a number with some significant digits, without an exponent where that is short.

    >>> plain(54.1234), plain(0.5), plain(123456.7), plain(1.5e-9)
    ('54.12', '0.5000', '123,457', '1.500e-09')
    """
    if value == 0:
        return "0"
    place = floor(log10(abs(value)))
    if not -5 < place < 9:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(0, digits - 1 - place)}f}"


def signed(value: float | None, metric: str = "") -> str:
    """Write a difference with its sign.

    >>> signed(0.0213, "accuracy"), signed(-1.5, "rmse")
    ('+0.021', '−1.500')
    """
    if value is None:
        return NOTHING
    written = score(abs(value), metric)
    if not any(digit in written for digit in "123456789"):
        return "±" + written
    return ("+" if value > 0 else MINUS) + written


def count(value: float | None) -> str:
    """Write a count with its thousands apart.

    >>> count(1437.0)
    '1,437'
    """
    return NOTHING if value is None else f"{value:,.0f}"


def compact(value: float | None) -> str:
    """Write a large count with a letter for its thousands.

    >>> compact(650), compact(61706), compact(2_000_000), compact(3.5e10), compact(999_960)
    ('650', '61.7 k', '2.0 M', '35 G', '1.0 M')
    """
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value < 1000 else _scaled(value, 1000, ("", "k", "M", "G", "T"))


def size(value: float | None) -> str:
    """Write a number of bytes.

    >>> size(512), size(247_000)
    ('512 B', '247 kB')
    """
    if value is None:
        return NOTHING
    units = ("B", "kB", "MB", "GB", "TB")
    return f"{value:.0f} B" if value < 1000 else _scaled(value, 1000, units)


def _scaled(value: float, step: int, units: tuple[str, ...]) -> str:
    place = 0
    while value >= step * 0.99995 and place < len(units) - 1:
        value, place = value / step, place + 1
    fraction = value < 9.95 or (value < 99.95 and value % 1 > 0.05)
    return f"{value:.{int(fraction)}f} {units[place]}"


def duration(seconds: float | None) -> str:
    """Write a time.

    >>> duration(0.00012), duration(0.25), duration(3.21), duration(252), duration(8000)
    ('0.12 ms', '250 ms', '3.2 s', '4 min 12 s', '2 h 13 min')
    """
    if seconds is None:
        return NOTHING
    if seconds < 0.9995:
        return f"{_two(seconds * 1000)} ms"
    if seconds < 59.95:
        return f"{_two(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _two(value: float) -> str:
    return f"{value:.2f}" if value < 0.995 else f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def chance(p: float | None) -> str:
    """Write a p value.

    >>> chance(0.0313), chance(0.00004), chance(1.0)
    ('0.031', '< 0.001', '1.000')
    """
    return NOTHING if p is None else "< 0.001" if p < 0.0005 else f"{p:.3f}"


def share(value: float | None) -> str:
    """Write a share as per cent, never rounding a doubt away.

    >>> share(0.973), share(0.9999), share(0.0001), share(0.0), share(1.0)
    ('97%', '> 99%', '< 1%', '0%', '100%')
    """
    if value is None:
        return NOTHING
    if 0 < value < 0.005 or 0.995 < value < 1:
        return "< 1%" if value < 0.5 else "> 99%"
    return f"{100 * value:.0f}%"

"""Dates that can be read in one way only.

`1/2/2020` is January or February, and a file of new rows could decide otherwise than the file a
model was trained on; so dates with slashes that begin with day or month are never read.
"""

import re
from datetime import UTC, datetime

__all__ = ["days_of", "is_ambiguous"]

_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?"
)
_OTHER = (
    (re.compile(r"[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}"), "%Y/%m/%d"),
    (re.compile(r"[0-9]{4}/[0-9]{1,2}/[0-9]{1,2} [0-9:]{5}"), "%Y/%m/%d %H:%M"),
    (re.compile(r"[0-9]{4}/[0-9]{1,2}/[0-9]{1,2} [0-9:]{8}"), "%Y/%m/%d %H:%M:%S"),
    (re.compile(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}"), "%d.%m.%Y"),
    (re.compile(r"[0-9]{1,2} [A-Za-z]{3} [0-9]{4}"), "%d %b %Y"),
    (re.compile(r"[0-9]{1,2} [A-Za-z]{4,9} [0-9]{4}"), "%d %B %Y"),
    (re.compile(r"[A-Za-z]{3} [0-9]{1,2}, [0-9]{4}"), "%b %d, %Y"),
    (re.compile(r"[A-Za-z]{4,9} [0-9]{1,2}, [0-9]{4}"), "%B %d, %Y"),
)
_AMBIGUOUS = re.compile(r"[0-9]{1,2}[/-][0-9]{1,2}[/-]([0-9]{2}|[0-9]{4})( .*)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def days_of(text: str) -> float | None:
    """Return days since 1970-01-01 UTC, or None when the text is no date.

    A moment without a zone is taken as UTC.

    >>> days_of("1970-01-02T12:00"), days_of("3.1.1970"), days_of("1/2/2020"), days_of("2020-02-30")
    (1.5, 2.0, None, None)
    """
    moment = _moment(text)
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH).total_seconds() / 86400


def is_ambiguous(text: str) -> bool:
    """Tell whether the text looks like a date whose day and month could change places."""
    return _AMBIGUOUS.fullmatch(text) is not None


def _moment(text: str) -> datetime | None:
    try:
        if _ISO.fullmatch(text):
            return datetime.fromisoformat(text)
        for pattern, form in _OTHER:
            if pattern.fullmatch(text):
                return datetime.strptime(text, form)
    except (ValueError, OverflowError):
        return None
    return None

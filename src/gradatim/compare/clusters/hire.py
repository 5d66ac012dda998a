"""`hired`: from the word after `--on` to the workers that it means."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec

from gradatim.compare.pool import HERE, Crew
from gradatim.core.errors import ConfigError, nearest

__all__ = ["check_place", "hired"]

PLACES = ("here", "ray", "dask", "ray://HOST:PORT", "tcp://HOST:PORT", "tls://HOST:PORT")
SCHEMES = {"ray": "ray", "tcp": "dask", "tls": "dask"}
PACKAGES = {"ray": ("ray",), "dask": ("dask", "distributed")}
ADDRESS = re.compile(r"(?P<scheme>[a-z]+)://(?P<host>[^\s/]+):(?P<port>\d{1,5})")


@contextmanager
def hired(on: str = "here") -> Iterator[Crew]:
    """Hold workers while the block runs.

    A cluster that is started for the block is gone after it, however the block ends; one that was
    there before stays.

    Args:
        on: here, ray, dask, or the address of a cluster: ray://HOST:PORT, tcp://HOST:PORT.

    Raises:
        ConfigError: there is no such place, or its package is not installed.
        ResourceError: nothing answers at the address within 10 s.
    """
    kind = check_place(on)
    if kind == "here":
        yield HERE
        return
    opened = import_module(f"gradatim.compare.clusters.{kind}").opened
    with opened(on if "://" in on else None) as crew:
        yield crew


def check_place(on: str) -> str:
    """Return which kind of workers a place has, without reaching for them.

    Raises:
        ConfigError: there is no such place, or its package is not installed.

    >>> check_place("here")
    'here'
    """
    kind = _kind(on)
    missing = [name for name in PACKAGES.get(kind, ()) if find_spec(name) is None]
    if missing:
        what = f"--on {on} needs the package {missing[0]}, which is not installed"
        raise ConfigError(f'{what}; install it: pip install "gradatim[{kind}]"')
    return kind


def _kind(on: str) -> str:
    if on in ("here", *PACKAGES):
        return on
    scheme = on.partition("://")[0]
    if "://" not in on or scheme not in SCHEMES:
        raise ConfigError(f'--on: there is no place "{on}"; {nearest(on, PLACES)}')
    if not ADDRESS.fullmatch(on) or int(on.rpartition(":")[2]) > 65535:
        raise ConfigError(f"--on {on} is no address; write {scheme}://HOST:PORT")
    return SCHEMES[scheme]

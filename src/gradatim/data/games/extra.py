"""The packages of the extra `games`."""

from importlib import import_module
from typing import Any

from gradatim.core.errors import ConfigError

__all__ = ["ale_py", "gymnasium"]


def gymnasium() -> Any:
    """Return the package `gymnasium`.

    Raises:
        ConfigError: it is not installed.
    """
    return _package("gymnasium", "games of gymnasium")


def ale_py() -> Any:
    """Return the package `ale_py`, the Arcade Learning Environment.

    Raises:
        ConfigError: it is not installed.
    """
    return _package("ale_py", "games of the Atari 2600")


def _package(name: str, what: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        trouble = f"{what} need the package {name.replace('_', '-')}, which is not installed"
        raise ConfigError(f'{trouble}; install it: pip install "gradatim[games]"') from error

"""The file name is the registration: a room's files are its catalog, no list is edited.

`models/vit.py` is the rung `vit`, and `models/denoising/dncnn.py` the rung `dncnn`: folders in a
room are for people. A file that fails to import breaks itself alone.
"""

import importlib
import importlib.util
import pkgutil
from functools import cached_property
from typing import Generic, TypeVar

from gradatim.core.errors import ConfigError, nearest

__all__ = ["Catalog"]

T = TypeVar("T")


class Catalog(Generic[T]):
    """The entries of one room: every public module that sets the agreed name.

    Args:
        noun: what an entry is called in messages, such as "rung".
        package: the room, such as "gradatim.models".
        attribute: the name each file sets, such as "RUNG".
    """

    def __init__(self, noun: str, package: str, attribute: str) -> None:
        self.noun, self.package, self.attribute = noun, package, attribute

    def names(self) -> list[str]:
        """Return the names of all entries, broken ones too."""
        return sorted(self._homes)

    def __getitem__(self, name: str) -> T:
        """Return one entry.

        Raises:
            ConfigError: no entry has that name, or its file does not import.
        """
        if name not in self.names():
            raise ConfigError(f'there is no {self.noun} "{name}"; {nearest(name, self.names())}')
        try:
            module = importlib.import_module(self._homes[name])
            entry: T = getattr(module, self.attribute)
        except Exception as error:  # whatever a file dies of, it dies alone
            message = f'{self.noun} "{name}" is broken: {error}; mend {self._homes[name]}'
            raise ConfigError(message) from error
        return entry

    @cached_property
    def _homes(self) -> dict[str, str]:
        """Return the module of each entry, by its name."""
        homes: dict[str, str] = {}
        rooms = [self.package]
        for room in rooms:
            spec = importlib.util.find_spec(room)
            for found in pkgutil.iter_modules(spec.submodule_search_locations if spec else None):
                if found.ispkg:
                    rooms.append(f"{room}.{found.name}")
                elif not found.name.startswith("_"):
                    homes[found.name] = f"{room}.{found.name}"
        return homes

    def all(self) -> dict[str, T]:
        """Return every entry that imports, by name; the others stay silent until asked for."""
        broken = self.broken()
        return {name: self[name] for name in self.names() if name not in broken}

    def broken(self) -> dict[str, str]:
        """Return the entries that do not import, with the reason."""
        failures: dict[str, str] = {}
        for name in self.names():
            try:
                self[name]
            except ConfigError as error:
                failures[name] = str(error)
        return failures

"""Import a library that stays to the end of the process, and keep the garbage collector off it.

Importing torch makes some hundred thousand objects, none of which is ever let go. Python's
collector looks them over again and again while they are made, and twice more when the process ends:
together a third of what `import torch` costs a short process (docs/experiments.md, "Whole
processes"). So it rests during that import, and what is there afterwards is frozen: left out of all
later searches.

What was garbage before is collected first, so that nothing of the user's is frozen that should go;
what is made later is collected as ever. `gc.unfreeze()` takes it back. Whoever imports torch before
this package keeps the collector as it is.
"""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

__all__ = ["FirstImport", "resting"]


@contextmanager
def resting() -> Iterator[None]:
    """Let the collector rest while a block makes objects to stay, then freeze what is there."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
        gc.freeze()


class FirstImport(MetaPathFinder):
    """A finder for `sys.meta_path` that waits for the first import of one library.

    It finds what the standard finder finds, so that `import torch` says the same and does the
    same, and withdraws when the library's own code begins to run.

    Args:
        name: of the library, a top-level package.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def await_it(self) -> None:
        """Take the first place among the finders, unless the library is imported already."""
        if self.name not in sys.modules and self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the standard finder's answer for the library, and None for all others."""
        if name != self.name:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Resting(spec.loader, self)
        return spec


class _Resting(Loader):
    """A loader that runs the library's own one while the collector rests."""

    def __init__(self, loader: Loader, finder: FirstImport) -> None:
        self._loader, self._finder = loader, finder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        # From here on the module has its own loader, as if nobody had stood in between.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        with resting():
            self._loader.exec_module(module)

    def __getattr__(self, name: str) -> Any:
        # Whoever only asks where the library lies asks its own loader.
        return getattr(self._loader, name)

"""gradatim: which network does my data need?

>>> import gradatim
>>> result = gradatim.climb("digits")  # doctest: +SKIP
>>> print(result)  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradatim.estimators import Classifier, Regressor
    from gradatim.session.ask import load, predict
    from gradatim.session.climb import climb
    from gradatim.session.fit import fit
    from gradatim.session.inspect import inspect

__all__ = ["Classifier", "Regressor", "climb", "fit", "inspect", "load", "predict"]

__version__ = "0.1.0"

# Names load when they are used, so that `import gradatim` costs nothing. `evaluate` and `report`
# are rooms; their functions are in `gradatim.session.ask`.
_HOMES = dict.fromkeys(("Classifier", "Regressor"), "estimators")
_HOMES |= {name: f"session.{name}" for name in ("climb", "fit", "inspect")}
_HOMES |= dict.fromkeys(("load", "predict"), "session.ask")


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gradatim' has no attribute {name!r}")
    return getattr(import_module(f"gradatim.{_HOMES[name]}"), name)

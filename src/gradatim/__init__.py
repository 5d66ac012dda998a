"""gradatim: which network does my data need?

    import gradatim

    result = gradatim.climb("houses.csv", target="price")
    print(result)

Names load when they are used, so that `import gradatim` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradatim.estimators import Classifier, Regressor
    from gradatim.session.ask import evaluate, load, predict, report
    from gradatim.session.climb import climb
    from gradatim.session.fit import fit
    from gradatim.session.inspect import inspect

__all__ = [
    "Classifier",
    "Regressor",
    "climb",
    "evaluate",
    "fit",
    "inspect",
    "load",
    "predict",
    "report",
]

__version__ = "0.1.0"

_HOMES = {"Classifier": "estimators", "Regressor": "estimators"}
_HOMES |= {"climb": "session.climb", "fit": "session.fit", "inspect": "session.inspect"}
_HOMES |= dict.fromkeys(("evaluate", "load", "predict", "report"), "session.ask")


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gradatim' has no attribute {name!r}")
    return getattr(import_module(f"gradatim.{_HOMES[name]}"), name)

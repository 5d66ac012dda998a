"""Which network does my data need? `print(gradatim.climb("digits"))` answers."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gradatim.core.uncollected import FirstImport

if TYPE_CHECKING:
    from gradatim.estimators import Classifier, Regressor
    from gradatim.session.ablate import ablate
    from gradatim.session.ask import predict
    from gradatim.session.climb import climb
    from gradatim.session.derive import derive
    from gradatim.session.fit import fit
    from gradatim.session.import_weights import import_weights
    from gradatim.session.inspect import inspect
    from gradatim.session.load import load
    from gradatim.session.race import race
    from gradatim.session.rates import rates
    from gradatim.session.shapes import shapes
    from gradatim.session.signal import signal
    from gradatim.session.story import story
    from gradatim.session.track import track

# Names load when they are used, so that `import gradatim` costs nothing. `evaluate` and `report`
# are rooms; their functions are in `gradatim.session`: `evaluate.evaluate` and `ask.report`.
__all__ = ["Classifier", "Regressor", "ablate", "climb", "derive", "fit", "import_weights"]
__all__ += ["inspect", "load", "predict", "race", "rates", "shapes", "signal", "story", "track"]
_HOMES = {name: f"session.{name}" for name in __all__} | {"predict": "session.ask"}
_HOMES |= dict.fromkeys(("Classifier", "Regressor"), "estimators")

__version__ = "0.1.0"
FirstImport("torch").await_it()


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gradatim' has no attribute {name!r}")
    return getattr(import_module(f"gradatim.{_HOMES[name]}"), name)

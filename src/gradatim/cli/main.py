"""From arguments to an exit code: every error is at most three lines and says what to do."""

import errno
import os
import sys
import traceback
import warnings
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from gradatim import __version__
from gradatim.cli.options import SAID, inert
from gradatim.core.errors import GradatimError
from gradatim.train.interrupts import listening

__all__ = ["main"]

COMMANDS = {
    "climb": "Climb the ladder on your data: every rung on the same folds, a verdict, a report.",
    "inspect": "Look the data over: types, gaps, duplicates, leaks, and how long each rung takes.",
    "fit": "Fit one rung, with the recipe you choose.",
    "resume": "Go on with a climb or a fit that was interrupted.",
    "predict": "Answer new rows or pictures with the model of a run.",
    "evaluate": "Score the model of a run on its sealed test split, or on other data.",
    "report": "Write one HTML page for finished runs.",
    "race": "Let optimizers race: one rung, the same folds and seeds, loss against cost.",
    "rates": "Find a learning rate: a range test, then a sweep on the same folds.",
    "ablate": "Say what each regulariser of a rung bought, with paired intervals.",
    "shapes": "Print and draw a network's layers: shapes, parameters, multiply-adds, fields.",
    "signal": "Draw how large signals and gradients are, layer by layer, beside theory.",
    "derive": "Differentiate an expression or a network in five ways, and draw its graph.",
    "attend": "Draw where a translator looks as it writes each word.",
    "story": "Tell a story of the course with numbers: xor, vanishing, symmetry or memory.",
    "track": "Write a run's records for TensorBoard or MLflow.",
    "import-weights": "Turn a published state dict into a model of this project.",
    "list": "List rungs, tasks, sources or optimizers.",
}
USAGE, RESOURCES, INTERRUPTED, BUG = 2, 5, 6, 70
EPILOGUE = "Every command has --help. --debug shows the traceback of an error."


def _app() -> App:
    app = App(
        name="gradatim",
        help="Which network does my data need?",
        help_epilogue=EPILOGUE,
        version=__version__,
        result_action="return_value",
        suppress_keyboard_interrupt=False,  # main has an exit code and a message for it
    )
    for name, text in COMMANDS.items():
        module = name.replace("-", "_")
        function = {"list": "list_entries"}.get(name, module)
        app.command(f"gradatim.cli.{module}:{function}", name=name, help=text)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 ok, 2 usage or config, 3 data, 4 numeric, 5 resources, 6 interrupted, 7 corrupt state,
    8 run folder locked, 70 bug.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    if not debug and not sys.warnoptions:
        warnings.simplefilter("ignore")  # those of libraries are for their developers
    SAID.set(tuple(words))
    try:
        with listening():
            _app()(words, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001  every end has its exit code
        if debug and not isinstance(error, SystemExit):
            traceback.print_exc()
        return _explain(error)
    return 0


def _explain(error: BaseException) -> int:
    """Say on stderr what happened; return the exit code."""
    if isinstance(error, SystemExit):
        return int(error.code or 0)
    if isinstance(error, GradatimError):
        return _say(str(error), error.exit_code)
    if isinstance(error, CycloptsError):
        return _say(f"{str(error).strip()} Try: gradatim --help", USAGE)
    if isinstance(error, KeyboardInterrupt):
        return _say("interrupted; nothing finished is lost: the same command goes on", INTERRUPTED)
    if isinstance(error, MemoryError):
        return _say("out of memory; use fewer rows, or leave out costly rungs", RESOURCES)
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        return _say(f"cannot write {error.filename}: {error.strerror}; free space", RESOURCES)
    return _say(f"this is a bug: {type(error).__name__}: {error}; --debug shows where", BUG)


def _say(message: str, code: int) -> int:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    text = "\n".join(line[:600] for line in [*lines[:2], " ".join(lines[2:])] if line)
    sys.stderr.write(f"gradatim: {inert(text)}\n")
    return code

"""Finding the folder of a run: a new one, or the unfinished one that asked the same question."""

import hashlib
import json
import platform
import re
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gradatim import __version__
from gradatim.core.errors import ConfigError, CorruptError, DataError
from gradatim.core.source import ReadOptions
from gradatim.runs.files import is_finished, is_leftover, read_json, write_json

__all__ = ["QUESTION", "command_of", "environment", "find_run", "open_run", "read_question"]

ASKED = ("job", "data", "options", "drop", "rows", "allow_leak", "seed", "metric", "fingerprint")
OPTIONS = tuple(ReadOptions().as_dict())
LATER = ("names", "sigma", "noisy_targets", "source_language", "target_language")
"""Options of data that are said where they are set."""
QUESTION, ENVIRONMENT = "question.json", "environment.json"


def open_run(out: Path | None, name: str, question: dict[str, Any], command: str = "") -> Path:
    """Return the folder for a question, made and with the question in it.

    Without `out` the folder is `runs/NAME-HASH`; an unfinished one is gone on with, a finished one
    is left alone and a number is added. `command` is kept as the one that began the run.

    Raises:
        ConfigError: `out` is finished, is not a run, or asked something else; the differing
            fields are named.
    """
    if out is None:
        text = json.dumps(question, sort_keys=True).encode()
        stem = f"{_plain(name)}-{hashlib.sha256(text).hexdigest()[:8]}"
        out, number = Path("runs") / stem, 1
        while is_finished(out):
            number += 1
            out = Path("runs") / f"{stem}-{number}"
    _check(out, question)
    if not (out / QUESTION).is_file():
        write_json(out / ENVIRONMENT, environment() | {"command": command})
        write_json(out / QUESTION, question)
    return out


def command_of(folder: Path) -> str:
    """Return the command that began a run."""
    return str(read_json(folder / ENVIRONMENT).get("command", ""))


def find_run(path: Path) -> Path:
    """Return a run folder that a user named.

    Raises:
        DataError: there is none.
    """
    if not path.is_dir():
        raise DataError(f"{path} is no run folder: it does not exist; see the folder runs/")
    if not (path / QUESTION).is_file():
        raise DataError(f"{path} is no run folder: it has no {QUESTION}; see the folder runs/")
    return path


def read_question(folder: Path) -> dict[str, Any]:
    """Return what a run was asked.

    Raises:
        CorruptError: it lacks something that every question has.
    """
    path = folder / QUESTION
    question = read_json(path)
    if not isinstance(question, dict):
        raise CorruptError(f"{path} holds no question; restore it or start anew")
    own = (
        ("folds", "repeats", "rope", "names")
        if question.get("job") == "climb"
        else ("rung", "recipe")
    )
    missing = [key for key in (*ASKED, *own) if key not in question]
    options = question.get("options")
    known = isinstance(options, dict) and {*OPTIONS} <= {*options} <= {*OPTIONS, *LATER}
    if missing or not known:
        what = ", ".join(missing) or "options"
        raise CorruptError(f"{path} does not say {what} as it should; restore it or start anew")
    return question


def environment() -> dict[str, Any]:
    """Return what a result may depend on beside the question."""
    packages = ("torch", "numpy", "scikit-learn", "scipy", "pandas")
    return {name: version(name) for name in packages} | {
        "gradatim": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _check(out: Path, question: dict[str, Any]) -> None:
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file; name a folder")
    if not (out / QUESTION).is_file():
        if out.is_dir() and any(_foreign(p) for p in out.iterdir()):
            raise ConfigError(f"--out {out} is not empty and holds no run; name another folder")
        return
    if is_finished(out):
        raise ConfigError(f"--out {out} holds a finished run; name another folder")
    before, now = _flat(read_json(out / QUESTION)), _flat(question)
    differ = sorted(k for k in now.keys() | before.keys() if before.get(k) != now.get(k))
    if differ:
        parts = [f"{k}: {before.get(k)!r:.60} then, {now.get(k)!r:.60} now" for k in differ[:3]]
        more = f" and {len(differ) - 3} more" if len(differ) > 3 else ""
        raise ConfigError(
            f"--out {out} was begun with another question ({'; '.join(parts)}{more}); "
            "name another folder, or ask the same"
        )


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Return nested groups as one, `{"a": {"b": 1}}` as `{"a.b": 1}`."""
    if not isinstance(value, dict) or not value:
        return {name: value}
    parts = [_flat(inner, f"{name}.{key}" if name else key) for key, inner in value.items()]
    return {key: inner for part in parts for key, inner in part.items()}


def _foreign(path: Path) -> bool:
    """Tell whether a file is none that a killed process leaves before its question is written."""
    return path.name != ENVIRONMENT and not is_leftover(path)


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:40] or "data"

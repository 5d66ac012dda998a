"""What `gradatim predict` makes of nothing: text, pictures, a game."""

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradatim.cli.options import inert, print_json

if TYPE_CHECKING:
    from gradatim.session.load import Loaded

__all__ = ["make"]

FLAGS = {
    "continuation": ("prompt", "length", "temperature", "seed"),
    "synthesis": ("count", "seed"),
    "actions": ("count", "seed"),
}
"""Kind of output -> what may be said of what is made."""
FEW = 4
"""Files of a folder that are named one by one."""


def make(
    run: Path,
    loaded: "Loaded",
    data: str | None,
    out: Path | None,
    asked: Mapping[str, Any],
    *,
    json: bool,
) -> bool:
    """Make something with a model that needs no data; tell whether it was asked for that.

    Of a model that draws, data is what it shall lead through its code and back.

    Args:
        run: whose model it is.
        loaded: the model with its card and its task.
        data: what the user named.
        out: where to write.
        asked: what the user said of it; None stands for a default.
        json: whether to print one JSON object.

    Raises:
        ConfigError: a flag is not for this model, or there is no data for one that answers it.
    """
    from gradatim.core.errors import ConfigError

    kind = loaded[1].signature.output.kind
    said = {name: value for name, value in asked.items() if value is not None}
    wrong = sorted(said.keys() - set(FLAGS.get(kind, ()) if data is None else ()))
    if wrong:
        what = f"what this model makes of {data}" if data is not None else "this model"
        raise ConfigError(f"--{wrong[0]} is not for {what}: leave it out")
    if data is not None and kind != "synthesis":
        return False
    if kind not in FLAGS:
        raise ConfigError("this model answers data; name some: gradatim predict RUN DATA")
    said |= {"data": data} if data is not None else {}
    facts = {"run": str(run)} | MAKERS[kind](loaded, out, said)
    if json:
        print_json(facts)
    else:
        sys.stdout.write(_told(facts))
    return True


def _told(facts: Mapping[str, Any]) -> str:
    if "text" in facts:
        return f"{facts['text']}\n"
    games = [f"game {i}: {value:g}\n" for i, value in enumerate(facts.get("returns", ()), 1)]
    places = Counter(Path(path).parent for path in facts.get("files", ()))
    few = [
        f"{inert(path)}\n" for path in facts.get("files", ()) if places[Path(path).parent] <= FEW
    ]
    many = [f"{inert(place)}: {n:,} files\n" for place, n in places.items() if n > FEW]
    return "".join([*games, *many, *few])


def _write(loaded: "Loaded", out: Path | None, said: Mapping[str, Any]) -> dict[str, Any]:
    from gradatim.runs.files import write_bytes
    from gradatim.session.writing import continued

    text = continued(loaded, **said)
    if out is None:
        return {"text": text}
    write_bytes(out, text.encode())
    return {"files": [str(out)]}


def _draw(loaded: "Loaded", out: Path | None, said: Mapping[str, Any]) -> dict[str, Any]:
    from gradatim.core.errors import ConfigError
    from gradatim.session.drawing import draw, reconstruct

    if out is None:
        raise ConfigError("this model draws pictures; name a folder for them: --out FOLDER")
    make_files = reconstruct if "data" in said else draw
    return {"files": [str(path) for path in make_files(loaded, out=out, **said)]}


def _play(loaded: "Loaded", out: Path | None, said: Mapping[str, Any]) -> dict[str, Any]:
    from gradatim.session.playing import play

    returns, files = play(loaded, out, **said)
    return {"returns": returns, "files": [str(path) for path in files]}


MAKERS = {"continuation": _write, "synthesis": _draw, "actions": _play}

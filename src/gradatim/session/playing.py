"""Playing games with the model of a run: their returns, and the first one as a moving picture."""

import io
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from PIL import Image
from pydantic import Field

from gradatim.core.errors import ConfigError
from gradatim.core.recipe import Settings
from gradatim.core.signature import Game
from gradatim.data.games.opening import opened
from gradatim.runs.files import write_bytes
from gradatim.session.load import Loaded
from gradatim.tasks.play import Play

__all__ = ["play"]

SHORTEST = 20  # milliseconds that players of GIFs keep to


class Asked(Settings):
    """What may be asked for."""

    count: Annotated[int, Field(ge=1, le=10_000)] = 1
    seed: Annotated[int, Field(ge=0, lt=2**62)] = 0


def play(
    loaded: Loaded, out: Path | None = None, count: int = 1, seed: int = 0
) -> tuple[list[float], list[Path]]:
    """Play games greedily, with seeds of `seed`, `seed` + 1, ...

    Args:
        loaded: a model that plays, its card and its task.
        out: a GIF file to write the first game to.
        count: of games.
        seed: of the first one; those of the data are 0 to 599.

    Returns:
        The full returns, and the files that were written.

    Raises:
        ConfigError: a number is out of range, `out` is no GIF, or a package is missing.
    """
    Asked.parse({"count": count, "seed": seed}, "--")
    if out is not None and out.suffix.lower() != ".gif":
        raise ConfigError(f"a game is written as a GIF, not as {out.name}; give --out game.gif")
    model, card, task = loaded
    game = card.signature.input
    assert isinstance(task, Play), "the card says that it plays"
    assert isinstance(game, Game), "it plays games"
    seeds = torch.arange(seed, seed + count)
    frames: list[np.ndarray] = []
    returns = task.returns(model, seeds[:1], frames if out is not None else None).tolist()
    returns += task.returns(model, seeds[1:]).tolist() if count > 1 else []
    if out is None:
        return returns, []
    write_bytes(out, _gif(frames, opened(game, 1).milliseconds))
    return returns, [out]


def _gif(frames: list[np.ndarray], milliseconds: int) -> bytes:
    """Return a moving picture that begins anew after its end, where the last picture stays."""
    pictures = [Image.fromarray(frame).convert("P") for frame in frames]
    shown = [max(SHORTEST, milliseconds)] * (len(pictures) - 1) + [1000]
    content = io.BytesIO()
    pictures[0].save(
        content, "GIF", save_all=True, append_images=pictures[1:], duration=shown, loop=0
    )
    return content.getvalue()

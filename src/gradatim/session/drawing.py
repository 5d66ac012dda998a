"""What `predict` draws with a model that makes rows: single pictures, sheets, walks."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gradatim.core.chunks import evaluating
from gradatim.core.errors import ConfigError
from gradatim.core.randomness import generator
from gradatim.core.rung import Model
from gradatim.core.signature import Image
from gradatim.core.source import ReadOptions
from gradatim.data.read import read
from gradatim.layers.generative.autoencoder import Autoencoder
from gradatim.layers.generative.coded import Coded
from gradatim.layers.generative.variational import Variational
from gradatim.runs.files import write_bytes
from gradatim.session.load import Loaded
from gradatim.session.overlays import png_bytes
from gradatim.tasks.synthesise import Synthesise

__all__ = ["draw", "reconstruct", "sheet"]

MOST = 10_000
WALKS, STEPS = 8, 12
SHOWN = 8  # rows of a sheet of reconstructions
GAP = 2  # pixels between pictures


def draw(loaded: Loaded, out: Path, count: int = 64, seed: int = 0) -> list[Path]:
    """Draw new pictures into a folder.

    pictures/0001.png and so on, sheet.png with all of them, and walk.png: how pictures change
    along the way from one code to another, where the network has codes.

    Args:
        loaded: the model with its card and its task.
        out: a folder, made when it is not there; files of the same names are replaced.
        count: how many pictures.
        seed: of all that is drawn.

    Returns:
        The files, in the order in which they were written.

    Raises:
        ConfigError: the model draws no pictures, the folder is a file, or there are too many.
    """
    model, task = _of_pictures(loaded, out)
    if not 1 <= count <= MOST:
        raise ConfigError(f"--count {count} is not between 1 and {MOST:,}: choose such a number")
    drawn = _bright(task, task.drawn(model, count, generator(seed, "drawing")))
    digits = max(4, len(str(count)))
    files = {out / "pictures" / f"{i:0{digits}}.png": picture for i, picture in enumerate(drawn, 1)}
    files[out / "sheet.png"] = sheet(drawn, math.ceil(math.sqrt(count)))
    network = model.network
    if isinstance(network, Coded):
        with evaluating(model):
            walk = model.output(network.walk(WALKS, STEPS, generator(seed, "walks")))
        files[out / "walk.png"] = sheet(_bright(task, walk.numpy()), STEPS)
    return _written(files)


def reconstruct(loaded: Loaded, data: Any, out: Path, encoding: str | None = None) -> list[Path]:
    """Lead pictures through the code of an autoencoder and back, into a folder.

    pictures/NUMBER.png for each, and sheet.png: originals, and below each what came back.

    Args:
        loaded: the model with its card and its task.
        data: pictures, as for `predict`.
        out: as for `draw`.
        encoding: of text files.

    Raises:
        ConfigError: the model has no encoder, or the folder is a file.
    """
    model, task = _of_pictures(loaded, out)
    network = model.network
    if not isinstance(network, Autoencoder | Variational):
        raise ConfigError("this model has no encoder, it only draws: leave the data out")
    samples = read(data, ReadOptions(encoding=encoding, signature=loaded[1].signature)).samples
    with evaluating(model):
        parts = samples.inputs.split(1024)
        rows = [model.output(network.reconstruct(model.preprocess(part))) for part in parts]
    said = _bright(task, torch.cat(rows).numpy())
    digits = max(4, len(str(len(said))))
    files = {out / "pictures" / f"{i:0{digits}}.png": picture for i, picture in enumerate(said, 1)}
    some = np.unique(np.linspace(0, len(said) - 1, SHOWN * STEPS // 2).round().astype(int))
    real = _bright(task, samples.inputs[some].numpy())
    lines: list[np.ndarray] = []
    for begun in range(0, len(some), STEPS):
        own = slice(begun, begun + STEPS)
        lines += _filled(real[own]) + _filled(said[some[own]])
    files[out / "sheet.png"] = sheet(lines, STEPS)
    return _written(files)


def sheet(pictures: Sequence[np.ndarray] | np.ndarray, across: int) -> np.ndarray:
    """Return pictures of one size side by side on a grey ground.

    Args:
        pictures: uint8 (channels, height, width) each.
        across: how many stand in a line.

    >>> sheet([np.zeros((1, 2, 3), np.uint8)] * 3, 2).shape
    (1, 10, 12)
    """
    channels, height, width = pictures[0].shape
    down = -(-len(pictures) // across)
    size = (channels, down * (height + GAP) + GAP, across * (width + GAP) + GAP)
    ground = np.full(size, 128, np.uint8)
    for place, picture in enumerate(pictures):
        top, left = (
            GAP + n * (side + GAP)
            for n, side in zip(divmod(place, across), (height, width), strict=True)
        )
        ground[:, top : top + height, left : left + width] = picture
    return ground


def _of_pictures(loaded: Loaded, out: Path) -> tuple[Model, Synthesise]:
    model, card, task = loaded
    if not isinstance(task, Synthesise) or not isinstance(card.signature.input, Image):
        raise ConfigError("this model draws no pictures; name a run of synthesise on pictures")
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file; pictures need a folder: name one")
    return model, task


def _bright(task: Synthesise, rows: np.ndarray) -> np.ndarray:
    """Return pictures in levels as files hold them, the brightest as 255."""
    return np.rint(rows * (255 / (task.levels - 1))).astype(np.uint8)


def _filled(line: np.ndarray) -> list[np.ndarray]:
    """Return a line of pictures, with grey ones after its end."""
    grey = np.full_like(line[0], 128)
    return [*line, *[grey] * (STEPS - len(line))]


def _written(files: dict[Path, np.ndarray]) -> list[Path]:
    for path, picture in files.items():
        write_bytes(path, png_bytes(picture))
    return list(files)

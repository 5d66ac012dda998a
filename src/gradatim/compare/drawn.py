"""New pictures of every rung beside real ones, and the rows that a density finds unlikely."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gradatim.compare.rows import bright, cells_of, to_see
from gradatim.compare.side_by_side import Kept, graded, smaller
from gradatim.core.samples import Dataset
from gradatim.core.signature import Image, Synthesis, Table
from gradatim.core.task import Task
from gradatim.runs.files import write_arrays, write_json

__all__ = ["keep_drawn", "keep_extremes", "keep_measure"]

DRAWN = 40  # pictures of a rung that are kept
SIDE = 64  # pixels of a picture's longer side
EXTREMES = 12  # rows of each kind


def keep_drawn(folder: Path, kept: Kept, chosen: str, data: Dataset, task: Task) -> None:
    """Write pictures that each rung drew, in the order in which it drew them, and real ones.

    `gallery.npz` has `real` and `drawn/RUNG`, uint8 of shape (pictures, channels, height, width).

    Args:
        folder: of the run.
        kept: what the rungs drew, in ladder order.
        chosen: the rung that the verdict names.
        data: all rows.
        task: which names what a quality is.
    """
    if isinstance(data.signature.input, Image):
        rows = kept.candidates(chosen)
        rows = rows[np.linspace(0, len(rows) - 1, min(DRAWN, len(rows))).round().astype(int)]
        pictures = {"real": [data.samples.inputs[row].numpy() for row in rows]}
        for rung in kept.grades:
            answers = kept.answers(rung, [int(row) for row in rows])
            pictures[f"drawn/{rung}"] = [answers[row] for row in sorted(answers)]
        seen = {name: _seen(these, data) for name, these in pictures.items() if these}
        write_arrays(folder / "gallery.npz", seen)
    keep_measure(folder, kept, chosen, data, task)


def _seen(pictures: Sequence[np.ndarray], data: Dataset) -> np.ndarray:
    field = data.signature.output
    levels = field.levels if isinstance(field, Synthesis) else 256
    return np.stack([smaller(bright(picture, levels), SIDE) for picture in pictures])


def keep_extremes(folder: Path, kept: Kept, chosen: str, data: Dataset, task: Task) -> None:
    """Write the rows that the chosen rung finds least and most likely; as for `keep_drawn`.

    `gallery.json` says what every rung made of them; of pictures and sequences `gallery.npz` has
    `rows` and what they look like, of tables `gallery.json` has the cells.
    """
    own = kept.grades[chosen]
    order = np.argsort(own, kind="stable")  # NaN sorts last
    order = order[np.isfinite(own[order])]
    ends = {"least": order[:EXTREMES], "most": order[EXTREMES:][-EXTREMES:][::-1]}
    rows = sorted({int(row) for end in ends.values() for row in end})
    document = {
        "measure": task.quality_name,
        "extremes": {
            name: [{"row": int(row), "quality": graded(kept, int(row))} for row in end]
            for name, end in ends.items()
        },
    }
    inputs, field = data.samples.inputs[rows], data.signature.input
    if isinstance(field, Table):
        document |= cells_of(field, rows, inputs)
    else:
        kind, seen = to_see(data, inputs)
        if kind == "pictures":
            seen = bright(seen, int(data.samples.inputs.max()) + 1)
        write_arrays(folder / "gallery.npz", {"rows": np.array(rows, np.int64), kind: seen})
    write_json(folder / "gallery.json", document)


def keep_measure(folder: Path, kept: Kept, chosen: str, data: Dataset, task: Task) -> None:
    """Write what a quality is, where the rows themselves show nothing; as for `keep_drawn`."""
    write_json(folder / "gallery.json", {"measure": task.quality_name})

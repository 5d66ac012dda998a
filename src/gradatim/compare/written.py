"""Some passages with what every rung expected, some sentences with every rung's translation."""

from pathlib import Path
from typing import Any

import numpy as np

from gradatim.compare.side_by_side import Kept, graded, worth_seeing
from gradatim.core.samples import Dataset
from gradatim.core.signature import Text
from gradatim.core.task import Task
from gradatim.ops.text.characters import written
from gradatim.runs.files import write_arrays, write_json

__all__ = ["keep_passages", "keep_sentences"]

SENTENCES = 9  # that are kept
PASSAGE, SENTENCE = 400, 1000  # characters of each


def keep_passages(folder: Path, kept: Kept, chosen: str, data: Dataset, task: Task) -> None:
    """Write a few passages of a text, and how much each character surprised each rung.

    `gallery.json` has the passages and why each was taken, `gallery.npz` has `ROW/RUNG`: nats of
    every character. What they are chosen by: `worth_seeing`.

    Args:
        folder: of the run.
        kept: what the rungs said, in ladder order.
        chosen: the rung that the verdict names.
        data: all rows.
        task: which names what a quality is.
    """
    taken = worth_seeing(kept, chosen)
    texts = {row: _text(data, row) for row in taken}
    nats: dict[str, np.ndarray] = {}
    for rung in kept.grades:
        for row, answer in kept.answers(rung, list(taken)).items():
            shown = min(len(texts[row]), PASSAGE)
            nats[f"{row}/{rung}"] = answer[:shown].astype(np.float32)
    rows = [_row(kept, row, why) | {"text": texts[row][:PASSAGE]} for row, why in taken.items()]
    write_arrays(folder / "gallery.npz", nats)
    write_json(folder / "gallery.json", {"measure": task.quality_name, "passages": rows})


def keep_sentences(folder: Path, kept: Kept, chosen: str, data: Dataset, task: Task) -> None:
    """Write a few sentences, how a person translated them and what each rung made of them.

    All is in `gallery.json`; the arguments are those of `keep_passages`.
    """
    taken = worth_seeing(kept, chosen, SENTENCES)
    said: dict[int, dict[str, str]] = {row: {} for row in taken}
    for rung in kept.grades:
        for row, answer in kept.answers(rung, list(taken)).items():
            sample = data.samples.take([row])
            said[row][rung] = (task.text(sample, answer) or "")[:SENTENCE]
    rows = []
    for row, why in taken.items():
        sample = data.samples.take([row])
        truth = (task.text(sample, None) or "")[:SENTENCE]
        told = {"source": _text(data, row)[:SENTENCE], "reference": truth, "said": said[row]}
        rows.append(_row(kept, row, why) | told)
    write_json(folder / "gallery.json", {"measure": task.quality_name, "sentences": rows})


def _row(kept: Kept, row: int, why: str) -> dict[str, Any]:
    return {"row": row, "why": why, "quality": graded(kept, row)}


def _text(data: Dataset, row: int) -> str:
    field = data.signature.input
    assert isinstance(field, Text), "only texts are continued and translated"
    return written(data.samples.inputs[row : row + 1], field.alphabet)[0]

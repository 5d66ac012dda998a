"""Findings on the channels of sequences.

No single step is looked at for a leak: what the target is read off may well happen in one step.
"""

import numpy as np

from gradatim.core.samples import Dataset, Finding
from gradatim.core.signature import Series
from gradatim.data.doctor.view import listing, open_rows

__all__ = ["channel_findings"]

ROUNDING = 64 * np.finfo(np.float64).eps


def channel_findings(dataset: Dataset) -> list[Finding]:
    """Find channels that hold one number in all steps of all rows, up to rounding."""
    field, rows = dataset.signature.input, open_rows(dataset)
    if not isinstance(field, Series) or not len(rows):
        return []
    values = dataset.samples.inputs.numpy()[rows].reshape(-1, field.channels)
    largest = np.maximum(np.abs(values).max(0), np.finfo(np.float64).tiny)
    flat = np.flatnonzero((values / largest).std(0) <= ROUNDING)
    if not len(flat):
        return []
    text = f"One value in all steps of all rows: channel {listing([str(i) for i in flat])}. "
    text += "Such a channel is switched off."
    return [Finding("constant-channel", "note", text, "leave it out")]

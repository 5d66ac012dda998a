"""Changes to spectra over time: bands and moments that are blanked, voices that are bent."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

__all__ = ["SPECTRAL", "bent", "blanked_run", "drawn_runs"]

MASKS = 2
"""Of each kind, as most policies of SpecAugment have."""

Spectra = Float[Tensor, "rows channels bands frames"]


def blanked_run(
    spectra: Spectra, begin: Int64[Tensor, " rows"], length: Int64[Tensor, " rows"], axis: int
) -> Spectra:
    """Return the batch with 0, the mean, in a run of bands or of frames of each row.

    Args:
        spectra: normalised.
        begin: first band or frame of the run.
        length: how many; 0 blanks none.
        axis: 2 for bands, 3 for frames.

    Source: Park et al. 2019, "SpecAugment", section 2: frequency masking and time masking.
    """
    places = torch.arange(spectra.shape[axis])
    inside = (places >= begin[:, None]) & (places < (begin + length)[:, None])
    return spectra.masked_fill(inside[:, None, :, None] if axis == 2 else inside[:, None, None], 0)


def drawn_runs(
    rows: int, places: int, share: float, chance: torch.Generator
) -> tuple[Int64[Tensor, " rows"], Int64[Tensor, " rows"]]:
    """Return begin and length of a run for each row: length even in 0 .. share places, then begin.

    Args:
        rows: how many runs.
        places: bands or frames that there are.
        share: largest share of them, in [0, 1).
        chance: the generator of this step.

    Source: Park et al. 2019, section 2: f from [0, F], f_0 from [0, v - f).
    """
    length = torch.randint(int(share * places) + 1, (rows,), generator=chance)
    free = places - length + 1
    begin = (torch.rand(rows, generator=chance) * free).long().clamp_max(places - 1)
    return begin, length


def bent(spectra: Spectra, factor: Float[Tensor, " rows"]) -> Spectra:
    """Return the batch, what lies in band b moved to band factor * b, linearly interpolated.

    The throat of another speaker is shorter or longer, which stretches all frequencies of a voice
    alike; on the mel scale, linear below 1000 Hz, that is nearly a stretch again. Where nothing is
    left the highest band goes on.

    Args:
        spectra: bands from low to high.
        factor: of each row, above 0; 1 changes nothing.

    Source: Jaitly & Hinton 2013, "Vocal tract length perturbation (VTLP) improves speech
        recognition".

    Deviations: bands are moved after the filters instead of the filters before; where the mel
    scale is logarithmic, above 1000 Hz, a stretch of bands is more than one of frequencies.
    """
    bands = spectra.shape[2]
    source = (torch.arange(bands) / factor[:, None]).clamp_max(bands - 1).to(spectra.dtype)
    below = source.floor().long().clamp_max(max(0, bands - 2))
    share = (source - below)[:, None, :, None]
    index = below[:, None, :, None].expand(-1, spectra.shape[1], -1, spectra.shape[3])
    upper = F.pad(spectra, (0, 0, 0, 1), mode="replicate")[:, :, 1:]
    return (1 - share) * spectra.gather(2, index) + share * upper.gather(2, index)


def _bend(spectra: Tensor, most: float, chance: torch.Generator) -> Tensor:
    return bent(spectra, 1 + most * (2 * torch.rand(len(spectra), generator=chance) - 1))


def _mask_frequency(spectra: Tensor, share: float, chance: torch.Generator) -> Tensor:
    return _masked(spectra, share, chance, axis=2)


def _mask_time(spectra: Tensor, share: float, chance: torch.Generator) -> Tensor:
    return _masked(spectra, share, chance, axis=3)


def _masked(spectra: Tensor, share: float, chance: torch.Generator, axis: int) -> Tensor:
    for _ in range(MASKS):
        begin, length = drawn_runs(len(spectra), spectra.shape[axis], share, chance)
        spectra = blanked_run(spectra, begin, length, axis)
    return spectra


SPECTRAL: dict[str, Callable[[Tensor, Any, torch.Generator], Tensor]] = {
    "bend": _bend,
    "mask_frequency": _mask_frequency,
    "mask_time": _mask_time,
}
"""In the order in which they happen."""

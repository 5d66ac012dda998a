"""Recordings to one row of numbers: what their cepstra are on average, and how much they vary."""

import torch
from jaxtyping import Float, Float64, Int16, Int64
from torch import Tensor, nn

from gradatim.core.signature import Sound
from gradatim.layers.blocks import in_blocks
from gradatim.layers.sound.log_mel import BANDS, Spectra
from gradatim.ops.sound.spectra import begun_at, cosine_basis, slopes

__all__ = ["CepstralMoments"]


class CepstralMoments(nn.Module):
    """Mean and deviation over time of the MFCC, of their slopes and of the slopes of those.

    c = C log-mel with the cosines C of `cosine_basis`; d_t, dd_t by `slopes`. Each of the 6 x
    coefficients numbers is then standardised with the training fold. Silence before and after the
    sound does not count.

    Args:
        sound: the recordings, as the signature has them.
        coefficients: of each cepstrum, the loudness among them.
        bands: mel filters that the cepstra are made of.
    """

    basis: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, sound: Sound, coefficients: int = 13, bands: int = BANDS) -> None:
        super().__init__()
        self.spectra = Spectra(sound, bands)
        self.features = 6 * coefficients
        self.register_buffer("basis", cosine_basis(coefficients, bands).float())
        self.register_buffer("mean", torch.zeros(self.features, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(self.features, dtype=torch.float64))

    def fit(self, recordings: Int16[Tensor, "rows samples"]) -> "CepstralMoments":
        """Learn mean and deviation of each number; one that is constant is switched off."""
        moments = in_blocks(self._moments, recordings, self.spectra.per_row)
        spread = moments.std(0, correction=0)
        self.mean.copy_(moments.mean(0))
        self.scale.copy_(torch.where(spread > 1e-9, 1 / spread.clamp_min(1e-9), 0.0))
        return self

    def forward(
        self, recordings: Int16[Tensor, "rows samples"]
    ) -> Float64[Tensor, "rows features"]:
        """Return one row of standardised numbers a recording."""
        moments = in_blocks(self._moments, recordings, self.spectra.per_row)
        return (moments - self.mean) * self.scale

    def _moments(self, recordings: Tensor) -> Tensor:
        levels, lengths = self.spectra(recordings)
        cepstra = (self.basis @ levels).double()
        first = begun_at(slopes(cepstra), torch.zeros_like(lengths), lengths)
        return moments_of(torch.cat([cepstra, first, slopes(first)], dim=1), lengths)


def moments_of(
    values: Float[Tensor, "rows bands frames"], lengths: Int64[Tensor, " rows"]
) -> Float[Tensor, "rows twice"]:
    """Return mean and standard deviation of each band over the first `lengths` frames.

    >>> moments_of(torch.tensor([[[1.0, 3.0, 9.0]]]), torch.tensor([2]))
    tensor([[2., 1.]])
    """
    real = (torch.arange(values.shape[2], device=values.device) < lengths[:, None])[:, None]
    count = lengths[:, None].to(values.dtype)
    mean = (values * real).sum(2) / count
    variance = ((values - mean[:, :, None]) * real).square().sum(2) / count
    return torch.cat([mean, variance.sqrt()], dim=1)

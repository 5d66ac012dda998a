"""Cepstra and a support vector machine: how speech and sounds were recognised for thirty years."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field
from torch import nn

from gradatim.core.refusal import Refusal
from gradatim.core.signature import Signature, Sound
from gradatim.layers.sound.cepstra import CepstralMoments
from gradatim.layers.sound.log_mel import BANDS
from gradatim.models._support import SupportVectors

__all__ = ["RUNG", "MfccSvm"]


class MfccSvm(SupportVectors):
    """Mean and deviation of the mel-frequency cepstra and their slopes, then the rung `svm`.

    c = C log(mel filters x |Fourier transform|^2) every 10 ms; d and dd are its slopes in time;
    then sum_i a_i k(h, h_i) + b on h = (mean c, mean d, mean dd, deviation c, ...).

    Idea: a person says what an ear hears: the coarse shape of the spectrum and how fast it changes.
    Cost: as `svm`, with 6 features for each of 13 coefficients, however long the recording is.
    Fails when: the order of the sounds tells the classes apart, or voices are new: a mean over time
        knows no order, and keeps the voice.
    """

    place: ClassVar[int] = 66
    idea: ClassVar[str] = "hears the coarse shape of spectra, as chosen by hand, and its variation"
    source: ClassVar[str] = (
        "Davis & Mermelstein 1980 (cepstra); Furui 1986 (slopes); Cortes & Vapnik 1995"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "mean and deviation over time instead of a model of each moment",
        "Slaney's mel filters; 60 dB below the loudest is silence, and left out at both ends",
        *SupportVectors.shared_deviations,
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"coefficients": 6, "trial_rows": 100, "limit": 300, "landmarks": 50}
    }
    reads: ClassVar[tuple[str, ...]] = ("sound",)
    answers: ClassVar[tuple[str, ...]] = ("category",)

    coefficients: Annotated[int, Field(ge=1, le=BANDS)] = 13
    """Of each cepstrum, from the coarsest on."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take recordings with categories."""
        return None

    def features(self, signature: Signature) -> nn.Module:
        """Return one row of moments a recording."""
        assert isinstance(signature.input, Sound)
        return CepstralMoments(signature.input, self.coefficients)


RUNG = MfccSvm

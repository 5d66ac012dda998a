"""`Autoencoder`: an encoder, a decoder, and where the codes lie."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from gradatim.layers.generative.code_mixture import CodeMixture
from gradatim.layers.generative.coded import Coded

__all__ = ["Autoencoder", "Denoiser"]


class Autoencoder(Coded):
    """x -> code -> the same x again; new rows are decoded from codes drawn where codes lie.

    loss(x) = mean over pixels of (decode(encode(x)) - x)^2.

    Args:
        encoder: features -> codes.
        decoder: codes -> features.
        code: numbers of a code.
        components: Gaussians that describe the codes.

    Source: Hinton & Salakhutdinov 2006; Ghosh et al. 2020, "From variational to deterministic
    autoencoders", section 4 (a density fitted to the codes).
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, code: int, components: int = 1
    ) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.mixture = CodeMixture(code, components)

    def encode(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, "rows code"]:
        """Return the code of each row."""
        return self.encoder(x)

    def reconstruct(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, "rows features"]:
        """Return the row that the code of each row leads to."""
        return self.decode(self.encode(x))

    def losses(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, " rows"]:
        """Return the mean squared error of each row; in training, learn where codes lie."""
        code = self.encoder(self._shown(x))
        if self.training:
            self.mixture.update(code.detach())
        return (self.decoder(code) - x).square().mean(1)

    def codes(self, count: int, chance: torch.Generator) -> Float[Tensor, "count code"]:
        """Draw codes where those of the training rows lie."""
        return self.mixture.sample(count, chance)

    def decode(
        self, codes: Float[Tensor, "rows code"], labels: Int64[Tensor, " rows"] | None = None
    ) -> Float[Tensor, "rows features"]:
        """Return the rows that codes lead to; brightness beyond the scale is cut off."""
        return self.decoder(codes).clamp(0, 1)

    def between(
        self,
        begin: Float[Tensor, "walks 1 code"],
        end: Float[Tensor, "walks 1 code"],
        way: Float[Tensor, "1 steps 1"],
    ) -> Float[Tensor, "walks steps code"]:
        """Return codes on the straight line: these codes are not centred at 0."""
        return begin.lerp(end, way)

    def _shown(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, "rows features"]:
        """Return what the encoder sees of rows."""
        return x


class Denoiser(Autoencoder):
    """An autoencoder that sees rows under noise and is to return them without it.

    Args:
        encoder: features -> codes.
        decoder: codes -> features.
        code: numbers of a code.
        components: Gaussians that describe the codes.
        hidden: share of the pixels that are set to 0 in training.
        rounds: how often a drawn row is hidden in part and returned again.

    Source: Vincent, Larochelle, Bengio & Manzagol 2008, section 2.3 (pixels set to 0); Bengio,
    Yao, Alain & Vincent 2013, "Generalized denoising auto-encoders as generative models",
    section 3 (rounds of corruption and reconstruction lead to rows like those that were learnt).

    Deviations: the chain begins at codes drawn from the mixture and is short.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        code: int,
        components: int,
        hidden: float,
        rounds: int,
    ) -> None:
        super().__init__(encoder, decoder, code, components)
        self.hidden, self.rounds = hidden, rounds

    def sample(
        self, count: int, chance: torch.Generator, labels: Int64[Tensor, " count"] | None = None
    ) -> Float[Tensor, "count features"]:
        """Return decoded codes after some rounds of corruption and reconstruction."""
        x = super().sample(count, chance)
        for _ in range(self.rounds):
            kept = torch.rand(x.shape, generator=chance) >= self.hidden
            x = self.reconstruct(x * kept)
        return x

    def _shown(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, "rows features"]:
        """Return rows in which pixels are set to 0, in training."""
        return x * (torch.rand_like(x) >= self.hidden) if self.training else x

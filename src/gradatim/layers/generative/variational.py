"""`Variational`: an autoencoder whose codes are standard normal."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.layers.generative.coded import Coded
from gradatim.ops.generative.elbo import divergence_from_standard

__all__ = ["Variational"]


class Variational(Coded):
    """z ~ N(0, 1), each pixel of x Bernoulli with the probability that z is decoded to.

    loss(x) = -E log p(x | z) + KL(q(z | x) || N(0, 1)), z = m(x) + s(x) e, e ~ N(0, 1), one draw;
    both terms are sums over what belongs to a row, so neither depends on the size of the batch.

    Args:
        encoder: features -> 2 code numbers: means, then logarithms of variances.
        decoder: codes -> logits of brightness.
        code: numbers of a code.

    Source: Kingma & Welling 2014, "Auto-encoding variational Bayes", equation (10), appendix C.1.

    Deviations: grey levels count as probabilities of white; new rows are these probabilities, not
    black and white drawn from them. Grey levels being no black and white, the bound bounds no
    density of theirs, and there is no `log_prob`. The continuous Bernoulli is one (Loaiza-Ganem &
    Cunningham 2019), and drew far worse: docs/experiments.md.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, code: int) -> None:
        super().__init__()
        self.encoder, self.decoder, self.code = encoder, decoder, code

    def encode(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, "rows code"]:
        """Return the mean of the codes that are likely for each row."""
        return self.encoder(x)[:, : self.code]

    def reconstruct(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, "rows features"]:
        """Return what the mean code of each row leads to."""
        return self.decode(self.encode(x))

    def codes(self, count: int, chance: torch.Generator) -> Float[Tensor, "count code"]:
        """Draw standard normal codes."""
        return torch.randn(count, self.code, generator=chance)

    def decode(
        self, codes: Float[Tensor, "rows code"], labels: Int64[Tensor, " rows"] | None = None
    ) -> Float[Tensor, "rows features"]:
        """Return the brightness that codes lead to."""
        return self.decoder(codes).sigmoid()

    def terms(
        self, x: Float[Tensor, "rows features"]
    ) -> tuple[Float[Tensor, " rows"], Float[Tensor, " rows"]]:
        """Return -log p(x | z) and the divergence of each row, in nats."""
        mean, log_variance = self.encoder(x).chunk(2, 1)
        code = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        said = self.decoder(code)
        surprise = F.binary_cross_entropy_with_logits(said, x, reduction="none").sum(1)
        return surprise, divergence_from_standard(mean, log_variance)

    def losses(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, " rows"]:
        """Return the negative evidence lower bound of each row, in nats."""
        surprise, divergence = self.terms(x)
        return surprise + divergence

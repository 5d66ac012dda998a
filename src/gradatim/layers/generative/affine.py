"""Steps of flows that scale and shift: the coupling and the normalisation."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from gradatim.layers.generative.flow import Bijection, Moved

__all__ = ["CAP", "ActNorm", "AffineCoupling"]

CAP = 2.0
"""Log scales of a coupling lie in (-CAP, CAP): a factor of at most 7.4 a step."""


class AffineCoupling(Bijection):
    """Scale and shift some features by what the others say, which stay as they are.

    z_b = x_b exp(s(x_a)) + t(x_a), z_a = x_a; log |det| = sum s(x_a).

    Args:
        stays: which features are x_a; over their shape it broadcasts.
        says: x with x_b at 0 -> s and t for all features, one after the other along axis 1.

    Source: Dinh, Sohl-Dickstein & Bengio 2017, equations (4)-(9).

    Deviations: s is 2 tanh(s / 2), without a learnt factor before it.
    """

    stays: Tensor

    def __init__(self, stays: Bool[Tensor, "*features"], says: nn.Module) -> None:
        super().__init__()
        self.register_buffer("stays", stays)
        self.says = says

    def forward(self, x: Float[Tensor, "rows *features"]) -> Moved:
        """Return the moved features and the sum of the log scales."""
        s, t = self._said(x)
        return x * s.exp() + t, s.flatten(1).sum(1)

    def inverse(self, z: Float[Tensor, "rows *features"]) -> Float[Tensor, "rows *features"]:
        """Undo: what says it stayed as it was."""
        s, t = self._said(z)
        return (z - t) * (-s).exp()

    def _said(self, x: Tensor) -> tuple[Tensor, Tensor]:
        s, t = self.says(torch.where(self.stays, x, 0.0)).chunk(2, 1)
        s = CAP * (s / CAP).tanh()
        return torch.where(self.stays, 0.0, s), torch.where(self.stays, 0.0, t)


class ActNorm(Bijection):
    """Give every channel mean 0 and deviation 1 on the first batch; learn its affine map then.

    z = (x + shift) exp(log_scale); log |det| = places sum log_scale, where a channel of a picture
    has as many places as pixels, and a feature has one.

    Args:
        channels: sizes of axis 1.
        axes: of a row: 1 for features, 3 for planes.

    Source: Kingma & Dhariwal 2018 (Glow), section 3.1.
    """

    met: Tensor

    def __init__(self, channels: int, axes: int = 1) -> None:
        super().__init__()
        shape = (channels,) + (1,) * (axes - 1)
        self.shift = nn.Parameter(torch.zeros(shape))
        self.log_scale = nn.Parameter(torch.zeros(shape))
        self.register_buffer("met", torch.zeros((), dtype=torch.bool))

    def forward(self, x: Float[Tensor, "rows *features"]) -> Moved:
        """Return the normalised rows and the log determinant, which is that of every row."""
        if self.training and not self.met:
            self._meet(x)
        places = x[0, 0].numel()
        log_det = places * self.log_scale.sum()
        return (x + self.shift) * self.log_scale.exp(), log_det.expand(len(x))

    def inverse(self, z: Float[Tensor, "rows *features"]) -> Float[Tensor, "rows *features"]:
        """Undo."""
        return z * (-self.log_scale).exp() - self.shift

    @torch.no_grad()
    def _meet(self, x: Tensor) -> None:
        """Begin at what the first batch says."""
        axes = [0, *range(2, x.dim())]
        deviation = x.std(axes, correction=0).clamp_min(1e-3)
        self.shift.copy_(-x.mean(axes).view_as(self.shift))
        self.log_scale.copy_(-deviation.log().view_as(self.log_scale))
        self.met.fill_(True)

"""Steps of flows on pictures: squeeze, mix channels, couple by convolutions, part with half."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.layers.generative.affine import CAP, ActNorm
from gradatim.layers.generative.flow import Bijection, Moved

__all__ = ["ChannelCoupling", "Mixing", "Scale", "glow_steps"]

SMALL = 5e-3
"""Deviation of the weights of the last convolution at first."""


class Mixing(Bijection):
    """Mix the channels of every pixel by an invertible matrix W = P L (U + diag(s)).

    log |det| = height width sum log |s|. P is a fixed permutation; L has ones on its diagonal. It
    begins as a random rotation.

    Args:
        channels: of the planes.

    Source: Kingma & Dhariwal 2018, section 3.2 and equations (9)-(11).
    """

    order: Tensor
    sign: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        rotation = torch.linalg.qr(torch.randn(channels, channels))[0]
        order, lower, upper = torch.linalg.lu(rotation)
        self.register_buffer("order", order)
        self.register_buffer("sign", upper.diagonal().sign())
        self.log_size = nn.Parameter(upper.diagonal().abs().log())
        self.lower = nn.Parameter(lower.tril(-1))
        self.upper = nn.Parameter(upper.triu(1))

    def forward(self, x: Float[Tensor, "rows channels height width"]) -> Moved:
        """Return the mixed planes and the log determinant, which is that of every row."""
        log_det = x.shape[2] * x.shape[3] * self.log_size.sum()
        return F.conv2d(x, self._matrix()[:, :, None, None]), log_det.expand(len(x))

    def inverse(
        self, z: Float[Tensor, "rows channels height width"]
    ) -> Float[Tensor, "rows channels height width"]:
        """Undo."""
        back = torch.linalg.inv(self._matrix().double()).to(z.dtype)
        return F.conv2d(z, back[:, :, None, None])

    def _matrix(self) -> Float[Tensor, "channels channels"]:
        one = torch.eye(len(self.sign), dtype=self.lower.dtype, device=self.lower.device)
        upper = self.upper.triu(1) + torch.diag(self.sign * self.log_size.exp())
        matrix: Tensor = self.order @ (self.lower.tril(-1) + one) @ upper
        return matrix


class ChannelCoupling(Bijection):
    """Scale and shift the second half of the channels by what the first half says.

    Three convolutions, of 3, 1 and 3 pixels, say it; the last begins small, so that the step
    begins as nearly none.

    Args:
        channels: at least 2.
        width: hidden channels.
        dropout: of hidden channels.

    Source: Kingma & Dhariwal 2018, table 1 and section 3.3.

    Deviations: s is 2 tanh(s / 2) in place of a sigmoid; no normalisation in the convolutions.
    """

    def __init__(self, channels: int, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        first = channels // 2
        self.parts = (first, channels - first)
        last = nn.Conv2d(width, 2 * (channels - first), 3, padding=1)
        nn.init.normal_(last.weight, std=SMALL)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.says = nn.Sequential(
            nn.Conv2d(first, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 1),
            nn.ReLU(),
            nn.Dropout2d(dropout),
            last,
        )

    def forward(self, x: Float[Tensor, "rows channels height width"]) -> Moved:
        """Return the moved planes and the sum of the log scales."""
        first, second = x.split(self.parts, 1)
        s, t = self._said(first)
        return torch.cat([first, second * s.exp() + t], 1), s.flatten(1).sum(1)

    def inverse(
        self, z: Float[Tensor, "rows channels height width"]
    ) -> Float[Tensor, "rows channels height width"]:
        """Undo: the first half stayed as it was."""
        first, second = z.split(self.parts, 1)
        s, t = self._said(first)
        return torch.cat([first, (second - t) * (-s).exp()], 1)

    def _said(self, first: Tensor) -> tuple[Tensor, Tensor]:
        s, t = self.says(first).chunk(2, 1)
        return CAP * (s / CAP).tanh(), t


def glow_steps(channels: int, depth: int, width: int, dropout: float) -> list[Bijection]:
    """Return depth times: normalise, mix, couple."""
    steps: list[Bijection] = []
    for _ in range(depth):
        steps += [ActNorm(channels, 3), Mixing(channels)]
        steps.append(ChannelCoupling(channels, width, dropout))
    return steps


class Scale(Bijection):
    """One scale of a picture: squeeze 2 x 2 pixels into channels, take steps, hand on one half.

    The other half is noise already, given the first: z = (x_b - m(x_a)) exp(-s(x_a)). What is
    handed on goes through the next scale. Rows of flat features come out, those handed on first.

    Args:
        shape: channels, height and width of the planes that come in; sides are even.
        steps: on the squeezed planes.
        next_: the next scale, on half of the squeezed channels; None for the last, which keeps all.

    Source: Dinh et al. 2017, section 3.6; Kingma & Dhariwal 2018, figure 2b; the learnt mean and
        deviation are in the code that the latter publish.
    """

    def __init__(
        self, shape: tuple[int, int, int], steps: list[Bijection], next_: "Scale | None" = None
    ) -> None:
        super().__init__()
        channels, height, width = shape
        self.squeezed = (4 * channels, height // 2, width // 2)
        self.steps = nn.ModuleList(steps)
        self.next = next_
        self.split = None
        if next_ is not None:
            self.split = nn.Conv2d(2 * channels, 4 * channels, 3, padding=1)
            nn.init.normal_(self.split.weight, std=SMALL)
            nn.init.zeros_(self.split.bias)  # type: ignore[arg-type]

    def forward(self, x: Float[Tensor, "rows channels height width"]) -> Moved:
        """Return flat noise and the log determinants of all steps."""
        x, log_det = F.pixel_unshuffle(x, 2), x.new_zeros(len(x))
        for step in self.steps:
            x, more = step(x)
            log_det = log_det + more
        if self.next is None or self.split is None:
            return x.flatten(1), log_det
        on, left = x.chunk(2, 1)
        mean, s = self._expected(on)
        z, more = self.next(on)
        left = (left - mean) * (-s).exp()
        return torch.cat([z, left.flatten(1)], 1), log_det + more - s.flatten(1).sum(1)

    def inverse(
        self, z: Float[Tensor, "rows features"]
    ) -> Float[Tensor, "rows channels height width"]:
        """Undo, the next scale first."""
        channels, height, width = self.squeezed
        if self.next is None:
            x = z.view(len(z), channels, height, width)
        else:
            half = z.shape[1] // 2
            on = self.next.inverse(z[:, :half])
            mean, s = self._expected(on)
            left = z[:, half:].view(len(z), channels // 2, height, width)
            x = torch.cat([on, left * s.exp() + mean], 1)
        for step in reversed(self.steps):
            assert isinstance(step, Bijection), "steps are bijections"
            x = step.inverse(x)
        return F.pixel_shuffle(x, 2)

    def _expected(self, on: Tensor) -> tuple[Tensor, Tensor]:
        assert self.split is not None, "the last scale parts with nothing"
        mean, s = self.split(on).chunk(2, 1)
        return mean, CAP * (s / CAP).tanh()

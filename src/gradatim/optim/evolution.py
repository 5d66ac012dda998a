"""Neuro-evolution: try networks around this one, go towards those that did better."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gradatim.core.errors import ConfigError, NumericError
from gradatim.core.learner import Evaluate, Optimizer
from gradatim.core.recipe import OptimizerChoice
from gradatim.optim._lists import move

__all__ = ["OPTIMIZER", "Evolution", "ranks"]


class Evolution(Optimizer):
    """w <- w - rate / (n sigma) sum_i r_i e_i, with r_i the rank of the loss at w + sigma e_i.

    Networks come in pairs w + sigma e, w - sigma e with e ~ N(0, I). Ranks run evenly from -1/2
    (least loss) to 1/2, so only the order of the losses counts. No gradient is asked for.

    Cost: n losses a step, each a third of a gradient.
    Source: Salimans et al. 2017, algorithm 1 with antithetic pairs and rank shaping (section 2.1).
    Deviations: plain steps instead of Adam's; no weight decay. Chance comes from one draw of
        torch's generator a step.
    """

    looks_again: ClassVar[bool] = True
    needs_gradient: ClassVar[bool] = False
    elementwise: ClassVar[bool] = False
    default_lr: ClassVar[float] = 0.005

    def __init__(self, parameters: Sequence[nn.Parameter], choice: OptimizerChoice) -> None:
        super().__init__(parameters)
        if choice.population % 2:
            text = f"optimizer.population = {choice.population}: networks come in pairs"
            raise ConfigError(f"{text}; choose an even number")
        self.pairs, self.sigma = choice.population // 2, choice.sigma

    @torch.no_grad()
    def update(self, rate: float, evaluate: Evaluate) -> None:
        """Move every parameter.

        Raises:
            NumericError: no network around this one has a finite loss; nothing has moved.
        """
        before = [p.detach().clone() for p in self.parameters]
        # `evaluate` turns torch's generator back at every look, so the draws have one of their own.
        seed = int(torch.randint(2**62, ()))
        losses = [self._loss(evaluate, e, s) for e in self._draws(seed) for s in (1, -1)]
        for parameter, old in zip(self.parameters, before, strict=True):
            parameter.copy_(old)
        found = torch.tensor(losses, dtype=torch.float64)
        if not torch.isfinite(found).any():
            raise NumericError("no network around this one has a finite loss; lower optimizer.lr")
        shares = ranks(found).reshape(-1, 2)
        weights = (shares[:, 0] - shares[:, 1]).tolist()
        for e, weight in zip(self._draws(seed), weights, strict=True):
            move(self.parameters, e, -rate / (2 * self.pairs * self.sigma) * weight)
        # The learner's own look cost a loss and no gradient: 2/3 less than is counted for it.
        self.evaluations = 2 * self.pairs / 3 - 2 / 3

    def _draws(self, seed: int) -> Iterator[Tensor]:
        """Yield e of every pair; drawn again, they need not be kept."""
        chance = torch.Generator().manual_seed(seed)
        count, dtype = sum(p.numel() for p in self.parameters), self.parameters[0].dtype
        for _ in range(self.pairs):
            yield torch.randn(count, generator=chance, dtype=dtype)

    def _loss(self, evaluate: Evaluate, e: Tensor, side: int) -> float:
        move(self.parameters, e, side * self.sigma)
        loss = evaluate().item()
        move(self.parameters, e, -side * self.sigma)
        return loss


def ranks(losses: Float[Tensor, " networks"]) -> Float[Tensor, " networks"]:
    """Return the places of losses in their order, spread evenly from -1/2 to 1/2.

    NaN and infinity come last; equal losses share the mean of their places, so that they pull
    nowhere.

    >>> ranks(torch.tensor([3.0, 1.0, 2.0])).tolist()
    [0.5, -0.5, 0.0]
    """
    known = losses.where(~losses.isnan(), torch.inf)
    less = (known[:, None] > known[None, :]).sum(1)
    same = (known[:, None] == known[None, :]).sum(1)
    return (less + (same - 1) / 2).to(losses.dtype) / (len(losses) - 1) - 0.5


OPTIMIZER = Evolution

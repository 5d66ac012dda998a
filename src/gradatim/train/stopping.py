"""Early stopping: watch rows held out of the training fold, keep the weights that serve them."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

__all__ = ["EarlyStopping"]


class EarlyStopping:
    """Watch held-out losses; keep the latest weights that are not shown to be worse than the best.

    The lowest loss on few held-out rows is luck in part, and it often falls to an early epoch at a
    high learning rate. What cannot be told from it and was trained longer is kept instead: d, the
    differences to the best losses part by part, have a mean of at most one standard error.

    Args:
        patience: looks in a row that are worse than that before `exhausted` is true.

    Source: Prechelt 1998, "Early stopping - but when?", criterion UP with restored weights;
        Breiman et al. 1984, section 3.4.3, for the rule of one standard error.
    Deviations: Breiman's rule prefers the smaller model, this one the longer training; the error
        is that of the paired difference.
    """

    def __init__(self, patience: int) -> None:
        self.patience, self.waited = patience, 0
        self.best = torch.empty(0)
        self.weights: dict[str, Tensor] = {}

    def look(self, losses: Tensor, network: nn.Module) -> None:
        """Take note of the losses of the held-out parts; NaN is never kept."""
        if not bool(losses.isfinite().all()):
            self.waited += 1
            return
        if not len(self.best) or losses.mean() < self.best.mean():
            self.best = losses
        worse = losses - self.best
        error = worse.std() / len(worse) ** 0.5 if len(worse) > 1 else 0.0
        if worse.mean() <= error:
            self.waited = 0
            self.weights = {k: v.detach().clone() for k, v in network.state_dict().items()}
        else:
            self.waited += 1

    @property
    def exhausted(self) -> bool:
        """Tell whether patience is at an end."""
        return self.waited >= self.patience

    def restore(self, network: nn.Module) -> None:
        """Put the kept weights back, if there are any."""
        if self.weights:
            network.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Tensor]:
        """Return all that changes, as tensors."""
        weights = {f"weights.{k}": v for k, v in self.weights.items()}
        return weights | {"best": self.best, "waited": torch.tensor(self.waited)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict` returned."""
        self.best, self.waited = state["best"], int(state["waited"])
        prefix = "weights."
        kept = {k: v for k, v in state.items() if k.startswith(prefix)}
        self.weights = {k.removeprefix(prefix): v for k, v in kept.items()}

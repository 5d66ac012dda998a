"""Early stopping: watch rows held out of the training fold, keep the weights that serve them."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

__all__ = ["EarlyStopping"]


class EarlyStopping:
    """Watch a loss; keep the latest weights that are within one standard error of its lowest.

    The lowest loss on few held-out rows is luck in part, and it often falls to an early epoch at a
    high learning rate. What cannot be told from it and was trained longer is kept instead.

    Args:
        patience: looks in a row above that bound before `exhausted` is true.

    Source: Prechelt 1998, "Early stopping - but when?", criterion UP with restored weights;
        Breiman et al. 1984, section 3.4.3, for the rule of one standard error.
    Deviations: Breiman's rule prefers the smaller model, this one the longer training.
    """

    def __init__(self, patience: int) -> None:
        self.patience, self.waited = patience, 0
        self.best = self.bound = float("inf")
        self.weights: dict[str, Tensor] = {}

    def look(self, loss: float, error: float, network: nn.Module) -> None:
        """Take note of a loss and its standard error; a NaN is never kept."""
        if loss < self.best:
            self.best, self.bound = loss, loss + error
        if loss <= self.bound:
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
        numbers = torch.tensor([self.best, self.bound, self.waited], dtype=torch.float64)
        return {"numbers": numbers} | {f"weights.{k}": v for k, v in self.weights.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict` returned."""
        self.best, self.bound, waited = state["numbers"].tolist()
        self.waited = int(waited)
        prefix = "weights."
        self.weights = {k.removeprefix(prefix): v for k, v in state.items() if k != "numbers"}

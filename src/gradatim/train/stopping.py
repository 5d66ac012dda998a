"""Early stopping: keep the weights that did best on rows held out of the training fold."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

__all__ = ["EarlyStopping"]


class EarlyStopping:
    """Watch a loss; keep a copy of the weights at its lowest.

    Args:
        patience: looks without a lower loss before `exhausted` is true.

    Source: Prechelt 1998, "Early stopping - but when?", criterion UP with restored weights.
    """

    def __init__(self, patience: int) -> None:
        self.patience, self.best, self.waited = patience, float("inf"), 0
        self.weights: dict[str, Tensor] = {}

    def look(self, loss: float, network: nn.Module) -> None:
        """Take note of a loss; a NaN is never the best."""
        if loss < self.best:
            self.best, self.waited = loss, 0
            self.weights = {k: v.detach().clone() for k, v in network.state_dict().items()}
        else:
            self.waited += 1

    @property
    def exhausted(self) -> bool:
        """Tell whether patience is at an end."""
        return self.waited >= self.patience

    def restore(self, network: nn.Module) -> None:
        """Put the best weights back, if any were kept."""
        if self.weights:
            network.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Tensor]:
        """Return all that changes, as tensors."""
        numbers = torch.tensor([self.best, self.waited], dtype=torch.float64)
        return {"numbers": numbers} | {f"weights.{k}": v for k, v in self.weights.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict` returned."""
        self.best, self.waited = state["numbers"][0].item(), int(state["numbers"][1])
        prefix = "weights."
        self.weights = {k.removeprefix(prefix): v for k, v in state.items() if k != "numbers"}

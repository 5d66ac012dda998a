"""`Learner`: everything that changes while training, and nothing else."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from gradatim.core.errors import NumericError

__all__ = ["Learner", "Optimizer"]


class Optimizer(ABC):
    """Moves parameters against their gradients.

    `state` holds one list of tensors a name, aligned with `parameters`; it is all that a
    checkpoint has to keep.
    """

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self.parameters = [p for p in parameters if p.requires_grad]
        self.state: dict[str, list[Tensor]] = {}

    @abstractmethod
    def update(self, rate: float) -> None:
        """Move every parameter once, at this learning rate."""

    def clear(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def zeros(self) -> list[Tensor]:
        """Return a zero beside every parameter: the usual start of a moving average."""
        return [torch.zeros_like(p, memory_format=torch.preserve_format) for p in self.parameters]


class Learner:
    """A model (or several players) with its optimizers, the step count and the running state.

    Args:
        model: what is trained; players of a game are its named children.
        optimizers: one for each player; a single-player task calls its own "model".
        schedule: learning rate as a function of the step, a pure function with no state.
        seed: of the run; chance is a function of (seed, purpose, step).
        memory: tensors that a task keeps between steps: running sums, a replay buffer.
        clip: largest allowed norm of the gradient; 0 leaves gradients alone.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizers: Mapping[str, Optimizer],
        schedule: Callable[[int], float],
        *,
        seed: int = 0,
        memory: Mapping[str, Tensor] | None = None,
        clip: float = 0.0,
    ) -> None:
        self.model, self.optimizers, self.schedule = model, dict(optimizers), schedule
        self.seed, self.clip, self.step = seed, clip, 0
        self.memory = dict(memory or {})

    def descend(self, loss: Tensor, player: str = "model") -> Tensor:
        """Take one optimizer step down `loss`; return the norm of the gradient before clipping.

        Raises:
            NumericError: the loss or a gradient is NaN or infinite; nothing has moved.
        """
        optimizer = self.optimizers[player]
        if not torch.isfinite(loss):
            raise NumericError(f"the loss is {loss.item()} at step {self.step}; {_CALMER}")
        optimizer.clear()
        loss.backward()
        gradients = [p.grad for p in optimizer.parameters if p.grad is not None]
        norm = torch.stack(torch._foreach_norm(gradients)).norm()
        if not torch.isfinite(norm):
            raise NumericError(f"a gradient is {norm.item()} at step {self.step}; {_CALMER}")
        if 0 < self.clip < norm:
            torch._foreach_mul_(gradients, (self.clip / norm).item())
        optimizer.update(self.schedule(self.step))
        return norm

    def state_dict(self) -> dict[str, Tensor]:
        """Return all that changes, flat, as tensors: this is a checkpoint."""
        state = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        state |= {f"memory.{k}": v for k, v in self.memory.items()}
        for player, optimizer in self.optimizers.items():
            for name, tensors in optimizer.state.items():
                state |= {f"optimizer.{player}.{name}.{i}": t for i, t in enumerate(tensors)}
        return state | {"step": torch.tensor(self.step)}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a checkpoint made by `state_dict` of a learner of the same making."""
        self.model.load_state_dict(_under(state, "model."))
        self.memory = {k: v.clone() for k, v in _under(state, "memory.").items()}
        for player, optimizer in self.optimizers.items():
            for name, tensors in optimizer.state.items():
                for i, tensor in enumerate(tensors):
                    tensor.copy_(state[f"optimizer.{player}.{name}.{i}"])
        self.step = int(state["step"])


_CALMER = "the parameters were not moved; try a lower learning rate: --set optimizer.lr=..."


def _under(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}

"""`Learner`: everything that changes while training, and nothing else."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from gradatim.core.errors import NumericError

__all__ = ["Evaluate", "Learner", "Optimizer", "not_finite"]

Evaluate = Callable[[], Tensor]


class Optimizer(ABC):
    """Moves parameters downhill.

    `state` holds one list of tensors a name, aligned with `parameters`; it is all that a
    checkpoint has to keep.
    """

    looks_again: ClassVar[bool] = False
    """Whether `update` evaluates the loss of the batch at other parameters."""
    elementwise: ClassVar[bool] = True
    """Whether every number moves by its own gradient and state alone, as most optimizers do."""
    needs_gradient: ClassVar[bool] = True
    """Whether `update` reads gradients; a search by losses alone does not."""
    default_lr: ClassVar[float] = 1e-3
    """The learning rate where this optimizer is chosen and no rate is given."""
    default_batch: ClassVar[int | None] = None
    """Rows a batch of a race in which none is given; None for as many as the recipe says."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self.parameters = [p for p in parameters if p.requires_grad]
        self.state: dict[str, list[Tensor]] = {}
        self.evaluations = 0.0
        """What the last update cost beyond the first gradient, in gradients of the batch: a loss
        alone is 1/3 of one, a product with the Hessian 2."""

    @abstractmethod
    def update(self, rate: float, evaluate: Evaluate) -> None:
        """Move every parameter once.

        Args:
            rate: the learning rate of this step.
            evaluate: the loss of this step's batch at the parameters as they are when it is
                called, with the same chance (dropout) every time.
        """

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
        clip: largest allowed norm of the gradient; 0 leaves gradients alone, and so does an
            optimizer that looks again: it finds the length of its step itself.
        l2: lambda of the penalty lambda/2 |W|^2 on weight matrices and kernels (course 000,
            equation (55)), which is part of every loss here.
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
        l2: float = 0.0,
    ) -> None:
        self.model, self.optimizers, self.schedule = model, dict(optimizers), schedule
        self.seed, self.clip, self.l2, self.step = seed, clip, l2, 0
        self.memory = dict(memory or {})
        self.pieces = 1
        """Into how many a batch is cut, because the memory holds no more of it at once."""
        self.cuts = True
        """Whether it may be cut further: not where other processes take the same steps."""

    def descend(
        self, terms: Evaluate | Sequence[Evaluate], player: str = "model"
    ) -> tuple[Tensor, Tensor]:
        """Take one optimizer step down a loss.

        Args:
            terms: the loss of the batch, a scalar, or the terms of which it is the sum: these are
                differentiated one after the other, so that the memory has to hold only one.
                Called once, or more often by an optimizer that looks again.
            player: whose parameters move.

        Returns:
            The loss, and the norm of the gradient before clipping (0 for a search without one).

        Raises:
            NumericError: the loss or a gradient is NaN or infinite; nothing has moved.
        """
        optimizer = self.optimizers[player]
        terms = self._penalised([terms] if callable(terms) else list(terms), optimizer)
        optimizer.clear()
        loss = self._accumulated(terms, optimizer.needs_gradient)
        norm = self._norm(optimizer) if optimizer.needs_gradient else loss.new_zeros(())
        optimizer.update(self.schedule(self.step), lambda: _total(terms))
        return loss, norm

    def _accumulated(self, terms: Sequence[Evaluate], differentiate: bool) -> Tensor:
        """Return the loss; its gradient is added up beside the parameters."""
        parts: list[Tensor] = []
        for term in terms:
            part = term()
            if not math.isfinite(part.item()):
                raise not_finite("the loss", part, self.step)
            if differentiate:
                part.backward()
            parts.append(part.detach())
        return parts[0] if len(parts) == 1 else torch.stack(parts).sum()

    def _norm(self, optimizer: Optimizer) -> Tensor:
        """Return the norm of the gradient, which is clipped afterwards."""
        gradients = [p.grad for p in optimizer.parameters if p.grad is not None]
        norm = _whole(torch.stack(torch._foreach_norm(gradients)).norm())
        if not math.isfinite(length := norm.item()):
            raise not_finite("a gradient", norm, self.step)
        if 0 < self.clip < length and not optimizer.looks_again:
            torch._foreach_mul_(gradients, self.clip / length)
        return norm

    def _penalised(self, terms: list[Evaluate], optimizer: Optimizer) -> list[Evaluate]:
        """Return the terms with that of L2, and with the same chance at every look."""
        if self.l2:
            first, *others = terms
            weights = [p for p in optimizer.parameters if p.dim() > 1]
            penalty = self.l2 / 2

            def penalised() -> Tensor:
                return first() + penalty * sum(_whole(w.square().sum()) for w in weights)

            terms = [penalised, *others]
        return [_same_chance(term) for term in terms] if optimizer.looks_again else terms

    def state_dict(self) -> dict[str, Tensor]:
        """Return all that changes, flat, as tensors: this is a checkpoint."""
        state = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        state |= {f"memory.{k}": v for k, v in self.memory.items()}
        for player, optimizer in self.optimizers.items():
            for name, tensors in optimizer.state.items():
                state |= {f"optimizer.{player}.{name}.{i}": t for i, t in enumerate(tensors)}
        return state | {"step": torch.tensor(self.step), "pieces": torch.tensor(self.pieces)}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a checkpoint made by `state_dict` of a learner of the same making."""
        self.model.load_state_dict(_under(state, "model."))
        self.memory = {k: v.clone() for k, v in _under(state, "memory.").items()}
        for player, optimizer in self.optimizers.items():
            for name, tensors in optimizer.state.items():
                for i, tensor in enumerate(tensors):
                    tensor.copy_(state[f"optimizer.{player}.{name}.{i}"])
        self.step, self.pieces = int(state["step"]), int(state["pieces"])


def _same_chance(evaluate: Evaluate) -> Evaluate:
    """Return the loss with the same draws at every call: dropout must not change between looks."""
    state = torch.get_rng_state()

    def again() -> Tensor:
        torch.set_rng_state(state)
        return evaluate()

    return again


def _whole(tensor: Tensor) -> Tensor:
    """Return one tensor for one of which other processes have parts (torch's DTensor)."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def _total(terms: Sequence[Evaluate]) -> Tensor:
    return terms[0]() if len(terms) == 1 else torch.stack([term() for term in terms]).sum()


def not_finite(what: str, value: Tensor, step: int) -> NumericError:
    """Return the error of a loss or a gradient that is NaN or infinite."""
    calmer = "the parameters were not moved; try a lower learning rate: --set optimizer.lr=..."
    return NumericError(f"{what} is {value.item()} at step {step}; {calmer}")


def _under(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}

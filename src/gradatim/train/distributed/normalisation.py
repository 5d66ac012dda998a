"""Batch normalisation over the rows of all ranks."""

from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["JointBatchNorm", "joint"]


class JointBatchNorm(_BatchNorm):
    """Normalise each channel by mean and variance of the whole batch, whoever has its rows.

    It has gains, biases and running statistics, as batch normalisation has here everywhere.

    Source: course 000, equations (57), (58); Ioffe & Szegedy 2015, algorithm 1.
    Deviations: the name and the state are those of torch's layer, which has `SyncBatchNorm` for
        the same on CUDA alone.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  torch's own name
        """Return a rank's rows normalised; every rank has to call, also with no row."""
        if not self.training:
            return super().forward(input)
        axes = [0, *range(2, input.dim())]
        shape = [1, -1] + [1] * (input.dim() - 2)
        count = _added(input.new_tensor(input.numel() / self.num_features))
        mean = _added(input.sum(axes)) / count
        centred = input - mean.view(shape)
        variance = _added(centred.square().sum(axes)) / count
        self._remember(mean, variance * count / (count - 1).clamp_min(1))
        answer = centred * (variance + self.eps).rsqrt().view(shape)
        return answer * self.weight.view(shape) + self.bias.view(shape)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked.add_(1)

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002
        """Take rows and maps."""


def joint(network: nn.Module) -> None:
    """Put a `JointBatchNorm` with the same parameters in the place of each batch normalisation."""
    for name, child in network.named_children():
        if isinstance(child, _BatchNorm):
            new = JointBatchNorm(child.num_features, child.eps, child.momentum).to(child.weight)
            new.load_state_dict(child.state_dict())
            network.register_module(name, new)
        else:
            joint(child)


def _added(mine: Tensor) -> Tensor:
    total: Tensor = _Added.apply(mine)  # type: ignore[no-untyped-call]
    return total


class _Added(torch.autograd.Function):
    """The sum over ranks; whatever it leads to on any rank comes back to all."""

    @staticmethod
    def forward(ctx: Any, mine: Tensor) -> Tensor:
        """Return the sum."""
        total = mine.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the sum of the gradients."""
        total = gradient.clone()
        dist.all_reduce(total)
        return total

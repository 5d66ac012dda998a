"""Networks of one shape as one network with a leading dimension: many small products become one."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.layers.chain import Chain, applies, links
from gradatim.layers.linear import Linear
from gradatim.layers.picture_chain import PictureChain, pictured
from gradatim.ops import dense

__all__ = ["Block", "Stack", "stackable"]

BENDS = (nn.ReLU, nn.Sigmoid, nn.Tanh, nn.GELU, nn.Identity)
DENSE = (nn.Linear, Linear, nn.Dropout, nn.LayerNorm, nn.BatchNorm1d, *BENDS)


def stackable(network: nn.Module) -> bool:
    """Tell whether a network is a chain of dense layers, on rows of features or on pooled maps."""
    if not isinstance(network, nn.Sequential):
        return False
    plain = all(
        type(m) in DENSE and (not isinstance(m, nn.Linear) or m.bias is not None) for m in network
    )
    # Convolutions only where machine code takes them: torch's are not faster together than alone.
    return plain or pictured(list(enumerate(network))) is not None


class Block:
    """Numbers of all members, one line a member, and their gradients, laid out alike.

    What a member calls its parameter is a view of its line. So an update, a norm or a look for NaN
    is one operation for all members and all parameters.

    Args:
        networks: of one shape.
        names: parameters that belong here.
    """

    def __init__(self, networks: Sequence[nn.Module], names: Sequence[str]) -> None:
        members = [dict(network.named_parameters()) for network in networks]
        self.parts, at = dict[str, tuple[int, torch.Size]](), 0
        for name in names:
            self.parts[name] = (at, members[0][name].shape)
            at += members[0][name].numel()
        self.deep = members[0][names[0]].dim() > 1
        self.values = torch.stack([self.line(member) for member in members])
        self.slopes = torch.zeros_like(self.values)
        for name, part in self.split(self.values).items():
            for member, own in zip(members, part, strict=True):
                member[name].data = own

    def line(self, tensors: Mapping[str, Tensor]) -> Float[Tensor, " numbers"]:
        """Return the tensors of one member, by the names of its parameters, as a line."""
        return torch.cat([tensors[name].detach().flatten() for name in self.parts])

    def split(self, lines: Float[Tensor, "members numbers"]) -> dict[str, Tensor]:
        """Return every parameter's part of lines."""
        return {
            name: lines[:, start : start + shape.numel()].unflatten(1, shape)
            for name, (start, shape) in self.parts.items()
        }


class Stack(nn.Module):
    """z = a(x W' + b) for all members at once, as batched matrix products.

    The members' parameters and buffers become views of the stack's: whatever moves the stack moves
    its members, each of which still answers and saves for itself. Gradients lie in the blocks'
    `slopes`: a chain of linear layers, ReLU and dropout writes them there by machine code
    where it can be had, and autograd does else.

    Args:
        networks: stackable, of one shape.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        first = networks[0]
        assert isinstance(first, nn.Sequential)
        self.layers = list(enumerate(first))
        self.members = len(networks)
        # Matrices apart from vectors (biases, gains): optimizers decay the first alone.
        kinds = [
            [name for name, p in first.named_parameters() if (p.dim() > 1) == deep]
            for deep in (True, False)
        ]
        self.blocks = [Block(networks, names) for names in kinds if names]
        self.numbers, self.slopes = dict[str, Tensor](), dict[str, Tensor]()
        for block in self.blocks:
            self.numbers |= block.split(block.values)
            self.slopes |= block.split(block.slopes)
        for number in self.numbers.values():
            number.requires_grad_()
        self.states = {
            name: _united([network.get_buffer(name) for network in networks])
            for name, _ in first.named_buffers()
        }
        self.chain: Chain | PictureChain | None = None
        linked, parts = links(self.layers), pictured(self.layers)
        if parts:
            self.chain = PictureChain(parts, self.numbers, self.slopes)
        elif applies(linked, self.numbers.values()):
            self.chain = Chain(linked, self.numbers, self.slopes)
        self.said: Tensor | None = None

    def answers(
        self,
        inputs: Float[Tensor, "members rows *features"],
        masks: Sequence[Float[Tensor, "... rows _"] | None],
    ) -> Float[Tensor, "members rows outputs"]:
        """Return the answers of all members in training mode, for `differentiate` afterwards.

        Args:
            inputs: rows of every member.
            masks: what each dropout layer multiplies by, for every member, or one for all; None
                for 1.
        """
        if self.chain:
            return self.chain.forward(inputs, masks)
        self.said = self(inputs, masks)
        return self.said.detach()

    def differentiate(
        self, slope: Float[Tensor, "members rows outputs"]
    ) -> Float[Tensor, " members"]:
        """Write the gradients of all numbers into the blocks, given those by the last answers.

        Returns:
            The norm of every member's gradient.
        """
        if self.chain:
            return self.chain.backward(slope)
        assert self.said is not None, "the answers come first"
        self.said.backward(slope)
        self.said = None
        for name, number in self.numbers.items():
            if number.grad is not None:
                self.slopes[name].copy_(number.grad)
            number.grad = None
        return self.norms()

    def norms(self) -> Float[Tensor, " members"]:
        """Return the norm of every member's gradient."""
        parts = [torch.linalg.vector_norm(block.slopes, dim=1) for block in self.blocks]
        return torch.stack(parts).norm(dim=0)

    def forward(
        self,
        inputs: Float[Tensor, "members rows features"],
        masks: Sequence[Float[Tensor, "... rows _"] | None],
    ) -> Float[Tensor, "members rows outputs"]:
        """Return the same by operations of torch, with their gradients."""
        drawn = iter(masks)
        z = inputs
        for place, layer in self.layers:
            if isinstance(layer, nn.Linear):
                z = self._linear(z, place)
            elif isinstance(layer, nn.Dropout):
                mask = next(drawn)
                z = z if mask is None else z * mask
            elif isinstance(layer, nn.LayerNorm):
                z = self._layer_norm(z, layer, place)
            elif isinstance(layer, nn.BatchNorm1d):
                z = self._batch_norm(z, layer, place)
            else:
                z = layer(z)
        return z

    def dropouts(self) -> list[tuple[float, int]]:
        """Return the probability and the width of every dropout layer."""
        found, width = [], 0
        for _, layer in self.layers:
            width = layer.out_features if isinstance(layer, nn.Linear) else width
            if isinstance(layer, nn.Dropout):
                found.append((layer.p, width))
        return found

    def _linear(self, z: Tensor, place: int) -> Tensor:
        weight, bias = self.numbers[f"{place}.weight"], self.numbers[f"{place}.bias"]
        if dense.applies(z, weight, bias):
            return dense.dense(z, weight, bias)
        out: Tensor = _Linear.apply(z, weight, bias.unsqueeze(1))  # type: ignore[no-untyped-call]
        return out

    def _layer_norm(self, z: Tensor, layer: nn.LayerNorm, place: int) -> Tensor:
        gain, shift = (self.numbers[f"{place}.{name}"].unsqueeze(1) for name in ("weight", "bias"))
        return F.layer_norm(z, layer.normalized_shape, eps=layer.eps) * gain + shift

    def _batch_norm(self, z: Tensor, layer: nn.BatchNorm1d, place: int) -> Tensor:
        """Normalise every feature of every member over its rows, and note the running mean."""
        assert layer.momentum is not None
        self.states[f"{place}.num_batches_tracked"] += 1
        rows = z.transpose(0, 1).flatten(1)
        normal = F.batch_norm(
            rows,
            self.states[f"{place}.running_mean"],
            self.states[f"{place}.running_var"],
            self.numbers[f"{place}.weight"].flatten(),
            self.numbers[f"{place}.bias"].flatten(),
            training=True,
            momentum=layer.momentum,
            eps=layer.eps,
        )
        return normal.view(len(rows), self.members, -1).transpose(0, 1)


class _Linear(torch.autograd.Function):
    """x W' + b for every member.

    Deviations: autograd's own gradient of a transposed weight has another order in memory, and
        copying it took as long as the products.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return torch.baddbmm(bias, x, weight.transpose(1, 2))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        slope = gradients[0]
        below = torch.bmm(slope, weight) if ctx.needs_input_grad[0] else None
        return below, torch.bmm(slope.transpose(1, 2), x), slope.sum(1, keepdim=True)


@torch.no_grad()
def _united(tensors: Sequence[Tensor]) -> Tensor:
    """Return tensors one after the other in memory, and make each a view of its part."""
    whole = torch.stack([tensor.detach() for tensor in tensors])
    for tensor, part in zip(tensors, whole, strict=True):
        tensor.data = part
    return whole.flatten() if whole.dim() == 2 else whole

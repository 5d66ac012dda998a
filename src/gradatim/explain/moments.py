"""What theory says of the size of signals: second moments through a chain of simple layers.

var(g^(1)) = M_1 var(w^(1)) E[x^2] and var(g^(l)) = M_l var(w^(l)) E[a(z)^2] with z ~ N(0,
var(g^(l-1))); for ReLU E[a(z)^2] = var(g^(l-1)) / 2, which makes the product of the course.
Backwards |d^(l)|^2 = M_(l+1) var(w^(l+1)) E[a'(z)^2] |d^(l+1)|^2, d being the gradient by g: of
norms, so that both directions have the same factor M var(w).

Source: course 000, equations (48)-(54); He, Zhang, Ren & Sun 2015, section 2.2, for both ways
    (backwards with the units that a unit feeds, since it follows one entry of d, not its norm);
    Poole et al. 2016 for activations other than ReLU.
Deviations: equation (53) is printed with var(x) M_1 / 2; the first layer sees no ReLU, and its
    inputs count with E[x^2]. Biases add E[b^2]. Where zeros stand around a picture, M_l is the mean
    number of inputs that are not such zeros.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.layers.fused import FusedSequential

__all__ = ["ACTIVATIONS", "Link", "moments", "predicted", "simple_chain"]

ACTIVATIONS = (
    nn.ReLU,
    nn.LeakyReLU,
    nn.Sigmoid,
    nn.Tanh,
    nn.GELU,
    nn.SiLU,
    nn.ELU,
    nn.SELU,
    nn.Softplus,
    nn.Hardswish,
    nn.Hardtanh,
)
SILENT = (nn.Flatten, nn.Identity)
NODES = 2000  # even: no node at 0, where ReLU bends
REACH = 9.0  # standard deviations; what lies beyond is below 1e-18


@dataclass(frozen=True)
class Link:
    """One layer with weights, as far as theory goes: what it does to second moments.

    Args:
        factor: M E[w^2]: on E[a^2] of what it reads, and on |d|^2 of what it gave.
        bias: E[b^2].
        activation: what bends its values, None when nothing does.
        kept: share of the values that dropout lets through after it.
    """

    factor: float
    bias: float
    activation: nn.Module | None = None
    kept: float = 1.0


def moments(activation: nn.Module | None, variance: float) -> tuple[float, float]:
    """Return E[a(z)^2] and E[a'(z)^2] for z ~ N(0, variance), by quadrature.

    The midpoint rule in asinh z: dense near 0, where activations bend, however wide the normal is.
    Gauss-Hermite with 200 nodes misses the narrow slope of tanh by 5 % at variance 25.

    >>> [round(moment, 9) for moment in moments(nn.ReLU(), 4.0)]
    [2.0, 0.5]
    """
    if activation is None:
        return variance, 1.0
    most = math.asinh(REACH * variance**0.5)
    step = 2 * most / NODES
    u = step * (torch.arange(NODES, dtype=torch.float64) + 0.5) - most
    z = u.sinh().requires_grad_()
    shares = u.cosh() * torch.exp(-z.detach().square() / (2 * variance))
    shares /= shares.sum()
    with torch.enable_grad():
        values = activation(z)
        (slopes,) = torch.autograd.grad(values.sum(), z)
    return float(shares @ values.detach().square()), float(shares @ slopes.square())


def predicted(links: list[Link], inputs: float) -> tuple[list[float], list[float]]:
    """Return var(g) of every layer of a chain, and E|d|^2 relative to that of its last layer.

    Args:
        links: from the input on.
        inputs: E[x^2] of what the first layer reads.
    """
    variances, slopes, second = [], [], inputs
    for link in links:
        variances.append(link.factor * second + link.bias)
        second, slope = moments(link.activation, variances[-1])
        second /= link.kept
        slopes.append(slope / link.kept)
    gradients = [1.0]
    for slope, after in zip(slopes[-2::-1], links[:0:-1], strict=True):
        gradients.append(gradients[-1] * after.factor * slope)
    return variances, gradients[::-1]


def simple_chain(network: nn.Module, inputs: Tensor) -> list[tuple[str, Link]]:
    """Return the layers of a network up to the first that theory does not cover.

    Args:
        network: fully connected or convolution layers, bends and dropout, in `nn.Sequential`.
        inputs: a batch, for the sizes of pictures.

    Returns:
        Names and links.
    """
    chain: list[tuple[str, Link]] = []
    values = inputs
    for name, layer in _in_turn(network):
        if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d):
            chain.append((name, _link(layer, values)))
        elif isinstance(layer, ACTIVATIONS) and chain and chain[-1][1].activation is None:
            chain[-1] = (chain[-1][0], replace(chain[-1][1], activation=layer))
        elif isinstance(layer, nn.Dropout) and chain:
            chain[-1] = (chain[-1][0], replace(chain[-1][1], kept=1 - layer.p))
        elif not isinstance(layer, SILENT):
            break
        values = _shape_after(layer, values)
    return chain


def _in_turn(network: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    if type(network) not in (nn.Sequential, FusedSequential):
        yield name, network
        return
    for child, layer in network.named_children():
        yield from _in_turn(layer, f"{name}.{child}" if name else child)


def _shape_after(layer: nn.Module, values: Tensor) -> Tensor:
    with torch.no_grad():
        return layer(values) if not isinstance(layer, nn.Dropout) else values


def _link(layer: nn.Linear | nn.Conv1d | nn.Conv2d, values: Tensor) -> Link:
    size = float(layer.weight.detach().double().square().mean())
    bias = 0.0 if layer.bias is None else float(layer.bias.detach().double().square().mean())
    return Link(_fan_in(layer, values) * size, bias)


def _fan_in(layer: nn.Linear | nn.Conv1d | nn.Conv2d, values: Tensor) -> float:
    """Return how many inputs a unit reads on average, zeros around a picture left out."""
    if isinstance(layer, nn.Linear):
        return float(layer.in_features)
    convolve: Callable[..., Tensor] = F.conv2d if isinstance(layer, nn.Conv2d) else F.conv1d
    places, window = (
        values.new_ones(1, 1, *values.shape[2:]),
        values.new_ones(1, 1, *layer.kernel_size),
    )
    read = convolve(places, window, None, layer.stride, layer.padding, layer.dilation)
    return read.mean().item() * layer.in_channels / layer.groups

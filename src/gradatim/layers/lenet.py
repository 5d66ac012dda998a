"""The layers of 1998: trained sub-sampling, a connection table, fixed codes as output."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["CODE_LENGTH", "CONNECTIONS", "Codes", "ScaledTanh", "Subsampling", "TableConvolution"]
__all__ += ["codes_for"]

CONNECTIONS = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)
"""Which maps of S2 each of the sixteen maps of C3 sees: table I."""

CODE_LENGTH = 84
DIGITS = """
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
..###.. ...##.. .#####. .#####. .....#. ####### ..####. ####### .#####. .#####.
.##.##. ..###.. ##...## ##...## ....##. ##..... .##.... ##...## ##...## ##...##
##...## .#.##.. .....## .....## ...#.#. ##..... ##..... .....## ##...## ##...##
##...## ...##.. ....##. ....##. ..##.#. ##..... ##..... ....##. .##.##. ##...##
##...## ...##.. ...##.. ..###.. .##..#. ######. ##.###. ....##. ..###.. .######
##...## ...##.. ..##... ....##. ##...#. .....## ###..## ...##.. .##.##. .....##
##...## ...##.. .##.... .....## ####### .....## ##...## ...##.. ##...## .....##
##...## ...##.. ##..... .....## .....#. .....## ##...## ..##... ##...## ....##.
.##.##. ...##.. ##...## ##...## .....#. ##...## .##.##. ..##... ##...## ...##..
..###.. .###### ####### .#####. .....#. .#####. ..###.. ..##... .#####. .###...
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""


class ScaledTanh(nn.Module):
    """f(a) = 1.7159 tanh(2 a / 3), so that f(1) = 1 and f(-1) = -1.

    Source: LeCun, Bottou, Bengio & Haffner 1998, equation (6) and appendix A.

    >>> ScaledTanh()(torch.ones(1)).round(decimals=4)
    tensor([1.])
    """

    def forward(self, x: Float[Tensor, "*places"]) -> Float[Tensor, "*places"]:
        """Return the squashed values."""
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsampling(nn.Module):
    """c_m (sum of 2x2 places of map m) + b_m: one coefficient and one bias a map.

    Args:
        maps: how many.

    Source: LeCun, Bottou, Bengio & Haffner 1998, section II-B, S2 and S4.

    Deviations: coefficients begin at 1/4, the mean of the four, and not at random.
    """

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((maps, 1, 1), 0.25))
        self.bias = nn.Parameter(torch.zeros(maps, 1, 1))

    def forward(self, x: Float[Tensor, "rows maps h w"]) -> Float[Tensor, "rows maps h2 w2"]:
        """Return maps of half the height and width."""
        return 4 * F.avg_pool2d(x, 2) * self.weight + self.bias


class TableConvolution(nn.Module):
    """A 5x5 convolution in which each map sees only the maps that a table gives it.

    There is a kernel for each pair in the table and no other: 60 kernels and 16 biases, 1,516
    numbers for the table of 1998. Different maps have to find different things to see.

    Args:
        table: for each map of the output, the maps of the input that it sees.

    Source: LeCun, Bottou, Bengio & Haffner 1998, table I, C3.
    """

    def __init__(self, table: tuple[tuple[int, ...], ...] = CONNECTIONS) -> None:
        super().__init__()
        pairs = [(after, before) for after, seen in enumerate(table) for before in seen]
        self.shape = (len(table), 1 + max(before for _, before in pairs), 5, 5)
        self.pairs = pairs
        # Variance 1 / inputs, as in the other layers: a map with fewer inputs has larger weights.
        reach = torch.tensor([[math.sqrt(3 / (25 * len(table[after])))] for after, _ in pairs])
        self.weight = nn.Parameter((2 * torch.rand(len(pairs), 25) - 1) * reach)
        self.bias = nn.Parameter(torch.zeros(len(table)))

    def forward(self, x: Float[Tensor, "rows before h w"]) -> Float[Tensor, "rows after h2 w2"]:
        """Return the maps, four places shorter along both axes."""
        after, before = zip(*self.pairs, strict=True)
        kernels = x.new_zeros(self.shape)
        kernels[list(after), list(before)] = self.weight.view(-1, 5, 5)
        return F.conv2d(x, kernels, self.bias)


class Codes(nn.Module):
    """Answer with -|x - w_c|^2 / sqrt(84): how near the 84 numbers are to the code of each class.

    Args:
        classes: how many; ten get the pictures of the ten digits.

    Source: LeCun, Bottou, Bengio & Haffner 1998, equation (7): y_c = |x - w_c|^2.

    Deviations: the squared distance is divided by sqrt(84), and its negative is a logit. With
    cross-entropy that is the paper's discriminative criterion, equation (9), without the constant
    e^-j for "none of the classes".
    """

    codes: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.register_buffer("codes", torch.tensor(codes_for(classes).tolist()))

    def forward(self, x: Float[Tensor, "rows 84"]) -> Float[Tensor, "rows classes"]:
        """Return the logits."""
        distance = (x[:, None] - self.codes).square().sum(2)
        return -distance / CODE_LENGTH**0.5


def codes_for(classes: int) -> np.ndarray:
    """Return a code of 84 numbers, each -1 or 1, for every class.

    Ten classes get digits drawn on 7 x 12 pixels, other numbers of classes chance with seed 0.

    >>> codes_for(3).shape, codes_for(10).min().item(), codes_for(10).max().item()
    ((3, 84), -1.0, 1.0)
    """
    if classes != 10:
        return np.random.default_rng(0).choice([-1.0, 1.0], (classes, CODE_LENGTH))
    rows = [line.split() for line in DIGITS.split("\n") if line]
    drawn = ["".join(row[digit] for row in rows) for digit in range(10)]
    return np.array([[1.0 if dot == "#" else -1.0 for dot in digit] for digit in drawn])

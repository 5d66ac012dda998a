"""`Linear`: torch's linear layer, its products made by the faster library."""

from jaxtyping import Float
from torch import Tensor, nn

from gradatim.ops.products import linear

__all__ = ["Linear"]


class Linear(nn.Linear):
    """x W' + b, with the parameters of `torch.nn.Linear`.

    Source: docs/decisions/0009-products-stacks-and-frozen-networks.md.
    """

    def forward(self, input: Float[Tensor, "*rows before"]) -> Float[Tensor, "*rows after"]:  # noqa: A002  it is called so in nn.Linear
        """Return the products."""
        return linear(input, self.weight, self.bias)

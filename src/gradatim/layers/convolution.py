"""`Conv2d`: torch's convolution, trained with fewer products where its kernels are 3x3."""

from jaxtyping import Float
from torch import Tensor, nn

from gradatim.ops.winograd import convolve

__all__ = ["Conv2d"]


class Conv2d(nn.Conv2d):
    """W x + b at every place, with the parameters of `torch.nn.Conv2d`.

    Answers of a trained network are torch's own, so that they have the same bits on every machine
    of a kind, whatever the size of a batch.

    Source: docs/decisions/0009.
    """

    def forward(
        self,
        input: Float[Tensor, "*rows before h w"],  # noqa: A002  it is called so in nn.Conv2d
    ) -> Float[Tensor, "*rows after h2 w2"]:
        """Return the convolved maps."""
        if not self.training or not self._slides():
            return super().forward(input)
        return convolve(input, self.weight, self.bias)

    def _slides(self) -> bool:
        """Tell whether kernels of 3x3 visit every place, with zeros around."""
        window = (self.kernel_size, self.stride, self.padding, self.dilation, self.groups)
        return window == ((3, 3), (1, 1), (1, 1), (1, 1), 1) and self.padding_mode == "zeros"

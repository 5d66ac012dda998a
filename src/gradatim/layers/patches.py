"""Pictures as sentences: each patch is a token."""

from jaxtyping import Float
from torch import Tensor, nn

from gradatim.core.errors import ConfigError

__all__ = ["PatchEmbedding"]


class PatchEmbedding(nn.Module):
    """Cut a picture into patches and project each: token = W flatten(patch) + b.

    A convolution whose stride is its kernel does both. Tokens come row by row.

    Args:
        channels: of the pictures.
        patch: side of a patch in pixels.
        dim: of a token.

    Source: Dosovitskiy et al. 2021, equation (1); course 000, ViT.
    """

    def __init__(self, channels: int, patch: int, dim: int) -> None:
        super().__init__()
        self.patch = patch
        self.projection = nn.Conv2d(channels, dim, patch, stride=patch)

    def forward(self, x: Float[Tensor, "rows channels h w"]) -> Float[Tensor, "rows tokens dim"]:
        """Return one token a patch.

        Raises:
            ConfigError: the patches do not fill the picture.
        """
        h, w = x.shape[2:]
        if h % self.patch or w % self.patch:
            raise ConfigError(
                f"patches of {self.patch} pixels do not fill pictures of {h} x {w}\n"
                "expected sides that the patch divides; resize the pictures or change the patch"
            )
        return self.projection(x).flatten(2).mT

"""Vision Transformer: a picture is a sentence of patches."""

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.recipe import Augmentation, OptimizerChoice, Recipe, Schedule
from gradatim.core.signature import Image, Signature
from gradatim.layers.linear import Linear
from gradatim.models._pictures import OnPictures, within
from gradatim.ops.products import linear

__all__ = ["RUNG", "ViT", "VisionTransformer"]

IMAGENET = 224
LayerNorm = partial(nn.LayerNorm, eps=1e-6)


class MultiheadAttention(nn.MultiheadAttention):
    """The parameters of torch's layer; the same operations whether gradients are asked for or not.

    Torch's own `forward` takes another path without gradients, which rounds otherwise: a model
    would answer differently after it was saved and loaded.

    Deviations: the rows stay in front, which saves torch's copies; products are `linear`'s.
    """

    def forward(  # type: ignore[override]
        self, z: Float[Tensor, "rows tokens width"]
    ) -> Float[Tensor, "rows tokens width"]:
        """Return what each token takes from all tokens."""
        asked = linear(z, self.in_proj_weight, self.in_proj_bias)
        q, k, v = asked.unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        dropped = self.dropout if self.training else 0.0
        said = F.scaled_dot_product_attention(q, k, v, dropout_p=dropped)
        return linear(said.transpose(1, 2).flatten(2), self.out_proj.weight, self.out_proj.bias)


class EncoderBlock(nn.Module):
    """z' = z + MSA(LN(z)); z + MLP(LN(z')), with one hidden layer of GELU units."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.ln_1 = LayerNorm(width)
        self.self_attention = MultiheadAttention(width, heads, dropout)
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = LayerNorm(width)
        widen, narrow = Linear(width, hidden), Linear(hidden, width)
        self.mlp = nn.Sequential(widen, nn.GELU(), nn.Dropout(dropout), narrow, nn.Dropout(dropout))
        for layer in (widen, narrow):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.normal_(layer.bias, std=1e-6)

    def forward(self, z: Float[Tensor, "rows tokens width"]) -> Float[Tensor, "rows tokens width"]:
        """Return the tokens after they looked at one another."""
        z = z + self.dropout(self.self_attention(self.ln_1(z)))
        return z + self.mlp(self.ln_2(z))


class Encoder(nn.Module):
    """Learnt positions, blocks, and a last normalisation."""

    def __init__(
        self, tokens: int, depth: int, width: int, heads: int, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, tokens, width).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential()
        for i in range(depth):
            block = EncoderBlock(width, heads, hidden, dropout)
            self.layers.add_module(f"encoder_layer_{i}", block)
        self.ln = LayerNorm(width)

    def forward(self, z: Float[Tensor, "rows tokens width"]) -> Float[Tensor, "rows tokens width"]:
        """Return the tokens after all blocks."""
        return self.ln(self.layers(self.dropout(z + self.pos_embedding)))


class VisionTransformer(nn.Module):
    """Patches and one class token through an encoder; the class token answers.

    Names of the parameters are torchvision's, so that published weights fit.

    Args:
        channels: of the pictures.
        outputs: numbers that it answers with.
        size: height and width of the pictures, multiples of the patch.
        patch: side of a patch in pixels.
        width: numbers a token.
        depth: blocks.
        heads: attentions side by side, a divisor of the width.
        hidden: units of each block's hidden layer.
        dropout: share that is dropped after attention, hidden layers and positions.

    Source: Dosovitskiy et al. 2021, equations (1)-(4).
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        size: tuple[int, int],
        patch: int,
        width: int,
        depth: int,
        heads: int,
        hidden: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        tokens = 1 + (size[0] // patch) * (size[1] // patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.conv_proj = nn.Conv2d(channels, width, patch, patch)
        self.encoder = Encoder(tokens, depth, width, heads, hidden, dropout)
        head = nn.Linear(width, outputs)
        self.heads = nn.Sequential(OrderedDict(head=head))
        for layer, spread in ((self.conv_proj, (channels * patch**2) ** -0.5), (head, 0.02)):
            nn.init.trunc_normal_(layer.weight, std=spread)
            assert layer.bias is not None, "both layers were made with a bias"
            nn.init.zeros_(layer.bias)

    def forward(self, x: Float[Tensor, "rows channels h w"]) -> Float[Tensor, "rows outputs"]:
        """Return what the class token says after the last block."""
        patches = self.conv_proj(x).flatten(2).mT
        first = self.class_token.expand(x.shape[0], -1, -1)
        return self.heads(self.encoder(torch.cat([first, patches], dim=1))[:, 0])


def _published(patch: int, width: int, depth: int, heads: int) -> Mapping[str, object]:
    return {"patch": patch, "width": width, "depth": depth, "heads": heads, "most": IMAGENET}


class ViT(OnPictures):
    """Patches as tokens, a class token, learnt positions, pre-norm encoder blocks.

    Idea: every patch may look at every other from the first layer on.
    Cost: depth (12 width^2 + 13 width) + patches; the attention is quadratic in the patches.
    Fails when: pictures are few: that neighbours belong together has to be learnt from data.
    """

    place: ClassVar[int] = 140
    idea: ClassVar[str] = "lets every patch look at every other, from the first layer on"
    source: ClassVar[str] = "Dosovitskiy et al. 2021; Touvron et al. 2021 (Ti, S); course 000, ViT"
    deviations: ClassVar[tuple[str, ...]] = (
        "the default is small (patch 4, width 64) and is trained from scratch",
        "AdamW with weight decay 0.05 and moved pictures, as DeiT; no distillation",
        "the head begins at small random numbers instead of 0",
        "patch 2 for pictures below 28 pixels; those below 8 are enlarged to 8",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"width": 16, "depth": 1, "heads": 2}
    }
    published: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "vit_ti_16": _published(16, 192, 12, 3),
        "vit_s_16": _published(16, 384, 12, 6),
        "vit_b_16": _published(16, 768, 12, 12),
        "vit_b_32": _published(32, 768, 12, 12),
        "vit_l_16": _published(16, 1024, 24, 16),
    }
    default: ClassVar[bool] = False

    patch: Annotated[int, Field(ge=0, le=64)] = 0
    """Side of a patch in pixels; 0 takes 4, or 2 for pictures below 28 pixels."""
    width: Annotated[int, Field(ge=2, le=4096)] = 64
    """Numbers a token."""
    depth: Annotated[int, Field(ge=1, le=100)] = 4
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    """Attentions side by side; divides the width."""
    ratio: Annotated[int, Field(ge=1, le=16)] = 4
    """Units of a block's hidden layer, in widths."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    most: Annotated[int, Field(ge=8, le=1024)] = 64
    """Larger pictures are reduced to this many pixels a side."""

    @model_validator(mode="after")
    def _heads_divide(self) -> "ViT":
        if self.width % self.heads:
            raise ValueError(f"{self.heads} heads do not divide a width of {self.width}")
        return self

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return a warm-up and a cosine, strong weight decay, and pictures that move."""
        return Recipe(
            optimizer=OptimizerChoice(lr=2e-3, weight_decay=0.05),
            schedule=Schedule(name="cosine", warmup=0.1),
            augmentation=Augmentation(shift=1),
            epochs=60 if rows < 5000 else 30 if rows < 20_000 else 20,
            batch=32 if rows < 5000 else 64 if rows < 20_000 else 128,
            patience=12,
        )

    def extent(self, image: Image) -> tuple[int, int]:
        """Return the picture's size within 8 to `most` pixels, cut down to whole patches."""
        height, width = within(image, 8, self.most)
        patch = self.patch_of((height, width))
        return max(1, height // patch) * patch, max(1, width // patch) * patch

    def patch_of(self, size: tuple[int, int]) -> int:
        """Return the side of a patch for pictures of this size."""
        return self.patch or (4 if min(size) >= 28 else 2)

    def network(self, channels: int, outputs: int, size: tuple[int, int]) -> nn.Module:
        """Return the transformer."""
        return VisionTransformer(
            channels,
            outputs,
            size,
            patch=self.patch_of(size),
            width=self.width,
            depth=self.depth,
            heads=self.heads,
            hidden=self.ratio * self.width,
            dropout=self.dropout,
        )


RUNG = ViT

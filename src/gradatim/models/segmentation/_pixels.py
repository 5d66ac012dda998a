"""What the solved rungs of masks share: levels in, logits out, and pixels to learn from."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import IGNORED, Signature
from gradatim.layers.denoising.levels import Levels
from gradatim.layers.segmentation.mask_logits import MaskLogits

__all__ = ["OnPixels", "class_counts", "counts_by_code", "own_pictures"]


class OnPixels(Solved):
    """A rung that decides about a pixel from numbers of its own; a subclass fills the network."""

    reads: ClassVar[tuple[str, ...]] = ("image",)
    answers: ClassVar[tuple[str, ...]] = ("mask",)

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take all pictures with masks."""
        return None

    @abstractmethod
    def network(self, signature: Signature, extents: Mapping[str, int]) -> nn.Module:
        """Return levels -> scores of every pixel, empty."""

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the network on levels."""
        return Model(Levels(), self.network(signature, extents), MaskLogits(), extents)


def own_pictures(samples: Samples) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the levels (1, channels, height, width) and the mask (height, width) of each row.

    Both are cut to the picture's own size.
    """
    levels = Levels()
    for row in range(len(samples)):
        own = samples.own(row)
        yield levels(own.inputs), own.targets[0]


def counts_by_code(samples: Samples, coder: nn.Module, codes: int, classes: int) -> Tensor:
    """Return how often each class occurs with each code, float64 of shape (codes, classes)."""
    counts = torch.zeros(codes * classes, dtype=torch.int64)
    for picture, mask in own_pictures(samples):
        known = mask != IGNORED
        pairs = coder(picture)[0][known] * classes + mask[known].long()
        counts += torch.bincount(pairs, minlength=codes * classes)
    return counts.view(codes, classes).double()


def class_counts(samples: Samples, classes: int) -> Tensor:
    """Return how many pixels each class has, float64."""
    masks = samples.targets[samples.targets != IGNORED].long()
    return torch.bincount(masks, minlength=classes).double()

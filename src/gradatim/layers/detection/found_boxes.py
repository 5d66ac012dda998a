"""What answers of all networks that find boxes have in common: the last steps to a list."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.ops.detection.boxes import clip
from gradatim.ops.detection.suppression import non_maximum_suppression

__all__ = ["BoxAnswers", "LearntBoxes", "usual_size"]


class BoxAnswers(nn.Module):
    """An output that answers with boxes; a subclass gives `forward`.

    It learns the usual width and height of a box, in which a network counts.

    Args:
        classes: names that boxes may have.
        most: boxes of an answer; where fewer are found, the others are -1.
        overlap: of two boxes of a class that overlap more, the less confident one goes; 1 keeps
            both.
    """

    usual: Tensor

    def __init__(self, classes: int, most: int = 100, overlap: float = 0.6) -> None:
        super().__init__()
        self.classes, self.most, self.overlap = classes, most, overlap
        self.register_buffer("usual", torch.ones(2))

    def fit(self, targets: Float[Tensor, "rows most 5"]) -> "BoxAnswers":
        """Learn the usual size of a box."""
        self.usual.copy_(usual_size(targets))
        return self

    def encode(self, targets: Float[Tensor, "rows most 5"]) -> Float[Tensor, "rows most 5"]:
        """Return the targets as they are: they must stay boxes to move with their pictures."""
        return targets

    def listed(
        self,
        boxes: Float[Tensor, "rows found 4"],
        confidences: Float[Tensor, "rows found"],
        classes: Int64[Tensor, "rows found"],
    ) -> Float[Tensor, "rows {self.most} 6"]:
        """Return the boxes that stay, cut at the border, the most confident first.

        Args:
            boxes: in shares.
            confidences: in [0, 1]; below 0 there is no box.
            classes: of the boxes.
        """
        lists = []
        for row, sure in enumerate(confidences):
            real = sure >= 0
            box, name = clip(boxes[row, real]), classes[row, real]
            kept = non_maximum_suppression(box, sure[real], name, self.overlap, self.most)
            found = torch.cat([box, sure[real, None], name[:, None].to(box)], 1)[kept]
            lists.append(F.pad(found, (0, 0, 0, self.most - len(found)), value=-1.0))
        return torch.stack(lists)


class LearntBoxes(BoxAnswers, ABC):
    """The output of a network, which says how wrong its raw scores are."""

    @abstractmethod
    def losses(self, scores: Tensor, targets: Float[Tensor, "rows most 5"]) -> Tensor:
        """Return the loss of every row of raw scores."""


def usual_size(targets: Float[Tensor, "rows most 5"]) -> Float[Tensor, "2"]:
    """Return the geometric means of width and height of all boxes, as shares of the picture.

    1 where there is no box.

    >>> usual_size(torch.tensor([[[0.0, 0.0, 0.5, 1.0, 0.0], [0.0, 0.0, 0.125, 1.0, 0.0]]]))
    tensor([0.2500, 1.0000])
    """
    boxes = targets[targets[..., 4] >= 0]
    sizes = (boxes[:, 2:4] - boxes[:, :2]).clamp_min(1e-4)
    return sizes.log().mean(0).exp() if len(boxes) else torch.ones(2)

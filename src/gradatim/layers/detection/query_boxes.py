"""Boxes as answers to queries: each says what it found and where, or that it found nothing."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from gradatim.layers.detection.found_boxes import LearntBoxes
from gradatim.ops.detection.boxes import centred, cornered
from gradatim.ops.detection.losses import apart
from gradatim.ops.detection.matching import cheapest_pairs, matching_costs

__all__ = ["QueryBoxes"]

NOTHING = 0.1
"""Weight of a query that is to find nothing, for most of them are."""


class QueryBoxes(LearntBoxes):
    """Answers of queries to boxes and back: class or nothing, then middle and size.

    Fields are logits of all classes and of nothing, then x, y, width and height, whose sigmoids
    are shares. Training reads the answers after every layer of the decoder, `forward` the last.

    Loss of a row and layer: every truth is given the query that costs least (`matching_costs`,
    a query once); then weighted mean cross-entropy over the queries, nothing counting 0.1,
    + (5 |b - b'|_1 + 2 (1 - giou)) / boxes over the pairs. Layers add up.

    Source: Carion et al. 2020, section 3.1 and appendix A.2.
    """

    def losses(
        self,
        scores: Float[Tensor, "rows layers queries fields"],
        targets: Float[Tensor, "rows most 5"],
    ) -> Float[Tensor, " rows"]:
        """Return the loss of every row of raw scores, added up over the layers."""
        rows = zip(scores, targets, strict=True)
        return torch.stack(
            [self._of_row(layers, truth[truth[:, 4] >= 0]) for layers, truth in rows]
        )

    def _of_row(
        self, layers: Float[Tensor, "layers queries fields"], truth: Float[Tensor, "truths 5"]
    ) -> Float[Tensor, ""]:
        return torch.stack([self._of_layer(scores, truth) for scores in layers]).sum()

    def _of_layer(
        self, scores: Float[Tensor, "queries fields"], truth: Float[Tensor, "truths 5"]
    ) -> Float[Tensor, ""]:
        logits, boxes = scores[:, :-4], cornered(scores[:, -4:].sigmoid())
        costs = matching_costs(logits.softmax(-1)[:, : self.classes], boxes, truth)
        query, found = cheapest_pairs(costs)
        ours, theirs = boxes[query], truth[found, :4]
        differs = F.l1_loss(centred(ours), centred(theirs), reduction="sum")
        wrong = (5 * differs + 2 * apart(ours, theirs).sum()) / max(1, len(truth))
        return self._of_classes(logits, query, truth[found, 4].long()) + wrong

    def _of_classes(
        self,
        logits: Float[Tensor, "queries classes"],
        query: Int64[Tensor, " pairs"],
        names: Int64[Tensor, " pairs"],
    ) -> Float[Tensor, ""]:
        wanted = torch.full((len(logits),), self.classes)
        wanted[query] = names
        weight = logits.new_ones(self.classes + 1)
        weight[-1] = NOTHING
        return F.cross_entropy(logits, wanted, weight)

    def forward(
        self, scores: Float[Tensor, "rows layers queries fields"]
    ) -> Float[Tensor, "rows {self.most} 6"]:
        """Return a box of each query, with the likeliest class, the surest first."""
        last = scores[:, -1]
        sure, name = last[..., :-4].softmax(-1)[..., :-1].max(-1)
        return self.listed(cornered(last[..., -4:].sigmoid()), sure, name)

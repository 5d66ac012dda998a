"""Pixel classifier: boosted trees on what a person would measure around every pixel."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from gradatim.core.randomness import generator, seed_for
from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.signature import IGNORED, Image, Signature
from gradatim.layers.segmentation.pixel_trees import PixelTrees
from gradatim.layers.segmentation.scale_space import ScaleSpace
from gradatim.layers.trees import Trees
from gradatim.models.segmentation._pixels import OnPixels, own_pictures

__all__ = ["RUNG", "PixelClassifier"]

# The log-odds of a class that no training pixel has: it must not win, and stay finite.
ABSENT = -20.0
FIELDS = ("feature_idx", "num_threshold", "missing_go_to_left", "left", "right", "value")


class PixelClassifier(OnPixels):
    """Gradient boosting on brightness, edges and curvatures at six scales.

    F_c(x) = b_c + sum_r tree_rc(x), x the features of one pixel
    (`layers.segmentation.scale_space`), a softmax over the classes.

    Idea: a pixel's neighbourhood, described by hand, says what it is.
    Cost: rounds x (2 leaves - 1) nodes a class; some seconds a picture of a million pixels.
    Fails when: what matters is farther away or more of a shape than blurs and curvatures show.
    """

    place: ClassVar[int] = 30
    idea: ClassVar[str] = "describes every pixel's neighbourhood by hand-made features, for trees"
    source: ClassVar[str] = (
        "Arganda-Carreras et al. 2017 (Trainable Weka Segmentation); Friedman 2001 (boosting); "
        "solver: scikit-learn's HistGradientBoosting"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "boosted trees instead of a random forest (on membrane 0.02 of mean IoU above logistic)",
        "pixels drawn at random from the training pictures instead of scribbles",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"rounds": 5, "leaves": 4, "pixels": 2000, "largest": 2.0}
    }

    rounds: Annotated[int, Field(ge=1, le=10_000)] = 100
    leaves: Annotated[int, Field(ge=2, le=1000)] = 31
    """The most leaves of a tree."""
    depth: Annotated[int, Field(ge=1, le=64)] = 6
    """The most questions from the root to a leaf: an answer takes as many steps a tree."""
    pixels: Annotated[int, Field(ge=100)] = 200_000
    """Pixels that teach, drawn from all training pictures alike."""
    largest: Annotated[float, Field(ge=0.5, le=1000)] = 16.0
    """sigma of the coarsest scale, in pixels."""

    def network(self, signature: Signature, extents: Mapping[str, int]) -> nn.Module:
        """Return padded trees on the features of pixels."""
        names = ("rounds", "columns", "nodes", "depth")
        rounds, columns, nodes, depth = (extents.get(name, 0) for name in names)
        return PixelTrees(
            self._space(signature), Trees(rounds, columns, nodes, depth), signature.outputs
        )

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Draw pixels, measure around them, boost."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        x, t = self._drawn(samples, self._space(signature), seed)
        if len(np.unique(t)) < 2:
            return self._filled(signature, None, t)
        solver = HistGradientBoostingClassifier(
            max_iter=self.rounds,
            max_leaf_nodes=self.leaves,
            max_depth=self.depth,
            early_stopping=False,
            random_state=seed_for(seed, "boosting") % 2**32,
        )
        return self._filled(signature, solver.fit(x, t), t)

    def _space(self, signature: Signature) -> ScaleSpace:
        assert isinstance(signature.input, Image)
        return ScaleSpace(signature.input.channels, largest=self.largest)

    def _drawn(
        self, samples: Samples, space: ScaleSpace, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return features and classes of pixels, as many from each picture as it has or may."""
        most, chance = -(-self.pixels // len(samples)), generator(seed, "pixels")
        parts: list[tuple[Tensor, Tensor]] = []
        for picture, mask in own_pictures(samples):
            known = (mask.flatten() != IGNORED).nonzero()[:, 0]
            drawn = known[torch.randperm(len(known), generator=chance)[:most].sort().values]
            features = space(picture)[0].flatten(1)[:, drawn].T
            parts.append((features, mask.flatten()[drawn]))
        x, t = (torch.cat(column) for column in zip(*parts, strict=True))
        return x.numpy(), t.numpy()

    def _filled(self, signature: Signature, solver: Any, t: np.ndarray) -> Model:
        """Return the model with the trees of a solver; without one, with the only class there is.

        Two classes share one sum of trees, half for the one and half against the other.
        """
        rounds = solver._predictors if solver is not None else []
        trees = [tree.nodes for group in rounds for tree in group]
        columns = len(rounds[0]) if rounds else 1
        extents = {
            "rounds": len(rounds),
            "columns": columns,
            "nodes": max((len(nodes) for nodes in trees), default=1),
            "depth": max((int(nodes["depth"].max()) for nodes in trees), default=0),
        }
        model = self.build(signature, extents)
        network = model.network
        assert isinstance(network, PixelTrees)
        present = np.unique(t)
        network.bias.fill_(ABSENT)
        network.bias[present.tolist()] = 0.0
        for number, nodes in enumerate(trees):
            fields = [nodes[name] for name in (*FIELDS, "is_leaf")]
            network.trees.plant(*divmod(number, columns), fields)
        if rounds:
            network.trees.bias.copy_(torch.from_numpy(np.ravel(solver._baseline_prediction)))
            halves = torch.tensor([[-0.5], [0.5]]) if columns == 1 else torch.eye(columns)
            network.weight[present.tolist()] = halves.double()
        return model


RUNG = PixelClassifier

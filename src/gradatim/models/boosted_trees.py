"""Boosted trees: each small tree mends what the trees before it still miss."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from gradatim.core.chunks import in_chunks
from gradatim.core.randomness import seed_for
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.layers.features import flat_features
from gradatim.layers.outputs import output_for
from gradatim.layers.trees import Trees
from gradatim.layers.votes import Present
from gradatim.ops.calibration import temperature
from gradatim.ops.inner import inner_holdout

__all__ = ["RUNG", "BoostedTrees"]

_FIELDS = ("feature_idx", "num_threshold", "missing_go_to_left", "left", "right", "value")


class BoostedTrees(Solved):
    """Gradient boosting on binned features: F_r(x) = F_{r-1}(x) + rate * tree_r(x).

    Tree r is fitted to the slope of the loss at F_{r-1}: squared error, or the likelihood of the
    classes (one tree a class and round).

    Idea: steps instead of straight lines, and only where the data asks for them.
    Cost: trees x (2 leaves - 1) nodes; O(rows x features) a tree, depth comparisons an answer.
    Fails when: the truth is smooth or leaves the range of the training rows, or inputs are pixels.
    """

    place: ClassVar[int] = 80
    idea: ClassVar[str] = "adds small trees, each mending what is still missed; the rival on tables"
    source: ClassVar[str] = (
        "Friedman 2001; Ke et al. 2017 (LightGBM); solver: scikit-learn's HistGradientBoosting"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "classes share 800 trees, 40 to 400 rounds; rate 0.1, up to 0.2 if rounds are few",
        "as many rounds as are best on a fifth of the rows held out; then all rows are fitted",
        "a tree sees a random half of the features at each split (of pixels: a fifth)",
        "missing cells come as the median with an indicator, categories as indicators",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"trees": 20, "fewest": 4, "leaves": 4}
    }

    trees: Annotated[int, Field(ge=1, le=100_000)] = 800
    """Trees in all, shared by the classes."""
    fewest: Annotated[int, Field(ge=1, le=10_000)] = 40
    """Rounds that are tried even if the classes are many."""
    leaves: Annotated[int, Field(ge=2, le=1000)] = 15
    """The most leaves of a tree."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any table, picture or sequence."""
        return None

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return padded trees."""
        sizes = [extents.get(name, 0) for name in ("rounds", "nodes", "depth")]
        network: nn.Module = Trees(sizes[0], signature.outputs, *sizes[1:])
        if isinstance(signature.output, Category):
            network = nn.Sequential(network, Present(signature.outputs))
        return Model(flat_features(signature), network, output_for(signature), extents)

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Find how many rounds pay, then boost with all rows."""
        features = flat_features(signature).fit(samples.inputs)
        x = in_chunks(features, samples.inputs)
        output = output_for(signature).fit(samples.targets)
        t = output.encode(samples.targets)
        machine = _Machine(self, signature, seed, len(x))
        split = inner_holdout(samples, 0.2, seed)
        rounds = [machine.rounds // 2 or 1] * machine.solvers
        if split:
            train, held = (torch.from_numpy(rows) for rows in split)
            solvers = machine.fit(x[train], t[train], [machine.rounds] * machine.solvers)
            rounds, scale = machine.best(solvers, x[held], t[held])
            if isinstance(signature.output, Category):
                output.scale.fill_(scale)
        extents, network = machine.planted(machine.fit(x, t, rounds), t)
        return Model(features, network, output, extents)


class _Machine:
    """scikit-learn's boosting, and its trees as tensors."""

    def __init__(self, rung: BoostedTrees, signature: Signature, seed: int, rows: int) -> None:
        self.rung, self.signature, self.seed, self.rows = rung, signature, seed, rows
        self.classifies = isinstance(signature.output, Category)
        self.solvers = 1 if self.classifies else signature.outputs
        columns = signature.outputs if self.classifies and signature.outputs > 2 else 1
        self.rounds = max(rung.fewest, min(400, rung.trees // columns))
        self.rounds = min(self.rounds, max(1, rung.trees))

    def fit(self, x: Tensor, t: Tensor, rounds: list[int]) -> list[Any]:
        """Return a fitted classifier, or a regressor for each quantity; none for a lone class."""
        from sklearn.ensemble import HistGradientBoostingClassifier as Classifier
        from sklearn.ensemble import HistGradientBoostingRegressor as Regressor

        if self.classifies and len(t.unique()) < 2:
            return []
        options = {
            "learning_rate": min(0.2, max(0.1, 20 / self.rounds)),
            "max_leaf_nodes": self.rung.leaves,
            "min_samples_leaf": max(1, min(20, self.rows // 20)),
            "max_features": 0.5 if x.shape[1] <= 256 else 0.2,
            "early_stopping": False,
            "random_state": seed_for(self.seed, "boosting") % 2**32,
        }
        targets = [t.numpy()] if self.classifies else list(t.T.numpy())
        kind = Classifier if self.classifies else Regressor
        pairs = zip(targets, rounds, strict=True)
        return [kind(max_iter=count, **options).fit(x.numpy(), y) for y, count in pairs]

    def best(self, solvers: list[Any], x: Tensor, t: Tensor) -> tuple[list[int], float]:
        """Return the rounds with the smallest loss on held-out rows, and the temperature there."""
        if not self.classifies:
            errors = [
                [np.mean((y - guess) ** 2) for guess in solver.staged_predict(x.numpy())]
                for solver, y in zip(solvers, t.T.numpy(), strict=True)
            ]
            return [int(np.argmin(each)) + 1 for each in errors], 1.0
        if not solvers:
            return [1], 1.0
        known = torch.from_numpy(solvers[0].classes_)
        kept = torch.isin(t, known)
        labels = torch.searchsorted(known, t[kept])
        if not len(labels):
            return [self.rounds // 2 or 1], 1.0
        staged = solvers[0].staged_decision_function(x[kept].numpy())
        scores = [_logits(each) for each in staged]
        losses = [nn.functional.cross_entropy(each, labels).item() for each in scores]
        at = int(np.argmin(losses))
        return [at + 1], temperature(scores[at], labels)

    def planted(self, solvers: list[Any], t: Tensor) -> tuple[dict[str, int], nn.Module]:
        """Return the sizes of the trees, and a network with them planted."""
        grown = [nodes for solver in solvers for _, _, nodes in _trees(solver)]
        extents = {
            "rounds": max((len(solver._predictors) for solver in solvers), default=0),
            "nodes": max((len(nodes) for nodes in grown), default=1),
            "depth": max((int(nodes["depth"].max()) for nodes in grown), default=0),
        }
        network = self.rung.build(self.signature, extents).network
        trees: Any = network[0] if self.classifies else network  # type: ignore[index]
        for column, solver in enumerate(solvers):
            # A regressor knows one quantity, a classifier all classes that it saw.
            outputs = solver.classes_.tolist() if self.classifies else [column]
            _plant(trees, solver, outputs)
        if self.classifies:
            present = torch.bincount(t, minlength=self.signature.outputs) > 0
            network[1].fill(present)  # type: ignore[index]
        return extents, network


def _plant(trees: Trees, solver: Any, outputs: list[int]) -> None:
    """Plant the trees of one solver; of two classes, half of each tree for and half against."""
    start = np.ravel(solver._baseline_prediction)
    halves = [(outputs[0], -0.5), (outputs[1], 0.5)] if len(outputs) == 2 else []
    for column, number in enumerate(start):
        for output, factor in halves or [(outputs[column], 1.0)]:
            trees.bias[output] = factor * float(number)
    for at, column, nodes in _trees(solver):
        for output, factor in halves or [(outputs[column], 1.0)]:
            fields = [nodes[name] for name in (*_FIELDS, "is_leaf")]
            trees.plant(at, output, fields, factor)


def _trees(solver: Any) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (round, column, nodes) of each tree."""
    for at, group in enumerate(solver._predictors):
        for column, tree in enumerate(group):
            yield at, column, tree.nodes


def _logits(scores: np.ndarray) -> Tensor:
    raw = torch.from_numpy(scores)
    return torch.stack([-raw / 2, raw / 2], dim=1) if raw.ndim == 1 else raw


RUNG = BoostedTrees

"""What the support vector rungs share: calibrating, solving, becoming a network.

They differ only in what a row is turned into before the kernel sees it.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from gradatim.core.chunks import in_chunks
from gradatim.core.randomness import generator
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.layers.kernel import RbfExpansion, nystroem, rbf, squared_distances
from gradatim.layers.outputs import output_for
from gradatim.layers.votes import PairwiseMachine, Present
from gradatim.models._support_choice import choose
from gradatim.ops.calibration import temperature
from gradatim.ops.folds import Split
from gradatim.ops.inner import inner_folds, inner_holdout

__all__ = ["SupportVectors"]

_CACHE = 500  # megabytes of kernel rows that libsvm keeps


class SupportVectors(Solved):
    """A rung that libsvm solves; above `limit` rows, liblinear on Nystroem features."""

    shared_deviations: ClassVar[tuple[str, ...]] = (
        "C, gamma, epsilon: the best of a grid by 3 folds of 2000 rows of the training fold",
        "above 10,000 rows: Nystroem's approximation, 2000 landmarks, fewer above 25,000",
        "above 10,000 rows: a linear machine with squared loss, one class against the rest",
        "probabilities by one temperature, learnt on a fifth held out (5 folds up to 2000 rows)",
    )

    limit: Annotated[int, Field(ge=2, le=50_000)] = 10_000
    """The most rows that libsvm solves."""
    landmarks: Annotated[int, Field(ge=1, le=20_000)] = 2000
    """Bumps above the limit."""
    trial_rows: Annotated[int, Field(ge=2, le=10_000)] = 2000
    """The most rows that C, gamma and epsilon are chosen on."""

    @abstractmethod
    def features(self, signature: Signature) -> nn.Module:
        """Return the preprocessing; it has `fit` and knows how many `features` it gives."""

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the machine with as many support vectors, or landmarks, as the extents say."""
        features, width = self.features(signature), signature.outputs
        inputs = int(features.features)  # type: ignore[arg-type]
        bumps = extents.get("landmarks", extents.get("support", 0))
        network: nn.Module
        if not isinstance(signature.output, Category):
            network = RbfExpansion(inputs, bumps, width)
        elif "landmarks" in extents:
            network = nn.Sequential(RbfExpansion(inputs, bumps, width), Present(width))
        else:
            counts = [extents.get(f"support_{c}", 0) for c in range(width)]
            network = PairwiseMachine(inputs, counts)
        return Model(features, network, output_for(signature), extents)

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Choose C and gamma, calibrate on held-out rows, then solve with all rows."""
        features = self.features(signature)
        features.fit(samples.inputs)  # type: ignore[operator]
        x = in_chunks(features, samples.inputs).double().contiguous()
        output = output_for(signature).fit(samples.targets)
        t = output.encode(samples.targets)
        job = _Job(self, signature, seed)
        trial = torch.randperm(len(x), generator=generator(seed, "trial"))[: self.trial_rows]
        few = len(trial) == len(x)
        # Of few rows the distances are computed once, for every gamma, fold and machine.
        apart = squared_distances(x, x) if few else None
        near = apart[trial][:, trial] if apart is not None else None
        choice = choose(x[trial], t[trial], samples.take(trial), signature, seed, near)
        if apart is not None:
            job.kernel = (-choice["gamma"] * apart).exp()
        if isinstance(signature.output, Category):
            splits = self._calibrating(samples, signature, seed)
            output.scale.fill_(_calibrated(job, x, t, splits, choice))
        extents, network = job(x, t, None, choice)
        return Model(features, network, output, extents)

    def _calibrating(self, samples: Samples, signature: Signature, seed: int) -> list[Split]:
        """Return one hold-out where rows abound, else folds, so that every row helps."""
        if len(samples) <= self.trial_rows:
            return inner_folds(samples, 5, seed)
        split = inner_holdout(samples, 0.2, seed)
        return [split] if split else []


class _Job:
    """Rows in, a filled network and its extents out."""

    def __init__(self, rung: SupportVectors, signature: Signature, seed: int) -> None:
        self.rung, self.signature, self.seed = rung, signature, seed
        self.classifies = isinstance(signature.output, Category)
        self.kernel: Tensor | None = None

    def __call__(
        self, x: Tensor, t: Tensor, rows: Tensor | None, choice: Mapping[str, float]
    ) -> tuple[dict[str, int], nn.Module]:
        """Solve with these rows of x and t, or with all."""
        kernel = self.kernel
        if rows is not None:
            x, t = x[rows], t[rows]
            kernel = kernel[rows][:, rows] if kernel is not None else None
        exact = len(x) <= self.rung.limit
        if not exact:
            return self._with_landmarks(x, t, choice)
        solve = self._classify if self.classifies else self._regress
        return solve(x, t, choice, kernel.numpy() if kernel is not None else None)

    def _network(self, extents: dict[str, int]) -> Any:
        return self.rung.build(self.signature, extents).network

    def _classify(
        self, x: Tensor, t: Tensor, choice: Mapping[str, float], kernel: np.ndarray | None
    ) -> tuple[dict[str, int], nn.Module]:
        classes = t.unique().tolist()
        if len(classes) == 1:
            extents = {f"support_{classes[0]}": 1}
            return extents, self._network(extents)
        from sklearn.svm import SVC

        solver = SVC(C=choice["cost"], cache_size=_CACHE, **_kernel(choice, kernel))
        solver.fit(x.numpy() if kernel is None else kernel, t.numpy())
        counts = zip(classes, solver.n_support_.tolist(), strict=True)
        extents = {f"support_{c}": n for c, n in counts}
        # For two classes scikit-learn turns the sign around; the machine wants libsvm's own.
        sign = -1.0 if len(classes) == 2 else 1.0
        bias, weights = sign * solver.intercept_, sign * solver.dual_coef_
        network = self._network(extents)
        points = x[torch.from_numpy(solver.support_).long()].numpy()
        return extents, network.fill(points, weights, bias, choice["gamma"])

    def _regress(
        self, x: Tensor, t: Tensor, choice: Mapping[str, float], kernel: np.ndarray | None
    ) -> tuple[dict[str, int], nn.Module]:
        from sklearn.svm import SVR

        weights, bias = torch.zeros_like(t), torch.zeros(t.shape[1], dtype=torch.float64)
        for column, target in enumerate(t.T.numpy()):
            cost, width = choice["cost"], choice["width"]
            solver = SVR(C=cost, epsilon=width, cache_size=_CACHE, **_kernel(choice, kernel))
            solver.fit(x.numpy() if kernel is None else kernel, target)
            weights[solver.support_.astype(np.int64), column] = torch.tensor(solver.dual_coef_[0])
            bias[column] = solver.intercept_[0]
        support = (weights != 0).any(1)
        extents = {"support": int(support.sum())}
        network = self._network(extents)
        return extents, network.fill(x[support], weights[support], bias, choice["gamma"])

    def _with_landmarks(
        self, x: Tensor, t: Tensor, choice: Mapping[str, float]
    ) -> tuple[dict[str, int], nn.Module]:
        few = max(1, min(self.rung.landmarks, max(200, 50_000_000 // len(x))))
        rows = torch.randperm(len(x), generator=generator(self.seed, "landmarks"))[:few]
        landmarks, gamma = x[rows], choice["gamma"]
        whiten = nystroem(landmarks, gamma)
        z = torch.cat([rbf(part, landmarks, gamma) @ whiten for part in x.split(2048)])
        extents = {"landmarks": len(landmarks)}
        network = self._network(extents)
        solver = self._linear_classify if self.classifies else self._linear_regress
        weights, bias = solver(z.numpy(), t, choice)
        (network[0] if self.classifies else network).fill(landmarks, whiten @ weights, bias, gamma)
        if self.classifies:
            network[1].fill(torch.bincount(t, minlength=self.signature.outputs) > 0)
        return extents, network

    def _linear_classify(
        self, z: np.ndarray, t: Tensor, choice: Mapping[str, float]
    ) -> tuple[Tensor, Tensor]:
        from sklearn.svm import LinearSVC

        weights = torch.zeros(z.shape[1], self.signature.outputs, dtype=torch.float64)
        bias = torch.zeros(self.signature.outputs, dtype=torch.float64)
        classes = t.unique()
        if len(classes) > 1:
            solver = LinearSVC(C=choice["cost"], dual=False).fit(z, t.numpy())
            w, b = torch.from_numpy(solver.coef_.T), torch.from_numpy(solver.intercept_)
            two = torch.tensor([[-0.5, 0.5]], dtype=torch.float64)
            weights[:, classes] = w @ two if len(classes) == 2 else w
            bias[classes] = b @ two if len(classes) == 2 else b
        return weights, bias

    def _linear_regress(
        self, z: np.ndarray, t: Tensor, choice: Mapping[str, float]
    ) -> tuple[Tensor, Tensor]:
        from sklearn.svm import LinearSVR

        loss, columns = "squared_epsilon_insensitive", t.T.numpy()
        solvers = [
            LinearSVR(C=choice["cost"], epsilon=choice["width"], loss=loss, dual=False).fit(z, y)
            for y in columns
        ]
        weights = np.stack([solver.coef_ for solver in solvers], axis=1)
        bias = np.array([float(np.ravel(solver.intercept_)[0]) for solver in solvers])
        return torch.from_numpy(weights), torch.from_numpy(bias)


def _kernel(choice: Mapping[str, float], kernel: np.ndarray | None) -> dict[str, Any]:
    """Return how libsvm comes by the kernel."""
    return {"gamma": choice["gamma"]} if kernel is None else {"kernel": "precomputed"}


def _calibrated(
    job: _Job, x: Tensor, t: Tensor, splits: Sequence[Split], choice: Mapping[str, float]
) -> float:
    """Return the temperature of scores of held-out rows, those of classes that were taught."""
    scores, targets = [], []
    for train, held in splits:
        known = held[np.isin(t[held], t[train])]
        scores.append(job(x, t, torch.from_numpy(train), choice)[1](x[known]))
        targets.append(t[known])
    if not sum(map(len, targets)):
        return 1.0
    return temperature(torch.cat(scores), torch.cat(targets))

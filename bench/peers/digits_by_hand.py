"""The ladder on the digits as a competent user would write it: scikit-learn and skorch.

Every rung that `gradatim climb digits` tries, on a sealed fifth and five folds of the rest, with
the same searches inside the folds and the same networks, batches, most epochs, patience and moved
pictures. The machines are calibrated by five inner folds as the rungs are; other probabilities are
left as they come, which is less work than the rungs do. Folds run two at a time in processes of one
thread. The best is fitted once more and scored on the sealed rows. Prints one JSON object.

    python -m peers.digits_by_hand SEED [RUNG,RUNG...]
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import (
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
)
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from peers.by_hand_features import Standardised, histograms, planes, rows
from peers.by_hand_networks import lenet, mlp, resnet


def main() -> None:
    """Climb and print what was found."""
    seed, ladder = int(sys.argv[1]), LADDER
    digits = load_digits()
    x, y = digits.images.astype(np.float32) / 16, digits.target.astype(np.int64)
    split = partial(train_test_split, test_size=0.2, random_state=seed)
    learn, sealed = split(np.arange(len(y)), stratify=y)
    folds = list(_inner(5, seed).split(learn, y[learn]))
    found: dict[str, Any] = {}
    for name in sys.argv[2].split(",") if len(sys.argv) > 2 else ladder:
        begun = time.perf_counter()
        model = ladder[name](seed)
        options = {"cv": folds, "scoring": "accuracy", "n_jobs": 2, "error_score": "raise"}
        scores = cross_validate(model, x[learn], y[learn], **options)
        seconds = time.perf_counter() - begun
        found[name] = {"scores": scores["test_score"].tolist(), "seconds": seconds}
    best = max(found, key=lambda name: float(np.mean(found[name]["scores"])))
    model = ladder[best](seed).fit(x[learn], y[learn])
    right = model.predict(x[sealed]) == y[sealed]
    facts = {"rungs": found, "best": best, "test": float(right.mean())}
    sys.stdout.write(json.dumps(facts) + "\n")


class Machine(ClassifierMixin, BaseEstimator):
    """A support vector machine: C and gamma by three folds, one temperature by five."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, x: np.ndarray, y: np.ndarray) -> Self:
        gammas = [share / x.shape[1] for share in (0.3, 1.0, 3.0)]
        grid = {"C": [1.0, 3.0, 10.0, 100.0], "gamma": gammas}
        search = GridSearchCV(SVC(cache_size=500), grid, cv=_inner(3, self.seed), refit=False)
        machine = SVC(cache_size=500, **search.fit(x, y).best_params_)
        folds = _inner(5, self.seed)
        calibrated = CalibratedClassifierCV(machine, method="temperature", cv=folds, ensemble=False)
        self.model_ = calibrated.fit(x, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.model_.predict(x)


def _inner(folds: int, seed: int) -> StratifiedKFold:
    return StratifiedKFold(folds, shuffle=True, random_state=seed)


def _on_rows(estimator: Any) -> Pipeline:
    return make_pipeline(FunctionTransformer(rows), Standardised(), estimator)


def _on_planes(net: Any, side: int) -> Pipeline:
    enlarge = FunctionTransformer(planes, kw_args={"side": side})
    return make_pipeline(enlarge, Standardised(), net)


def _logistic(seed: int) -> LogisticRegressionCV:
    return LogisticRegressionCV(
        Cs=np.logspace(-4, 3, 15),
        l1_ratios=(0.0,),
        cv=_inner(3, seed),
        scoring="neg_log_loss",
        max_iter=2000,
        use_legacy_attributes=False,
    )


def _neighbours(seed: int) -> GridSearchCV:
    grid = {"n_neighbors": list(range(1, 32, 2))}
    return GridSearchCV(KNeighborsClassifier(), grid, cv=_inner(5, seed))


def _trees(seed: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        learning_rate=0.2,
        max_iter=80,
        max_leaf_nodes=15,
        max_features=0.5,
        early_stopping=True,
        validation_fraction=0.2,
        random_state=seed,
    )


LADDER: dict[str, Callable[[int], Any]] = {
    "majority": lambda seed: _on_rows(DummyClassifier(strategy="prior")),
    "linear": lambda seed: _on_rows(RidgeClassifier(1e-8)),
    "ridge": lambda seed: _on_rows(RidgeClassifierCV(np.logspace(-3, 6, 25))),
    "logistic": lambda seed: _on_rows(_logistic(seed)),
    "svm": lambda seed: _on_rows(Machine(seed)),
    "hog_svm": lambda seed: make_pipeline(
        FunctionTransformer(histograms), Standardised(), Machine(seed)
    ),
    "knn": lambda seed: _on_rows(_neighbours(seed)),
    "boosted_trees": lambda seed: _on_rows(_trees(seed)),
    "perceptron": lambda seed: _on_rows(Perceptron(max_iter=100, random_state=seed)),
    "mlp": lambda seed: _on_rows(mlp(seed)),
    "lenet5": lambda seed: _on_planes(lenet(seed), 32),
    "resnet_small": lambda seed: _on_planes(resnet(seed), 16),
}


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main()

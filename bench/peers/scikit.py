"""scikit-learn: its multilayer perceptron."""

from typing import Any

import numpy as np
from contest.folds import Fold, accuracy, folds_of
from contest.worker import Job, Plain, enter
from sklearn.neural_network import MLPClassifier


def net(job: Job) -> MLPClassifier:
    """Return an unfitted classifier."""
    return MLPClassifier(
        tuple(job["widths"]),
        batch_size=job["batch"],
        learning_rate_init=job["lr"],
        alpha=0.0,
        max_iter=job["epochs"],
        n_iter_no_change=job["epochs"],
        tol=0.0,
        random_state=0,
    )


def prepare(job: Job) -> Plain:
    """Train all folds one after the other."""
    import warnings

    warnings.filterwarnings("ignore", message=".*[Mm]aximum iterations.*")
    folds: list[Fold] = folds_of(job)

    def score(nets: list[MLPClassifier]) -> float:
        pairs = zip(nets, folds, strict=True)
        return float(np.mean([accuracy(n.predict_proba(f.x_held), f.y_held) for n, f in pairs]))

    def warm() -> None:
        net(job | {"epochs": 1}).fit(folds[0].x, folds[0].y)

    return Plain(lambda: [net(job).fit(fold.x, fold.y) for fold in folds], score, warm)


def reach(job: Job) -> dict[str, Any]:
    """Train until the accuracy is reached."""
    fold, learner = folds_of(job)[0], net(job)
    for epoch in range(job["epochs"]):
        learner.partial_fit(fold.x, fold.y, classes=np.arange(10))
        score = accuracy(learner.predict_proba(fold.x_held), fold.y_held)
        found = {"score": score, "epochs": epoch + 1}
        if score >= job["accuracy"]:
            break
    return found


if __name__ == "__main__":
    enter(prepare, reach)

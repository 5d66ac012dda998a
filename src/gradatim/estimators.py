"""The scikit-learn doors: every rung as a classifier or a regressor."""

from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from gradatim.core.chunks import in_chunks
from gradatim.core.rung import Model, Trained
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Quantity, Signature, Table
from gradatim.session.objects import choose_rungs, task_for, work_for
from gradatim.train.fitting import Fitting

__all__ = ["Classifier", "Regressor"]


class _Door(BaseEstimator):
    """What both doors share: numbers in, one fitted `Model` in `model_`.

    Args:
        rung: name of a rung, see `gradatim list rungs`.
        settings: changes to rung and recipe, such as {"model": {"width": 64}, "epochs": 20}.
        random_state: seed, generator or None, as everywhere in scikit-learn.
    """

    def __init__(
        self,
        rung: str = "mlp",
        settings: dict[str, Any] | None = None,
        random_state: Any = None,
    ) -> None:
        self.rung = rung
        self.settings = settings
        self.random_state = random_state

    def _fit(self, x: np.ndarray, output: Category | Quantity, targets: torch.Tensor) -> Self:
        columns = tuple(Column(name=f"x{i}", kind="numeric") for i in range(x.shape[1]))
        signature = Signature(input=Table(columns=columns), output=output)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        (rung,) = choose_rungs([self.rung])
        refusal = rung.refusal(signature)
        if refusal is not None:
            raise ValueError(f"{self.rung} does not take this data: {refusal}")
        task = task_for(signature)
        work = work_for(rung, task, signature, len(x), seed, self.settings)
        samples = Samples(torch.tensor(x), targets)  # a copy: the array may be read-only
        fitting = Fitting(work.rung, task, samples, signature, work.recipe)
        self.n_iter_ = max(1, sum(1 for _ in fitting))
        self.model_: Model = fitting.model
        if isinstance(work.rung, Trained):
            # scikit-learn allows the rows beside a row to change its answer by 1e-7 at the most;
            # sums in float32 exceed that.
            self.model_.network.double()
            self.model_.preprocess.dtype = torch.float64  # type: ignore[assignment]
        return self

    def _answers(self, x: Any) -> torch.Tensor:
        check_is_fitted(self)
        checked = validate_data(self, x, reset=False, dtype=np.float64)
        return in_chunks(self.model_, torch.tensor(checked))


class Classifier(ClassifierMixin, _Door):
    """A rung as a scikit-learn classifier.

    >>> from sklearn.datasets import load_iris
    >>> x, y = load_iris(return_X_y=True)
    >>> float(Classifier(rung="knn").fit(x, y).score(x, y)) > 0.9
    True
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to numbers (rows, columns) and labels (rows,)."""
        x, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class, {self.classes_[0]!r}; a classifier needs two")
        output = Category(names=tuple(f"{i}" for i in range(len(self.classes_))))
        return self._fit(x, output, torch.from_numpy(codes.astype(np.int64)))

    def decision_function(self, X: Any) -> np.ndarray:
        """Return logits (rows, classes); for two classes their difference, of shape (rows,)."""
        logits = self._answers(X).double().numpy()
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities (rows, classes)."""
        return self._answers(X).double().softmax(1).numpy()

    def predict(self, X: Any) -> np.ndarray:
        """Return labels (rows,)."""
        best = self._answers(X).argmax(1).numpy()
        return np.asarray(self.classes_)[best]


class Regressor(RegressorMixin, _Door):
    """A rung as a scikit-learn regressor.

    >>> from sklearn.datasets import load_diabetes
    >>> x, y = load_diabetes(return_X_y=True)
    >>> float(Regressor(rung="ridge").fit(x, y).score(x, y)) > 0.5
    True
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to numbers (rows, columns) and quantities (rows,)."""
        x, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        targets = torch.tensor(np.asarray(y, dtype=np.float64))[:, None]
        return self._fit(x, Quantity(names=("y",)), targets)

    def predict(self, X: Any) -> np.ndarray:
        """Return quantities (rows,)."""
        return self._answers(X)[:, 0].double().numpy()

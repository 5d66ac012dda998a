"""The metrics of each job, by name."""

from math import inf

from gradatim.core.metric import Metric
from gradatim.ops.classification import accuracy, auc, balanced_accuracy, brier, f1, log_loss
from gradatim.ops.regression import mae, r2, rmse

__all__ = ["CLASSIFICATION", "REGRESSION"]

CLASSIFICATION: dict[str, Metric] = {
    "accuracy": Metric("accuracy", "higher", True, accuracy),
    "balanced_accuracy": Metric("balanced_accuracy", "higher", True, balanced_accuracy),
    "f1": Metric("f1", "higher", True, f1),
    "auc": Metric("auc", "higher", True, auc),
    "log_loss": Metric("log_loss", "lower", False, log_loss),
    "brier": Metric("brier", "lower", True, brier),
}

REGRESSION: dict[str, Metric] = {
    "rmse": Metric("rmse", "lower", False, rmse),
    "mae": Metric("mae", "lower", False, mae),
    "r2": Metric("r2", "higher", True, r2, lowest=-inf),
}

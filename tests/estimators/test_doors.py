"""The scikit-learn doors keep scikit-learn's contract, with no expected failures."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from gradatim import Classifier, Regressor

SMALL = {"model": {"width": 32}, "epochs": 60}


@parametrize_with_checks(
    [
        Classifier(rung="mlp", settings=SMALL),
        Regressor(rung="mlp", settings=SMALL),
        Classifier(rung="ridge"),
        Regressor(rung="ridge"),
        Classifier(rung="knn"),
        Regressor(rung="knn"),
    ]
)
def test_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("rung", ["logistic", "svm", "boosted_trees", "mlp"])
def test_works_inside_pipeline_and_cross_validation(rung):
    x, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), Classifier(rung=rung, random_state=0))
    assert cross_val_score(pipeline, x, y, cv=3).mean() > 0.9


def test_grid_search_over_rungs_and_labels_stay_text():
    x, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    search = GridSearchCV(Classifier(), {"rung": ["majority", "logistic"]}, cv=3).fit(x, names)
    assert search.best_params_ == {"rung": "logistic"}
    assert set(search.predict(x)) == set(names)


def test_refusal_is_a_value_error():
    x, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="does not take"):
        Classifier(rung="lenet5").fit(x, y)

"""Estimators keep scikit-learn's contract, and what they say of themselves is proved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from zerogap import verify
from zerogap.sklearn import ReLUClassifier, ReLURegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 2))
Y = np.abs(X) @ RNG.normal(size=(2, 2))


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([ReLURegressor(beta=50.0), ReLUClassifier(beta=10.0)])
def test_the_contract_of_scikit_learn_is_kept(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


@pytest.mark.parametrize("depth", [2, 3])
def test_a_fit_is_proved_on_request(depth: int) -> None:
    model = ReLURegressor(beta=0.5, depth=depth, seconds=4).fit(X, Y)
    assert verify(model.certificate_).accepted
    assert 0 < model.lower_bound_ <= model.objective_
    assert model.gap_ == pytest.approx(1 - model.lower_bound_ / model.objective_)
    assert model.gap_ <= (1e-2 if depth == 2 else 0.9)
    assert model.predict(X).shape == Y.shape
    other = model.fit(X, Y[:, 0])
    assert other.predict(X).shape == (30,)
    assert other.audit_.objective == pytest.approx(other.objective_)


def test_classes_have_probabilities_and_names() -> None:
    data = load_iris()
    names = np.array(data.target_names)[data.target]
    model = make_pipeline(StandardScaler(), ReLUClassifier(beta=1.0)).fit(data.data, names)
    assert model.score(data.data, names) > 0.95
    assert model.predict_proba(data.data).sum(axis=1) == pytest.approx(np.ones(150))
    search = GridSearchCV(ReLUClassifier(), {"beta": [0.3, 30.0]}, cv=2)
    assert search.fit(data.data[50::5], names[50::5]).best_params_["beta"] in (0.3, 30.0)
    with pytest.raises(ValueError, match="one class only"):
        ReLUClassifier().fit(X, np.ones(30))


def test_what_is_no_parameter_is_refused() -> None:
    for wrong in ({"beta": -1.0}, {"depth": 1}, {"bias": "some"}, {"loss": "cosine"}):
        with pytest.raises(ValueError, match=r"accepted"):
            ReLURegressor(**wrong).fit(X, Y)  # type: ignore[arg-type]

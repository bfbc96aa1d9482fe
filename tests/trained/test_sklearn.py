"""Estimators keep scikit-learn's contract, and what they say of themselves is proved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from zerogap import verify
from zerogap.sklearn import LinearClassifier, LinearRegressor, ReLUClassifier, ReLURegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 2))
Y = np.abs(X) @ RNG.normal(size=(2, 2))


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([
    ReLURegressor(beta=50.0), ReLUClassifier(beta=10.0),
    LinearRegressor(beta=1.0), LinearClassifier(beta=1.0),
])  # fmt: skip
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


def test_linear_networks_of_two_layers_are_nuclear_norms() -> None:
    few = X[:, :1] @ np.ones((1, 3)) + 0.1
    A = cp.Variable((2, 3))
    fit = 0.5 * cp.sum_squares(X @ A - few)
    value = cp.Problem(cp.Minimize(fit + 0.3 * cp.normNuc(A))).solve(solver=cp.CLARABEL)
    model = LinearRegressor(beta=0.3, bias="none").fit(X, few)
    assert model.objective_ == pytest.approx(value, rel=1e-6)
    assert verify(model.certificate_).accepted and model.gap_ < 1e-6
    deep = LinearRegressor(beta=0.3, depth=3).fit(X, Y)
    assert deep.gap_ < 0.1 and deep.predict(X).shape == Y.shape


def test_a_path_is_the_estimator_at_every_beta() -> None:
    betas = [3.0, 1.0]
    path = list(ReLURegressor(seconds=2).path(X, Y, betas))
    assert [model.beta for model in path] == betas
    assert path[1].objective_ == ReLURegressor(beta=1.0).fit(X, Y).objective_ < path[0].objective_
    outputs = path[0].module_(torch.from_numpy(X)).detach().numpy()
    assert outputs == pytest.approx(path[0].predict(X))


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

"""Descent and the group lasso: what they reach, against exact programs and by their own laws."""

import numpy as np
import pytest

from zerogap.convex.columns import gauge, primal_value
from zerogap.convex.descent import _group_lasso, descent
from zerogap.convex.oracles import Features
from zerogap.model.fit import Fit


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("share", [0.3, 0.03])
def test_it_reaches_the_optimum_of_small_problems_and_never_beats_it(k: int, share: float) -> None:
    rng = np.random.default_rng(k)
    X, Y = rng.normal(size=(14, 3)), rng.normal(size=(14, k))
    features = Features(X)
    tau = share * float(features.price(Y, 0.0)[0][0])
    exact, found = gauge(features, Fit(Y), tau), descent(X, Fit(Y), tau)
    assert exact.lower * (1 - 1e-9) <= found.upper <= exact.upper * (1 + 2e-3)
    assert found.upper == pytest.approx(primal_value(found.atoms.V, found.weights, Fit(Y), tau))
    assert np.linalg.norm(found.atoms.U, axis=0) == pytest.approx(1)
    assert found.multipliers == pytest.approx(Y - found.atoms.V @ found.weights)


def test_beyond_the_largest_beta_no_neuron_is_worth_its_cost() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
    tau = 1.01 * float(Features(X).price(Y, 0.0)[0][0])
    found = descent(X, Fit(Y), tau)
    assert found.upper == pytest.approx(0.5 * np.sum(Y**2))
    assert not len(found.weights)


def test_the_group_lasso_satisfies_its_optimality_conditions() -> None:
    rng = np.random.default_rng(1)
    V, Y, tau = rng.normal(size=(20, 8)), rng.normal(size=(20, 3)), 4.0
    W = _group_lasso(V, Y, np.zeros((8, 3)), tau)
    pulls = V.T @ (Y - V @ W)
    used = W.any(axis=1)
    assert 0 < used.sum() < 8
    lengths = np.linalg.norm(W[used], axis=1, keepdims=True)
    assert pulls[used] == pytest.approx(tau * W[used] / lengths, rel=1e-4)
    assert (np.linalg.norm(pulls[~used], axis=1) <= tau).all()

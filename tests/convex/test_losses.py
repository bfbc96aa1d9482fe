"""Losses against whole programs in cvxpy, which know nothing of their conjugates."""

from __future__ import annotations

from collections.abc import Callable

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import assume, example, given, reject, settings
from hypothesis import strategies as st

from tests.model.test_losses import targets
from zerogap.convex.columns import Gauge, constant, gauge
from zerogap.convex.conic import linear_master
from zerogap.convex.descent import descent
from zerogap.convex.moments import moment_bound
from zerogap.convex.oracles import Features, Shifted
from zerogap.convex.programs import two_layer_sdp, two_layer_socp
from zerogap.model.errors import MethodError
from zerogap.model.fit import Fit
from zerogap.model.losses import loss_of

Expression = cp.Expression
# Of outputs f and targets y (n,), as cvxpy has them.
WHOLE: dict[str, Callable[[Expression, np.ndarray], Expression]] = {
    "squared": lambda f, y: 0.5 * cp.sum_squares(f - y),
    "huber:0.3": lambda f, y: 0.5 * cp.sum(cp.huber(f - y, 0.3)),
    "quantile:0.8": lambda f, y: cp.sum(cp.maximum(0.8 * (y - f), 0.2 * (f - y))),
    "hinge": lambda f, y: cp.sum(cp.pos(1 - cp.multiply(y, f))),
    "logistic": lambda f, y: cp.sum(cp.logistic(-cp.multiply(y, f))),
}
DRAWS = settings(max_examples=8, deadline=None)


def drawn(name: str, seed: int, k: int) -> tuple[np.ndarray, Fit, float]:
    """Data of two dimensions, perhaps one a column of ones, a fit with or without output bias, and
    a level at which some neurons are worth their cost."""
    rng = np.random.default_rng(seed)
    loss, n = loss_of(name), int(rng.integers(2, 6))
    X = rng.normal(size=(n, 2))
    if rng.random() < 0.5:  # a bias of the first layer that is decayed
        X[:, 1] = 1
    fit = Fit(targets(loss, rng, n, k), loss, [None, 0.0, 0.3][rng.integers(3)])
    most = float(Features(X).price(constant(fit)[0], 0.0)[0][0])
    return X, fit, most * float(10 ** rng.uniform(-2, -0.1))


def assert_met(found: Gauge, fit: Fit) -> None:
    """The bounds meet: to 1e-7, and to 1e-8 of the loss at zero where an optimum is (nearly) 0."""
    slack = 1e-8 * fit.value(np.zeros_like(fit.Y))
    assert found.lower == pytest.approx(found.upper, rel=1e-7, abs=slack)


@pytest.mark.parametrize("name", WHOLE)
@DRAWS
@given(seed=st.integers(0, 2**32 - 1))
def test_one_output_equals_the_whole_program(name: str, seed: int) -> None:
    X, fit, tau = drawn(name, seed, 1)
    y = fit.Y[:, 0]
    found = gauge(Features(X), fit, tau)
    whole = two_layer_socp(X, y, tau, loss=lambda f: WHOLE[name](f, y), rho=fit.rho)
    assert found.upper == pytest.approx(whole, rel=1e-6, abs=1e-7)
    assert_met(found, fit)


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
@example(seed=5095)  # a bias alone separates the classes: the infimum is 0, and not attained
def test_free_biases_equal_the_whole_program_over_affine_cells(name: str, seed: int) -> None:
    X, fit, tau = drawn(name, seed, 1)
    fit, y = Fit(fit.Y, fit.loss, 0.0), fit.Y[:, 0]
    found = gauge(Shifted(X, Features), fit, tau)
    whole = two_layer_socp(X, y, tau, loss=lambda f: WHOLE[name](f, y), rho=0.0, free=True)
    assert found.upper == pytest.approx(whole, rel=1e-6, abs=1e-7)
    assert_met(found, fit)


@DRAWS
@given(seed=st.integers(0, 2**32 - 1))
def test_the_softmax_equals_the_whole_program(seed: int) -> None:
    X, fit, tau = drawn("cross-entropy", seed, 3)
    fit = Fit(fit.Y, fit.loss, fit.rho or None)

    def dual(Lambda: cp.Variable) -> tuple[Expression, list[cp.Constraint]]:
        # Targets here sum to one.
        value, sums = cp.sum(cp.entr(fit.Y - Lambda)), cp.sum(Lambda, axis=0)
        lost = cp.sum_squares(sums) / (2 * fit.rho) if fit.rho else 0
        return value - lost, [cp.sum(Lambda, axis=1) == 0]

    try:
        whole = two_layer_sdp(X, fit.Y, tau, dual)
    except (cp.SolverError, MethodError):
        reject()
    assume(np.isfinite(whole))  # of shares that are negative by rounding
    assert gauge(Features(X), fit, tau).upper == pytest.approx(whole, rel=1e-5, abs=1e-6)


@DRAWS
@given(seed=st.integers(0, 2**32 - 1))
def test_a_softmax_of_two_classes_is_logistic(seed: int) -> None:
    """Of f₁ − f₂, to which a weight of length s adds up to √2 s and a bias of cost ½ρb² √2 b."""
    X, fit, tau = drawn("logistic", seed, 1)
    two = Fit((1 + fit.Y * [[1.0, -1.0]]) / 2, loss_of("cross-entropy"), fit.rho and 2 * fit.rho)
    y = fit.Y[:, 0]
    whole = two_layer_socp(X, y, tau, loss=lambda f: WHOLE["logistic"](f, y), rho=fit.rho)
    found = gauge(Features(X), two, tau * np.sqrt(2))
    assert found.upper == pytest.approx(whole, rel=1e-6, abs=1e-7)
    assert_met(found, two)


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_linear_networks_equal_the_whole_program(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, fit, _ = drawn(name, seed, 3)
    tau = float(10 ** rng.uniform(-2, 0))
    A, b, Y = cp.Variable((2, 3)), cp.Variable((1, 3)), fit.Y
    F = X @ A + (np.ones((len(X), 1)) @ b if fit.rho is not None else 0)
    value = WHOLE[name](cp.vec(F, order="C"), Y.ravel()) + (fit.rho or 0) / 2 * cp.sum_squares(b)
    whole = cp.Problem(cp.Minimize(value + tau * cp.normNuc(A))).solve(solver=cp.CLARABEL)
    Lambda, found, bias = linear_master(X, fit, tau)
    spectrum = np.linalg.svd(found, compute_uv=False)
    assert fit.value(X @ found, bias) + tau * spectrum.sum() == pytest.approx(whole, 1e-6, 1e-7)
    assert np.linalg.norm(X.T @ Lambda, 2) <= tau * (1 + 1e-6)
    assert fit.dual(fit.inside(Lambda)) == pytest.approx(whole, 1e-6, 1e-7)


@pytest.mark.parametrize("name", [*WHOLE, "cross-entropy"])
def test_beyond_the_largest_level_outputs_are_zero(name: str) -> None:
    rng, loss = np.random.default_rng(0), loss_of(name)
    X, fit = rng.normal(size=(6, 2)), Fit(targets(loss, rng, 6, 2), loss)
    most = float(Features(X).price(constant(fit)[0], 0.0)[0][0])
    found = gauge(Features(X), fit, 1.001 * most)
    assert found.upper == pytest.approx(fit.value(np.zeros_like(fit.Y)))
    assert np.abs(found.atoms.V @ found.weights).max(initial=0) < 1e-4
    assert gauge(Features(X), fit, 0.99 * most).upper < fit.value(np.zeros_like(fit.Y)) * (1 - 1e-7)


@pytest.mark.parametrize("name", [*WHOLE, "cross-entropy"])
def test_descent_and_moments_bracket_the_optimum(name: str) -> None:
    rng, loss = np.random.default_rng(1), loss_of(name)
    X, fit = rng.normal(size=(8, 2)), Fit(targets(loss, rng, 8, 2), loss)
    exact = gauge(Features(X), fit, 0.5)
    above = descent(X, fit, 0.5)
    assert exact.lower * (1 - 1e-9) <= above.upper <= exact.upper * (1 + 1e-3)
    below = moment_bound(X, fit, 0.5, above, gap=0.02, steps=1500)
    assert 0.9 * exact.lower <= below.lower <= exact.upper * (1 + 1e-9)

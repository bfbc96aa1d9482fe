"""Hand-written solvers against cvxpy, and against the conditions that make an optimum."""

from __future__ import annotations

import time

import cvxpy as cp
import numpy as np
import pytest

from zerogap import Problem, solve
from zerogap.convex.interior import master
from zerogap.convex.nuclear import nuclear_map
from zerogap.model.errors import MethodError


@pytest.mark.parametrize(("n", "d", "k"), [(5, 3, 2), (3, 5, 2), (4, 2, 1)])
@pytest.mark.parametrize("share", [0.1, 0.6])
def test_the_nuclear_map_is_the_optimum(n: int, d: int, k: int, share: float) -> None:
    rng = np.random.default_rng(n * d + k)
    X, Y = rng.normal(size=(n, d)), rng.normal(size=(n, k))
    tau = share * float(np.linalg.norm(X.T @ Y, 2))
    A, multipliers = nuclear_map(X, Y, tau)
    value = 0.5 * np.sum((X @ A - Y) ** 2) + tau * np.linalg.norm(A, "nuc")
    B = cp.Variable((d, k))
    whole = cp.Problem(cp.Minimize(0.5 * cp.sum_squares(X @ B - Y) + tau * cp.normNuc(B)))
    assert value == pytest.approx(whole.solve(solver=cp.CLARABEL), rel=1e-6)
    # Λ = Y − XA, ‖XᵀΛ‖₂ ≤ τ, and XᵀΛ is τ times the polar factor of A: ⟨XᵀΛ, A⟩ = τ‖A‖_*.
    assert multipliers == pytest.approx(Y - X @ A, abs=1e-6)
    assert np.linalg.norm(X.T @ multipliers, 2) <= tau * (1 + 1e-12)
    assert np.sum((X.T @ multipliers) * A) == pytest.approx(
        tau * np.linalg.norm(A, "nuc"), rel=1e-6
    )


@pytest.mark.parametrize(
    ("X", "Y", "tau"),
    [
        # Gradient steps took 20,000 on these and left gaps of 1e-11 to 5e-8.
        ([[3, -3, 2], [-2, -1, -2], [-3, -2, -3]], [[-1], [-3], [-1]], 1e-3),
        ([[3, 2, -3], [1, -2, 2], [-3, 3, -3]], [[0, 0, 1], [-1, 0, 3], [0, -1, 0]], 0.1),
        ([[3, -1, -1], [-2, 1, 3], [2, 0, 3]], [[2, -3], [-1, -2], [-2, -2]], 1e-3),
        ([[3, -2], [2, 1]], [[-3, -1], [3, 0]], 1e-8),
        # One singular value of XᵀY at the level exactly; a zero row and column; rank one.
        ([[1, 0], [0, 1]], [[2, 0], [0, 1]], 1.0),
        ([[0, 1, 0], [0, 0, 0], [2, 2, 0]], [[1], [2], [3]], 0.5),
        ([[1, 2, 3], [-1, -2, -3]], [[1, 1], [2, 0]], 0.5),
    ],
)
def test_the_nuclear_map_proves_itself_on_whole_numbers(
    X: list[list[int]], Y: list[list[int]], tau: float
) -> None:
    X_, Y_ = np.array(X, dtype=float), np.array(Y, dtype=float)
    started = time.process_time()
    A, multipliers = nuclear_map(X_, Y_, tau)
    assert time.process_time() - started < 1
    upper = 0.5 * np.sum((X_ @ A - Y_) ** 2) + tau * np.linalg.norm(A, "nuc")
    lower = np.sum(multipliers * Y_) - 0.5 * np.sum(multipliers**2)
    assert np.linalg.norm(X_.T @ multipliers, 2) <= tau * (1 + 1e-12)
    assert upper - lower <= 1e-12 * upper


def test_the_nuclear_map_of_larger_data_proves_itself() -> None:
    """More unknowns than are solved for at once."""
    X, Y = np.random.default_rng(0).normal(size=(2, 30, 14))
    A, multipliers = nuclear_map(X, Y, 2.0)
    upper = 0.5 * np.sum((X @ A - Y) ** 2) + 2 * np.linalg.norm(A, "nuc")
    lower = np.sum(multipliers * Y) - 0.5 * np.sum(multipliers**2)
    assert upper - lower <= 1e-12 * upper


def test_a_large_level_leaves_the_zero_map() -> None:
    X, Y = np.random.default_rng(0).normal(size=(2, 4, 2))
    A, multipliers = nuclear_map(X, Y, 1.01 * float(np.linalg.norm(X.T @ Y, 2)))
    assert not A.any() and np.array_equal(multipliers, Y)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("tau", [None, 0.2])
def test_the_master_agrees_with_cvxpy(k: int, tau: float | None) -> None:
    rng = np.random.default_rng(k)
    V, Y = np.abs(rng.normal(size=(4, 9))), rng.normal(size=(4, k))
    multipliers, weights = master(V, Y, tau)
    W = cp.Variable((9, k))
    cost = cp.sum(cp.norm(W, 2, axis=1))
    if tau is None:
        whole = cp.Problem(cp.Minimize(cost), [V @ W == Y])
        value, primal = np.sum(multipliers * Y), np.linalg.norm(weights, axis=1).sum()
        assert V @ weights == pytest.approx(Y, abs=1e-8)
    else:
        whole = cp.Problem(cp.Minimize(0.5 * cp.sum_squares(V @ W - Y) + tau * cost))
        value = np.sum(multipliers * Y) - 0.5 * np.sum(multipliers**2)
        primal = 0.5 * np.sum((V @ weights - Y) ** 2)
        primal += tau * np.linalg.norm(weights, axis=1).sum()
        assert V @ weights == pytest.approx(Y - multipliers, abs=1e-8)
    optimum = whole.solve(solver=cp.CLARABEL)
    assert value == pytest.approx(optimum, rel=1e-7) == primal
    # Strictly feasible, whatever the accuracy: the middle of the cones.
    assert np.linalg.norm(multipliers.T @ V, axis=0).max() < (tau or 1.0)


def test_a_master_stopped_early_is_feasible_and_near() -> None:
    rng = np.random.default_rng(0)
    V, Y = np.abs(rng.normal(size=(4, 12))), rng.normal(size=(4, 2))
    exact, early = (np.sum(master(V, Y, None, t)[0] * Y) for t in (1e-11, 0.1))
    assert 0.85 * exact <= early <= exact


def test_a_master_without_a_fit_says_so() -> None:
    with pytest.raises(MethodError, match="do not span the targets"):
        master(np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]]), None)


@pytest.mark.parametrize("k", [1, 2])
def test_a_sample_that_is_zero_changes_no_value(k: int) -> None:
    X, Y = np.array([[-3.0, -1], [0, 0], [1, -3]]), np.array([[1.0, -1], [0, 0], [-1, 1]])[:, :k]
    options = {"activation": "relu", "architecture": "standard", "depth": 2}
    bounds = solve(Problem(X, Y, **options), restarts=0)
    without = solve(Problem(X[[0, 2]], Y[[0, 2]], **options), restarts=0)
    assert bounds.status == without.status == "zero"
    assert bounds.dual == pytest.approx(without.dual, rel=1e-9)

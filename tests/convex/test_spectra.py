"""The best regularised linear map, from both sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from zerogap import Network, Problem, audit, solve
from zerogap.convex.kernel import Kernels
from zerogap.convex.spectra import best_map
from zerogap.model.bounds import relative
from zerogap.model.matrices import Array
from zerogap.theory.linear import shrink


def problem(X: Array, Y: Array, share: float, depth: int = 3, **options: Any) -> Problem:
    """share: of the β of the same kind at which two layers would be zero."""
    size = float(np.linalg.norm(X.T @ Y, 2) / np.linalg.norm(X, 2) ** 2)
    beta = share * float(np.linalg.norm(X, 2) ** 2) * size ** (2 - 2 / depth)
    asked = {"activation": "linear", "architecture": "standard", "beta": beta} | options
    return Problem(X, Y, depth=depth, **asked)


def normal(seed: int, n: int = 6, d: int = 3, k: int = 3) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) * 10 ** rng.uniform(-1, 1, d), rng.normal(size=(n, k))


def trained(p: Problem, seed: int) -> float:
    """The least of a few descents over the layers' weights, all as wide as X or Y."""
    rng, beta = np.random.default_rng(seed), p.beta
    assert beta is not None
    width = min(p.d, p.k)
    shapes = [(p.d, width), *[(width, width)] * (p.depth - 2), (width, p.k)]
    ends = np.cumsum([0, *(a * b for a, b in shapes)])

    def layers(x: Array) -> list[Array]:
        return [x[a:b].reshape(s) for a, b, s in zip(ends, ends[1:], shapes, strict=False)]

    def objective(x: Array) -> tuple[float, Array]:
        W = layers(x)
        outs = [p.X]
        for A in W:
            outs.append(outs[-1] @ A)
        back, slopes = outs[-1] - p.Y, []
        value = 0.5 * float(np.sum(back**2)) + beta / 2 * float(x @ x)
        for A, out in zip(W[::-1], outs[-2::-1], strict=True):
            slopes.append(out.T @ back + beta * A)
            back = back @ A.T
        return value, np.concatenate([slope.ravel() for slope in slopes[::-1]])

    starts = [rng.normal(size=ends[-1]) * rng.choice([0.3, 1.0]) for _ in range(8)]
    return min(
        float(minimize(objective, x, jac=True, method="L-BFGS-B", options={"maxiter": 3000}).fun)
        for x in starts
    )


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    depth=st.integers(3, 6),
    share=st.sampled_from([0.003, 0.03, 0.3]),
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(2, 4)),
)
def test_the_bound_meets_the_network_and_no_descent_goes_below(
    seed: int, depth: int, share: float, sizes: tuple[int, int, int]
) -> None:
    p = problem(*normal(seed, *sizes), share, depth)
    found = best_map(p)
    assert found.bound is not None
    assert 0 <= relative(found.value - found.bound.value, found.value) <= 1e-6
    assert trained(p, seed) >= found.bound.value


@pytest.mark.parametrize("depth", [3, 5])
def test_with_orthogonal_columns_singular_values_shrink_by_themselves(depth: int) -> None:
    X, Y = normal(depth, 8)
    X = 2 * np.linalg.qr(X)[0]
    p = problem(X, Y, 0.1, depth)
    assert p.beta is not None
    sigma = np.linalg.svd(X.T @ Y, compute_uv=False)
    s = np.array([shrink(x / 4, p.beta / 4, depth) for x in sigma])
    least = 0.5 * np.sum(Y**2) + np.sum(2 * s**2 - s * sigma)
    least += p.beta * depth / 2 * np.sum(s ** (2 / depth))
    assert best_map(p).value == pytest.approx(least, rel=1e-9)


def test_one_feature_is_a_problem_in_one_variable() -> None:
    X, Y = normal(0, 5, 1, 3)
    p = problem(X, Y, 0.05, 4)
    assert p.beta is not None
    size, s = float(np.linalg.norm(X.T @ Y)), np.linspace(0, 20, 2_000_001)
    values = 0.5 * np.sum(Y**2) - s * size + s**2 / 2 * float((X.T @ X).item())
    least = float((values + 2 * p.beta * s**0.5).min())
    assert best_map(p).value == pytest.approx(least, rel=1e-9)


@pytest.mark.parametrize("seed", [18, 23, 32])
def test_where_one_matrix_is_not_enough_the_spectra_are_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(2, 2)) * [1, 4], 1)
    Y = np.round(rng.normal(size=(2, 2)), 1)
    beta = round(float(rng.uniform(0.05, 1)), 2)
    p = Problem(X, Y, activation="linear", architecture="standard", depth=3, beta=beta)
    bound = best_map(p).bound
    assert bound is not None and bound.exact and len(bound.evidence["leaves"]) > 1


def test_units_and_rotations_do_not_matter() -> None:
    X, Y = normal(1)
    rng = np.random.default_rng(1)
    Q, V = (np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(2))
    asked = problem(X, Y, 0.03)
    value = best_map(asked).value
    for a, b in ((1e20, 1), (1, 1e-20), (1e-15, 1e15)):
        found = best_map(problem(a * X @ Q, b * Y @ V, 0.03))
        assert found.value == pytest.approx(b**2 * value, rel=1e-9)
        assert found.bound is not None and found.bound.exact


def test_the_curve_is_its_definition_in_units_of_its_own() -> None:
    X, Y = normal(2)
    p = problem(X, Y, 0.1, 4)
    curve, beta = Kernels(p), p.beta
    assert beta is not None
    for s in (0.0, 1e-3, 0.4):
        r = (s * curve.length) ** 3 / beta
        T = Y.T @ np.linalg.solve(np.eye(6) + r * X @ X.T, Y) / 2
        T += 1.5 * beta * s * curve.length * np.eye(3)
        assert curve.value * curve.curve(np.array([s]))[0] == pytest.approx(T, rel=1e-9)


def test_solve_proves_the_gap_of_parallel_networks_too() -> None:
    p = problem(*normal(3), 0.03, architecture="parallel")
    bounds = solve(p, restarts=0)
    assert bounds.status == "positive" and bounds.certified and not bounds.missing
    assert bounds.exact_primal == pytest.approx(bounds.primal, rel=1e-6)
    assert bounds.verdict is not None
    assert bounds.verdict.primal_lower == pytest.approx(bounds.primal, rel=1e-6)


def test_an_audit_compares_with_the_optimum_and_proves_it() -> None:
    X, Y = normal(3)
    p = problem(X, Y, 0.03)
    widths = [(3, 3), (3, 3), (3, 3)]
    zero = Network((tuple(np.zeros(shape) for shape in widths),), "linear")
    found = audit(p, zero)
    assert found.certified
    assert found.lower == pytest.approx(found.best, rel=1e-6)
    assert found.verdict.primal_lower == pytest.approx(found.lower, rel=1e-6)


def test_where_time_is_short_the_bracket_is_wider_and_says_what_is_missing() -> None:
    rng = np.random.default_rng(0)
    p = problem(rng.normal(size=(60, 40)), rng.normal(size=(60, 10)), 0.01)
    bounds = solve(p, seconds=0.01)
    assert bounds.certified and bounds.status == "open"
    assert "the optimum is known to" in bounds.missing


def test_targets_that_are_zero_cost_nothing() -> None:
    p = Problem(
        np.eye(2), np.zeros((2, 2)), activation="linear", architecture="standard", depth=3, beta=1.0
    )
    assert best_map(p).value == 0

"""The lift's structured solves against the equations they solve, and what blocks prove."""

from __future__ import annotations

import numpy as np
import pytest

from zerogap.convex.blocks import Block, level
from zerogap.convex.lift import Lift
from zerogap.convex.positive import Positive
from zerogap.model.matrices import Array


def full(lift: Lift, Z: Array) -> Array:
    """Moments on (r, u, p, q) as one matrix."""
    z = lift.views(Z)
    return np.block([[z.head, z.side], [z.side.T, np.block([[z.A, z.C], [z.C.T, z.D]])]])


def dense(lift: Lift) -> Array:
    """T."""
    T = np.eye(lift.p.stop)
    q = T[lift.p] - lift.X @ T[lift.u]
    return np.vstack([T, q])


@pytest.mark.parametrize(("n", "d", "k"), [(7, 3, 1), (5, 6, 1), (8, 3, 2)])
def test_a_solve_satisfies_its_normal_equations(n: int, d: int, k: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d))
    X[:, -1] = X[:, 0]  # of less than full rank
    X[0] = 0
    lift = Lift(X, k, np.float64)
    A = rng.normal(size=(k + d + n,) * 2)
    R, fit, cost = A + A.T, rng.normal(size=(n, k)), 0.7
    M, T = lift.solve(R, fit, cost), dense(lift)
    assert full(lift, lift.up(M)) == pytest.approx(T @ M @ T.T)
    assert lift.down(lift.up(M)) == pytest.approx(T.T @ T @ M @ T.T @ T)
    slope = M + T.T @ T @ M @ T.T @ T - R
    slope[:k, :k] += cost * np.eye(k)
    slope[lift.p, :k] += M[lift.p, :k] - fit
    slope[:k, lift.p] = slope[lift.p, :k].T
    assert np.abs(slope).max() <= 1e-12 * np.abs(R).max() * n
    assert (M.T == M).all()


@pytest.mark.parametrize("k", [1, 2])
def test_moments_of_neurons_are_in_all_cones_and_fit_what_the_network_puts_out(k: int) -> None:
    rng = np.random.default_rng(1)
    X, U, W = rng.normal(size=(6, 3)), rng.normal(size=(3, 4)), rng.normal(size=(4, k))
    U /= np.linalg.norm(U, axis=0)
    W = np.abs(W) if k == 1 else W
    lift = Lift(X, k, np.float64)
    M = lift.neurons(U, W)
    Z = lift.up(M)
    assert lift.project(Z, np.zeros(6)) == pytest.approx(Z)
    assert lift.lengths[:, None] * M[lift.p, :k] == pytest.approx(np.maximum(X @ U, 0) @ W)
    assert np.trace(M[:k, :k]) == pytest.approx(np.linalg.norm(W, axis=1).sum())


@pytest.mark.parametrize("k", [1, 2])
def test_a_projection_is_nearest_and_leaves_valid_multipliers(k: int) -> None:
    rng = np.random.default_rng(3)
    X, sides = rng.normal(size=(6, 3)), np.array([0, 1, -1, 0, 0, 0])
    lift = Lift(X, k, np.float64)
    M = rng.normal(size=(k + 9,) * 2)
    Z = lift.up(M + M.T)
    near = lift.project(Z, sides)
    assert lift.project(near, sides) == pytest.approx(near, abs=1e-12)
    left = full(lift, near - Z)
    assert np.vdot(left, full(lift, near)) == pytest.approx(0.0, abs=1e-9)
    # Valid already: made valid, they are the same, in the scale of X.
    block = lift.block(1 if k == 1 else 0, sides, near - Z)
    T, scale = dense(lift), np.concatenate([np.ones(k + 3), 1 / lift.lengths])
    form = scale[:, None] * (T.T @ left @ T) * scale
    assert -block.form(X, np.zeros((6, k))) == pytest.approx(form)


def test_a_positive_part_follows_a_matrix_that_changes_little() -> None:
    rng = np.random.default_rng(4)
    n, positive = 60, Positive()
    V = np.linalg.qr(rng.normal(size=(n, n)))[0]
    values = -np.abs(rng.normal(size=n)) - 0.01
    values[:3] = 1, 0.5, 0.1
    for step in range(30):
        values[3] = 0.03 * (step - 10)  # becomes positive on the way
        V = np.linalg.qr(V + 1e-3 * rng.normal(size=(n, n)))[0]
        found = positive((V * values) @ V.T)
    exact = (V * np.maximum(values, 0)) @ V.T
    assert positive.near is not None and positive.near.shape[1] < n / 4
    assert found == pytest.approx(exact, abs=1e-3)
    assert (found == found.T).all()


@pytest.mark.parametrize("k", [1, 2])
def test_blocks_bound_what_every_direction_attains(k: int) -> None:
    rng = np.random.default_rng(2)
    n, d = 5, 3
    X, Lambda = rng.normal(size=(n, d)), rng.normal(size=(n, k))
    pairs = np.abs(rng.normal(size=(2 * n, 2 * n)))
    cones = np.zeros((k + d, 2 * n))
    blocks = [
        Block(sign, np.zeros(n), pairs + pairs.T, cones, 1.0)
        for sign in ((1, -1) if k == 1 else (0,))
    ]
    c, start = level(X, Lambda, blocks)
    U = rng.normal(size=(d, 2000))
    values = np.linalg.norm(Lambda.T @ np.maximum(X @ (U / np.linalg.norm(U, axis=0)), 0), axis=0)
    assert values.max() <= c
    # c₀ is chosen well, up to the grid of shifts: nearby values prove hardly more.
    longest = 2 + np.linalg.norm(X, 2) ** 2
    for other in (0.9 * start, 1.1 * start):
        least = []
        for block in blocks:
            H = block.form(X, Lambda)
            H[range(k), range(k)] += other
            least.append(float(np.linalg.eigvalsh(H)[0]))
        assert c <= 1.1 * (other + longest * max(0.0, -min(least)))

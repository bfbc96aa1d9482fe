"""The lift's structured solves against the equations they solve, and what blocks prove."""

import numpy as np
import pytest

from zerogap.convex.blocks import Block, level
from zerogap.convex.lift import Lift


@pytest.mark.parametrize(("n", "d", "k"), [(7, 3, 1), (5, 6, 1), (8, 3, 2)])
def test_a_solve_satisfies_its_normal_equations(n: int, d: int, k: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d))
    X[:, -1] = X[:, 0]  # of less than full rank
    lift = Lift(X, k, np.float64)
    A = rng.normal(size=(k + d + n,) * 2)
    R, fit, cost = A + A.T, rng.normal(size=(n, k)), 0.7
    M = lift.solve(R, fit, cost)
    slope = M + lift.down(lift.up(M)) - R
    slope[:k, :k] += cost * np.eye(k)
    slope[lift.p, :k] += M[lift.p, :k] - fit
    slope[:k, lift.p] = slope[lift.p, :k].T
    assert np.abs(slope).max() <= 1e-12 * np.abs(R).max() * n
    assert pytest.approx(M.T) == M


@pytest.mark.parametrize("k", [1, 2])
def test_moments_of_neurons_are_in_all_cones_and_fit_what_the_network_puts_out(k: int) -> None:
    rng = np.random.default_rng(1)
    X, U, W = rng.normal(size=(6, 3)), rng.normal(size=(3, 4)), rng.normal(size=(4, k))
    U /= np.linalg.norm(U, axis=0)
    W = np.abs(W) if k == 1 else W
    lift = Lift(X, k, np.float64)
    Z = lift.neurons(U, W)
    M = Z[: lift.p.stop, : lift.p.stop]
    assert lift.up(M) == pytest.approx(Z)
    assert lift.project(Z, np.zeros(6)) == pytest.approx(Z)
    assert M[lift.p, :k] == pytest.approx(np.maximum(X @ U, 0) @ W)
    assert np.trace(M[:k, :k]) == pytest.approx(np.linalg.norm(W, axis=1).sum())


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

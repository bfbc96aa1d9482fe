"""Two outputs: blocks of a polygon's vertices bound c(Λ), as whole relaxations say."""

from __future__ import annotations

from typing import Any

import cvxpy as cp
import numpy as np
import pytest

from zerogap import Problem, solve
from zerogap.checker import verify
from zerogap.convex import moments
from zerogap.convex.columns import gauge
from zerogap.convex.moments import moment_bound, polygon
from zerogap.convex.oracles import Features
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array
from zerogap.solving.certificates import matrix
from zerogap.solving.methods import base


def data(n: int, d: int, seed: int, share: float) -> tuple[Array, Array, float]:
    """X, Y and τ, a share of the level at which the optimum is zero."""
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(n, d)), rng.normal(size=(n, 2))
    return X, Y, share * float(Features(X).price(Y, 0.0)[0][0])


@pytest.mark.parametrize("corners", [3, 4, 12, 48])
def test_the_unit_disk_is_in_the_polygon_and_no_further_than_needed(corners: int) -> None:
    angles = np.linspace(0, 2 * np.pi, 4 * corners, endpoint=False)
    support = (polygon(corners) @ np.vstack([np.cos(angles), np.sin(angles)])).max(axis=0)
    assert support.min() == pytest.approx(1, abs=1e-11) and support.min() >= 1


def relaxation(X: Array, Y: Array, tau: float, outputs: list[Array]) -> float:
    """The whole program of theory §3, blocks with outputs M_pr B, r ≥ 0 where B is one row."""
    (n, d), rules, fitted, cost = X.shape, [], 0, 0
    for B in outputs:
        k = len(B)
        M = cp.Variable((k + d + n,) * 2, PSD=True)
        T = np.zeros((2 * n, k + d + n))
        T[:n, k + d :] = T[n:, k + d :] = np.eye(n)
        T[n:, k : k + d] = -X
        side, pairs = M[: k + d] @ T.T, T @ M @ T.T
        rules += [cp.trace(M[:k, :k]) == cp.trace(M[k : k + d, k : k + d])]
        rules += [pairs >= 0, cp.diag(pairs[:n, n:]) == 0]
        if k == 1:
            rules += [cp.norm(side[1:], axis=0) <= side[0]]
        fitted, cost = fitted + side[:k, :n].T @ B, cost + cp.trace(M[:k, :k])
    loss = cp.sum_squares(fitted - Y) / 2
    return float(cp.Problem(cp.Minimize(loss + tau * cost), rules).solve(solver=cp.CLARABEL))


def test_the_bound_is_that_of_the_better_whole_relaxation(monkeypatch: pytest.MonkeyPatch) -> None:
    X, Y, tau = data(7, 3, 4, 0.05)
    exact = gauge(Features(X), Fit(Y), tau)
    free, cornered = (
        relaxation(X, Y, tau, outputs)
        for outputs in ([np.eye(2)], [vertex[None] for vertex in polygon(12)])
    )
    assert free < cornered < exact.upper
    monkeypatch.setattr(moments, "_FEWEST", 0)
    monkeypatch.setattr(moments, "_MOST_CORNERS", 12)
    found = moment_bound(X, Fit(Y), tau, exact, gap=0.0, steps=20_000)
    assert len(found.blocks) == 12
    assert 0.99 * cornered <= found.lower <= cornered * (1 + 1e-6)


def test_vertices_gain_where_two_outputs_are_loose(monkeypatch: pytest.MonkeyPatch) -> None:
    X, Y, tau = data(15, 4, 1, 0.2)
    exact = gauge(Features(X), Fit(Y), tau)
    cornered = moment_bound(X, Fit(Y), tau, exact, steps=4000)
    monkeypatch.setattr(moments, "_LOOSE", 1.0)
    free = moment_bound(X, Fit(Y), tau, exact, steps=4000)
    assert free.lower < cornered.lower - 0.02 * exact.upper
    assert cornered.lower <= exact.upper * (1 + 1e-9)
    assert float(Features(X).price(cornered.multipliers, 0.0)[0][0]) <= tau * (1 + 1e-9)


def test_forged_vertices_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_VISITS", 0)
    X, Y, tau = data(15, 4, 1, 0.2)
    problem = Problem(X, Y, activation="relu", architecture="standard", depth=2, beta=tau)
    certificate = solve(problem, restarts=0, gap=0.06).certificate
    assert verify(certificate).accepted
    lower = certificate["lower"]
    first, second, *others = lower["blocks"]
    v, w = polygon(12)[:2, :, None]

    def forged(*blocks: dict[str, Any]) -> dict[str, Any]:
        return {**certificate, "lower": {**lower, "blocks": [*blocks, *others]}}

    assert verify(forged(first, second)).accepted
    bare = {name: value for name, value in first.items() if name != "vertex"}
    for blocks in (
        (first,),
        (bare, second),
        ({**bare, "sign": 0}, second),
        ({**first, "vertex": second["vertex"]}, second),
        ({**first, "vertex": second["vertex"]}, {**second, "vertex": first["vertex"]}),
        ({**first, "vertex": matrix(v * (1 - 1e-9))}, second),
        ({**first, "vertex": matrix(-v)}, second),
        ({**first, "vertex": matrix(100 * v)}, second),
        ({**first, "vertex": matrix((v + w) / 2)}, second),
        ({**first, "vertex": matrix(v.T)}, second),
        ({**first, "vertex": matrix(0 * v)}, second),
        ({**first, "sign": -1}, second),
        ({**first, "sides": matrix(np.ones((15, 1)))}, second),
    ):
        assert not verify(forged(*blocks)).accepted

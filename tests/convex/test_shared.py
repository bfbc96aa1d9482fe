"""One first layer for all neurons of the second: regions, and networks, of four layers."""

from __future__ import annotations

from itertools import chain, combinations

import cvxpy as cp
import numpy as np
import pytest

from tests.checker.test_golden import golden
from tests.checker.test_shared import branches
from tests.checker.test_tampering import decoded
from zerogap.convex.climbs import Layered, climb
from zerogap.convex.oracles import Features
from zerogap.convex.regions import Arcs, Cover
from zerogap.convex.shared import shared_gauge
from zerogap.model.fit import Fit

Array = np.ndarray


def parts(indices: Array) -> list[list[int]]:
    some = range(1, len(indices) + 1)
    return [list(T) for T in chain.from_iterable(combinations(indices, size) for size in some)]


def by_cvxpy(lam: Array, roots: list[Array]) -> float:
    """max over ± and S of min over μ of the largest ‖Cᵀa‖ over leaves a and factors C of G's.

    One G: what its first layer allows at most. All rank-one G's of a dense circle: the path
    program's level, from below.
    """
    worst = 0.0
    for nu in (lam, -lam):
        minus = np.flatnonzero(nu < 0)
        for S in parts(np.flatnonzero(nu > 0)):
            mu, tau = cp.Variable(len(lam)), cp.Variable()
            rules = [mu >= 0, mu <= np.maximum(-nu, 0)]
            kept = np.isin(np.arange(len(lam)), S) * nu
            for sign, indices, room in ((1, S, mu), (-1, minus, kept)):
                for T in parts(np.array(indices)):
                    theta = cp.Variable(len(lam))
                    chosen = np.isin(np.arange(len(lam)), T)
                    a = sign * cp.multiply(chosen, kept - mu) - theta
                    rules += [theta >= 0, theta <= room]
                    rules += [cp.norm(C.T @ a) <= tau for C in roots]
            worst = max(worst, cp.Problem(cp.Minimize(tau), rules).solve(solver=cp.CLARABEL))
    return worst


def test_the_whole_of_the_first_layers_gives_the_path_program() -> None:
    rng = np.random.default_rng(1)
    X, lam = rng.normal(size=(3, 2)), np.array([1.0, -0.7, 0.5])
    angles = np.linspace(0, 2 * np.pi, 61)
    circle = np.maximum(X @ np.array([np.cos(angles), np.sin(angles)]), 0)
    level = Cover(X, lam).level
    assert by_cvxpy(lam, [circle[:, [j]] for j in range(61)]) == pytest.approx(level, rel=5e-3)


@pytest.mark.parametrize("seed", range(4))
def test_a_region_bounds_what_every_first_layer_inside_allows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, lam = rng.normal(size=(4, 2)), rng.normal(size=4)
    cover = Cover(X, lam)
    whole = cover.level
    cover.refine(0.0, 10)
    assert np.abs(branches(X, rng, 500) @ lam).max() <= cover.level <= whole * (1 + 1e-7)
    for _ in range(2):
        W = rng.normal(size=(2, 3))
        A = np.maximum(X @ W / np.linalg.norm(W), 0)
        G = A @ A.T
        inside = [
            region
            for region in cover.kept()
            if all(half.a @ G @ half.a - half.b @ G @ half.b <= half.h for half in region.halves)
        ]
        assert by_cvxpy(lam, [A]) <= max(region.bound for region in inside) * (1 + 1e-6)


def test_climbs_end_higher_on_branches_of_unit_layers() -> None:
    rng = np.random.default_rng(0)
    X, nu = rng.normal(size=(5, 2)), rng.normal(size=5)
    start = Layered((rng.normal(size=(2, 3)), rng.normal(size=(3, 2)), np.ones((2, 1))))
    lengths = np.prod([np.linalg.norm(W) for W in start.inner])
    sign = np.sign(nu @ start.outputs(X))
    end = climb(X, sign * nu, start)
    assert all(np.linalg.norm(W) == pytest.approx(1) for W in end.inner)
    assert sign * nu @ end.outputs(X) > abs(nu @ start.outputs(X)) / lengths
    assert sign * nu @ end.outputs(X) <= Cover(X, nu).level


def test_features_are_linear_on_arcs() -> None:
    X = np.random.default_rng(0).normal(size=(5, 2))
    arcs = Arcs.of(X)
    assert len(arcs.R) == 10
    b = np.array([0.3, 0.7])
    assert np.allclose(np.maximum(X @ (arcs.R @ b).T, 0), (arcs.P @ b).T)


def test_the_integer_branch_is_not_the_cheapest_network_of_its_example() -> None:
    """§5: √(75·83·41) = 505.198 is not D₁(4); three layers cost 519.76 at least."""
    certificate = golden("shared")
    X, Y = (decoded(certificate["problem"][name]).copy() for name in "XY")
    inner = decoded(certificate["lower"]["multipliers"])
    integer = ([[2, 3, -3], [-4, 6, 1]], [[-3, 3], [6, -4], [-2, 3]], [[-5], [4]])
    unit = [np.array(W) / np.linalg.norm(W) for W in integer]
    found = shared_gauge(Features(X), Fit(Y), None, inner, [Layered(tuple(unit))], 0.015)
    assert 0.985 * found.upper <= found.lower <= found.upper < 505
    assert found.lower > 494
    assert np.abs(found.weights).sum() == pytest.approx(found.upper, rel=1e-9)
    put_out = sum(
        w * np.array(atom.outputs(X))
        for atom, w in zip(found.atoms.U[0], found.weights[:, 0], strict=True)
    )
    assert np.allclose(put_out, Y[:, 0], atol=1e-6)


def test_arcs_cover_the_circle_once_where_rows_are_opposite() -> None:
    """−0 and 0 are at the two ends of the angles."""
    arcs = Arcs.of(np.array([[0.0, -1], [0, 2], [1, 1]]))
    turns = np.arccos(np.clip(arcs.grams[:, 0, 1], -1, 1))
    assert len(turns) == 4 and turns.sum() == pytest.approx(2 * np.pi)

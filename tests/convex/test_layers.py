"""Layered moments bound from below what exact programs and a whole relaxation say."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest

from zerogap import Problem, solve
from zerogap.checker.kinds.layers import Frame
from zerogap.convex import layers
from zerogap.convex.columns import gauge
from zerogap.convex.layers import layered_bound
from zerogap.convex.nodes import Split, coordinates, frames_of, level
from zerogap.convex.oracles import Features
from zerogap.convex.outputs import ThreeLayers
from zerogap.convex.path import path_gauge
from zerogap.model import clock
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array
from zerogap.solving.evidence import Layers, evidence_of
from zerogap.solving.methods import base


def teacher(n: int, d: int, k: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    Y = np.maximum(X @ rng.normal(size=(d, 3)), 0) @ rng.normal(size=(3, k))
    return X, Y + 0.1 * rng.normal(size=(n, k))


def whole_program(X: Array, Y: Array, tau: float, depth: int) -> float:
    """The relaxation as theory §9 writes it, for one output."""
    frames = frames_of(X, 1, depth)
    rules: list[cp.Constraint] = []

    def moments(frames: list[Frame]) -> cp.Variable:
        frame, n = frames[-1], len(X)
        M, E = cp.Variable((len(frame.one),) * 2, PSD=True), frame.signed
        Z = E @ M @ E.T
        rules.extend([Z >= 0, cp.diag(E[:n] @ M @ E[n : 2 * n].T) == 0])
        if frame.heads is not None:
            one, u = frame.heads[0], frame.heads[1:]
            rules.append(cp.trace(u @ M @ u.T) == M[0, 0])
            rules.extend(cp.SOC(one @ M @ y, u @ M @ y) for y in E)
        else:
            plus, minus = moments(frames[:-1]), moments(frames[:-1])
            half = len(frames[-2].one)
            empty = np.zeros((half, half))
            R = cp.bmat([[plus, empty], [empty, minus]]) - M[: 2 * half, : 2 * half]
            w = np.tile(frames[-2].one, 2)
            across = np.linalg.svd(w[None])[2][1:]
            rules.extend([across @ R @ across.T >> 0, R @ w == 0])
        return M

    last = frames[-1]
    signs = {1: moments(frames), -1: moments(frames)}
    outputs = sum(sign * (last.signed[: len(X)] @ M @ last.one) for sign, M in signs.items())
    cost = sum(last.one @ M @ last.one for M in signs.values())
    loss = cp.sum_squares(outputs - Y[:, 0]) / 2
    return float(cp.Problem(cp.Minimize(loss + tau * cost), rules).solve(solver=cp.CLARABEL))


def test_the_iteration_approaches_the_whole_program_from_below() -> None:
    X, Y = teacher(4, 2, 1)
    tau = 0.05 * float(np.linalg.norm(X.T @ Y))
    value = whole_program(X, Y, tau, 3)
    found = layered_bound(X, Fit(Y), tau, 3, gauge(Features(X), Fit(Y), tau), gap=0.0, steps=1000)
    assert 0.93 * value <= found.lower <= value * (1 + 1e-6)
    assert value <= path_gauge(Features(X), Fit(Y), 3, tau).upper * (1 + 1e-6)


@pytest.mark.parametrize("depth", [3, 4])
@pytest.mark.parametrize("share", [None, 0.05])
def test_the_bound_holds_and_is_not_vacuous(depth: int, share: float | None) -> None:
    X, Y = teacher(5, 2, 1)
    tau = None if share is None else share * float(np.linalg.norm(X.T @ Y))
    exact = path_gauge(Features(X), Fit(Y), depth, tau)
    above = gauge(Features(X), Fit(Y), tau)
    found = layered_bound(X, Fit(Y), tau, depth, above, gap=0.0, steps=300)
    assert (0.3 if share is None else 0.85) * exact.upper <= found.lower
    assert found.lower <= exact.upper * (1 + 1e-9)


@pytest.mark.parametrize("rho", [0.0, 0.5, 1e6])
def test_a_bias_of_the_outputs_is_in_the_fit(rho: float) -> None:
    """Free, decayed, and so dear that there may as well be none."""
    X, Y = teacher(5, 2, 1)
    tau, fit = 0.05 * float(np.linalg.norm(X.T @ Y)), Fit(Y + 0.5, rho=rho)
    exact = path_gauge(Features(X), fit, 3, tau)
    found = layered_bound(X, fit, tau, 3, gauge(Features(X), fit, tau), gap=0.0, steps=300)
    assert 0.85 * exact.upper <= found.lower <= exact.upper * (1 + 1e-7)
    if rho > 1e5:
        none = path_gauge(Features(X), Fit(Y + 0.5), 3, tau)
        assert exact.upper == pytest.approx(none.upper, rel=1e-3)


def test_several_outputs_are_bounded_together() -> None:
    X, Y = teacher(5, 2, 2)
    tau = 0.05 * float(np.linalg.norm(X.T @ Y))
    exact = gauge(ThreeLayers(Features(X), 2), Fit(Y), tau, tolerance=1e-3)
    found = layered_bound(X, Fit(Y), tau, 3, None, gap=0.0, steps=500)
    assert 0.9 * exact.upper <= found.lower <= exact.upper * (1 + 1e-3)


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("beta", [None, 0.2])
def test_a_large_problem_is_bracketed_and_its_bracket_proved(
    k: int, beta: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_VISITS", 0)
    X, Y = teacher(5, 2, k, seed=1)
    values = []
    for size in (1.0, 2.0**12):  # the second in other units
        strength = beta and beta * size
        problem = Problem(
            size * X, Y, activation="relu", architecture="parallel", depth=3,
            regularizer="power", beta=strength,
        )  # fmt: skip
        bounds = solve(problem, restarts=0, gap=0.7)
        assert bounds.dual_method == "layered moments" and bounds.certified
        assert bounds.dual_upper >= bounds.dual > 0
        values.append(bounds.dual * (1.0 if beta else size))
    assert values[1] == pytest.approx(values[0], rel=0.3)


def test_weight_decay_takes_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_VISITS", 0)
    X, Y = teacher(4, 2, 1)
    problem = Problem(X, Y, activation="relu", architecture="standard", depth=3, beta=0.1)
    bounds = solve(problem, restarts=0, gap=0.2, seconds=4)
    assert bounds.dual_method == "layered moments, over levels"
    assert bounds.certified and 0 < bounds.dual <= bounds.primal


def test_cells_of_features_close_in_on_the_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the relaxation loses here it loses in the first layer."""
    X, Y = teacher(6, 2, 1, seed=1)
    tau, fit = 0.05 * float(np.linalg.norm(X.T @ Y)), Fit(Y)
    exact, above = path_gauge(Features(X), fit, 3, tau), gauge(Features(X), fit, tau)
    monkeypatch.setattr(layers, "_PATIENCE", 4)
    split = layered_bound(X, fit, tau, 3, above, gap=1e-4, steps=1200)
    monkeypatch.setattr(layers, "_CELLS", 1)
    whole = layered_bound(X, fit, tau, 3, above, gap=1e-4, steps=1200)
    assert all(isinstance(node, Split) for block in split.blocks for node in block.node.below)
    assert exact.lower - split.lower < 0.5 * (exact.lower - whole.lower)
    assert split.lower <= exact.upper * (1 + 1e-9)
    proof = Layers(split.scale, split.level, split.blocks, split.multipliers)
    again = evidence_of(proof.record())
    assert isinstance(again, Layers)
    found = [
        level(X, split.multipliers, list(blocks), 3) for blocks in (again.blocks, proof.blocks)
    ]
    assert found[0] == found[1]


def test_time_that_is_up_leaves_a_bound() -> None:
    X, Y = teacher(12, 3, 1)
    with clock.within(0.0):
        found = layered_bound(X, Fit(Y), 1.0, 3, gap=0.0)
    assert found.lower >= 0 and len(found.blocks) == 2
    assert coordinates(12, 3, 1, 3) == len(frames_of(X, 1, 3)[-1].one)


def test_halving_a_cell_changes_no_sign_that_is_fixed() -> None:
    """Also where its mass, which is not negative in the limit only, still is."""
    n = 3
    cell = layers._Part([layers._Operators(frames_of(np.eye(n), 1, 3)[0], n, 2.0, np.float64)])
    cell.M[0, 0] = -1e-8
    cells = [cell]
    for fixed in range(1, n + 1):
        for side, one in enumerate(cells):
            one.M[0, 1 + n :] = one.M[1 + n :, 0] = 1.0 + side
        cells = [half for one in cells for half in one.halves()]
        signs = {tuple(half.sides) for half in cells}
        assert len(signs) == len(cells) == 2**fixed
        assert all(np.count_nonzero(each) == fixed for each in signs)
    assert [half.halves() for half in cells] == [[half] for half in cells]

"""The head to head: rivals get the same problem, and what they say of it is judged as it should."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest

from benchmarks import data, rivals, weights
from benchmarks.measure import LATE, Run, installed, measure
from benchmarks.relaxation import relaxation
from zerogap import Problem, solve
from zerogap.convex.descent import descent
from zerogap.convex.moments import moment_bound
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array


def relaxed(X: Array, Y: Array, beta: float) -> float:
    return relaxation(X, Y, beta, cp.CLARABEL)[0]


def optimum(X: Array, Y: Array, beta: float) -> float:
    problem = Problem(X, Y, activation="relu", architecture="standard", depth=2, beta=beta)
    bounds = solve(problem, restarts=0)
    assert bounds.status == "zero"
    return bounds.primal


# --- the relaxation -------------------------------------------------------------------------------


def published(X: Array, Y: Array, beta: float) -> float:
    """The relaxation as it was published, with p − q = Xu as a constraint."""
    (n, d), k = X.shape, Y.shape[1]
    Lambda = cp.Variable((2 * n + d + k,) * 2, PSD=True)
    M = np.hstack([-np.eye(n), np.eye(n), X, np.zeros((n, k))])
    constraints = [
        M @ Lambda == 0,
        Lambda[: 2 * n, : 2 * n] >= 0,
        cp.diag(Lambda[:n, n : 2 * n]) == 0,
    ]
    tail = Lambda[2 * n :, 2 * n :]
    cost = 0.5 * cp.sum_squares(Lambda[:n, 2 * n + d :] - Y) + beta / 2 * cp.trace(tail)
    return float(cp.Problem(cp.Minimize(cost), constraints).solve(solver=cp.SCS, eps=1e-7))


def shrunk(X: Array, Y: Array, beta: float) -> float:
    """min ½‖f − Y‖² + β‖f‖_*/‖X‖₂, below the relaxation since tr(Λ_pp) ≤ ‖X‖₂² tr(Λ_uu)."""
    sigma, level = np.linalg.svd(Y)[1], beta / np.linalg.norm(X, 2)
    kept = np.maximum(sigma - level, 0)
    return float(np.sum(0.5 * (kept - sigma) ** 2 + level * kept))


@pytest.mark.parametrize("seed", range(4))
def test_the_relaxation_lies_between_the_linear_bound_and_the_optimum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(6, 2)), rng.normal(size=(6, 2 + seed % 2))
    below, above = shrunk(X, Y, 0.3), optimum(X, Y, 0.3)
    value = relaxed(X, Y, 0.3)
    assert below < above
    assert below * (1 - 1e-6) <= value <= above * (1 + 1e-6)
    # Weights that grow by √s turn (X, β) into (X, β)/s.
    assert relaxed(2 * X, Y, 0.6) == pytest.approx(value, rel=1e-5)


def test_the_relaxation_is_the_published_one() -> None:
    X, Y = data.teacher(0, n=6)
    assert relaxed(X, Y, 0.1) == pytest.approx(published(X, Y, 0.1), rel=1e-4)


def test_moments_prove_what_the_relaxation_says_and_more() -> None:
    X, Y = data.teacher(0, n=7)
    above = descent(X, Fit(Y), 0.5)
    proved = moment_bound(X, Fit(Y), 0.5, above, gap=1e-5, steps=3000).lower
    assert relaxed(X, Y, 0.5) * (1 - 1e-3) <= proved <= optimum(X, Y, 0.5) * (1 + 1e-9)


def test_where_no_network_pays_the_relaxation_is_half_the_norm_of_the_targets() -> None:
    X, Y = data.teacher(2, n=5)
    beta = np.linalg.norm(X, 2) * np.linalg.norm(Y, 2)
    assert relaxed(X, Y, beta) == pytest.approx(0.5 * np.sum(Y**2), rel=1e-6)


# --- two layers -----------------------------------------------------------------------------------


def test_data_have_the_published_sizes() -> None:
    sizes = {case.name: (*case.sets[0][0].shape, case.sets[0][1].shape[1]) for case in CASES}
    assert sizes["teacher of 5"] == sizes["teacher of 100"] == (25, 2, 5)
    assert (sizes["spiral"], sizes["iris"]) == ((60, 2, 3), (75, 4, 3))
    assert sizes["digits"] == (1000, 20, 10)
    assert [len(case.sets) for case in CASES[:2]] == [100, 100]
    for case in CASES[2:]:
        X, Y = case.sets[0]
        assert np.isfinite(X).all()
        assert set(Y.sum(axis=1)) == ({1} if Y.shape[1] > 1 else {-1, 1})


CASES = rivals.cases()


def test_ours_is_proved_and_the_relaxation_is_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "rivals.csv"
    monkeypatch.setattr(sys, "argv", ["rivals", str(output), "--quick"])
    monkeypatch.setattr(rivals, "BETAS", (0.1,))
    monkeypatch.setattr(rivals, "installed", lambda module: False)
    rivals.main()
    table = pd.read_csv(output).set_index("method")
    assert list(table.reset_index()[rivals.COLUMNS]) == rivals.COLUMNS
    assert list(table.index) == ["zerogap", "SCS", "Clarabel"]
    ours = table.loc["zerogap"]
    assert ours["proved"] and 0 <= ours["distance"] < 1e-6
    assert not table.loc[["SCS", "Clarabel"], "proved"].any()
    assert (table["bound"] <= ours["value"]).all() and (table["sets"] == 2).all()
    assert table.loc["Clarabel", "distance"] > ours["distance"]


def run(seconds: float, **answer: Any) -> Run:
    return Run({"sets": [answer]}, seconds, 100.0)


def judged(**runs: Run) -> dict[str, dict[str, Any]]:
    """The rows of a problem whose optimum ours brackets by [bound, 2]."""
    case = rivals.Case("mine", (data.teacher(0, n=3),))
    return {row["method"]: row for row in rivals._compared(case, 0.1, runs)}


def test_ours_says_what_it_is_behind_in() -> None:
    mine = run(2.0, bound=1.5, value=2.0, proved=True, note="too many faces")
    ahead = judged(zerogap=mine, SCS=run(3.0, bound=1.4), scnn=run(1.0, value=2.5))
    assert ahead["zerogap"]["reason"] == ""
    assert [ahead[name]["proved"] for name in ahead] == [True, False, False]
    assert ahead["SCS"]["distance"] == pytest.approx(0.3)
    behind = judged(zerogap=mine, SCS=run(1.0, bound=1.4), Clarabel=run(3.0, bound=1.7))
    said = "behind SCS (faster, 5.0% looser) and Clarabel (tighter): too many faces"
    assert behind["zerogap"]["reason"] == said
    better = judged(zerogap=mine, scnn=run(9.0, value=1.9))
    assert better["zerogap"]["reason"] == "behind scnn (the better network): too many faces"
    assert better["zerogap"]["distance"] == pytest.approx(0.4 / 1.9)


def test_a_value_above_the_best_network_is_not_tighter() -> None:
    mine = run(1.0, bound=1.5, value=2.0, proved=True, note="too many faces")
    table = judged(zerogap=mine, SCS=run(3.0, bound=2.1, note="the solver says inaccurate"))
    assert table["SCS"]["distance"] == pytest.approx(-0.05)
    assert table["SCS"]["reason"] == "above the best network: no bound; the solver says inaccurate"
    assert table["zerogap"]["reason"] == ""


# --- what is measured -----------------------------------------------------------------------------


def spin() -> dict[str, Any]:
    while True:
        pass


def hoard() -> dict[str, Any]:
    return {"sum": float(np.ones(2**28).sum())}


def test_a_limit_is_of_the_processor_where_the_machine_may_be_busy() -> None:
    late = measure(spin, limit=1.0, busy=1e3)
    assert late.answer is None and late.reason.startswith(LATE)


def test_a_measurement_gets_no_more_memory_than_it_may() -> None:
    assert measure(hoard, limit=60.0, gigabytes=1.0).reason.startswith("MemoryError")


def test_a_tool_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert installed("numpy") and not capsys.readouterr().err
    assert not installed("no_such_tool")
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "no_such_tool" in said and "zerogap[bench]" in said


# --- weights --------------------------------------------------------------------------------------


class Given(weights.Program):
    """A program whose variables are numbers already; it refuses what they violate."""

    def __init__(self, values: Iterable[float]) -> None:
        self.values = iter(values)

    def real(self, lower: float, upper: float) -> float:
        value = next(self.values)
        assert lower <= value <= upper
        return value

    def choice(self) -> float:
        value = next(self.values)
        assert value in (0, 1)
        return value

    def require(self, constraint: bool) -> None:
        assert constraint

    def minimise(self, cost: float, seconds: float) -> tuple[float, float]:
        return 0.0, cost


def attained(case: weights.Case, layers: list[Array], cost: float) -> float:
    """What the program says of a network, given by its weights, that should cost so much."""
    values = [float(w) for layer in layers for w in layer.ravel()] + [cost]
    for x, y in zip(case.X, case.Y, strict=True):
        units = x
        for layer in layers[:-1]:
            z = units @ layer
            for one in z:
                values += [max(one, 0.0), max(-one, 0.0), float(one > 0)]
            units = np.maximum(z, 0)
        if case.beta is not None:
            values += list(units @ layers[-1] - y)
    weights.SOLVERS["given"] = (lambda: Given(values), "numpy")
    try:
        return weights.general(case, layers[0].shape[1], cost, "given", 1.0)["value"]
    finally:
        del weights.SOLVERS["given"]


def test_general_solvers_get_the_training_problem() -> None:
    deep = weights.cases()[0]
    best = [np.array([[1.0, -1.0]]), np.eye(2), np.array([[1.0], [-1.0]])]
    assert attained(deep, best, 3.0) == 3.0
    with pytest.raises(AssertionError):
        attained(deep, best, 2.9)
    with pytest.raises(AssertionError):
        attained(deep, [*best[:2], np.array([[1.0], [-0.5]])], 3.0)
    flat = weights.quick()[0]
    # One neuron for each sign, of cost β − β²/2 each: weights √(1 − β), which are rounded.
    side, slack = math.sqrt(1 - 0.1), 1e-12
    network = [np.array([[side, -side]]), np.array([[side], [-side]])]
    assert attained(flat, network, 0.19 + slack) == 0.19 + slack
    with pytest.raises(AssertionError):
        attained(flat, network, 0.19 - slack)


def test_ours_is_a_proved_bound_for_every_width(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "weights.csv"
    monkeypatch.setattr(sys, "argv", ["weights", str(output), "--quick"])
    weights.main()
    table = pd.read_csv(output)
    assert list(table) == weights.COLUMNS
    ours = table[table["method"] == "zerogap"].iloc[0]
    assert ours["width"] == "every" and ours["proved"]
    assert (ours["bound"], ours["value"]) == pytest.approx((0.19, 0.19), rel=1e-9)
    others = table[table["method"] != "zerogap"]
    assert (others["bound"] <= ours["value"] * (1 + 1e-3)).all()
    deep = weights.ours(weights.cases()[0])
    assert deep["proved"] and 2.99 < deep["bound"] <= 3 <= deep["value"] < 3 + 1e-6

"""Spectra of kernels prove what regularised linear networks cost at least, and nothing more."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flint import arb, arb_mat, ctx

from tests.checker.test_golden import golden
from tests.checker.test_tampering import decoded
from zerogap import Problem, solve
from zerogap.checker import verify
from zerogap.checker.balls import PRECISION, Refused, down
from zerogap.checker.budget import budget
from zerogap.checker.kernel import _Curve, kernel_primal
from zerogap.model.matrices import Array
from zerogap.solving.certificates import matrix

# Here one Z for all s is worth less than the optimum, and two boxes are enough.
X = np.array([[-0.4, -4.5], [0.7, -4.4]])
Y = np.array([[2.0, 0.9], [-0.4, 0.6]])


def problem(**options: Any) -> Problem:
    asked = {"activation": "linear", "architecture": "standard", "depth": 3, "beta": 0.5} | options
    return Problem(X, Y, **asked)


@pytest.fixture(scope="module")
def cut() -> dict[str, Any]:
    return solve(problem(), restarts=0).certificate


def kernel(proof: dict[str, Any]) -> dict[str, Array]:
    return {part: decoded(value).copy() for part, value in proof["gap"]["kernel"].items()}


def bent(proof: dict[str, Any], **parts: Array) -> dict[str, Any]:
    out = copy.deepcopy(proof)
    out["gap"]["kernel"] |= {part: matrix(array) for part, array in parts.items()}
    return out


def curve(s: float, beta: float = 0.5, depth: int = 3) -> Array:
    """T(s), by its definition."""
    r = s ** (depth - 1) / beta
    fit = Y.T @ np.linalg.solve(np.eye(len(X)) + r * X @ X.T, Y) / 2
    return np.asarray(fit + beta * (depth - 1) / 2 * s * np.eye(Y.shape[1]))


def above(Z: Array, low: float, high: float, depth: int = 3) -> bool:
    with ctx.workprec(PRECISION), budget([0.0]):
        return _Curve(X, Y, depth, arb(0.5)).above(arb_mat(Z.tolist()), low, high)


def test_two_boxes_prove_the_optimum_and_a_gap(cut: dict[str, Any]) -> None:
    verdict = verify(cut)
    assert verdict.accepted, verdict.reason
    assert len(kernel(cut)["leaves"]) == 2
    assert verdict.primal * (1 - 1e-6) <= verdict.primal_lower <= verdict.primal
    assert verdict.status == "positive"


@pytest.mark.parametrize("depth", [3, 4, 7])
def test_the_curve_is_known_from_below_to_any_accuracy_and_never_from_above(depth: int) -> None:
    rng = np.random.default_rng(depth)
    for s in [0.0, *10 ** rng.uniform(-3, 1, 6)]:
        T, step = curve(float(s), depth=depth), 1e-7 * np.eye(2)
        low, high = float(s) * (1 - 1e-9), float(s) * (1 + 1e-9) + 1e-12
        assert above(T - step, low, high, depth)
        assert not above(T + step, low, high, depth)
        # One direction is enough.
        v = rng.normal(size=2)
        assert not above(T - step + 2e-7 * np.outer(v, v) / (v @ v), low, high, depth)


def test_on_an_interval_the_least_of_the_curve_decides() -> None:
    ends = 0.01, 0.7
    inside = np.linspace(*ends, 2001)
    least = min(float(np.linalg.eigvalsh(curve(float(s)))[0]) for s in inside)
    assert above((least - 1e-5) * np.eye(2), *ends)
    assert not above((least + 1e-5) * np.eye(2), *ends)
    # The second term alone carries everything beyond.
    assert above(100 * np.eye(2), 400.0, math.inf)
    assert not above(100 * np.eye(2), 150.0, math.inf)


def test_no_network_costs_less_than_what_is_proved(cut: dict[str, Any]) -> None:
    """All maps of a fine grid of singular values and vectors, for the smallest of problems."""
    proved, p = verify(cut).primal_lower, problem()
    angles, sizes = np.linspace(0, np.pi, 25), np.linspace(0, 1.6, 41) ** 3
    turned = np.array([[[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]] for t in 2 * angles])
    A = np.einsum("aij,bkj->abikj", turned, turned)
    A = np.einsum("abikj,mj->abmik", A, np.array([(s, t) for s in sizes for t in sizes]))
    fits = np.sum((np.einsum("ni,abmik->abmnk", X, A) - Y) ** 2, axis=(-1, -2)) / 2
    assert p.beta is not None
    costs = 1.5 * p.beta * np.array([s ** (2 / 3) + t ** (2 / 3) for s in sizes for t in sizes])
    best = float((fits + costs).min())
    assert proved <= best <= 1.1 * proved


def test_a_claim_beyond_the_leaves_is_refused(cut: dict[str, Any]) -> None:
    proof = copy.deepcopy(cut)
    proof["claimed"]["primal_lower"] = (verify(cut).primal * (1 + 1e-9)).hex()
    assert "claimed.primal_lower" in verify(proof).reason


def test_raised_matrices_and_shifts_are_refused(cut: dict[str, Any]) -> None:
    leaves = kernel(cut)["leaves"]
    for column in (0, 2, 3, 4):  # the diagonal of Z, and μ
        raised = leaves.copy()
        raised[:, column] += 1e-6
        assert "below the curve" in verify(bent(cut, leaves=raised)).reason
    assert "below the curve" in verify(bent(cut, leaves=leaves[::-1])).reason


def test_a_tree_with_a_hole_is_refused(cut: dict[str, Any]) -> None:
    splits, leaves = kernel(cut).values()
    for parts, reason in (
        ({"splits": splits[:-1]}, "neither split nor a leaf"),
        ({"splits": np.vstack([splits, splits[-1:]])}, "more rows than the tree"),
        ({"leaves": leaves[:-1]}, "fewer rows"),
        ({"leaves": np.vstack([leaves, leaves[-1:]])}, "more rows than the tree has leaves"),
        ({"leaves": leaves[:, :-1]}, "shape of the problem"),
    ):
        assert reason in verify(bent(cut, **parts)).reason
    # One box, with the evidence of either half.
    for row in leaves:
        whole = bent(cut, splits=np.array([[-1.0, 0.0]]), leaves=row[None])
        assert "below the curve" in verify(whole).reason


@pytest.mark.parametrize("row", [(2, 1.0), (0.5, 1.0), (-2, 1.0), (0, 0.0), (0, -1.0)])
def test_cuts_are_of_an_eigenvalue_at_a_point_of_its_interval(
    cut: dict[str, Any], row: tuple[float, float]
) -> None:
    splits = kernel(cut)["splits"]
    splits[0] = row
    assert "accepted are points in the box" in verify(bent(cut, splits=splits)).reason


def test_boxes_follow_the_order_of_eigenvalues() -> None:
    """s₁ ≥ t makes s₂ ≥ t, so a Z that holds beyond t alone serves both; s₂ ≥ t does not."""
    t, k = 1.0, 2
    zero = np.zeros(k * (k + 1) // 2 + k)
    far = zero.copy()
    far[[0, 2]] = min(float(np.linalg.eigvalsh(curve(s))[0]) for s in np.linspace(t, 9, 900)) - 1e-3
    assert far[0] > np.linalg.eigvalsh(curve(0.3))[0] + 1e-3

    def proved(a: int) -> float:
        tree = np.array([[a, t], [-1, 0], [-1, 0]], dtype=float)
        with ctx.workprec(PRECISION), budget([0.0]):
            return down(kernel_primal(X, Y, 3, arb(0.5), tree, np.array([zero, far])))

    assert proved(0) == pytest.approx(0, abs=1e-12)
    with pytest.raises(Refused, match=r"leaves\[1\]"):
        proved(1)


def test_no_mutation_proves_more_than_a_network_costs(cut: dict[str, Any]) -> None:
    rng, accepted = np.random.default_rng(0), 0
    proof, parts = copy.deepcopy(cut), kernel(cut)
    proof["lower"] = None
    proof["claimed"] |= {"primal_lower": (0.0).hex(), "dual": (0.0).hex()}
    primal = verify(cut).primal
    for _ in range(120):
        mutant = {part: array.copy() for part, array in parts.items()}
        array = mutant[("splits", "leaves")[rng.integers(2)]]
        place = tuple(rng.integers(size) for size in array.shape)
        array[place] = rng.choice(
            [0, -array[place], array[place] * (1 + 0.1 * rng.standard_normal()), 1e300, 1e-300]
        )
        if rng.random() < 0.2:
            array[:] = array[rng.permutation(len(array))]
        verdict = verify(bent(proof, **mutant))
        if verdict.accepted:
            accepted += 1
            assert verdict.primal_lower <= primal
    assert 0 < accepted < 120


OTHERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "relu": lambda stated: stated.update(activation="relu"),
    "two layers": lambda stated: stated.update(depth=2),
    "interpolation": lambda stated: stated.update(beta=None),
    "power": lambda stated: stated.update(architecture="parallel", regularizer="power"),
    "another loss": lambda stated: stated.update(loss={"kind": "huber", "parameter": (9.0).hex()}),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_problems_are_refused(cut: dict[str, Any], name: str) -> None:
    proof = copy.deepcopy(cut)
    OTHERS[name](proof["problem"])
    proof["lower"] = None
    if name == "interpolation":
        exact = solve(problem(beta=None), restarts=0).certificate
        proof |= {"upper": exact["upper"], "epsilon": exact["epsilon"]}
    if name == "power":
        proof["upper"] = proof["gap"]["bidual"]
    if name == "two layers":
        for holder in (proof["upper"], proof["gap"]["bidual"]):
            holder["branches"] = [[branch[0], branch[-1]] for branch in holder["branches"]]
    proof["claimed"] |= {"primal": (1e9).hex(), "dual": (0.0).hex()}
    reason = verify(proof).reason
    assert "gap" in reason and "\n" not in reason


def test_malformed_blocks_are_refused_in_one_line(cut: dict[str, Any]) -> None:
    for junk in (None, 3, "x", [], {}, {"splits": 1}, {"splits": None, "leaves": {}}):
        proof = copy.deepcopy(cut)
        proof["gap"]["kernel"] = junk
        reason = verify(proof).reason
        assert reason != "proved" and "\n" not in reason


def test_a_long_chain_of_boxes_is_refused_before_it_is_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("zerogap.checker.budget.MAX_BYTES", 1e6)
    k, cuts = 30, 3000
    points = np.column_stack([np.zeros(cuts), np.arange(cuts, 0, -1)])
    with ctx.workprec(PRECISION), budget([0.0]), pytest.raises(Refused, match="budget: the boxes"):
        kernel_primal(
            np.ones((1, 1)), np.ones((1, k)), 3, arb(1), points, np.zeros((1, k * (k + 3) // 2))
        )


def test_planes_are_below_the_curve_for_any_guess() -> None:
    """½YᵀY − ½MᵀHM − ½r RᵀR ⪯ ½Yᵀ(I + rXXᵀ)⁻¹Y, whatever point M was found at."""
    with ctx.workprec(PRECISION), budget([0.0]):
        planes = _Curve(X, Y, 3, arb(0.5))
        for touching in (0.0, 1e-8, 0.3, 40.0):
            height, slope = (
                np.array([[float(x) for x in row] for row in M.tolist()])
                for M in planes._plane(touching)
            )
            for s in (0.0, 0.01, 0.3, 2.0, 50.0):
                room = curve(s) - 0.5 * s * np.eye(2) - height + slope * s**2 / 0.5
                assert np.linalg.eigvalsh(room)[0] >= -1e-12 * (1 + s**2)


@pytest.mark.parametrize("block", [0, False, "kernel", ["kernel"], []])
def test_a_block_that_is_no_object_is_refused_in_words(block: Any) -> None:
    certificate = golden("kernel")
    assert verify({**certificate, "gap": block}).reason.startswith("gap is ")

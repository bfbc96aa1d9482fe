"""Branch and bound over the weights proves positive gaps, with no theory of the data."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import arb_mat

from zerogap import Problem, solve
from zerogap.checker import verify
from zerogap.checker.files import read_jsonl
from zerogap.checker.limits import MAX_SEARCHED
from zerogap.checker.search import _copositive
from zerogap.convex.search import search
from zerogap.model.errors import MethodError
from zerogap.model.matrices import Array
from zerogap.model.network import Network
from zerogap.solving.certificates import matrix

OPPOSED = np.array([[1.0], [-1.0]])
WHITENED = np.eye(2)


def problem(X: Array, Y: Array, **options: Any) -> Problem:
    chosen = {"activation": "relu", "architecture": "standard", "depth": 3} | options
    return Problem(X, Y, **chosen)


def certificate(X: Array, Y: Array, target: float, leaves: int = 2000) -> dict[str, Any]:
    p = problem(X, Y)
    return solve(p, restarts=0, proof=search(p, target, leaves)).certificate


@pytest.fixture(scope="module")
def opposed() -> dict[str, Any]:
    return certificate(OPPOSED, OPPOSED, 2.9)


@pytest.fixture(scope="module")
def whitened() -> dict[str, Any]:
    return certificate(WHITENED, WHITENED, 2.9)


def numbers(value: dict[str, Any]) -> Array:
    return np.frombuffer(bytes.fromhex(value["data"])).reshape(value["shape"]).copy()


def tampered(proof: dict[str, Any], part: str, change: Callable[[Array], Array | None]) -> str:
    """The reason for which a certificate with one part changed is refused."""
    proof = copy.deepcopy(proof)
    array = numbers(proof["gap"]["search"][part])
    result = change(array)
    proof["gap"]["search"][part] = matrix(array if result is None else result)
    verdict = verify(proof)
    assert not verdict.accepted
    return verdict.reason


@pytest.mark.parametrize("name", ["opposed", "whitened"])
def test_both_smallest_problems_cost_at_least_2_9_against_a_bound_of_2_3811(
    name: str, request: pytest.FixtureRequest
) -> None:
    proof = request.getfixturevalue(name)
    assert "theorem" not in proof["gap"]
    verdict = verify(proof)
    assert verdict.accepted, verdict.reason
    assert 2.9 <= verdict.primal_lower <= 3
    assert verdict.dual_upper == pytest.approx(1.5 * 2 ** (2 / 3), rel=1e-9)
    assert verdict.status == "positive"


def test_the_search_closes_in_on_the_optimum() -> None:
    assert verify(certificate(OPPOSED, OPPOSED, 2.999)).primal_lower >= 2.999


def test_three_classes_cost_more_than_the_theorem_says() -> None:
    """P ≤ 4.5, and theory §7 proves (3/2) (√2 · 3)^{2/3} = 3.9311."""
    verdict = verify(certificate(np.eye(3), np.eye(3), 4.0))
    assert verdict.status == "positive"
    assert 4.0 <= verdict.primal_lower <= 4.5


@pytest.fixture(scope="module")
def some() -> dict[str, Any]:
    """The opposed samples, and a third that adds little."""
    X, Y = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]), np.array([[1.0], [-1.0], [0.01]])
    p = problem(X, Y)
    return solve(p, restarts=0, proof=search(p, leaves=12, samples=(1, 0))).certificate


def test_some_samples_bound_what_all_cost(
    some: dict[str, Any],
) -> None:
    verdict = verify(some)
    assert verdict.accepted, verdict.reason
    assert verdict.status == "positive"
    assert 2.9 < verdict.primal_lower <= 3
    whole = copy.deepcopy(some)
    del whole["gap"]["search"]["samples"]
    assert "shape of the problem" in verify(whole).reason


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        ([1, 0], "that increase"),
        ([1, 1], "that increase"),
        ([1, 3], "from 0 to 2"),
        ([-1, 1], "from 0 to 2"),
        ([0.5, 1], "from 0 to 2"),
        ([0, 1, 2], "shape of the problem"),
        ([1], "2 to 4 samples"),
        # The evidence is about others.
        ([0, 2], "exceed X Xᵀ"),
    ],
)
def test_other_samples_are_refused(some: dict[str, Any], samples: list[float], reason: str) -> None:
    assert reason in tampered(some, "samples", lambda _: np.array([samples], dtype=float))


def test_four_samples_can_be_searched() -> None:
    """No more than the network of one direction per class (theory §7)."""
    p = problem(np.eye(4), np.eye(4))
    assert 0 < search(p, leaves=2).value <= 6


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [2, 3, 4])
def test_copositive_is_what_sampling_says(n: int, seed: int) -> None:
    """Matrices that are proved have no a ≥ 0 with aᵀCa ≤ 0; those with room are proved."""
    rng = np.random.default_rng((n, seed))
    a = np.vstack([rng.dirichlet(np.full(n, 0.5), 3000), np.eye(n)])
    for _ in range(30):
        B = rng.standard_normal((n, n))
        C = B + B.T + 2 * np.eye(n)
        least = float(np.einsum("ai,ij,aj->a", a, C, a).min())
        # Dirichlet samples are close to each minimiser.
        if abs(least) > 0.1:
            assert _copositive(arb_mat(C.tolist())) == (least > 0)


@pytest.mark.parametrize(("seed", "k", "primal"), [(0, 1, 4.5438), (0, 2, 6.8752), (1, 2, 2.6831)])
def test_data_that_no_theorem_covers_have_a_gap(seed: int, k: int, primal: float) -> None:
    """The bound may not exceed the primal value, which is a trained network's."""
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((2, 2)), rng.standard_normal((2, k))
    verdict = verify(certificate(X, Y, 0.97 * primal))
    assert verdict.status == "positive"
    assert 0.97 * primal * (1 - 1e-6) <= verdict.primal_lower <= primal


@pytest.mark.parametrize("seed", range(6))
def test_no_network_costs_less_than_a_leaf_says(seed: int) -> None:
    """Targets are a random network's own outputs: its cost is an upper bound on P."""
    rng = np.random.default_rng(seed)
    n, k, widths = 2, int(rng.integers(1, 3)), rng.integers(1, 4, 2)
    X = rng.standard_normal((n, int(rng.integers(1, 4)))) * rng.choice([0.01, 1, 100], (n, 1))
    shapes = itertools.pairwise([X.shape[1], *widths, k])
    network = Network((tuple(rng.standard_normal(shape) for shape in shapes),), "relu").balanced()
    p = problem(X, network.outputs(X))
    cost = network.objective(p)
    if cost > 0:
        assert search(p, 2 * cost, leaves=40).value <= cost * (1 + 1e-9)


def test_the_units_of_samples_do_not_matter() -> None:
    scales = np.array([[1e3], [1e-2]])
    value = search(problem(WHITENED, WHITENED), 2.9).value
    assert search(problem(scales * WHITENED, scales * WHITENED), 2.9).value == pytest.approx(
        value, rel=1e-6
    )


def test_a_claim_beyond_the_leaves_is_refused(opposed: dict[str, Any]) -> None:
    proof = copy.deepcopy(opposed)
    proof["claimed"]["primal_lower"] = (2.9999).hex()
    assert "claimed.primal_lower" in verify(proof).reason


def test_a_hole_in_the_subdivision_is_refused(whitened: dict[str, Any]) -> None:
    """Half the tree gone: with its leaf, without its leaf, and as a leaf in its place."""
    assert "neither split nor a leaf" in tampered(whitened, "splits", lambda s: s[:-1])
    assert "more rows" in tampered(whitened, "leaves", lambda s: np.vstack([s, s[-1:]]))
    assert "fewer rows" in tampered(whitened, "leaves", lambda s: s[:-1])
    proof = copy.deepcopy(whitened)
    found = proof["gap"]["search"]
    # The root alone, as a leaf, with the evidence of each leaf in turn.
    leaves = numbers(found["leaves"])
    found["splits"] = matrix(np.array([[-1.0, -1.0]]))
    for row in leaves:
        found["leaves"] = matrix(row[None])
        assert "of the cone" in (reason := verify(proof).reason) or "second layer" in reason


def test_leaves_may_not_change_places(whitened: dict[str, Any]) -> None:
    assert "second layer" in tampered(whitened, "leaves", lambda rows: rows[::-1])


def test_another_edge_makes_other_cones(whitened: dict[str, Any]) -> None:
    def other(splits: Array) -> None:
        first = tuple(splits[0])
        splits[0] = next(edge for edge in ((0, 1), (0, 2), (1, 2)) if edge != first)

    assert "second layer" in tampered(whitened, "splits", other)


@pytest.mark.parametrize(
    "row", [(1, 0), (0, 0), (0, 3), (-1, 0), (0.5, 1), (1e300, 2e300), (-2, -2), (0, -1)]
)
def test_what_is_no_edge_is_refused(opposed: dict[str, Any], row: tuple[float, float]) -> None:
    def change(splits: Array) -> None:
        splits[0] = row

    assert "accepted are two rays" in tampered(opposed, "splits", change)


@pytest.mark.parametrize(
    ("columns", "factor", "reason"),
    [
        (slice(0, 3), 1.01, "hidden neurons"),
        (slice(3, 6), 2.1, "second layer"),
        (slice(6, 8), 1.2, "second layer"),
        (slice(-2, None), 1.2, "second layer"),
    ],
)
@pytest.mark.parametrize("name", ["opposed", "whitened"])
def test_evidence_that_says_too_much_is_refused(
    name: str, columns: slice, factor: float, reason: str, request: pytest.FixtureRequest
) -> None:
    def change(leaves: Array) -> None:
        leaves[:, columns] *= factor

    assert reason in tampered(request.getfixturevalue(name), "leaves", change)


def test_leaves_with_one_multiplier_are_still_judged() -> None:
    """The golden certificate has H and one Λ in every leaf."""
    (proof,) = read_jsonl(Path(__file__).parents[2] / "docs/golden/accepted/search.jsonl")
    assert verify(proof).accepted
    for columns, factor, reason in (
        (slice(0, 3), 1.01, "hidden neurons"),
        (slice(3, 6), 0.99, "of the cone"),
        (slice(6, None), 1.01, "second layer"),
    ):
        scale = np.ones(numbers(proof["gap"]["search"]["leaves"]).shape[1])
        scale[columns] = factor
        assert reason in tampered(proof, "leaves", lambda rows, s=scale: rows * s)


def test_data_that_are_smaller_than_the_problems_are_refused(opposed: dict[str, Any]) -> None:
    assert "exceed X Xᵀ" in tampered(opposed, "data", lambda data: data - 1e-5 * np.eye(2))


def test_data_that_are_not_symmetric_are_refused(opposed: dict[str, Any]) -> None:
    assert "not symmetric" in tampered(opposed, "data", lambda data: data + np.eye(2, k=1))


def test_wrong_widths_are_refused(opposed: dict[str, Any]) -> None:
    for part, shape in (("data", (3, 3)), ("data", (2, 1)), ("splits", (4, 3)), ("leaves", (4, 7))):
        assert "shape of the problem" in tampered(opposed, part, lambda _, s=shape: np.ones(s))


def test_huge_and_endless_trees_are_refused_at_once(opposed: dict[str, Any]) -> None:
    rows = np.tile([0.0, 1.0], (MAX_SEARCHED, 1))
    assert "accepted are" in tampered(opposed, "splits", lambda _: np.vstack([rows, rows]))
    # One edge halved again and again: the limit is where halves stop being exact.
    assert "at most 50 times" in tampered(opposed, "splits", lambda _: rows)


def test_no_mutation_proves_more_than_is_true(whitened: dict[str, Any]) -> None:
    """P = 3 here (theory §7), so no accepted variant may prove more."""
    rng = np.random.default_rng(0)
    proof = copy.deepcopy(whitened)
    proof["claimed"]["primal_lower"] = (0.0).hex()
    parts = {part: numbers(value) for part, value in proof["gap"]["search"].items()}
    accepted = 0
    for _ in range(300):
        mutant = {part: array.copy() for part, array in parts.items()}
        array = mutant[list(parts)[rng.integers(3)]]
        place = tuple(rng.integers(size) for size in array.shape)
        array[place] = rng.choice(
            [0, -array[place], array[place] * (1 + 1e-3 * rng.standard_normal()), 1e300, 1e-300]
        )
        if rng.random() < 0.2:
            array[:] = array[rng.permutation(len(array))]
        proof["gap"]["search"] = {part: matrix(array) for part, array in mutant.items()}
        verdict = verify(proof)
        if verdict.accepted:
            accepted += 1
            assert verdict.primal_lower <= 3
    assert 0 < accepted < 300


def test_malformed_blocks_are_refused_in_one_line(opposed: dict[str, Any]) -> None:
    for junk in (None, 3, "x", [], {}, {"data": 1}, {"data": None, "splits": {}, "leaves": []}):
        proof = copy.deepcopy(opposed)
        proof["gap"]["search"] = junk
        reason = verify(proof).reason
        assert reason != "proved" and "\n" not in reason


@pytest.mark.parametrize(
    "changes",
    [
        {"depth": 4},
        {"activation": "linear"},
        {"architecture": "parallel"},
        {"beta": (0.1).hex()},
    ],
)
def test_the_block_is_for_three_standard_relu_layers_alone(
    opposed: dict[str, Any], changes: dict[str, Any]
) -> None:
    proof = copy.deepcopy(opposed)
    proof["problem"] |= changes
    proof["upper"] = proof["gap"]["bidual"] if "architecture" in changes else proof["upper"]
    assert not verify(proof).accepted


@pytest.mark.parametrize(
    "p",
    [
        problem(OPPOSED, OPPOSED, depth=4),
        problem(OPPOSED, OPPOSED, beta=0.1),
        problem(OPPOSED, OPPOSED, architecture="parallel"),
        problem(np.eye(5), np.eye(5)),
        problem(np.eye(1), np.eye(1)),
        problem(np.array([[1.0], [0.0]]), np.array([[1.0], [0.0]])),
    ],
)
def test_other_problems_have_no_search(p: Problem) -> None:
    with pytest.raises(MethodError, match="the search is for"):
        search(p, 1)


def test_a_search_needs_room_for_its_leaves() -> None:
    with pytest.raises(MethodError, match="leaves is 0"):
        search(problem(OPPOSED, OPPOSED), 1, leaves=0)

"""The judge accepts what is true and proved, and nothing else."""

from __future__ import annotations

import copy
import json
import math
import time
from itertools import product
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.checker.examples import (
    CERTIFICATES,
    Array,
    branches_of,
    linear_case,
    linear_certificate,
    linear_network,
    one_hot_certificate,
    opposed_certificate,
    problem,
    relu,
    tree_certificate,
    two_layer_certificate,
)
from zerogap.checker import check, verify
from zerogap.checker.balls import PRECISION, balls, rationals, root
from zerogap.checker.batches import largest_level
from zerogap.checker.files import Unreadable, read_jsonl
from zerogap.checker.losses import LOSSES
from zerogap.checker.pricing import faces_of, level, supports
from zerogap.checker.statement import Statement
from zerogap.checker.theorems import rank_one
from zerogap.model.errors import DataError, ProblemError
from zerogap.model.network import Network
from zerogap.solving.certificates import build, matrix, write_jsonl
from zerogap.solving.solver import solve


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("linear-2", "zero"),
        ("linear-3", "positive"),
        ("opposed-3", "positive"),
        ("opposed-5", "positive"),
        ("two-layer", "zero"),
        ("one-hot", "positive"),
        ("one-hot-three", "positive"),
        ("tree", "zero"),
    ],
)
def test_true_statements_are_proved(name: str, status: str) -> None:
    certificate = json.loads(json.dumps(CERTIFICATES[name](), allow_nan=False))
    verdict = verify(certificate)
    assert verdict.accepted, verdict.reason
    assert verdict.status == status
    assert verdict.dual <= verdict.primal_lower <= verdict.primal
    assert verdict.dual <= verdict.dual_upper


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
def test_linear_bounds_meet_the_schatten_values(depth: int) -> None:
    _, _, s, _ = linear_case(depth, seed=depth)
    verdict = verify(linear_certificate(depth, seed=depth))
    assert verdict.accepted, verdict.reason
    assert verdict.dual == pytest.approx(depth / 2 * s.sum() ** (2 / depth), rel=1e-10)
    if depth > 2:
        exact = depth / 2 * np.sum(s ** (2 / depth))
        assert verdict.primal_lower == pytest.approx(exact, rel=1e-9)
        assert verdict.primal_lower <= exact * (1 + 1e-12)


def test_opposed_rank_one_data_have_a_primal_of_three_and_a_bound_of_2_38() -> None:
    verdict = verify(opposed_certificate())
    assert 3 <= verdict.primal <= 3 * (1 + 1e-15)
    assert verdict.primal_lower == pytest.approx(3, rel=1e-9)
    assert verdict.dual_upper == pytest.approx(1.5 * 2 ** (2 / 3), rel=1e-9)


@pytest.mark.parametrize("degrees", [20, 45, 80, 90, 135, 180])
@pytest.mark.parametrize("depth", [3, 4, 6])
def test_the_rank_one_theorem_matches_a_direct_search(degrees: int, depth: int) -> None:
    omega = math.radians(degrees)
    c = np.array([0.5, 2.0, -1.0, -0.3])
    a = np.array([0.6, 0.8])
    y_plus, y_minus = np.array([1.0, 0.0]), 0.6 * np.array([math.cos(omega), math.sin(omega)])
    X = np.outer(c, a)
    Y = np.outer(relu(c), y_plus) + np.outer(relu(-c), y_minus)
    tau = np.geomspace(1e-2, 1e2, 200_001)
    p, q = np.sqrt(1 + tau**2), 0.6 * np.sqrt(1 + tau**-2)
    area = p * q * math.sin(min(omega, math.pi / 2))
    sums, differences = np.sqrt(p**2 + q**2 + 2 * area), np.sqrt(p**2 + q**2 - 2 * area)
    power = 2 / (depth - 1)
    scaled = (((sums + differences) / 2) ** power + ((sums - differences) / 2) ** power).min()
    scaled **= 1 / power
    with ctx.workprec(PRECISION):
        squares = LOSSES["squared"](None)
        statement = Statement(
            X, Y, "relu", "standard", depth, "weight_decay", None, arb(0), squares
        )
        proved = float(rank_one(statement, arb(10)))
    assert proved == pytest.approx(depth / 2 * scaled ** (2 / depth), rel=1e-8)
    known = {3: {20: None, 45: 2.4388, 80: 2.5607, 90: 2.5671, 135: 2.5671, 180: 2.5671}}
    if depth == 3 and known[3][degrees]:
        assert proved == pytest.approx(known[3][degrees], abs=1e-4)  # theory §6


def test_regularised_linear_networks_have_a_certified_gap() -> None:
    """XᵀX = I, L = 3: singular values shrink one by one (theory §2)."""
    rng = np.random.default_rng(3)
    beta, L = 0.15, 3
    X, _ = np.linalg.qr(rng.standard_normal((8, 4)))
    Y = X @ rng.standard_normal((4, 3))
    U, sigma, Vt = np.linalg.svd(X.T @ Y, full_matrices=False)

    def best(value: Any) -> Array:
        grid = np.linspace(0, sigma[0], 400_001)
        return np.array([grid[np.argmin(value(grid, m))] for m in sigma])

    s = best(lambda x, m: (x - m) ** 2 / 2 + beta * L / 2 * x ** (2 / L))
    primal = float(np.sum((s - sigma) ** 2) / 2 + beta * L / 2 * np.sum(s ** (2 / L)))
    # D_β(t) soft-thresholds at β/t; multipliers are what the threshold cuts off.
    levels = np.linspace(0.6, 3, 60)
    pieces = [X @ U @ np.diag(np.minimum(sigma, beta / t)) @ Vt for t in levels]
    values = [
        beta / 2 * t**2 + np.sum(M * Y) - np.sum(M**2) / 2
        for t, M in zip(levels, pieces, strict=True)
    ]
    dual = min(values)
    shrunk = np.maximum(sigma - beta / levels[int(np.argmin(values))], 0)
    certificate = build(
        problem(X, Y, L, activation="linear", beta=beta),
        linear_network(U @ np.diag(s) @ Vt, L),
        {"kind": "levels", "evidence": [{"kind": "linear", "multipliers": M} for M in pieces]},
        gap={"theorem": "shrinkage", "bidual": branches_of(U @ np.diag(shrunk) @ Vt, L)},
        claimed={
            "primal": primal,
            "dual": dual * (1 - 1e-3),
            "primal_lower": primal * (1 - 1e-6),
            "dual_upper": dual * (1 + 1e-3),
        },
    )
    verdict = verify(certificate)
    assert verdict.accepted, verdict.reason
    assert verdict.status == "positive"
    assert verdict.dual <= dual * (1 + 1e-12)
    assert verdict.primal_lower == pytest.approx(primal, rel=1e-8)


def brute_force(X: Array, L: Array, seed: int = 0) -> float:
    """The largest ‖Λᵀφ(Xu)‖ that random search on the sphere finds, refined around the best."""
    rng = np.random.default_rng(seed)

    def price(u: Array) -> Array:
        return np.linalg.norm(L.T @ relu(X @ u) / np.linalg.norm(u, axis=0), axis=0)

    u = rng.standard_normal((X.shape[1], 20_000))
    u = u[:, np.argsort(price(u))[-30:]]
    for radius in np.geomspace(1, 1e-6, 80):
        u = u / np.linalg.norm(u, axis=0)
        around = u[:, :, None] + radius * rng.standard_normal((*u.shape, 100))
        tried = np.concatenate([u[:, :, None], around], axis=2)
        values = price(tried.reshape(len(u), -1)).reshape(tried.shape[1:])
        u = tried[:, np.arange(u.shape[1]), values.argmax(axis=1)]
    return float(price(u).max())


DATA = {
    "generic-2d": lambda rng: rng.standard_normal((7, 2)),
    "generic-3d": lambda rng: rng.standard_normal((6, 3)),
    "generic-4d": lambda rng: rng.standard_normal((5, 4)),
    "more-features": lambda rng: rng.standard_normal((3, 5)),
    "parallel-rows": lambda rng: np.array([[1.0, 2], [2, 4], [-1, -2], [0, 0], [3, 1], [3, 1]]),
    "nearly-parallel": lambda rng: np.array([[1.0, 1.0], [1.0, 1.0 + 2**-50], [0.5, -1.0]]),
    "low-rank": lambda rng: rng.integers(-3, 4, (6, 2)).astype(float) @ rng.integers(-3, 4, (2, 4)),
    "one-column": lambda rng: rng.standard_normal((5, 1)),
}


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("k", [1, 2, 3])
def test_pricing_is_an_upper_bound_and_tight(name: str, k: int) -> None:
    rng = np.random.default_rng(k)
    X = DATA[name](rng)
    L = rng.standard_normal((len(X), k))
    with ctx.workprec(PRECISION):
        proved = float(level(faces_of(rationals(X)), balls(L)))
    found = brute_force(X, L)
    assert found <= proved * (1 + 1e-12)
    assert proved <= found * (1 + 1e-4)


@pytest.mark.parametrize("name", DATA)
def test_batched_pricing_agrees_with_balls(name: str) -> None:
    rng = np.random.default_rng(5)
    X = DATA[name](rng)
    vectors = rng.standard_normal((20, len(X)))
    with ctx.workprec(PRECISION):
        faces = faces_of(rationals(X))
        exact = max(float(level(faces, balls(v[:, None]))) for v in vectors)
        batched = float(largest_level(faces, vectors))
    assert exact * (1 - 1e-12) <= batched <= exact * (1 + 1e-9)


def test_faces_of_generic_data_are_counted_right() -> None:
    X = np.random.default_rng(0).standard_normal((6, 3))
    with ctx.workprec(PRECISION):
        signs = faces_of(rationals(X)).signs
    zeros = (signs == 0).sum(axis=1)
    # 2(C(5,0)+C(5,1)+C(5,2)) cells, 15 lines, and on each of 6 planes 5 lines cut 10 walls.
    assert [int(np.sum(zeros == z)) for z in (0, 1, 2)] == [32, 60, 30]


def test_the_orthant_is_priced_tightly_even_where_eigenvalues_repeat() -> None:
    n = 4
    L = np.eye(n) - np.ones((n, n)) / n
    with ctx.workprec(PRECISION):
        proved = float(level(supports(n), balls(L)))
    assert proved == pytest.approx(math.sqrt(1 - 1 / n), rel=1e-9)


def test_a_tree_of_depth_three_is_exact() -> None:
    """Against the definition: c₃(λ) = max over z in conv(±V₂) of λᵀφ(z), by random search."""
    rng = np.random.default_rng(2)
    X, lam = rng.standard_normal((4, 2)), np.array([1.0, -0.7, 0.8, -0.5])
    u = rng.standard_normal((2, 4000))
    V = relu(X @ (u / np.linalg.norm(u, axis=0)))
    i, j = rng.integers(0, 4000, (2, 100_000))
    w = rng.uniform(-1, 1, 100_000)
    Z = w * V[:, i] + rng.choice([-1, 1], 100_000) * (1 - abs(w)) * V[:, j]
    found = float(np.abs(lam @ relu(Z)).max())
    evidence = {"kind": "tree", "multipliers": lam[:, None], "mu": np.zeros((8, 4))}
    loose = verify_bound(X, lam[:, None], evidence, 3)
    assert found <= loose
    boxes = [np.maximum(-s * lam, 0) for s in (1, -1) for _ in range(4)]
    for share in rng.uniform(0, 1, 8):
        evidence["mu"] = share * np.array(boxes)
        assert found <= verify_bound(X, lam[:, None], evidence, 3)


def verify_bound(X: Array, Y: Array, evidence: dict[str, Any], depth: int) -> float:
    """The proved c_L(Λ) of some evidence for Λ = Y, read off the dual value at a small beta."""
    p = problem(X, Y, depth, architecture="parallel", regularizer="power", beta=1e-3)
    one = np.ones((1, 1))
    zero = Network(
        ((np.zeros((X.shape[1], 1)), *[0 * one] * (depth - 2), np.zeros((1, Y.shape[1]))),), "relu"
    )
    certificate = build(p, zero, evidence, claimed={"primal": np.sum(Y**2) / 2, "dual": 0})
    verdict = verify(certificate)
    assert verdict.accepted, verdict.reason
    # −½θ²‖Λ‖² + θ tr(ΛᵀY) with Λ = Y: solve for θ = βL/2/c.
    square = float(np.sum(Y**2))
    theta = 1 - math.sqrt(max(0.0, 1 - 2 * verdict.dual / square))
    return 1e-3 * depth / 2 / theta


def test_outputs_scale_by_the_direction() -> None:
    X, q = np.eye(2), np.array([0.6, 0.8])
    lam = np.array([[1.0], [-1.0]])
    Y = np.array([[1.0], [-2.0]]) @ q[None]
    network = Network(((np.eye(2), Y),), "relu").balanced()
    evidence = {
        "kind": "outputs",
        "direction": q,
        "inner": {"kind": "faces", "multipliers": lam},
    }
    p = problem(X, Y, 2)
    verdict = verify(
        build(p, network, evidence, claimed={"primal": network.objective(p), "dual": 3})
    )
    assert verdict.accepted, verdict.reason
    assert verdict.dual == pytest.approx(3, rel=1e-9)


def test_nearby_data_cost_their_distance() -> None:
    """X is rank one up to rounding; as two factors it is so exactly."""
    c, a = np.array([[1.0], [-2.0], [0.7]]), np.array([[0.3, 0.4]]) / 0.5
    X = c @ a + 1e-15 * np.random.default_rng(0).standard_normal((3, 2))
    lam = np.array([[1.0], [-0.5], [0.2]])
    exact = max(float(lam[:, 0] @ relu(s * c[:, 0])) for s in (1, -1))
    exact = max(exact, max(-float(lam[:, 0] @ relu(s * c[:, 0])) for s in (1, -1)))
    for extra in ({}, {"X": [c, a]}):
        evidence = {"kind": "faces", "multipliers": lam, **extra}
        assert verify_bound(X, lam, evidence, 2) == pytest.approx(exact, rel=1e-6)


def test_a_vacuous_bound_is_zero() -> None:
    certificate = two_layer_certificate()
    certificate["lower"] = None
    certificate["claimed"]["dual"] = (0.0).hex()
    verdict = verify(certificate)
    assert verdict.accepted and verdict.dual == 0 and verdict.status == "open"


def overstate(certificate: dict[str, Any], name: str, factor: float) -> dict[str, Any]:
    certificate = copy.deepcopy(certificate)
    value = float.fromhex(certificate["claimed"][name])
    certificate["claimed"][name] = (value * factor).hex()
    return certificate


@pytest.mark.parametrize("name", CERTIFICATES)
def test_stronger_claims_are_refused(name: str) -> None:
    certificate = CERTIFICATES[name]()
    for key, factor in (("primal", 1 - 1e-6), ("dual", 1 + 1e-6)):
        verdict = verify(overstate(certificate, key, factor))
        assert not verdict.accepted and f"claimed.{key}" in verdict.reason
    if certificate["gap"] is not None:
        for key, factor in (("primal_lower", 1.5), ("dual_upper", 1 - 1e-6)):
            assert not verify(overstate(certificate, key, factor)).accepted


@pytest.mark.parametrize("name", CERTIFICATES)
def test_scaled_multipliers_prove_the_same(name: str) -> None:
    certificate = CERTIFICATES[name]()
    before = verify(certificate).dual
    block = certificate["lower"]["multipliers"]
    values = np.frombuffer(bytes.fromhex(block["data"])).reshape(block["shape"])
    certificate["lower"]["multipliers"] = matrix(4 * values)
    if "mu" not in certificate["lower"]:
        assert verify(certificate).dual == pytest.approx(before, rel=1e-9)


@pytest.mark.parametrize(
    "junk",
    [
        None,
        3,
        "x",
        [],
        {},
        {"format": "zerogap-certificate"},
        [[[]]],
        {"format": [], "version": {}},
    ],
)
def test_malformed_input_is_refused_in_one_line(junk: Any) -> None:
    verdict = verify(junk)
    assert not verdict.accepted and verdict.reason and "\n" not in verdict.reason


@pytest.mark.parametrize("text", ["1.5", "0x3p1", " 0x1.0p+0", "inf", "0x1.00000000000001p+0"])
def test_numbers_are_read_as_float_hex_writes_them(text: str) -> None:
    # "1.5" is hexadecimal to fromhex, 1.3125, and the last has more digits than a float64.
    certificate = json.loads(json.dumps(CERTIFICATES["linear-2"]()))
    certificate["claimed"] |= {"primal": "0x1.0p+60", "dual": text}
    assert "hexadecimal" in verify(certificate).reason


def test_the_version_is_a_number() -> None:
    certificate = CERTIFICATES["linear-2"]()
    certificate["version"] = True
    assert not verify(certificate).accepted


def test_evidence_does_not_cross_kinds_or_depths() -> None:
    """Two-layer faces say nothing about three layers, nor linear norms about ReLU."""
    linear, relu_ = linear_certificate(3), two_layer_certificate()
    relu_["lower"]["kind"] = "linear"
    assert "this kind is for" in verify(relu_).reason
    linear["lower"]["kind"] = "faces"
    assert "this kind is for" in verify(linear).reason
    tree = tree_certificate()
    tree["lower"]["mu"] = matrix(np.zeros((3, 2)))
    assert "fewer rows than the tree" in verify(tree).reason
    tree["lower"]["mu"] = matrix(np.zeros((5, 2)))
    assert "more rows than the tree" in verify(tree).reason


def test_theorems_refuse_what_they_do_not_cover() -> None:
    for name, theorem in product(("linear-3", "opposed-3", "one-hot"), ("rank-one", "schatten")):
        certificate = CERTIFICATES[name]()
        if certificate["gap"]["theorem"] != theorem:
            certificate["gap"]["theorem"] = theorem
            assert not verify(certificate).accepted
    certificate = one_hot_certificate((2, 1), 3)
    certificate["problem"]["regularizer"] = "power"
    assert not verify(certificate).accepted


def test_interpolation_means_rounding() -> None:
    certificate = linear_certificate(3)
    certificate["epsilon"] = (1e-3).hex()
    assert "epsilon" in verify(certificate).reason


def test_files_round_trip(tmp_path: Any) -> None:
    certificates = [linear_certificate(3), tree_certificate()]
    write_jsonl(tmp_path / "a.jsonl", certificates)
    assert read_jsonl(tmp_path / "a.jsonl") == certificates
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]
    (tmp_path / "b.jsonl").write_text('{"a": 1}\n{"a":\n')
    with pytest.raises(Unreadable, match="line 2"):
        read_jsonl(tmp_path / "b.jsonl")


def test_unknown_claims_are_refused_when_built() -> None:
    p, A, _, evidence = linear_case(2)
    with pytest.raises(DataError, match="claimed"):
        build(p, linear_network(A, 2), evidence, claimed={"primal": 1, "dual": 0, "gap": 3})


@pytest.mark.parametrize("name", CERTIFICATES)
def test_any_multipliers_obey_weak_duality(name: str) -> None:
    certificate = CERTIFICATES[name]()
    best = verify(certificate)
    shape = certificate["lower"]["multipliers"]["shape"]
    certificate["claimed"] |= {"dual": (0.0).hex(), "primal_lower": None}
    rng = np.random.default_rng(0)
    for _ in range(20):
        certificate["lower"]["multipliers"] = matrix(rng.standard_normal(shape))
        verdict = verify(certificate)
        if verdict.accepted:
            assert verdict.dual <= best.dual * (1 + 1e-9)
        else:
            assert "rows" in verdict.reason  # a tree has the shape of its multipliers' signs


def test_a_square_root_of_nearly_nothing_is_nearly_nothing() -> None:
    """A ball that reaches below zero used to become NaN, and a true certificate was refused."""
    with ctx.workprec(PRECISION):
        near = root(arb(0, 1e-40))
        assert near.is_finite() and near.contains(arb(1e-20)) and near < 1e-19
        assert not root(arb("nan")).is_finite()
    X, Y = np.array([[1.0, -2.0], [2.0, 1.0]]), np.array([[1.0, 1.0], [-1.0, -1.0]])
    verdict = verify(solve(problem(X, Y, 2), restarts=0).certificate)
    assert verdict.accepted, verdict.reason
    assert verdict.status == "zero"


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data(), n=st.integers(1, 3), d=st.integers(1, 3), k=st.integers(1, 3))
def test_what_solve_writes_for_small_whole_numbers_is_accepted(
    data: st.DataObject, n: int, d: int, k: int
) -> None:
    """Faces meet, singular values repeat and rows vanish far more often than in drawn data."""
    whole = st.integers(-3, 3).map(float)
    X = data.draw(arrays(float, (n, d), elements=whole))
    Y = data.draw(arrays(float, (n, k), elements=whole))
    kinds = [("relu", 2, None), ("relu", 2, 0.5), ("relu", 3, None), ("linear", 3, None)]
    activation, depth, beta = data.draw(st.sampled_from(kinds))
    try:
        p = problem(X, Y, depth, activation=activation, beta=beta)
    except ProblemError:  # no network interpolates
        return
    verdict = verify(solve(p, restarts=0).certificate)
    assert verdict.accepted, verdict.reason


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), n=st.integers(1, 3), d=st.integers(1, 3), k=st.integers(1, 3))
def test_what_solve_writes_for_regularised_linear_networks_of_whole_numbers_is_accepted(
    data: st.DataObject, n: int, d: int, k: int
) -> None:
    """Apart from the others for its many τ: each took 20,000 gradient steps where X is bad."""
    whole = st.integers(-3, 3).map(float)
    X = data.draw(arrays(float, (n, d), elements=whole))
    Y = data.draw(arrays(float, (n, k), elements=whole))
    depth, beta = data.draw(st.sampled_from([2, 3])), data.draw(st.sampled_from([1e-3, 0.5]))
    try:
        p = problem(X, Y, depth, activation="linear", beta=beta)
    except ProblemError:  # beta is nothing beside these data
        return
    started = time.process_time()
    verdict = verify(solve(p, restarts=0).certificate)
    assert verdict.accepted, verdict.reason
    assert time.process_time() - started < 20


def test_bounds_that_contradict_one_another_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proved them: this can only be a flaw of the checker."""
    certificate = linear_certificate(3)
    monkeypatch.setattr(check, "dual", lambda statement, evidence: arb(10) ** 6)
    verdict = verify(certificate)
    assert not verdict.accepted
    assert "contradict" in verdict.reason

"""Two-layer levels by cones: never below what is attained, and tight."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flint import ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.checker.examples import Array, problem
from tests.checker.test_check import DATA
from zerogap import verify
from zerogap.checker.balls import PRECISION, Refused, balls, rationals
from zerogap.checker.kinds import cones
from zerogap.checker.kinds.cones import cone_level
from zerogap.checker.pricing import faces_of, level
from zerogap.convex.columns import gauge
from zerogap.convex.oracles import Features
from zerogap.model.fit import Fit
from zerogap.model.network import Network
from zerogap.solving.certificates import build, matrix
from zerogap.solving.methods import columns
from zerogap.solving.solver import solve
from zerogap.theory.arrangements import row_space


def by_faces(X: Array, multipliers: Array) -> float:
    with ctx.workprec(PRECISION):
        return float(level(faces_of(rationals(X)), balls(multipliers)))


# Low rank is proved by two factors (test_tampering); in more dimensions than its rank it is slow.
@pytest.mark.parametrize("name", sorted({*DATA} - {"low-rank"}))
@pytest.mark.parametrize("seed", range(4))
def test_cones_agree_with_all_faces(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = DATA[name](rng)
    multipliers = rng.standard_normal((len(X), 1)) * (rng.random((len(X), 1)) < 0.8)
    exact = by_faces(X, multipliers)
    found = float(cone_level(X, multipliers))
    assert exact * (1 - 1e-12) <= found <= exact * (1 + 2e-9) + 1e-300


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 4), st.integers(1, 4))
def test_cones_agree_with_all_faces_for_any_outputs(seed: int, n: int, d: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    # Small integers make parallel, opposite, zero and dependent rows, and ties.
    X = rng.integers(-2, 3, (n, d)).astype(float) if seed % 2 else rng.standard_normal((n, d))
    Q = row_space(X)
    X, multipliers = X @ Q, rng.integers(-2, 3, (n, k)).astype(float)
    if not X.shape[1]:
        return
    exact = by_faces(X, multipliers)
    found = float(cone_level(X, multipliers))
    # Where all terms cancel, their rounding is left.
    rounding = 1e-12 * np.sum(np.linalg.norm(X, axis=1) * np.linalg.norm(multipliers, axis=1))
    assert exact * (1 - 1e-12) <= found <= exact * (1 + 1e-9) + rounding


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize(("n", "d"), [(12, 2), (12, 3), (8, 4)])
def test_cones_are_tight_where_many_maxima_meet_the_constraint(n: int, d: int, k: int) -> None:
    rng = np.random.default_rng(n)
    X, Y = rng.standard_normal((n, d)), rng.standard_normal((n, k))
    optimal = gauge(Features(X), Fit(Y), None).multipliers
    exact = by_faces(X, optimal)
    assert exact * (1 - 1e-12) <= float(cone_level(X, optimal)) <= exact * (1 + 2e-9)


def test_the_level_scales_and_does_not_depend_on_the_frame_or_the_order() -> None:
    rng = np.random.default_rng(0)
    X, multipliers = rng.standard_normal((9, 3)), rng.standard_normal((9, 1))
    plain = float(cone_level(X, multipliers))
    rotation = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    order = rng.permutation(9)
    turned = float(cone_level((X @ rotation)[order], multipliers[order]))
    assert turned == pytest.approx(plain, rel=1e-8)
    assert float(cone_level(1e30 * X, 1e-9 * multipliers)) == pytest.approx(1e21 * plain, rel=1e-8)
    assert float(cone_level(X, -multipliers)) == plain


@pytest.mark.parametrize(("n", "d", "k", "beta"), [(150, 3, 1, 20.0), (90, 4, 3, 30.0)])
def test_many_samples_are_certified_and_a_stronger_claim_is_refused(
    n: int, d: int, k: int, beta: float
) -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((n, d)), rng.standard_normal((n, k))
    certificate = solve(problem(X, Y, 2, beta=beta), restarts=0).certificate
    assert certificate["lower"]["kind"] == "cones"
    verdict = verify(certificate)
    assert verdict.accepted, verdict.reason
    assert verdict.status == "zero"
    claimed, evidence = certificate["claimed"], certificate["lower"]
    stated, multipliers = claimed["dual"], evidence["multipliers"]
    for factor in (1 + 1e-6, 1 + 1e-4):
        claimed["dual"] = (float.fromhex(stated) * factor).hex()
        # A longer Λ is scaled back.
        evidence["multipliers"] = matrix(factor * entries(multipliers))
        assert "claimed.dual" in verify(certificate).reason


def entries(stored: dict[str, Any]) -> Array:
    data = np.frombuffer(bytes.fromhex(stored["data"]), dtype="<f8")
    return data.reshape(stored["shape"])


def test_several_outputs_take_cones_where_faces_would_take_long() -> None:
    rng = np.random.default_rng(0)
    for n, d, k, name in ((12, 3, 3, "faces"), (60, 3, 1, "faces"), (60, 3, 3, "cones")):
        X, Y = rng.standard_normal((n, d)), rng.standard_normal((n, k))
        kind = columns._evidence(problem(X, Y, 2))(Y)
        assert kind.kind == name


def test_samples_that_nearly_coincide_are_bounded() -> None:
    """Kinks at angles of 1e-4, 1e-6 and 0 from one another, and maxima between them."""
    rng = np.random.default_rng(0)
    for spread in (1e-4, 1e-6, 0.0):
        X = np.repeat(rng.standard_normal((6, 3)), 3, axis=0)
        X = X + spread * rng.standard_normal(X.shape)
        for k in (1, 2):
            multipliers = rng.standard_normal((18, k))
            exact = by_faces(X, multipliers)
            assert exact * (1 - 1e-12) <= float(cone_level(X, multipliers)) <= exact * (1 + 1e-9)


@pytest.mark.parametrize("k", [1, 4])
def test_every_direction_that_is_visited_is_below_the_level(k: int) -> None:
    rng = np.random.default_rng(k)
    X, multipliers = rng.standard_normal((30, 3)), rng.standard_normal((30, k))
    seen: list[tuple[Array, Array]] = []
    level = float(cone_level(1e9 * X, multipliers, lambda *found: seen.append(found)))
    U, values = (np.concatenate(part) for part in zip(*seen, strict=True))
    assert np.linalg.norm(U, axis=1).max() == pytest.approx(1)
    own = np.linalg.norm(np.maximum(U @ (1e9 * X).T, 0) @ multipliers, axis=1)
    assert values == pytest.approx(own)
    assert level * (1 - 1e-9) <= values.max() <= level


def test_what_does_not_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X, multipliers = rng.standard_normal((9, 3)), rng.standard_normal((9, 1))
    monkeypatch.setattr(cones, "MAX_CONES", 50)
    with pytest.raises(Refused, match="cones do not bound"):
        cone_level(X, multipliers)
    with pytest.raises(Refused, match="9 dimensions"):
        cone_level(rng.standard_normal((3, 9)), multipliers[:3])


@pytest.mark.parametrize(
    ("X", "multipliers", "level"),
    [
        ([[1.0], [1e-250]], [1e-250, 1.0], 2e-250),
        ([[1.0], [1e-300]], [1e-320, 1.0], 1e-300),
        ([[1e-90], [1e-240]], [1e-240, 1e-9], 1e-249),
        ([[1.0, 0.5], [1e-250, 3e-250]], [1e-200, 1.0], 1.118033988749895e-200),
        ([[1e200], [-1e-200]], [1e100, 1e300], 1e300),
        ([[0.0], [0.0]], [1.0, 2.0], 0.0),
    ],
)
def test_nothing_is_lost_to_underflow(
    X: list[list[float]], multipliers: list[float], level: float
) -> None:
    found = float(cone_level(np.array(X), np.array(multipliers)[:, None]))
    assert level * (1 - 1e-15) <= found <= level * (1 + 1e-8)


def test_a_false_statement_at_the_edge_of_floats_is_refused() -> None:
    """P = D = 1; where squares underflow, a checker could prove anything."""
    X, one = np.array([[1.0], [1e-250]]), np.ones((1, 1))
    evidence = {"kind": "cones", "multipliers": np.array([[1e-250], [1.0]])}
    network = Network(((one, one),), "relu")
    claimed = {"primal": 1.0, "dual": 1e14}
    assert (
        "claimed.dual" in verify(build(problem(X, X, 2), network, evidence, claimed=claimed)).reason
    )

    X = np.array([[1.0], [2.0], [1.0]])
    evidence = {
        "kind": "cones",
        "multipliers": 1e-165 * np.array([[1.0], [2.0], [0.0]]),
        "X": [np.array([[1.0, 0.0], [2.0, 0.0], [1.0, 1e66]]), np.array([[1.0], [0.0]])],
    }
    claimed = {"primal": 1.0, "dual": 1.3}
    assert not verify(build(problem(X, X, 2), network, evidence, claimed=claimed)).accepted

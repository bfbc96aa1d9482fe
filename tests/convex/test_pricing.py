"""Pricing by sweeps and by cones: exact on every arrangement, whatever its degeneracies."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerogap.checker.budget import Refused
from zerogap.checker.kinds.cones import cone_level
from zerogap.convex import proved
from zerogap.convex.columns import gauge
from zerogap.convex.interior import master
from zerogap.convex.oracles import Features
from zerogap.convex.pricing import MAX_VISITS, Sweep, circles, visited
from zerogap.convex.proved import Proved
from zerogap.model.errors import MethodError
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array
from zerogap.theory.arrangements import faces


def by_faces(X: Array, multipliers: Array) -> float:
    """c(Λ), one face of the enumerated arrangement at a time."""
    best = 0.0
    for group in faces(X):
        for pattern, basis in zip(group.patterns, group.basis, strict=True):
            u = basis @ np.linalg.svd((multipliers.T * pattern) @ X @ basis)[2][0]
            for v in (u, -u):
                best = max(best, float(np.linalg.norm(multipliers.T @ np.maximum(X @ v, 0))))
    return best


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 5), st.integers(1, 3))
def test_a_sweep_finds_what_enumerating_all_faces_finds(seed: int, n: int, d: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    # Small integers make parallel, opposite, zero and dependent rows.
    X = rng.integers(-2, 3, size=(n, d)).astype(float) if seed % 2 else rng.normal(size=(n, d))
    multipliers = rng.normal(size=(n, k))
    values, U = Sweep(X).price(multipliers, np.inf)
    assert values[0] == pytest.approx(by_faces(X, multipliers), rel=1e-11, abs=1e-13)
    attained = np.linalg.norm(multipliers.T @ np.maximum(X @ U[:, :1], 0))
    assert attained == pytest.approx(values[0], rel=1e-12, abs=1e-13)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 7), st.integers(1, 4))
def test_many_vectors_are_priced_as_one_by_one(seed: int, n: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    sweep, vectors = Sweep(rng.normal(size=(n, d))), rng.normal(size=(n, 9))
    values, _ = sweep.levels(vectors)
    singly = [sweep.price(vectors[:, [j]], np.inf)[0][0] for j in range(9)]
    np.testing.assert_allclose(values, singly, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(1, 4), st.integers(1, 3))
def test_cones_price_as_faces_do(seed: int, n: int, d: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, size=(n, d)).astype(float) if seed % 2 else rng.normal(size=(n, d))
    if not X.any():
        return
    multipliers = rng.normal(size=(n, k))
    values, atoms = Proved(X).price(multipliers, np.inf)
    exact = Sweep(X).price(multipliers, np.inf)[0][0]
    assert exact * (1 - 1e-11) <= values[0] <= exact * (1 + 1e-9) + 1e-11
    assert np.linalg.norm(multipliers.T @ atoms.V[:, 0]) == pytest.approx(
        exact, rel=1e-8, abs=1e-11
    )
    assert np.maximum(X @ atoms.U, 0) == pytest.approx(atoms.V, abs=1e-9)


@pytest.mark.parametrize("tau", [None, 0.2])
def test_column_generation_ends_where_it_does_over_all_faces(tau: float | None) -> None:
    rng = np.random.default_rng(2)
    X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    one, two = gauge(Features(X), Fit(Y), tau), gauge(Proved(X), Fit(Y), tau)
    assert two.upper == pytest.approx(one.upper, rel=1e-8)
    assert two.lower == pytest.approx(one.upper, rel=1e-8)


def test_a_pricing_that_fails_leaves_what_is_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    exact = gauge(Features(X), Fit(Y), 0.2)
    calls = iter(range(100))

    def fails(*given: Any) -> Any:
        if next(calls) == 4:
            raise Refused("too many")
        return cone_level(*given)

    monkeypatch.setattr(proved, "cone_level", fails)
    found = gauge(Proved(X), Fit(Y), 0.2)
    assert 0 < found.lower <= exact.upper <= found.upper * (1 + 1e-9)
    calls = iter([4])
    with pytest.raises(MethodError, match="not proved: too many"):
        gauge(Proved(X), Fit(Y), 0.2)


def test_all_local_maxima_above_the_floor_are_listed() -> None:
    rng = np.random.default_rng(3)
    X, multipliers = rng.normal(size=(12, 3)), rng.normal(size=(12, 2))

    def value(U: Array) -> Array:
        return np.linalg.norm(multipliers.T @ np.maximum(X @ U, 0), axis=0)

    top = Sweep(X).price(multipliers, np.inf)[0][0]
    values, U = Sweep(X).price(multipliers, 0.6 * top)
    assert (values >= 0.6 * top * (1 - 1e-9)).all() and (np.diff(values) <= 0).all()
    # Climb from many points: every summit reached is in the list.
    u = rng.normal(size=(3, 60))
    u /= np.linalg.norm(u, axis=0)
    for scale in np.geomspace(0.3, 1e-9, 20_000):
        trial = u + scale * rng.normal(size=u.shape)
        trial /= np.linalg.norm(trial, axis=0)
        better = value(trial) > value(u)
        u[:, better] = trial[:, better]
    high = value(u) > 0.6 * top * (1 + 1e-6)
    nearest = (u[:, high].T @ U).max(axis=1)
    assert high.sum() > 20 and nearest.min() > 1 - 1e-5


@pytest.mark.parametrize(("n", "r", "count"), [(5, 2, 1), (6, 3, 6), (6, 4, 15), (6, 5, 20)])
def test_generic_hyperplanes_meet_in_the_known_number_of_circles(
    n: int, r: int, count: int
) -> None:
    lines = np.random.default_rng(n + r).normal(size=(n, r))
    lines /= np.linalg.norm(lines, axis=1, keepdims=True)
    assert sum(len(piece.bases) for piece in circles(lines)) == count


def test_an_arrangement_too_large_to_sweep_is_refused_with_its_size() -> None:
    assert visited(200, 10) > MAX_VISITS
    with pytest.raises(MethodError, match="200 distinct hyperplanes in 10 dimensions"):
        Sweep(np.random.default_rng(0).normal(size=(200, 10)))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 3), st.booleans())
def test_the_master_closes_its_own_gap(seed: int, n: int, k: int, regularised: bool) -> None:
    rng = np.random.default_rng(seed)
    V = np.hstack([np.eye(n), np.maximum(rng.normal(size=(n, 6 * n)), 0)])
    Y = rng.normal(size=(n, k))
    level = 0.3 * float(np.linalg.norm(Y.T @ V, axis=0).max()) if regularised else None
    multipliers, weights = master(V, Y, level)
    total = float(np.linalg.norm(weights, axis=1).sum())
    product = float(np.sum(multipliers * Y))
    square = float(np.sum(multipliers**2))
    assert np.linalg.norm(multipliers.T @ V, axis=0).max() <= (level or 1.0) * (1 + 1e-12)
    missing = Y - V @ weights - (multipliers if regularised else 0)
    assert np.linalg.norm(missing) <= 1e-7 * np.linalg.norm(Y)
    if level is None:
        assert product == pytest.approx(total, rel=1e-7)
    else:
        primal = 0.5 * float(np.linalg.norm(V @ weights - Y) ** 2) + level * total
        assert product - 0.5 * square == pytest.approx(primal, rel=1e-7)

"""Three layers with two or three outputs: levels, covers of the directions, and their proof."""

from __future__ import annotations

import numpy as np
import pytest

from zerogap import Problem, solve
from zerogap.checker import verify
from zerogap.convex.columns import gauge
from zerogap.convex.oracles import Features
from zerogap.convex.outputs import ThreeLayers, scalar_levels
from zerogap.convex.path import path_gauge, path_level
from zerogap.model.errors import MethodError
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array
from zerogap.solving.certificates import matrix


def data(n: int, d: int, k: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(n, k))


def sampled(X: Array, count: int = 20_000) -> Array:
    """Outputs (n, count) of random unit branches of three layers and width two."""
    rng = np.random.default_rng(1)
    W, v = rng.normal(size=(count, X.shape[1], 2)), rng.normal(size=(count, 2))
    W /= np.linalg.norm(W, axis=(1, 2), keepdims=True)
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    hidden = np.maximum(np.einsum("nd,cdw->ncw", X, W), 0)
    return np.maximum(np.einsum("ncw,cw->nc", hidden, v), 0)


@pytest.mark.parametrize(("n", "d"), [(5, 2), (6, 3), (3, 1)])
def test_scalar_levels_agree_with_the_path_program(n: int, d: int) -> None:
    X, Y = data(n, d, 1)
    features = Features(X)
    multipliers = path_gauge(features, Fit(Y[:, :1]), 3).multipliers
    batch = np.column_stack([multipliers, -2 * multipliers, Y[:, 0]])
    found = scalar_levels(features, batch)
    assert [s.level for s in found[:2]] == pytest.approx([1.0, 2.0], rel=1e-6)
    V = sampled(X)
    for scalar, vector in zip(found, batch.T, strict=True):
        assert path_level(features, vector, scalar.mu, 3) == pytest.approx(scalar.level, rel=1e-9)
        assert np.abs(vector @ V).max() <= scalar.level
        attained = abs(vector @ scalar.branch.outputs(X))
        assert attained == pytest.approx(scalar.level, rel=1e-7)
        assert np.abs(scalar.branch.mixture).sum() <= 1 + 1e-12


@pytest.mark.parametrize("k", [2, 3])
def test_a_cover_bounds_every_direction_and_is_attained(k: int) -> None:
    X, multipliers = data(5, 2, k)
    oracle = ThreeLayers(Features(X), k)
    values, atoms = oracle.price(multipliers, 0.0)
    assert np.linalg.norm(multipliers.T @ sampled(X), axis=0).max() <= values[0]
    attained = np.linalg.norm(multipliers.T @ atoms.V, axis=0).max()
    assert attained == pytest.approx(values[0], rel=oracle.accuracy)
    rotation = np.linalg.qr(np.random.default_rng(4).normal(size=(k, k)))[0]
    turned = oracle.price(multipliers @ rotation, 0.0)[0][0]
    assert turned == pytest.approx(values[0], rel=2 * oracle.accuracy)


def test_one_direction_of_targets_is_the_scalar_program() -> None:
    X, y = data(5, 2, 1)
    q = np.array([[0.6, 0.8]])
    found = gauge(ThreeLayers(Features(X), 2), Fit(y @ q), None, 1e-6)
    assert found.upper == pytest.approx(path_gauge(Features(X), Fit(y), 3).upper, rel=2e-6)


def test_too_many_samples_or_outputs_are_refused() -> None:
    with pytest.raises(MethodError, match="9 samples and 2 outputs"):
        ThreeLayers(Features(data(9, 2, 2)[0]), 2)
    with pytest.raises(MethodError, match="4 outputs"):
        ThreeLayers(Features(data(4, 2, 4)[0]), 4)


def problem(k: int, beta: float | None) -> Problem:
    X, Y = data(4, 2, k, seed=1)
    shape = {"activation": "relu", "architecture": "parallel", "depth": 3}
    return Problem(X, Y, **shape, beta=beta, regularizer="power")


@pytest.mark.parametrize(("k", "beta", "width"), [(2, None, 1e-6), (2, 0.3, 1e-6), (3, None, 2e-4)])
def test_vector_targets_are_solved_and_proved(k: int, beta: float | None, width: float) -> None:
    bounds = solve(problem(k, beta), restarts=0)
    assert bounds.relative_gap <= width
    verdict = verify(bounds.certificate)
    assert verdict.accepted, verdict.reason
    assert verdict.dual >= bounds.dual * (1 - 1e-7)


def test_tampered_covers_are_refused() -> None:
    certificate = solve(problem(2, None), restarts=0).certificate
    lower = certificate["lower"]
    size = lower["splits"]["shape"][0]
    raw = np.frombuffer(bytes.fromhex(lower["splits"]["data"]), dtype="<f8").reshape(size, 4)
    assert (raw[:, 0] >= 0).any()
    row = int(np.flatnonzero(raw[:, 0] >= 0)[0])

    def changed(column: int, value: float) -> dict:
        splits = raw.copy()
        splits[row, column] = value
        return matrix(splits)

    rows = np.frombuffer(bytes.fromhex(lower["mu"]["data"]), dtype="<f8")
    mu = rows.reshape(lower["mu"]["shape"])
    for key, value in (
        ("splits", matrix(raw[:-1])),
        ("splits", matrix(np.vstack([raw, raw[-1:]]))),
        ("splits", changed(2, 0.0)),
        ("splits", changed(3, -1.0)),
        ("splits", changed(2, 0.5)),
        ("splits", changed(2, 1e300)),
        ("splits", changed(1, 5.0)),
        ("splits", changed(0, -1.0)),
        ("mu", matrix(mu[:-1])),
        ("mu", matrix(mu[::-1].copy())),
        ("mu", matrix(np.zeros_like(mu))),
    ):
        assert not verify({**certificate, "lower": {**lower, key: value}}).accepted, key

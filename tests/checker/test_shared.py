"""Regions of first layers: what they prove is true of every branch, whoever wrote them."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from flint import arb

from tests.checker.test_golden import golden
from tests.checker.test_tampering import decoded
from zerogap.checker import verify
from zerogap.checker.balls import Refused, rationals
from zerogap.checker.kinds.kind import Piece
from zerogap.checker.kinds.shared import _arcs, _largest, shared
from zerogap.convex.regions import Cover
from zerogap.solving.certificates import matrix


def branches(X: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
    """Outputs of random branches of four layers of unit norm, one a row."""
    out = []
    for _ in range(count):
        A, width = X, X.shape[1]
        for size in (*rng.integers(1, 4, 2), 1):
            W = rng.normal(size=(width, size))
            A, width = np.maximum(A @ W / np.linalg.norm(W), 0), size
        out.append(A[:, 0])
    return np.array(out)


def piece(X: np.ndarray, lam: np.ndarray, depth: int = 4, **fields: np.ndarray) -> Piece:
    stored = {name: matrix(value) for name, value in fields.items()}
    return Piece(X, lam[:, None], depth, stored, "lower")


@pytest.mark.parametrize("seed", range(12))
def test_any_regions_and_multipliers_bound_every_branch(seed: int) -> None:
    """Half-spaces, μ's and η's need not come from anywhere: what they prove is true."""
    rng = np.random.default_rng(seed)
    X, lam = rng.normal(size=(4, 2)), rng.normal(size=4)
    cover = Cover(X, lam)
    cover.refine(0.0, 4)
    mu, splits, eta = cover.evidence()
    attained = np.abs(branches(X, rng, 500) @ lam).max()
    for bend in range(5):
        if bend:
            mu = mu * rng.uniform(0, 2, mu.shape)
            cuts = splits.any(axis=1)
            splits = splits + 0.3 * rng.normal(size=splits.shape) * cuts[:, None]
            eta = eta * rng.uniform(0, 2, eta.shape) + 0.1 * rng.normal(size=eta.shape)
        level = shared(piece(X, lam, mu=mu, splits=splits, eta=eta))
        assert level >= attained
        if not bend:
            assert float(level) == pytest.approx(cover.level, rel=1e-9)


def test_the_largest_value_on_an_arc_is_that_of_dense_samples() -> None:
    rng = np.random.default_rng(0)
    X = np.array([[1.0, 0], [-2, 0], [1, 3], [-1, 1], [0, 0]])
    arcs, _ = _arcs(piece(X, X[:, 0]), rationals(X))
    assert len(arcs) == 6  # opposite and zero rows add none
    angles = np.linspace(0, 1, 2001)[:, None]
    for arc in arcs:
        r, s = np.array([[float(x) for x in ray] for ray in arc.rays])
        u = (1 - angles) * r + angles * s
        u /= np.linalg.norm(u, axis=1)[:, None]
        for _ in range(30):
            a, b, c = rng.normal(size=3)
            values = a * u[:, 0] ** 2 + 2 * b * u[:, 0] * u[:, 1] + c * u[:, 1] ** 2
            found = float(_largest(arc, arb(a), arb(b), arb(c)))
            assert found >= values.max() - 1e-12
            assert found <= values.max() + 1e-5


def test_the_example_is_proved_above_its_path_program() -> None:
    """§5: six points of the plane, whose path program of four layers is 494.6705."""
    assert verify(golden("shared")).dual > 2 * 495.1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"splits": lambda M: M[:-1]}, "splits has fewer rows"),
        ({"splits": lambda M: np.vstack([M, M[-1:]])}, "splits has more rows"),
        ({"splits": lambda M: M[:, :-1]}, "splits: accepted are rows b, c, h"),
        ({"mu": lambda M: M[:-1]}, "mu has fewer rows"),
        ({"mu": lambda M: np.vstack([M, M])}, "mu has more rows"),
        ({"eta": lambda M: M[:-1]}, "eta has fewer rows"),
        ({"eta": lambda M: np.vstack([M, M])}, "eta has more rows"),
        ({"eta": lambda M: M[:, :1]}, "eta has fewer columns"),
        ({"eta": lambda M: 0 * M}, "claimed.dual is"),
        ({"splits": lambda M: 0 * M[~M.any(axis=1)]}, "mu has more rows"),
    ],
)
def test_regions_with_a_hole_are_refused(change: dict[str, Any], reason: str) -> None:
    certificate = copy.deepcopy(golden("shared"))
    for key, made in change.items():
        certificate["lower"][key] = matrix(made(decoded(certificate["lower"][key])))
    verdict = verify(certificate)
    assert not verdict.accepted and reason in verdict.reason


def test_data_beyond_the_plane_are_refused_in_one_line() -> None:
    line, none = np.arange(1.0, 5)[:, None], np.zeros((40, 4))
    splits, eta = np.zeros((40, 9)), np.zeros((40, 1))
    for X in (np.hstack([line, line**2, line**3]), np.hstack([line, 2 * line])):
        with pytest.raises(Refused, match="accepted are"):
            shared(piece(X, np.ones(4), mu=none, splits=splits, eta=eta))

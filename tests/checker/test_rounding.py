"""The float64 proofs charge more than they lose, against the same formulas in balls."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb, arb_mat, ctx

from tests.checker.examples import Array
from zerogap.checker.balls import PRECISION, balls, floats, rationals, total
from zerogap.checker.batches import float_tops, largest_level
from zerogap.checker.kinds import cones
from zerogap.checker.pricing import faces_of, level

SEEDS = range(6)


def awkward(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Normal numbers of sizes from 1e-6 to 1e6, some of them repeated, so that sums cancel."""
    values = rng.standard_normal(shape) * 10.0 ** rng.uniform(-6, 6, shape)
    repeated = rng.random(shape) < 0.3
    return np.where(repeated, rng.choice([-1.0, 1.0], shape) * np.abs(values).max(), values)


@pytest.fixture(autouse=True)
def precision() -> None:
    ctx.prec = PRECISION


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("n", "d"), [(5, 2), (9, 3), (6, 5)])
def test_batches_are_off_by_less_than_they_charge(seed: int, n: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    faces, W = faces_of(rationals(awkward(rng, (n, d)))), awkward(rng, (n, 20))
    weighted = np.array([float(x) for x in faces.norms])[:, None] * W
    sizes = np.abs(weighted).sum(axis=0)
    tops, error = float_tops(faces, weighted / sizes)
    worst = 0.0
    for j in range(W.shape[1]):
        exact, size = [x * y for x, y in zip(faces.norms, column(W, j), strict=True)], sizes[j]
        values = []
        for signs, flat in zip(faces.signs, faces.flat, strict=True):
            on = np.flatnonzero(signs > 0).tolist()
            K, nu = faces.spans[flat], [x / arb(size) for x in exact]
            h = [total(K[i, j] * nu[j] for j in on) for i in range(n)]
            signed = [int(s) * x for s, x in zip(signs, h, strict=True) if s]
            if not (any(x < -2 * error for x in signed) and any(x > 2 * error for x in signed)):
                values.append(total(nu[i] * h[i] for i in on))
        # Every face that may count was counted, at no less than its value minus the error.
        assert all(arb(tops[j]) + error >= value for value in values)
        worst = max(worst, *(float(value - arb(tops[j])) for value in values))
        single = level(faces, balls(W[:, [j]]))
        assert largest_level(faces, W[:, [j]].T) * (1 + arb(2.0**-100)) >= single.lower()
    assert worst <= error / 2  # the factor that the derivation leaves


def column(W: Array, j: int) -> list[arb]:
    return [arb(x) for x in W[:, j].tolist()]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("n", "d"), [(7, 2), (12, 4), (40, 8)])
def test_cones_are_off_by_less_than_they_charge(seed: int, n: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    X, lam = awkward(rng, (n, d)), awkward(rng, (n,))
    corners = np.diag(rng.choice([-1.0, 1.0], d))[None]
    for _ in range(10):
        halves = cones._halves(corners, cones._unit(corners))
        corners = halves[rng.integers(len(halves))][None]
    rays = cones._unit(corners)
    slight, error = cones._errors(X, lam)
    exact = arb_mat(d, d, [x / norm for row, norm in normed(corners[0]) for x in row])
    Z = np.einsum("nd,bjd->bnj", X, rays)
    products = balls(X) * exact.transpose()
    assert all(
        abs(products[i, j] - Z[0, i, j]) <= float(slight[i, 0]) / 2
        for i in range(n)
        for j in range(d)
    )
    # Any split of the samples into linear and convex ones, any θ: h_j in floats and in balls.
    columns, share = lam[:, None] * X, rng.random(n) * (rng.random(n) < 0.5)
    kinked = (share == 0) * np.maximum(lam, 0)
    g, p = share @ columns, np.einsum("n,bnj->bj", kinked, np.maximum(Z, 0))
    slope = balls((share * 1.0)[None]) * scaled_rows(lam, X)
    rest = balls(kinked[None]) * arb_mat(n, d, [x.max(arb(0)) for x in products.entries()])
    heights = np.einsum("bd,bjd->bj", g[None], rays) + p
    true = slope * exact.transpose() + rest
    assert all(abs(true[0, j] - heights[0, j]) <= error / 2 for j in range(d))
    # κ for the middle ray that is used, and the whole bound with the errors charged.
    middle = arb_mat(1, d, [x / arb(d) for x in (balls(np.ones((1, d))) * exact).entries()])
    length = total(x**2 for x in middle.entries()).sqrt()
    kappa = min(((middle * exact.transpose()) * (1 / length)).entries(), key=float)
    highest = max(true.entries(), key=float).max(arb(0)) / kappa
    longest = total(x**2 for x in slope.entries()).sqrt() + max(rest.entries(), key=float) / kappa
    (bound,) = cones._bounds(g[None], p, rays, error)
    assert bound >= highest.min(longest)


def normed(rows: Array) -> list[tuple[list[arb], arb]]:
    exact = [[arb(x) for x in row] for row in rows.tolist()]
    return [(row, total(x**2 for x in row).sqrt()) for row in exact]


def scaled_rows(lam: Array, X: Array) -> arb_mat:
    return arb_mat(
        [[arb(a) * arb(x) for x in row] for a, row in zip(lam.tolist(), X.tolist(), strict=True)]
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_floats_of_a_ball_are_near_its_middle(seed: int) -> None:
    """`floats` is trusted with two units of rounding where K and the norms are read."""
    rng = np.random.default_rng(seed)
    M = balls(awkward(rng, (8, 8))) * balls(awkward(rng, (8, 8)))
    near = zip(M.entries(), floats(M).ravel().tolist(), strict=True)
    assert all(abs(x - y) <= abs(x) * 2.0**-52 for x, y in near)

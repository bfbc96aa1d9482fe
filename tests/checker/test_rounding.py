"""The float64 proofs charge more than they lose, against the same formulas in balls."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest
from flint import arb, arb_mat, ctx, fmpq_mat

from tests.checker.examples import Array
from zerogap.checker import upper
from zerogap.checker.balls import (
    PRECISION,
    Refused,
    balls,
    diagonal,
    floats,
    frobenius,
    rationals,
    total,
)
from zerogap.checker.batches import float_tops, largest_level
from zerogap.checker.eigen import float_top_eigenvalue, positive_definite
from zerogap.checker.kinds import cones, moments
from zerogap.checker.kinds.kind import Piece
from zerogap.checker.pricing import faces_of, level
from zerogap.solving.certificates import _encode

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
@pytest.mark.parametrize(("n", "d", "k"), [(7, 2, 1), (12, 4, 3), (40, 8, 1), (30, 3, 10)])
def test_cones_are_off_by_less_than_they_charge(seed: int, n: int, d: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    X, L = awkward(rng, (n, d)), awkward(rng, (n, k))
    corners = np.diag(rng.choice([-1.0, 1.0], d))[None]
    for _ in range(int(rng.integers(12))):
        halves = cones._halves(corners, cones._unit(corners))
        corners = halves[rng.integers(len(halves))][None]
    slight, error = cones._errors(X, L)
    found = cones._Cones.of(X, L, cones._unit(corners), slight)
    found.theta, found.chord = rng.random(len(found.z)), rng.random(len(found.z)) < 0.5
    G, (size,) = found.forms()
    exact = arb_mat(d, d, [x / norm for row, norm in normed(corners[0]) for x in row])
    products, Z = balls(X) * exact.transpose(), X @ found.rays[0].T
    for i in range(n):
        for j in range(d):
            assert abs(products[i, j] - Z[i, j]) <= float(slight[i, 0]) / 2
        # The sign of a sample that is not taken for a kink is that of all rays, as it is used.
        if i not in found.sample:
            assert len({bool(products[i, j] > 0) for j in range(d)}) == 1
    # The same forms in balls, with what was chosen for every kink.
    b, w = arb_mat(n, d), arb_mat(n, d)
    chosen = {
        int(i): (float(t), bool(c))
        for i, t, c in zip(found.sample, found.theta, found.chord, strict=True)
    }
    for i in range(n):
        for j in range(d):
            z = products[i, j]
            if i in chosen:
                theta, chord = chosen[i]
                w[i, j] = z.max(arb(0)) - theta * z
                b[i, j] = z.max(arb(0)) if chord else theta * z
            else:
                b[i, j] = z.max(arb(0))
    lam = balls(L)
    H, along = lam.transpose() * b, lam * (lam.transpose() * b)
    lengths = [total(x**2 for x in row).sqrt() for row in lam.tolist()]
    W = [total(lengths[i] * w[i, j] for i in chosen) for j in range(d)]
    wrong = {
        (i, j): ((-1 if chosen[i][1] else 1) * along[i, j] + lengths[i] * W[j]).max(arb(0))
        for i in chosen
        for j in range(d)
    }
    E = arb_mat(
        [[total(wrong[i, j] * w[i, m] for i in chosen) for m in range(d)] for j in range(d)]
    )
    true = H.transpose() * H + E + E.transpose()
    charged = 2 * error * (float(size) + error)
    assert all(abs(true[j, m] - G[0, j, m]) <= charged / 2 for j in range(d) for m in range(d))
    # What is said to lie below c is proved to: c²RRᵀ − G is positive on the rays at least.
    for c in (float(size), 0.9 * float(size), 1e-3 * float(size)):
        if found.below(c, error)[0]:
            assert all(c**2 >= true[j, j] for j in range(d))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("d", [1, 2, 5, 8])
def test_what_is_called_definite_is_so_in_rationals(seed: int, d: int) -> None:
    """Matrices of less than full rank, off by rounding."""
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((400, d, max(1, d - 1))) * 10.0 ** rng.uniform(-6, 6, (400, d, 1))
    A = factors @ factors.swapaxes(1, 2)
    A = (A + A.swapaxes(1, 2)) / 2
    A += (
        10.0 ** rng.uniform(-18, -10, (400, 1, 1))
        * np.einsum("bii->b", A)[:, None, None]
        * np.eye(d)
    )
    found = cones._definite(A)
    assert found.any()
    for matrix in A[found]:
        exact = rationals(matrix)
        minors = [
            fmpq_mat(j, j, [exact[p, q] for p in range(j) for q in range(j)]).det()
            for j in range(1, d + 1)
        ]
        assert all(minor > 0 for minor in minors)


def normed(rows: Array) -> list[tuple[list[arb], arb]]:
    exact = [[arb(x) for x in row] for row in rows.tolist()]
    return [(row, total(x**2 for x in row).sqrt()) for row in exact]


@pytest.mark.parametrize("seed", SEEDS)
def test_floats_of_a_ball_are_near_its_middle(seed: int) -> None:
    """`floats` is trusted with two units of rounding where K and the norms are read."""
    rng = np.random.default_rng(seed)
    M = balls(awkward(rng, (8, 8))) * balls(awkward(rng, (8, 8)))
    near = zip(M.entries(), floats(M).ravel().tolist(), strict=True)
    assert all(abs(x - y) <= abs(x) * 2.0**-52 for x, y in near)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("n", "d", "k"), [(6, 3, 1), (9, 2, 3)])
@pytest.mark.parametrize("cornered", [False, True])
def test_forms_of_moments_are_off_by_less_than_they_charge(
    seed: int, n: int, d: int, k: int, cornered: bool
) -> None:
    rng = np.random.default_rng(seed)
    k = 1 if cornered else k
    factors = awkward(rng, (n, 2 if cornered else k)), awkward(rng, (2, 1))
    pairs = awkward(rng, (2 * n, 2 * n))
    block = moments.Block(
        sign=1 if k == 1 else 0,
        pairs=np.tril(pairs) + np.tril(pairs, -1).T,
        cones=awkward(rng, (k + d, 2 * n)),
        trace=float(rng.normal()),
    )
    X, c0 = awkward(rng, (n, d)), float(rng.normal())
    Lambda, v = factors if cornered else (factors[0], np.eye(k))
    computed, error = moments._form(X, Lambda @ v, np.abs(Lambda) @ np.abs(v), c0, block)
    exact = balls(np.zeros_like(computed))
    # zᵀ(−H)z is bilinear: entry by entry from (p, q) = T(r, u, p).
    T = np.zeros((2 * n, k + d + n))
    T[:n, k + d :] = T[n:, k + d :] = np.eye(n)
    T[n:, k : k + d] = -X
    heads = np.zeros((k + d, k + d + n))
    heads[:, : k + d] = np.eye(k + d)
    T_, S, C, H = (balls(A) for A in (T, block.pairs, block.cones, heads))
    beside = H.transpose() * C * T_
    exact = T_.transpose() * S * T_ + beside + beside.transpose()
    signs = np.diag([block.trace - c0] * k + [-block.trace] * d + [0.0] * n)
    place = np.eye(k + d + n)
    beside = balls((block.sign or 1) / 2 * place[:, :k]) * (balls(Lambda) * balls(v)).transpose()
    beside *= balls(place[k + d :])
    exact += balls(signs) + beside + beside.transpose()
    assert frobenius(exact - balls(computed)) <= error


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n", [1, 4, 40])
def test_a_float_cholesky_factor_bounds_the_largest_eigenvalue(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    A = awkward(rng, (n, n)) if seed % 2 else rng.normal(size=(n, 2)) @ rng.normal(size=(2, n))
    M = np.tril(A) + np.tril(A, -1).T
    bound = float_top_eigenvalue(M, 0.0)
    assert positive_definite(diagonal([arb(bound)] * n) - balls(M))
    assert bound <= np.linalg.eigvalsh(M)[-1] + 1e-9 * np.abs(M).sum()
    assert float_top_eigenvalue(M, 0.5) >= bound + 0.5


@pytest.mark.parametrize(
    ("x", "small", "scale"),
    [(1e200, 1e-230, 1e100), (1e100, 1e-230, 1e100), (1e300, 5e-324, 1.0), (1.0, 5e-324, 1.0)],
)
def test_what_underflows_in_a_form_of_moments_proves_nothing(
    x: float, small: float, scale: float
) -> None:
    one, zeros = np.ones((1, 1)), np.zeros((2, 2))
    block = {"sign": 0, "sides": 0 * one, "pairs": zeros, "cones": np.zeros((3, 2)), "trace": 0.0}
    lower = {
        "kind": "moments",
        "multipliers": np.array([[small, 0.0]]),
        "scale": scale,
        "level": 0.0,
        "blocks": [block],
    }
    piece = Piece(x * one, lower["multipliers"], 2, _encode(lower), "lower")
    with suppress(Refused):
        assert moments.moments(piece) >= arb(small) * arb(x)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_branches_of_one_neuron_a_layer_are_evaluated_as_two_layers(
    depth: int, relu: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    X, widths = awkward(rng, (5, 3)), [3, *[1] * (depth - 1), 2]
    branches = [[awkward(rng, shape) for shape in pairwise(widths)] for _ in range(4)]
    together = upper._chains(X, branches, relu)
    apart = sum((upper.outputs(X, branch, relu) for branch in branches[1:]),
                upper.outputs(X, branches[0], relu))  # fmt: skip
    for x, y in zip(together.entries(), apart.entries(), strict=True):
        assert x.overlaps(y)
        assert x.rad() <= 2 * y.rad() + 1e-60

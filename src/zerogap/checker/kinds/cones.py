"""A proved upper bound on the level of scalar multipliers for hundreds of samples: cones of u.

c = max |λᵀφ(Xu)| over ‖u‖ ≤ 1. On a cone of unit rays r_1 … r_d, u = Σ a_j r_j with a ≥ 0, samples
that are positive on all rays are linear, x_i·u, and those negative on all are zero. Of the others,
λ_i > 0 gives λ_i φ(x_i·u) ≤ Σ_j a_j λ_i φ(x_i·r_j), because φ is convex and homogeneous, and
λ_i < 0 gives λ_i φ(x_i·u) ≤ θ_i λ_i x_i·u for any 0 ≤ θ_i ≤ 1. So, with a vector g and p ≥ 0,

    λᵀφ(Xu) ≤ g·u + Σ a_j p_j = Σ a_j h_j,    h_j = g·r_j + p_j.

Σ a_j ≤ 1/κ where ‖u‖ ≤ 1 and κ = min_j m·r_j > 0 for a unit vector m, hence the bounds max h_j/κ
and ‖g‖ + max p_j/κ. The orthants cover all u; a cone whose bound is more than a share _LOSS above a
value that is attained is bisected at its longest edge. An end of the search is a proof, and it ends
soon: at a maximum in the middle of a cell, or on kinks with the right θ, the second bound is tight.

Cones are exact; the rest is float64 with its rounding charged (Higham, Accuracy and Stability,
§3.1: an inner product of n terms in any order is off by γ_n = nu/(1 − nu) of the sum of absolute
terms, u = 2⁻⁵³; products of errors are covered by the ample factors).

- A unit ray is off by (d/2 + 3)u, sum of squares, root and division, so x_i·r_j by
  (3d/2 + 4)u ‖x_i‖. Charged for its sign: 16(d + 4)u ‖x_i‖.
- The terms of g and p are off by another (n + 2)u of Σ|λ_i|‖x_i‖, and g·r_j by the product and the
  ray once more: together (n + 3d + 12)u Σ|λ_i|‖x_i‖. Charged for h_j: 16(n + d + 8)u Σ|λ_i|‖x_i‖.
- κ is off by (2d + 6)u ≤ 22u, d ≤ 8. Rays of one orthant have no obtuse angles, so with m along
  Σ r_i, κ ≥ 1/d, and this is less than 2·10⁻¹⁴ of κ. Charged: 10⁻¹³ for κ, and again for the few
  operations that are left, ‖g‖ among them.
"""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
from flint import arb

from zerogap.checker.balls import Array, Refused, balls, frobenius
from zerogap.checker.budget import STEP, spend
from zerogap.checker.eigen import spectral_norm
from zerogap.checker.kinds.kind import Piece, kind
from zerogap.checker.limits import MAX_CONES, MAX_DIMENSIONS

# Relative to the level that is attained.
_LOSS = 1e-9
# Cones at a time: their inner products with the samples, as many numbers as this.
_NUMBERS = 2_000_000
# Kinks in a cone whose θ are optimised, and the steps of that; any θ is valid.
_KINKS, _STEPS = 12, 6
_UNIT = 2.0**-53


@kind("cones", "relu", range(2, 3))
def cones(piece: Piece) -> arb:
    """c(λ; X), or of factors A B near X: c(λ; AB) ≤ ‖B‖₂ c(λ; A), as ‖Bu‖ ≤ ‖B‖₂."""
    if piece.multipliers.shape[1] != 1:
        piece.refuse(": cones are for one output")
    if piece.fields.get("X") is None:
        return cone_level(piece.X, piece.multipliers)
    parts = piece.factors()
    if len(parts) != 2:
        piece.refuse(".X: accepted are two factors")
    A, B = parts
    distance = frobenius(balls(piece.X) - balls(A) * balls(B))
    drift = distance * frobenius(balls(piece.multipliers))
    return cone_level(A, piece.multipliers) * spectral_norm(balls(B)) + drift


def cone_level(X: Array, multipliers: Array) -> arb:
    """An upper bound on c(λ) for λ (n, 1), tight to about 1e-9; float64 with error bounds."""
    d = X.shape[1]
    if d > MAX_DIMENSIONS:
        raise Refused(f"{d} dimensions are more than the {MAX_DIMENSIONS} accepted for cones")
    if not (np.isfinite(X).all() and np.isfinite(multipliers).all()):
        raise Refused("the data or multipliers are not finite")
    used = X.any(axis=1) & (multipliers[:, 0] != 0)
    if not used.any():
        return arb(0)
    # λ_i φ(x_i·u) = 2ᵏλ_i φ(2⁻ᵏx_i·u), exactly: rows and the largest multiplier are brought to
    # order one, so that whatever underflows is far below the errors that are charged.
    X, lam = X[used], multipliers[used, 0]
    rows = np.frexp(np.abs(X).max(axis=1))[1]
    shares, powers = np.frexp(lam)
    powers = powers + rows
    top = int(powers.max())
    X, lam = np.ldexp(X, -rows[:, None]), np.ldexp(shares, powers - top)
    return arb(max(_largest(X, lam), _largest(X, -lam))) * arb(2) ** top


def _largest(X: Array, lam: Array) -> float:
    """An upper bound on max λᵀφ(Xu), ‖u‖ ≤ 1."""
    n, d = X.shape
    slight, error = _errors(X, lam)
    columns = lam[:, None] * X
    waiting = [np.array([np.diag(signs) for signs in product((1.0, -1.0), repeat=d)])]
    attained, proved, count = 0.0, 0.0, 0
    while waiting:
        cones = waiting.pop()
        batch = max(1, _NUMBERS // (n * d))
        if len(cones) > batch:
            waiting.append(cones[batch:])
            cones = cones[:batch]
        count += len(cones)
        spend(len(cones) * (50 * STEP + 3.5 * n * d), "cones")
        if count > MAX_CONES:
            raise Refused(f"{count} cones do not bound the level to {_LOSS}")
        rays = _unit(cones)
        Z = np.einsum("nd,bjd->bnj", X, rays)
        values = np.maximum(Z, 0)
        attained = max(attained, float(np.einsum("n,bnj->bj", lam, values).max()))
        linear = (slight < Z).all(2)
        kinked = ~linear & ~(-slight > Z).all(2)
        g = linear @ columns
        p = np.einsum("bn,bnj->bj", kinked * np.maximum(lam, 0), values)
        concave = kinked & (lam < 0)
        above, below = values.max(2), np.maximum(-Z, 0).max(2)
        theta = concave * (above / np.maximum(above + below, 1e-300))
        bounds = _bounds(g + theta @ columns, p, rays, error)
        enough = attained * (1 + _LOSS)
        few = np.flatnonzero((bounds > enough) & (concave.sum(1) <= _KINKS))
        if len(few):
            order = np.argsort(~concave[few], axis=1, kind="stable")[:, :_KINKS]
            own = columns[order] * np.take_along_axis(concave[few], order, 1)[:, :, None]
            start = np.take_along_axis(theta[few], order, 1)
            slopes = _shortest(g[few], own, start)
            bounds[few] = np.minimum(bounds[few], _bounds(slopes, p[few], rays[few], error))
            # Where squares of a slope underflow, a shorter u is reached, which is as well.
            norms = np.maximum(np.linalg.norm(slopes, axis=1, keepdims=True), 1e-120)
            reached = np.maximum((slopes / norms) @ X.T, 0) @ lam
            attained = max(attained, float(reached.max()))
            enough = attained * (1 + _LOSS)
        # Below the rounding of sums nothing can be told apart.
        closed = bounds <= max(enough, attained + 4 * error)
        proved = max([proved, *bounds[closed].tolist()])
        if not closed.all():
            waiting.append(_halves(cones[~closed], rays[~closed]))
    return proved


def _unit(vectors: Array) -> Array:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _errors(X: Array, lam: Array) -> tuple[Array, float]:
    """What is charged for the sign of x_i·r_j (n, 1), and for h_j."""
    n, d = X.shape
    lengths = np.linalg.norm(X, axis=1)
    slight = 16 * (d + 4) * _UNIT * lengths[:, None]
    return slight, 16 * (n + d + 8) * _UNIT * float(np.abs(lam) @ lengths)


def _bounds(g: Array, p: Array, rays: Array, error: float) -> Array:
    """The better bound of every cone; g (B, d), p (B, d), rays (B, d, d), rows of unit length."""
    middle = _unit(rays.mean(axis=1))
    kappa = np.einsum("bd,bjd->bj", middle, rays).min(axis=1) * (1 - 1e-13)
    flat = np.maximum((np.einsum("bd,bjd->bj", g, rays) + p).max(axis=1) + error, 0) / kappa
    norm = np.linalg.norm(g, axis=1) + (p.max(axis=1) + error) / kappa
    return np.minimum(flat, norm) * (1 + 1e-13)


def _shortest(g: Array, columns: Array, theta: Array) -> Array:
    """g + Σ θ_i columns_i, made short over 0 ≤ θ ≤ 1: Newton on the free θ, then one by one."""
    squares = np.maximum((columns**2).sum(axis=2), 1e-300)
    for _ in range(_STEPS):
        now = g + np.einsum("bk,bkd->bd", theta, columns)
        slope = np.einsum("bd,bkd->bk", now, columns)
        held = ((theta <= 0) & (slope >= 0)) | ((theta >= 1) & (slope <= 0))
        inverse = np.linalg.pinv(columns * ~held[:, :, None], rcond=1e-9)
        theta = np.clip(theta - np.einsum("bdk,bd->bk", inverse, now), 0, 1)
        for i in range(theta.shape[1]):
            now = g + np.einsum("bk,bkd->bd", theta, columns)
            step = np.einsum("bd,bd->b", now, columns[:, i]) / squares[:, i]
            theta[:, i] = np.clip(theta[:, i] - step, 0, 1)
    return g + np.einsum("bk,bkd->bd", theta, columns)


def _halves(cones: Array, rays: Array) -> Array:
    """Every cone bisected at its longest edge, exactly: the halves cover it."""
    pairs = np.array(list(combinations(range(cones.shape[1]), 2)))
    if not len(pairs):
        raise Refused("a ray is not bounded to the working precision")
    cosines = np.einsum("bpd,bpd->bp", rays[:, pairs[:, 0]], rays[:, pairs[:, 1]])
    i, j = pairs[cosines.argmin(axis=1)].T
    each = np.arange(len(cones))
    a, b = cones[each, i], cones[each, j]
    # Powers of two make the ends about equally long, so that the edge is cut near its middle.
    ratio = np.round(np.log2(np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)))[:, None]
    a, b = a * 2.0 ** np.maximum(-ratio, 0), b * 2.0 ** np.maximum(ratio, 0)
    middle = a + b
    if not ((middle - a == b) & (middle - b == a)).all() or not np.isfinite(middle).all():
        raise Refused("a cone is too narrow to be bisected exactly")
    first, second = cones.copy(), cones.copy()
    first[each, i], second[each, j] = middle, middle
    return np.concatenate([first, second])

"""A proved upper bound on two-layer levels for hundreds of samples, any k: cones of directions u.

c = max ‖F(u)‖ over ‖u‖ = 1, F(u) = Λᵀφ(Xu) = Σ λ_i φ(x_i·u). On a cone of unit rays r_1 … r_d,
u = Σ a_j r_j with a ≥ 0, samples that are positive on all rays are linear, x_i·u, and those
negative on all are zero. φ of any other, a *kink*, is between θ_i x_i·u, any 0 ≤ θ_i ≤ 1, and its
chord Σ a_j φ(x_i·r_j), which are at most Σ a_j w_ij apart, w_ij = φ(x_i·r_j) − θ_i x_i·r_j ≥ 0.
Put one of the two in the place of every kink: F(u) becomes Ha, with H = Λᵀb for b_ij = x_i·r_j,
θ_i x_i·r_j, φ(x_i·r_j) or 0, and

    F(u) = Ha + Σ s_i δ_i λ_i,  0 ≤ δ_i ≤ Σ a_j w_ij,  s_i = 1 for θ and −1 for chords,
    ‖F‖² = F·Ha + Σ δ_i s_i λ_i·F ≤ (‖F‖² + ‖Ha‖²)/2 + Σ δ_i max(0, s_i λ_i·F),

where s_i λ_i·F ≤ Σ a_j (s_i λ_i·H_j + ‖λ_i‖ W_j), W_j = Σ ‖λ_i‖ w_ij. So, with the non-negative
E_jl = Σ max(0, s_i λ_i·H_j + ‖λ_i‖ W_j) w_il,

    ‖F(u)‖² ≤ aᵀGa,  G = HᵀH + E + Eᵀ,

and ‖F(u)‖ ≤ c‖u‖ on the cone if Q = c²RRᵀ − G, rays in the rows of R, is copositive: if it is
positive semidefinite, or is so without its positive off-diagonal entries. E vanishes in small cones
if θ stands where λ_i·F < 0 and chords elsewhere. Maxima lie on kinks of the first kind only; with
the right θ, the shortest gradient, HᵀH is tight there to second order.

The orthants cover all u. A cone that is not shown to lie below c is bisected at its longest edge;
c is slightly above the largest value that was met, and what was closed before it rose stays closed.
The checker finds θ, the choice for every kink and c by itself: the certificate has Λ alone, and an
end of the search is a proof, whatever led to it.

Rays before division are exact; the rest is float64 with its rounding charged (Higham, Accuracy and
Stability, §3.1: an inner product of n terms in any order is off by γ_n = nu/(1 − nu) of the sum of
absolute terms, u = 2⁻⁵³; products of errors are covered by ample factors). s = Σ ‖λ_i‖‖x_i‖.

- A unit ray is off by (d/2 + 3)u, sum of squares, root and division, so x_i·r_j by
  (3d/2 + 4)u ‖x_i‖. Charged for its sign: 16(d + 4)u ‖x_i‖. b_ij and w_ij: (3d/2 + 6)u ‖x_i‖.
- H_j is off by (n + 3d/2 + 6)us in length, whether samples or coordinates are summed first, and
  W_j by (n + 3d/2 + k/2 + 8)us. Neither is longer than s, so s_i λ_i·H_j + ‖λ_i‖W_j is off by
  (2n + 3d + 2k + 22)us ‖λ_i‖.
- Let N be at least c and all ‖H_j‖ + W_j, all of which are below 2s. E is off by
  (2n + 3d + 2k + 22)us N, as Σ ‖λ_i‖w_il ≤ N, by (3d/2 + 6)us N for w, and by (n + 2)us N for the
  sum; HᵀH by (2n + 3d + k + 12)us N; c²RRᵀ by (2d + 9)us N. With E twice, and four additions of at
  most 4N² each, Q is off by (8n + 14d + 5k + 115)us N, up to squares of errors. Charged for every
  entry: 2e(N + e), e = 16(n + d + k + 8)us.
- A Cholesky factorisation that ends in float64 shows A ⪰ −γ_{d+1}/(1 − γ_{d+1}) tr(A) (Higham,
  Theorem 10.3, and ‖|Rᵀ||R|‖₂ ≤ tr(RᵀR)). Charged: 8(d + 2)u tr(A).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np
from flint import arb

from zerogap.checker.balls import Array, Refused, balls, frobenius, times
from zerogap.checker.budget import STEP, hold, spend
from zerogap.checker.eigen import spectral_norm
from zerogap.checker.kinds.kind import Piece, kind
from zerogap.checker.limits import MAX_CONES, MAX_DIMENSIONS

# What c is above the largest value that is met, as a share of it: ten times as much after every so
# many cones, and for every so many halvings of all edges after the first so many. What is hard, as
# kinks of opposite λ next to one another are, is bounded less tightly rather than refused.
_LOSS, _PATIENCE, _FINE, _FINER = 1e-11, 200_000, 20, 5
# Cones at a time: their inner products with the samples, as many numbers as this.
_NUMBERS = 1_000_000
# Kinks in a cone whose θ are optimised, and the steps of that; any θ is valid.
_KINKS, _STEPS = 12, 6
_UNIT = 2.0**-53

# Told of unit directions (m, d) and the values ‖F‖ there (m,), up to rounding.
Visit = Callable[[Array, Array], None]


@kind("cones", "relu", range(2, 3))
def cones(piece: Piece) -> arb:
    """c(Λ; X), or of factors A B near X: c(Λ; AB) ≤ ‖B‖₂ c(Λ; A), as ‖Bu‖ ≤ ‖B‖₂."""
    if piece.fields.get("X") is None:
        return cone_level(piece.X, piece.multipliers)
    parts = piece.factors()
    if len(parts) != 2:
        piece.refuse(".X: accepted are two factors")
    A, B = parts
    level = cone_level(A, piece.multipliers)  # which first refuses too many dimensions
    distance = frobenius(balls(piece.X) - times(balls(A), balls(B)))
    drift = distance * frobenius(balls(piece.multipliers))
    return level * spectral_norm(balls(B)) + drift


def cone_level(X: Array, multipliers: Array, visit: Visit | None = None) -> arb:
    """An upper bound on c(Λ), as a rule tight to about 1e-11; float64 with error bounds."""
    d = X.shape[1]
    if d > MAX_DIMENSIONS:
        raise Refused(f"{d} dimensions are more than the {MAX_DIMENSIONS} accepted for cones")
    if not (np.isfinite(X).all() and np.isfinite(multipliers).all()):
        raise Refused("the data or multipliers are not finite")
    used = X.any(axis=1) & multipliers.any(axis=1)
    if not used.any():
        return arb(0)
    # λ_i φ(x_i·u) = 2ᵏλ_i φ(2⁻ᵏx_i·u), exactly: rows and the largest multiplier are brought to
    # order one, so that whatever underflows is far below the errors that are charged.
    X, L = X[used], multipliers[used]
    rows = np.frexp(np.abs(X).max(axis=1))[1][:, None]
    shares, powers = np.frexp(L)
    powers = powers + rows
    top = int(powers[L != 0].max())
    X, L = np.ldexp(X, -rows), np.ldexp(shares, powers - top)
    if visit is None:
        return arb(_largest(X, L, lambda points, values: None)) * arb(2) ** top
    tell = visit
    return arb(_largest(X, L, lambda u, values: tell(u, np.ldexp(values, top)))) * arb(2) ** top


def _largest(X: Array, L: Array, visit: Visit) -> float:
    """An upper bound on max ‖Λᵀφ(Xu)‖, ‖u‖ ≤ 1."""
    (n, d), k = X.shape, L.shape[1]
    slight, error = _errors(X, L)
    batch = max(1, _NUMBERS // (n * (d + k)))
    # All of a size before any that are smaller, so that c is near its end when cones are small.
    level = np.array([np.diag(signs) for signs in product((1.0, -1.0), repeat=d)])
    attained, loss, count, halvings = 0.0, _LOSS, 0, 0
    while len(level):
        count += len(level)
        loss = _loss(count, halvings / max(1, d - 1))
        if count > MAX_CONES:
            raise Refused(f"{count} cones do not bound the level to {loss:.1g}")
        hold(24 * level.size, f"{len(level)} cones")
        halves = [np.zeros((0, d, d))]
        for start in range(0, len(level), batch):
            cones = level[start : start + batch]
            spend(500 * STEP + len(cones) * (10 * STEP + n * d * k / 20), "cones")
            bounded = _Cones.of(X, L, _unit(cones), slight)
            spend(1.5 * d * (d + k) * len(bounded.cone), "the kinks of cones")
            values = bounded.values()
            reached = np.linalg.norm(values, axis=1)
            visit(bounded.rays.reshape(-1, d), reached.ravel())
            attained = max(attained, float(reached.max()))
            bounded.choose(values.sum(axis=2))
            closed = bounded.below(_aim(attained, loss, error), error)
            few = np.flatnonzero(~closed & (bounded.free <= _KINKS) & (bounded.free > 0))
            if len(few):
                spend(4 * STEP * len(few) * int(bounded.free[few].max()), "the slopes of cones")
                part = bounded.part(few)
                u = part.shorten(_unit(values[few].sum(axis=2)))
                reached = np.linalg.norm(np.maximum(u @ X.T, 0) @ L, axis=1)
                visit(u, reached)
                attained = max(attained, float(reached.max()))
                closed[few] = part.below(_aim(attained, loss, error), error)
            if not closed.all():
                halves.append(_halves(cones[~closed], bounded.rays[~closed]))
        level = np.concatenate(halves)
        halvings += 1
    return _aim(attained, loss, error)


def _unit(vectors: Array) -> Array:
    """Of unit length, and shorter where squares underflow, which is as well."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-120)


def _errors(X: Array, L: Array) -> tuple[Array, float]:
    """What is charged for the sign of x_i·r_j (n, 1), and e."""
    (n, d), k = X.shape, L.shape[1]
    lengths = np.linalg.norm(X, axis=1)
    slight = 16 * (d + 4) * _UNIT * lengths[:, None]
    return slight, 16 * (n + d + k + 8) * _UNIT * float(np.linalg.norm(L, axis=1) @ lengths)


def _loss(count: int, halvings: float) -> float:
    return _LOSS * 10 ** (count / _PATIENCE + max(0.0, halvings - _FINE) / _FINER)


def _aim(attained: float, loss: float, error: float) -> float:
    """The c that is shown; below the rounding of sums nothing can be told apart."""
    return max(attained * (1 + loss), attained + 4 * error)


def _definite(A: Array) -> Array:
    """Whether each of some symmetric matrices is proved positive semidefinite."""
    d = A.shape[1]
    diagonals = np.einsum("bii->bi", A)
    shift = 8 * (d + 2) * _UNIT * np.abs(diagonals).sum(axis=1)
    A = A - shift[:, None, None] * np.eye(d)
    found = np.ones(len(A), dtype=bool)
    for j in range(d):
        found &= A[:, j, j] > 0
        # Of what failed nothing more is asked.
        row = A[:, j, j:] / np.sqrt(np.where(found, A[:, j, j], np.inf))[:, None]
        A[:, j:, j:] -= row[:, :, None] * row[:, None, :]
    return found


@dataclass(eq=False)
class _Cones:
    """Cones with unit rays (B, d, d), their linear samples' ΛᵀDX (B, k, d), and their kinks.

    Kinks are in order of cones: cone and sample (p,), and x_i·r_j in z (p, d). What is put in the
    place of φ, a chord or the slope theta, is chosen by `choose` and `shorten`.
    """

    X: Array
    L: Array
    rays: Array
    slopes: Array
    cone: Array
    sample: Array
    z: Array
    theta: Array
    chord: Array

    @classmethod
    def of(cls, X: Array, L: Array, rays: Array, slight: Array) -> _Cones:
        (n, d), k = X.shape, L.shape[1]
        Z = (X @ rays.swapaxes(0, 1).reshape(-1, d).T).reshape(n, d, len(rays))
        linear = slight < Z.min(axis=1)
        kinked = ~linear & ~(-slight > Z.max(axis=1))
        columns = (L[:, :, None] * X[:, None, :]).reshape(n, k * d)
        slopes = (linear.T @ columns).reshape(-1, k, d)
        cone, sample = np.nonzero(kinked.T)
        z = Z[sample, :, cone]
        above, below = np.maximum(z.max(axis=1), 0), np.maximum(-z.min(axis=1), 0)
        theta = above / np.maximum(above + below, 1e-300)
        return cls(X, L, rays, slopes, cone, sample, z, theta, np.zeros(len(z), dtype=bool))

    @property
    def free(self) -> Array:
        """How many kinks of every cone have a θ."""
        return np.bincount(self.cone[~self.chord], minlength=len(self.rays))

    def part(self, chosen: Array) -> _Cones:
        """Some of the cones, in increasing order."""
        number = np.full(len(self.rays), -1)
        number[chosen] = np.arange(len(chosen))
        kept = number[self.cone] >= 0
        own = {name: getattr(self, name)[kept] for name in ("sample", "z", "theta", "chord")}
        cone, rays, slopes = number[self.cone[kept]], self.rays[chosen], self.slopes[chosen]
        return replace(self, rays=rays, slopes=slopes, cone=cone, **own)

    def values(self) -> Array:
        """F of the rays (B, k, d)."""
        return self._images(np.maximum(self.z, 0))

    def choose(self, directions: Array) -> None:
        """Chords for the kinks that point along F (B, k) of their cone."""
        self.chord = np.einsum("pk,pk->p", self.L[self.sample], directions[self.cone]) > 0

    def shorten(self, directions: Array) -> Array:
        """Choose θ that make the gradient of q·F short, q (B, k), and return where it points."""
        free = np.flatnonzero(~self.chord)
        cone, sample = self.cone[free], self.sample[free]
        place = np.arange(len(free)) - np.searchsorted(cone, cone)
        weights = np.einsum("pk,pk->p", self.L[sample], directions[cone])
        theta = np.zeros((len(self.rays), int(place.max()) + 1))
        columns = np.zeros((*theta.shape, self.X.shape[1]))
        theta[cone, place] = self.theta[free]
        columns[cone, place] = weights[:, None] * self.X[sample]
        g = np.einsum("bk,bkd->bd", directions, self.slopes)
        theta = shortest(g, columns, theta)
        self.theta[free] = theta[cone, place]
        return _unit(g + np.einsum("bk,bkd->bd", theta, columns))

    def below(self, c: float, error: float) -> Array:
        """Whether every cone is proved to lie below c: Q is copositive."""
        G, sizes = self.forms()
        d = G.shape[1]
        charged = 2 * error * (np.maximum(sizes, c) + error)
        Q = c**2 * (self.rays @ self.rays.swapaxes(1, 2)) - G - charged[:, None, None]
        negative = np.minimum(Q, 0)
        negative[:, range(d), range(d)] = Q[:, range(d), range(d)]
        found = _definite(negative)
        found[~found] = _definite(Q[~found])
        return found

    def forms(self) -> tuple[Array, Array]:
        """G of every cone, and its largest ‖H_j‖ + W_j."""
        lam, theta, chord = self.L[self.sample], self.theta[:, None], self.chord[:, None]
        lengths = np.linalg.norm(lam, axis=1)[:, None]
        values = np.maximum(self.z, 0)
        w = np.maximum(values - theta * self.z, 0)
        H = self._images(np.where(chord, values, theta * self.z))
        W = self._sums(lengths * w)
        along = np.einsum("pk,pkj->pj", lam, H[self.cone])
        wrong = np.where(chord, -along, along) + lengths * W[self.cone]
        E = self._sums(np.maximum(wrong, 0)[:, :, None] * w[:, None, :])
        sizes = (np.linalg.norm(H, axis=1) + W).max(axis=1)
        return H.swapaxes(1, 2) @ H + E + E.swapaxes(1, 2), sizes

    def _images(self, b: Array) -> Array:
        """Λᵀb on the rays (B, k, d), for b (p, d) of the kinks."""
        lam = self.L[self.sample]
        return self.slopes @ self.rays.swapaxes(1, 2) + self._sums(lam[:, :, None] * b[:, None, :])

    def _sums(self, terms: Array) -> Array:
        """Terms (p, …) of kinks, added up for every cone."""
        out = np.zeros((len(self.rays), *terms.shape[1:]))
        first = np.flatnonzero(np.diff(self.cone, prepend=-1))
        if len(first):
            out[self.cone[first]] = np.add.reduceat(terms, first, axis=0)
        return out


def shortest(g: Array, columns: Array, theta: Array) -> Array:
    """0 ≤ θ ≤ 1 that make g + Σ θ_i columns_i short: Newton on the free θ, then one by one."""
    squares = np.maximum((columns**2).sum(axis=2), 1e-300)
    for _ in range(_STEPS):
        now = g + np.einsum("bk,bkd->bd", theta, columns)
        slope = np.einsum("bd,bkd->bk", now, columns)
        held = ((theta <= 0) & (slope >= 0)) | ((theta >= 1) & (slope <= 0))
        free = columns * ~held[:, :, None]
        sizes, axes = np.linalg.eigh(free.swapaxes(1, 2) @ free)
        kept = sizes > 1e-13 * np.maximum(sizes[:, -1:], 1e-30)
        along = np.einsum("bdj,bd->bj", axes, now) * kept / np.where(kept, sizes, 1)
        step = free @ (axes @ along[:, :, None])
        theta = np.clip(theta - step[:, :, 0], 0, 1)
        for i in range(theta.shape[1]):
            now = g + np.einsum("bk,bkd->bd", theta, columns)
            step = np.einsum("bd,bd->b", now, columns[:, i]) / squares[:, i]
            theta[:, i] = np.clip(theta[:, i] - step, 0, 1)
    return theta


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

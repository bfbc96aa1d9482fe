"""Proved upper bounds on two-layer levels c(Λ) = max ‖Λᵀφ(Xu)‖, ‖u‖ ≤ 1, over exact faces.

A face of the arrangement {u : x_i·u = 0} is a set on which every sign(x_i·u) is constant, and the
maximiser lies in the relative interior of exactly one. There ‖Λᵀφ(Xu)‖ = ‖ΛᵀDXu‖ is the root of a
quadratic form in u ∈ F, the face's span, so a local maximum on the sphere is a top eigenvector of
the form restricted to F. With K = X P_F Xᵀ everything is in terms of the samples: the value is
λ_max(T)^½, T = ΛᵀDKDΛ (k, k), and the maximiser is u ∝ P_F XᵀDΛq, T q = λ_max q. A face counts
unless K D Λ q is proved to have the wrong signs for both ±q.

Rows of X are normalised (and Λ's scaled up in return), so that |K_ij| ≤ 1.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations
from math import comb

import numpy as np
from flint import arb, arb_mat, fmpq, fmpq_mat, fmpz, fmpz_mat

from zerogap.checker.balls import Array, Refused, diagonal, floats, root, total
from zerogap.checker.budget import BALL, STEP, hold, spend
from zerogap.checker.eigen import eigenvalue_gap, outside, positive_definite, top_eigenvalue
from zerogap.checker.limits import MAX_FACES, MAX_FACES_SIDE, MAX_RAYS


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces of an arrangement: sign(x_i·u) on each (m, n), and K of the span, spans[flat]."""

    signs: Array
    flat: Array
    spans: list[arb_mat]
    norms: list[arb]

    @cached_property
    def floats(self) -> Array:
        """The middles of all K, rounded (flats, n, n)."""
        spend(20 * len(self.spans) * len(self.norms) ** 2, "K in float64")
        return np.array([floats(span) for span in self.spans])

    @cached_property
    def rounding(self) -> arb:
        """What the entries of `floats` are off by, at most."""
        spend(40 * self.floats.size, "the rounding of K")
        entries = chain.from_iterable(span.entries() for span in self.spans)
        pairs = zip(entries, self.floats.ravel().tolist(), strict=True)
        return max((abs(x - y).upper() for x, y in pairs), default=arb(0))


_kept: dict[tuple[int, tuple[fmpq, ...]], Faces] = {}


def forget() -> None:
    """Start a certificate with nothing kept, so that what it takes does not depend on the last."""
    _kept.clear()


def faces_of(X: fmpq_mat) -> Faces:
    """The faces of X's arrangement; the last are kept: pieces of evidence share their data."""
    key = (X.nrows(), tuple(X.entries()))
    if key not in _kept:
        _kept.clear()
        _kept[key] = _faces(X)
    return _kept[key]


def _faces(X: fmpq_mat) -> Faces:
    """All faces of dimension ≥ 1 of the arrangement of X's rows, in exact arithmetic.

    Every face is a composition of rays, X∘Y = X where X ≠ 0, else Y (theory of oriented
    matroids), one ray for each dimension. Zero, repeated, parallel and opposite rows and
    rank-deficient X are no exceptions.
    """
    n, d = X.nrows(), X.ncols()
    if max(n, d) > MAX_FACES_SIDE:
        raise Refused(f"{n} samples in {d} dimensions have too many faces to enumerate")
    Z = X.numer_denom()[0]
    rank = Z.rank()
    norms = [root(total(arb(x) ** 2 for x in row)) for row in X.tolist()]
    if rank == 0:
        return Faces(np.zeros((0, n), dtype=np.int8), np.zeros(0, dtype=int), [], norms)
    if comb(n, rank - 1) > MAX_RAYS:
        raise Refused(f"{n} samples in {rank} dimensions have too many faces to enumerate")
    # Elimination of integers of so many bits, by measurement.
    bits = max(int(abs(x)).bit_length() for x in Z.entries())
    null = 1000 + rank**4 * (bits / 64) ** 1.5 / 4
    spend(comb(n, rank - 1) * null, "the rays of the arrangement")
    # Coordinates a of the row space: u = Eᵀa, so x_i·u = (Z Eᵀ)_i a.
    E = _identity(rank) if rank == Z.ncols() else _independent_rows(Z, rank)
    C = Z * E.transpose()
    signs = _compositions(_rays(C, rank))
    zeros, flat = np.unique(signs == 0, axis=0, return_inverse=True)
    hold(BALL * len(zeros) * n**2, "the projections onto the flats")
    spend(len(zeros) * (null + 60 * n * rank + n**2 * (rank + 5)), "the projections onto the flats")
    return Faces(signs, flat.ravel(), [_span(C, E, Z, zero) for zero in zeros], norms)


def _compositions(rays: Array) -> Array:
    """The sign vectors of all faces (m, n), in order."""
    found = {ray.tobytes() for ray in rays}
    frontier = list(rays)
    restricted: dict[bytes, Array] = {}
    while frontier:
        grown = []
        for face in frontier:
            zero = face == 0
            key = zero.tobytes()
            if key not in restricted:
                spend(rays.size + 1000, "the faces of the arrangement")
                restricted[key] = np.unique(rays[:, zero], axis=0)
            spend(2 * STEP * len(restricted[key]), "the faces of the arrangement")
            for tail in restricted[key]:
                larger = face.copy()
                larger[zero] = tail
                code = larger.tobytes()
                if code not in found:
                    found.add(code)
                    grown.append(larger)
            if len(found) > MAX_FACES:
                raise Refused(f"the arrangement has more than {MAX_FACES} faces")
        frontier = grown
    return np.array([np.frombuffer(code, dtype=np.int8) for code in sorted(found)])


def supports(n: int) -> Faces:
    """The faces of the orthant {v ≥ 0}, for which K is the identity on the support."""
    signs = ((np.arange(1, 2**n)[:, None] >> np.arange(n)) & 1).astype(np.int8)
    return Faces(signs, np.zeros(len(signs), dtype=int), [diagonal([arb(1)] * n)], [arb(1)] * n)


def level(faces: Faces, multipliers: arb_mat) -> arb:
    """An upper bound on c(Λ), any k, tight to about 1e-12, in balls."""
    if not len(faces.signs):
        return arb(0)
    n, k = multipliers.nrows(), multipliers.ncols()
    count = len(faces.signs)
    spend(count * (60 * STEP + STEP * n * k + n * (n + k) * k), f"{count} faces")
    hold(8 * count * k**2, "the forms of all faces")
    scaled = diagonal(faces.norms) * multipliers
    size = total(abs(x) for x in scaled.entries()).upper()
    if not size > 0:
        return arb(0)
    scaled = scaled * (1 / size)
    forms = _float_forms(faces, floats(scaled))
    tops = np.linalg.eigvalsh(forms)[:, -1]
    best = arb(0)
    degenerate = arb(0)
    # Largest first: once a face counts, the others need only be shown to lie below it.
    for f in np.argsort(-tops, kind="stable"):
        masked = _masked(scaled, faces.signs[f])
        image = faces.spans[faces.flat[f]] * masked
        T = masked.transpose() * image
        if best > 0 and positive_definite(diagonal([best] * k) - T):
            continue
        value = top_eigenvalue(T).max(arb(0))
        if not value > best:
            best = best.max(value)
            continue
        gap = eigenvalue_gap(T, value)
        if gap is not None:
            degenerate = degenerate.max(gap)
        elif not outside(T, image, faces.signs[f]):
            best = value
    # A face with λ₁ − λ₂ ≤ gap: turn its maximiser towards the second eigenvector until it meets
    # the boundary; there a lower face has at least λ₁ − gap. At most n such steps.
    return size * root(best + n * degenerate)


def _identity(n: int) -> fmpz_mat:
    return fmpz_mat(n, n, [int(i == j) for i in range(n) for j in range(n)])


def _independent_rows(Z: fmpz_mat, rank: int) -> fmpz_mat:
    chosen: list[list[fmpz]] = []
    for row in Z.tolist():
        if fmpz_mat([*chosen, row]).rank() > len(chosen):
            chosen.append(row)
        if len(chosen) == rank:
            break
    return fmpz_mat(chosen)


def _rays(C: fmpz_mat, rank: int) -> Array:
    """Distinct sign vectors of the one-dimensional faces, (m, n)."""
    rows = C.tolist()
    found = set()
    for chosen in combinations(range(len(rows)), rank - 1):
        if rank == 1:
            direction = fmpz_mat([[1]])
        else:
            basis, nullity = fmpz_mat([rows[i] for i in chosen]).nullspace()
            if nullity != 1:
                continue
            direction = fmpz_mat([[basis[i, 0]] for i in range(rank)])
        signs = tuple((x > 0) - (x < 0) for x in (C * direction).entries())
        found |= {signs, tuple(-s for s in signs)}
    return np.array(sorted(found), dtype=np.int8)


def _span(C: fmpz_mat, E: fmpz_mat, Z: fmpz_mat, zero: Array) -> arb_mat:
    """K = X P_F Xᵀ for normalised rows, F the flat on which the `zero` rows vanish."""
    rank = C.ncols()
    rows = [row for row, on in zip(C.tolist(), zero, strict=True) if on]
    basis, nullity = fmpz_mat(rows).nullspace() if rows else (_identity(rank), rank)
    N = fmpz_mat([[basis[i, j] for j in range(nullity)] for i in range(rank)])
    # Rows of X are Z's up to a factor, and so are their images.
    lengths = [root(total(arb(x) ** 2 for x in row)) for row in Z.tolist()]
    images = [
        [x / length for x in row] if length > 0 else row
        for row, length in zip(arb_mat(C * N).tolist(), lengths, strict=True)
    ]
    M, basis = arb_mat(images), E.transpose() * N
    try:
        return M * arb_mat(basis.transpose() * basis).solve(M.transpose())
    except ZeroDivisionError:
        raise Refused("the arrangement is too degenerate for the working precision") from None


def _masked(M: arb_mat, signs: Array) -> arb_mat:
    """D M: rows without a positive sign are zero."""
    zero = [arb(0)] * M.ncols()
    return arb_mat([r if s > 0 else zero for r, s in zip(M.tolist(), signs.tolist(), strict=True)])


def _float_forms(faces: Faces, L: Array) -> Array:
    """T of every face in float64 (m, k, k): an order in which to look, proving nothing."""
    forms = np.empty((len(faces.signs), L.shape[1], L.shape[1]))
    for f, (signs, flat) in enumerate(zip(faces.signs, faces.flat, strict=True)):
        masked = L * (signs > 0)[:, None]
        forms[f] = masked.T @ faces.floats[flat] @ masked
    return forms

"""Scalar multipliers of three or more ReLU layers that share the first, data in the plane (§5).

A first layer A = φ(XW₁), ‖W₁‖ ≤ 1, acts through G = AAᵀ in 𝒢 = conv{0, φ(Xu)φ(Xu)ᵀ : ‖u‖ = 1}: with
z = Aw, ‖w‖ ≤ 1, aᵀz ≤ (aᵀGa)^½. The tree (`tree.py`) holds for every G by itself, with any μ's. So
for each child of the root 𝒢 is cut by half-spaces ⟨bbᵀ − ccᵀ, G⟩ ≤ h and ≥ h, and in a region every
leaf a has, with η ≥ 0,

    aᵀGa ≤ Σ η_j h_j + ⟨aaᵀ − Σ η_j (b_jb_jᵀ − c_jc_jᵀ), G⟩ ≤ Σ η_j h_j + max(0, max_u f(u)),

f the form at φ(Xu). Between neighbouring lines x_i·u = 0, φ(Xu) = DXu and f is quadratic: with rays
r and s at the ends, and t the larger of f(r)/|r|² and f(s)/|s|², f(u) ≤ t|u|² if t r·s is at least
the form's rᵀQs, since then no coefficient of t|u|² − f is negative; else f ≤ λ_max(Q)|u|².
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from flint import arb, arb_mat, fmpq, fmpq_mat

from zerogap.checker.balls import Array, balls, root, times
from zerogap.checker.budget import BALL, STEP, hold, spend
from zerogap.checker.kinds.kind import ANY_DEPTH, Piece, kind
from zerogap.checker.kinds.tree import below, children, leaves_below, mu_rows

# Half-spaces that a region may have.
_MAX_HALVES = 200


@dataclass(frozen=True)
class Arc:
    """A cone of the plane without a sign change of X u: r·r, s·s, r·s, and the rays (r, s)."""

    rr: arb
    ss: arb
    rs: arb
    rays: tuple[tuple[arb, arb], tuple[arb, arb]]


@kind("shared", "relu", ANY_DEPTH[1:])
def shared(piece: Piece) -> arb:
    """The largest bound of all leaves in all regions, and what X′ costs."""
    if piece.X.shape[1] != 2 or piece.multipliers.shape[1] != 1:
        piece.refuse(": accepted are one output and two features, a bias among them")
    near, cost = piece.nearby()
    arcs, maps = _arcs(piece, near)
    mu, splits, etas = mu_rows(piece), _split_rows(piece), iter(piece.matrix("eta"))
    square = arb(0)
    for step in children(piece.multipliers[:, 0]):
        for region in _regions(piece, splits):
            vector = below(piece, *step, mu)
            leaves = (
                leaves_below(piece, vector, mu, piece.depth - 1)
                if piece.depth > 3
                else vector[None]
            )
            eta = _etas(piece, etas, len(leaves), len(region))
            square = square.max(_square(arcs, maps, leaves, region, eta))
    for name, rows in (("mu", mu), ("splits", splits), ("eta", etas)):
        if next(rows, None) is not None:
            piece.refuse(f".{name} has more rows than the regions")
    return root(square) + cost


def _split_rows(piece: Piece) -> Iterator[Array]:
    rows = piece.matrix("splits")
    if rows.shape[1] != 2 * len(piece.X) + 1:
        piece.refuse(".splits: accepted are rows b, c, h")
    return iter(rows)


def _regions(piece: Piece, splits: Iterator[Array]) -> Iterator[list[Array]]:
    """The half-spaces b, c, h of every region, depth first, the side ≤ h before the other."""
    n = len(piece.X)
    stack: list[list[Array]] = [[]]
    while stack:
        region = stack.pop()
        row = next(splits, None)
        if row is None:
            piece.refuse(".splits has fewer rows than the regions")
        if not row.any():
            yield region
            continue
        if len(region) == _MAX_HALVES:
            piece.refuse(f".splits: a region has more than {_MAX_HALVES} half-spaces")
        other = np.concatenate([row[n : 2 * n], row[:n], -row[2 * n :]])
        stack += [[*region, other], [*region, row]]


def _etas(piece: Piece, rows: Iterator[Array], leaves: int, halves: int) -> Array:
    """The η's of a region (leaves, halves); negative ones are zero."""
    chosen = list(islice(rows, leaves))
    if len(chosen) < leaves:
        piece.refuse(".eta has fewer rows than there are leaves")
    eta = np.array(chosen)
    if eta.shape[1] < halves:
        piece.refuse(".eta has fewer columns than a region has half-spaces")
    return np.maximum(eta[:, :halves], 0)


def _arcs(piece: Piece, X: fmpq_mat) -> tuple[list[Arc], arb_mat]:
    """The arcs of the circle in order, and their (DX)ᵀ, one above the other (2 m, n)."""
    rows = [row for row in X.tolist() if any(row)]
    spend(60 * STEP * len(rows) * (len(rows) + 1), "the arcs")
    found: dict[tuple[bool, bool, fmpq], tuple[fmpq, fmpq]] = {}
    for x, y in rows:
        for p, q in ((-y, x), (y, -x)):
            # By angle: halves of the circle, their first rays, then −cot, which increases.
            found[q < 0 or (q == 0 and p < 0), q != 0, -p / q if q else fmpq(0)] = (p, q)
    rays = [found[key] for key in sorted(found)]
    if len(rays) < 4:
        piece.refuse(": X has rank less than two; accepted are data of rank two")
    arcs, maps = [], []
    for r, s in zip(rays, [*rays[1:], rays[0]], strict=True):
        rr, ss, rs = (a[0] * b[0] + a[1] * b[1] for a, b in ((r, r), (s, s), (r, s)))
        ends = (arb(r[0]), arb(r[1])), (arb(s[0]), arb(s[1]))
        arcs.append(Arc(arb(rr), arb(ss), arb(rs), ends))
        inside = r[0] + s[0], r[1] + s[1]
        active = [x * inside[0] + y * inside[1] > 0 for x, y in X.tolist()]
        maps += [
            [row[i] if on else fmpq(0) for row, on in zip(X.tolist(), active, strict=True)]
            for i in range(2)
        ]
    return arcs, arb_mat(fmpq_mat(maps))


def _square(arcs: list[Arc], maps: arb_mat, leaves: Array, region: list[Array], eta: Array) -> arb:
    """An upper bound on aᵀGa over the region and all leaves a, at least 0."""
    n, q = leaves.shape[1], len(region)
    spend(len(arcs) * (len(leaves) * (24 * STEP + 8 * q) + 2 * q * STEP), "a region")
    hold(15 * BALL * len(arcs) * (len(leaves) + 2 * q), "a region")
    # Entries 00, 01, 11 of the form of every vector on every arc, (3 m, vectors).
    vectors = np.vstack([leaves, *(row[None, i : i + n] for row in region for i in (0, n))])
    forms = _forms(times(maps, balls(vectors.T)))
    k = len(leaves)
    total = [[column[i] for column in forms[:k]] for i in range(3 * len(arcs))]
    entries = arb_mat(total)
    best, weights = arb(0), balls(eta.T) if q else None
    offset = [arb(0)] * k
    if weights is not None:
        halves = arb_mat(
            [
                [forms[k + 2 * j][i] - forms[k + 2 * j + 1][i] for j in range(q)]
                for i in range(3 * len(arcs))
            ]
        )
        entries = entries - times(halves, weights)
        offset = times(balls(np.array([[row[2 * n] for row in region]])), weights).entries()
    columns = entries.transpose().tolist()
    for column, base in zip(columns, offset, strict=True):
        most = arb(0)
        for i, arc in enumerate(arcs):
            most = most.max(_largest(arc, *column[3 * i : 3 * i + 3]).upper())
        best = best.max((base + most).upper())
    return best


def _forms(images: arb_mat) -> list[list[arb]]:
    """Entries 00, 01, 11 of gᵢgᵢᵀ for the pairs g of rows of every column."""
    out = []
    for column in images.transpose().tolist():
        pairs = zip(column[::2], column[1::2], strict=True)
        out.append([entry for x, y in pairs for entry in (x * x, x * y, y * y)])
    return out


def _largest(arc: Arc, a: arb, b: arb, c: arb) -> arb:
    """An upper bound on uᵀQu over unit u of an arc, Q = [[a, b], [b, c]]."""
    (r0, r1), (s0, s1) = arc.rays
    r = a * r0 * r0 + 2 * b * r0 * r1 + c * r1 * r1
    s = a * s0 * s0 + 2 * b * s0 * s1 + c * s1 * s1
    ends = (r / arc.rr).upper().max((s / arc.ss).upper())
    if ends * arc.rs >= a * r0 * s0 + b * (r0 * s1 + r1 * s0) + c * r1 * s1:
        return ends
    return (a + c) / 2 + root(((a - c) / 2) ** 2 + b * b)

"""The faces of the central hyperplane arrangement {u : x_i·u = 0}, enumerated exactly.

A face is a non-empty set of u on which every sign(x_i·u) is constant: the cells, their walls, and
so on down to rays. φ(Xu) is linear on each, so everything that is piecewise linear in u (theory
§3: patterns, pricing) is a finite list over faces. Duplicate, parallel, opposite and zero rows
and rank-deficient X are handled: hyperplanes are the distinct lines spanned by rows, and
directions orthogonal to all rows are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from zerogap.model.errors import MethodError
from zerogap.model.matrices import RANK_TOLERANCE, Array, unit_rows

# |x_i·u| below this (both of unit length) counts as zero. Angles that small come from rounding in
# data that is degenerate on paper; what merging them can change in a bound is ‖Λ‖·‖δX‖.
_ANGLE = RANK_TOLERANCE
# Sign vectors held at once; beyond it enumeration is refused instead of exhausting memory.
_MAX_FACES = 2_000_000


@dataclass(frozen=True, eq=False)
class Faces:
    """All faces of one dimension r ≥ 1 whose spans are the same kind of flat.

    patterns: (m, n) booleans, 1[x_i·u > 0] on each face. points: (m, d) unit vectors in the
    relative interiors. basis: (m, d, r) orthonormal bases of the faces' spans.
    """

    patterns: Array
    points: Array
    basis: Array


def row_space(X: Array) -> Array:
    """Orthonormal basis (d, r) of the row space of X."""
    _, s, vt = np.linalg.svd(X, full_matrices=False)
    r = int(np.sum(s > RANK_TOLERANCE * s[0])) if s[0] > 0 else 0
    return vt[:r].T


def max_cells(n: int, rank: int) -> int:
    """The most cells that n hyperplanes through the origin can cut R^rank into (theory §3)."""
    return 2 * sum(comb(n - 1, k) for k in range(rank))


def max_faces(n: int, rank: int) -> int:
    """The most faces of all dimensions ≥ 1 of such hyperplanes: the cells of every flat."""
    return sum(comb(n, j) * max_cells(max(n - j, 1), rank - j) for j in range(min(n, rank)))


def cells(X: Array) -> tuple[Array, Array]:
    """Activation patterns of the cells of X and a unit interior point of each.

    X: (n, d). Returns patterns (m, n), booleans 1[x_i·u > 0] (False on zero rows), and points
    (m, d), sorted by pattern. Raises MethodError if there can be more than two million.
    """
    Q = row_space(X)
    n, r = len(X), Q.shape[1]
    if r == 0:
        return np.zeros((1, n), dtype=bool), np.zeros((1, X.shape[1]))
    Z = X @ Q
    lines = distinct_lines(Z)
    if max_cells(len(lines), r) > _MAX_FACES:
        raise MethodError(
            f"{len(lines)} distinct hyperplanes in {r} dimensions can have "
            f"{max_cells(len(lines), r)} cells; accepted are at most {_MAX_FACES}"
        )
    points = _cell_points(lines)
    patterns = Z @ points.T > 0
    patterns[np.linalg.norm(X, axis=1) <= _ANGLE * np.linalg.norm(X, axis=1).max()] = False
    order = np.lexsort(patterns[::-1])
    return patterns.T[order], (points @ Q.T)[order]


def faces(X: Array) -> list[Faces]:
    """All faces of dimension ≥ 1, grouped by dimension, cells first.

    The faces whose span is a flat F are the cells of the arrangement restricted to F.
    """
    Q = row_space(X)
    groups = []
    for r in range(Q.shape[1], 0, -1):
        found = []
        for B in _flats(distinct_lines(X @ Q), r):
            patterns, points = cells(X @ Q @ B)
            found.append((patterns, points @ (Q @ B).T, Q @ B))
        groups.append(
            Faces(
                patterns=np.vstack([patterns for patterns, _, _ in found]),
                points=np.vstack([points for _, points, _ in found]),
                basis=np.concatenate([np.broadcast_to(B, (len(p), *B.shape)) for p, _, B in found]),
            )
        )
    return groups


def distinct_lines(Z: Array) -> Array:
    """One unit vector per line spanned by a row of Z; zero rows are dropped."""
    norms = np.linalg.norm(Z, axis=1)
    units = unit_rows(Z[norms > _ANGLE * norms.max()])
    kept: list[Array] = []
    for u in units:
        if all(min(np.linalg.norm(u - v), np.linalg.norm(u + v)) > _ANGLE for v in kept):
            kept.append(u)
    return np.array(kept)


def _flats(lines: Array, r: int) -> Iterator[Array]:
    """Orthonormal bases (D, r) of the r-dimensional intersections of the hyperplanes."""
    D = lines.shape[1]
    if r == D:
        yield np.eye(D)
        return
    seen = set()
    for chosen in combinations(range(len(lines)), D - r):
        _, s, vt = np.linalg.svd(lines[list(chosen)])
        if s[-1] <= _ANGLE:
            continue
        B = vt[D - r :].T
        through = np.linalg.norm(lines @ B, axis=1) <= _ANGLE * 10
        key = through.tobytes()
        if key not in seen:
            seen.add(key)
            yield B


def _cell_points(lines: Array) -> Array:
    """Unit interior points (m, r) of the cells; rows of `lines` are distinct and span R^r.

    Every cell of an essential arrangement has a ray among the one-dimensional flats, and the
    cells around a ray are the cells of the hyperplanes through it, one dimension lower.
    """
    r = lines.shape[1]
    if r == 1:
        return np.array([[1.0], [-1.0]])
    points: dict[bytes, Array] = {}
    for B in _flats(lines, 1):
        ray = B[:, 0]
        heights = lines @ ray
        through = np.abs(heights) <= _ANGLE * 10
        _, _, vt = np.linalg.svd(ray[None, :])
        across = vt[1:].T
        local = _cell_points(distinct_lines(lines[through] @ across)) @ across.T
        clearance = np.abs(heights[~through]).min() if not through.all() else 1.0
        for side in (ray, -ray):
            # Half the clearance keeps every hyperplane that misses the ray on its side.
            for u in side + 0.5 * clearance * local:
                signs = (lines @ u > 0).tobytes()
                points.setdefault(signs, u / np.linalg.norm(u))
    return np.array(list(points.values()))

"""Two-layer pricing: max ‖Λᵀφ(Xu)‖ over unit u, exactly, by a sweep along great circles (§3).

On a face of the arrangement {u : x_i·u = 0} the function is ‖M P u‖ with M = ΛᵀDX constant and P
the projector onto the face's span, so its maximiser there is ± P Mᵀq, q the top eigenvector of
M P Mᵀ. Every face of dimension two or more has an arc in its closure: a piece of a circle in which
r − 2 hyperplanes meet, cut out by two others. Along a circle M changes by one hyperplane at a
time, so M of all arcs is one cumulative sum, and a face around an arc differs from it by the signs
of the r − 2. Nothing is stored per cell, and the work is a few operations for each.

A candidate is tested against the hyperplanes next to it only; those that pass are evaluated on all
samples. So no maximiser is missed and every value is attained.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, islice, product
from math import comb

import numpy as np

from zerogap.model import clock
from zerogap.model.errors import MethodError
from zerogap.model.matrices import Array
from zerogap.theory.arrangements import distinct_lines, faces, row_space

# A point this close to a hyperplane (all of unit length) counts as on either side of it.
_SIDE = 1e-9
# Sines and cosines of angles between hyperplanes below this are rounding.
_ANGLE = 1e-9
# Matrix entries in one piece of a sweep, about 16 MB; arcs whose order is kept between sweeps.
_PIECE = 2_000_000
_KEPT = 8_000_000
# The two halves of a circle are each other's opposite.
_HALVES = np.array([1.0, -1.0])
# Faces that one sweep may visit: about ten seconds.
MAX_VISITS = 50_000_000


@dataclass(frozen=True, eq=False)
class Circles:
    """Circles in which the same number of hyperplanes meet, and the arcs that the others cut.

    bases: (p, r, 2) orthonormal. through: (p, q), the hyperplanes that contain a circle. order,
    ends, turns: (p, m), the others in the order in which they are crossed as the angle runs over
    [0, π), where (p, m, 2), and whether their side turns to +1 or −1. local: (t, q) signs of the
    faces around an arc, projectors (t, p, r, r) onto their spans. away (t, p, q, r): for every
    hyperplane that holds a face, the direction off it that stays in all the others.
    """

    bases: Array
    through: Array
    order: Array
    ends: Array
    turns: Array
    local: Array
    projectors: Array
    away: Array

    def part(self, chosen: slice) -> Circles:
        """Some of the circles."""
        return Circles(
            self.bases[chosen],
            self.through[chosen],
            self.order[chosen],
            self.ends[chosen],
            self.turns[chosen],
            self.local,
            self.projectors[:, chosen],
            self.away[:, chosen],
        )


class Sweep:
    """The faces of the arrangement of X's rows, ready to price any number of multipliers."""

    def __init__(self, X: Array) -> None:
        self.basis = row_space(X)
        self.Z = X @ self.basis
        self.rank = self.basis.shape[1]
        if self.rank == 0:
            self.lines = np.zeros((0, 0))
            return
        self.lines = distinct_lines(self.Z)
        visits = visited(len(self.lines), self.rank)
        if visits > MAX_VISITS:
            raise MethodError(
                f"{len(self.lines)} distinct hyperplanes in {self.rank} dimensions need "
                f"{visits:.2g} visits to price; accepted are at most {MAX_VISITS:.2g}"
            )
        # Which samples lie on which line, and on which side.
        aligned = (
            self.Z @ self.lines.T / np.maximum(np.linalg.norm(self.Z, axis=1), 1e-300)[:, None]
        )
        self._line = np.abs(aligned).argmax(axis=1)
        self._side = np.sign(aligned[np.arange(len(X)), self._line])

    @cached_property
    def _kept(self) -> list[Circles] | None:
        """All circles, if they are few enough to keep."""
        if comb(len(self.lines), self.rank - 2) * len(self.lines) > _KEPT:
            return None
        return list(circles(self.lines))

    def circles(self) -> Iterator[Circles]:
        """The circles of the arrangement, in pieces of bounded size."""
        yield from circles(self.lines) if self._kept is None else self._kept

    def points(self, count: int) -> Array:
        """Unit vectors (d, ≤ count) on many different faces: middles of arcs, evenly chosen."""
        if self.rank == 1:
            return self.basis @ np.array([[1.0, -1.0]])
        found, total = [], 0
        for piece in self.circles():
            following = np.concatenate([piece.ends[:, 1:], -piece.ends[:, :1]], axis=1)
            middles = np.einsum("prc,pmc->pmr", piece.bases, piece.ends + following)
            # Off the circle into the faces around it, by less than the arc's own length.
            length = 0.1 * np.linalg.norm(piece.ends - following, axis=2)[:, :, None]
            for signs in piece.local:
                aside = np.einsum("q,pqr->pr", signs, self.lines[piece.through])[:, None]
                found.append((middles + length * aside).reshape(-1, self.rank))
                total += len(found[-1])
            if total >= max(_PIECE // self.rank, 50 * count):
                break
        U = np.vstack(found)
        U = np.vstack([U, -U])
        U = U[np.unique(np.linspace(0, len(U) - 1, count).astype(int))]
        return self.basis @ (U / np.linalg.norm(U, axis=1, keepdims=True)).T

    def price(self, multipliers: Array, floor: float) -> tuple[Array, Array]:
        """Local maxima of ‖Λᵀφ(Xu)‖ above `floor`, and the global one in any case.

        multipliers: Λ (n, k). Returns values (m,), the largest first, and unit u (d, m). Includes
        the best point of every face that has one above the floor, so that all local maxima are
        among them.
        """
        values, points, _ = self._collect(multipliers[None], floor)
        _, first = np.unique(np.round(points, 7), axis=0, return_index=True)
        values, points = values[first], points[first]
        order = np.argsort(-values, kind="stable")
        return values[order], self.basis @ points[order].T

    def levels(self, vectors: Array) -> tuple[Array, Array]:
        """max |νᵀφ(Xu)| for every column ν of a (n, m) matrix, and maximising u (d, m)."""
        best = np.zeros(vectors.shape[1])
        argument = np.zeros((self.rank, vectors.shape[1]))
        width = max(1, _PIECE // (8 * max(1, len(self.lines)) * max(1, self.rank)))
        for start in range(0, vectors.shape[1], width):
            part = vectors[:, start : start + width].T[:, :, None]
            values, points, which = self._collect(part, np.inf)
            # Ascending, so that the largest of each column is written last.
            order = np.argsort(values, kind="stable")
            best[start + which[order]] = values[order]
            argument[:, start + which[order]] = points[order].T
        return best, self.basis @ argument

    def evaluate(self, multipliers: Array, which: Array, points: Array) -> Array:
        """‖Λᵀφ(Xu)‖ for each point (s, r), Λ being multipliers[which] of (b, n, k)."""
        values = np.empty(len(points))
        size = max(1, _PIECE // max(1, self.Z.shape[0] * (1 + multipliers.shape[2])))
        for start in range(0, len(points), size):
            part = slice(start, start + size)
            V = np.maximum(points[part] @ self.Z.T, 0)
            if len(multipliers) == 1:
                values[part] = np.linalg.norm(V @ multipliers[0], axis=1)
            else:
                images = np.einsum("sn,snk->sk", V, multipliers[which[part]], optimize=True)
                values[part] = np.linalg.norm(images, axis=1)
        return values

    def _collect(self, multipliers: Array, floor: float) -> tuple[Array, Array, Array]:
        """Values, points and owners of candidates for Λ's (b, n, k): above the floor, or best."""
        b = len(multipliers)
        values, points, which = [np.zeros(b)], [np.zeros((b, self.rank))], [np.arange(b)]
        if self.rank == 0:
            return values[0], points[0], which[0]
        best = np.zeros(b)
        for u, owner in self._candidates(multipliers, best, floor):
            clock.check()
            value = self.evaluate(multipliers, owner, u)
            kept = value >= np.minimum(best[owner], floor)
            values.append(value[kept])
            points.append(u[kept])
            which.append(owner[kept])
            np.maximum.at(best, owner, value)
        value, owner = np.concatenate(values), np.concatenate(which)
        kept = value >= np.minimum(best[owner], floor)
        return value[kept], np.vstack(points)[kept], owner[kept]

    def _candidates(
        self, multipliers: Array, best: Array, floor: float
    ) -> Iterator[tuple[Array, Array]]:
        """Unit points (s, r) and their owners (s,); `best` rises as the caller evaluates them."""
        b, _, k = multipliers.shape
        if self.rank == 1:
            yield np.tile([[1.0], [-1.0]], (b, 1)), np.repeat(np.arange(b), 2)
            return
        # What each line adds to M = ΛᵀDX on its positive side, and on its negative one.
        terms = multipliers[:, :, :, None] * self.Z[None, :, None, :]
        sides = []
        for s in (1, -1):
            on = np.zeros((len(self.lines), len(self.Z)))
            on[self._line, np.arange(len(self.Z))] = self._side == s
            sides.append(np.tensordot(on, terms, axes=(1, 1)).swapaxes(0, 1))
        plus, minus = sides  # (b, lines, k, r)
        for piece in self.circles():
            p, m = piece.order.shape
            size = max(1, _PIECE // (2 * b * m * k * self.rank))
            for start in range(0, p, size):
                arcs = _Arcs(self.lines, piece.part(slice(start, start + size)), plus, minus)
                limit = np.minimum(np.maximum(best, arcs.values.max(axis=(1, 2, 3))), floor)
                yield from arcs.corners_above(limit)
                for face in range(len(piece.local)):
                    yield from arcs.faces_above(face, np.minimum(best, floor))


class _Arcs:
    """The arcs of some circles with M = ΛᵀDX on each, for several Λ.

    M: (b, p, 2, m, k, r), both halves of the circle. corners, tangents: (p, 2, m, r), where an arc
    begins and which way it goes. values: ‖M u‖ at the corners.
    """

    def __init__(self, lines: Array, circles: Circles, plus: Array, minus: Array) -> None:
        self.lines, self.circles, self.plus, self.minus = lines, circles, plus, minus
        order, turns, ends = circles.order, circles.turns, circles.ends
        # At angle 0⁻ the lines about to turn negative are on their positive side.
        before = np.where((turns < 0)[None, :, :, None, None], plus[:, order], minus[:, order])
        steps = (plus - minus)[:, order] * turns[None, :, :, None, None]
        M = before.sum(axis=2, keepdims=True) + np.cumsum(steps, axis=2)
        opposite = (plus + minus)[:, order].sum(axis=2, keepdims=True) - M
        self.M = np.stack([M, opposite], axis=2)
        ahead = np.stack([-ends[..., 1], ends[..., 0]], axis=-1)
        self.corners, self.tangents = (
            np.einsum("prc,pmc->pmr", circles.bases, v)[:, None] * _HALVES[:, None, None]
            for v in (ends, ahead)
        )
        self.images = np.einsum("bpamkr,pamr->bpamk", self.M, self.corners, optimize=True)
        self.values = np.linalg.norm(self.images, axis=-1)

    def corners_above(self, limit: Array) -> Iterator[tuple[Array, Array]]:
        """Corners above limit (b,) at which the value falls along the circle on both sides."""
        # Before a corner lies the arc before it in order, or the last one of the other half.
        previous = np.roll(self.M, 1, axis=3)
        previous[:, :, :, 0] = previous[:, :, ::-1, 0]
        rise, fall = (
            np.einsum("bpamk,bpamkr,pamr->bpam", self.images, M, self.tangents, optimize=True)
            for M in (previous, self.M)
        )
        slack = _SIDE * self.values**2
        high = self.values >= _just_below(limit)[:, None, None, None]
        owner, *place = np.nonzero(high & (rise >= -slack) & (fall <= slack))
        if len(owner):
            yield self.corners[tuple(place)], owner

    def faces_above(self, face: int, limit: Array) -> Iterator[tuple[Array, Array]]:
        """Maximisers above limit (b,) in the interiors of one face around each arc.

        On the face the value is ‖M P u‖, largest at u ∝ ± P Mᵀq, q the top eigenvector of M P Mᵀ.
        That u counts if one of ± u lies in the face, and if no step off the face raises the value.
        """
        signs = self.circles.local[face]
        M = self._matrices(signs)
        image = M
        if not signs.all() or not len(signs):
            P = self.circles.projectors[face]
            image = np.einsum("bpamkr,prs->bpamks", M, P, optimize=True)
        u = _top_image(image)
        length = np.linalg.norm(u, axis=-1)
        at = np.nonzero((length >= _just_below(limit)[:, None, None, None]) & (length > 0))
        owner, *place = at
        u = u[at] / length[at][:, None]
        heights = np.array(
            [
                np.einsum("sr,sr->s", u, self.lines[line]) * side
                for line, side in self._walls(signs, *place)
            ]
        )
        right, wrong = np.all(heights >= -_SIDE, axis=0), np.all(heights <= _SIDE, axis=0)
        u = np.where((wrong & ~right)[:, None], -u, u)
        kept = np.logical_or(right, wrong)
        for j in np.flatnonzero(signs == 0):
            line = self.circles.through[place[0], j]
            away = self.circles.away[face][place[0], j]
            kept &= self._falls(M[at], u, owner, line, away, _SIDE * length[at] ** 2)
        if kept.any():
            yield u[kept], owner[kept]

    def _matrices(self, signs: Array) -> Array:
        """M on the face with these signs (q,) around each arc: the arc's, and what the lines
        through it add on their sides (nothing where the face lies in them)."""
        if not signs.any():
            return self.M
        through = self.circles.through
        added = np.where(
            (signs > 0)[:, None, None],
            self.plus[:, through],
            np.where((signs < 0)[:, None, None], self.minus[:, through], 0.0),
        )
        return self.M + added.sum(axis=2)[:, :, None, None]

    def _falls(
        self, M: Array, u: Array, owner: Array, line: Array, away: Array, slack: Array
    ) -> Array:
        """Whether the value does not rise off a face, to either side of a line that holds it.

        M (s, k, r) on the face, away (s, r) the direction off it: there M gains the line's term,
        and the slope of ½‖M u‖² is ⟨Mu, (M + term)(± away)⟩, at most zero but for rounding.
        """
        image = np.einsum("skr,sr->sk", M, u)
        slopes = [
            np.sum(image * np.einsum("skr,sr->sk", M + term[owner, line], side * away), axis=1)
            for side, term in ((1, self.plus), (-1, self.minus))
        ]
        return (slopes[0] <= slack) & (slopes[1] <= slack)

    def _walls(
        self, signs: Array, circle: Array, half: Array, arc: Array
    ) -> Iterator[tuple[Array, Array]]:
        """Lines next to the faces around some arcs, and the sides of them on which they lie."""
        order, turns = self.circles.order, self.circles.turns
        # The line that ends an arc has not turned yet; the last arc ends where the first began.
        last = arc == order.shape[1] - 1
        following = np.where(last, 0, arc + 1)
        flip = _HALVES[half]
        yield order[circle, arc], turns[circle, arc] * flip
        yield order[circle, following], turns[circle, following] * np.where(last, 1, -1) * flip
        for j in np.flatnonzero(signs):
            yield self.circles.through[circle, j], np.full(len(arc), signs[j])


def _top_image(M: Array) -> Array:
    """Mᵀq, q the top eigenvector of M Mᵀ, for M (…, k, r)."""
    if M.shape[-2] == 1:
        return M[..., 0, :]
    _, vectors = np.linalg.eigh(M @ np.swapaxes(M, -1, -2))
    return np.einsum("...k,...kr->...r", vectors[..., -1], M, optimize=True)


def _just_below(limit: Array) -> Array:
    return limit * (1 - 1e-12)


def visited(lines: int, rank: int) -> int:
    """Faces that a sweep visits: every arc once for every face around it."""
    if rank < 2:
        return 2
    return 2 * comb(lines, rank - 2) * max(1, lines - rank + 2) * 3 ** (rank - 2)


def circles(lines: Array) -> Iterator[Circles]:
    """The two-dimensional flats of the arrangement of unit, pairwise independent lines (h, r)."""
    h, r = lines.shape
    q = r - 2
    simple = np.array(list(product((0, 1, -1), repeat=q)), dtype=int).reshape(3**q, q)
    seen: set[bytes] = set()
    size = max(1, _PIECE // (4 * h))
    if q == 0:
        yield _cut(lines, np.eye(2)[None], np.zeros((1, 0), dtype=int), simple)
        return
    chooser = combinations(range(h), q)
    while batch := list(islice(chooser, size)):
        clock.check()
        chosen = np.array(batch)
        _, s, vt = np.linalg.svd(lines[chosen])
        independent = s[:, -1] > _ANGLE
        chosen, bases = chosen[independent], np.swapaxes(vt[independent, q:], 1, 2)
        heights = np.linalg.norm(np.einsum("hr,prc->phc", lines, bases, optimize=True), axis=2)
        through = heights <= 10 * _ANGLE
        crowded = through.sum(axis=1) > q
        if not crowded.all():
            yield _cut(lines, bases[~crowded], chosen[~crowded], simple)
        for B, meeting in zip(bases[crowded], through[crowded], strict=True):
            if (key := meeting.tobytes()) in seen:
                continue
            seen.add(key)
            yield _cut(lines, B[None], np.flatnonzero(meeting)[None], _local(lines[meeting]))


def _local(meeting: Array) -> Array:
    """Signs (t, q) of all faces of the arrangement of lines that meet in a circle."""
    groups = faces(meeting)
    signs = [np.zeros((1, len(meeting)), dtype=int)]
    for group in groups:
        heights = group.points @ meeting.T
        signs.append(np.where(np.abs(heights) > _SIDE, np.sign(heights), 0).astype(int))
    return np.unique(np.vstack(signs), axis=0)


def _cut(lines: Array, bases: Array, through: Array, local: Array) -> Circles:
    p, h = len(bases), len(lines)
    flat = np.einsum("hr,prc->phc", lines, bases, optimize=True)
    angles = np.arctan2(flat[..., 1], flat[..., 0])
    # A line changes sign at right angles to itself: leaves + at angle + π/2, enters it π earlier.
    leaving = np.mod(angles + np.pi / 2, 2 * np.pi)
    turns = np.where(leaving < np.pi, -1, 1)
    crossing = np.where(leaving < np.pi, leaving, leaving - np.pi)
    if through.size:
        np.put_along_axis(crossing, through, np.inf, axis=1)
    m = h - through.shape[1]
    order = np.argsort(crossing, axis=1, kind="stable")[:, :m]
    angle = np.take_along_axis(crossing, order, axis=1)
    r, q = lines.shape[1], through.shape[1]
    projectors, away = np.empty((len(local), p, r, r)), np.zeros((len(local), p, q, r))
    for i, signs in enumerate(local):
        holding = lines[through[:, signs == 0]]
        inverse = np.linalg.pinv(holding, rcond=_ANGLE)
        projectors[i] = np.eye(r) - inverse @ holding
        away[i][:, signs == 0] = np.swapaxes(inverse, 1, 2)
    return Circles(
        bases=bases,
        through=through,
        order=order,
        ends=np.stack([np.cos(angle), np.sin(angle)], axis=2),
        turns=np.take_along_axis(turns, order, axis=1),
        local=local,
        projectors=projectors,
        away=away,
    )

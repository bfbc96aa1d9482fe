"""Pricing in few dimensions: maximisers by ascent, the level by the checker's cones (theory §3).

The sweep of `pricing.py` looks at every face. Where these are too many, cones of directions that
are bounded together are fewer by far, for any number of outputs.
"""

import numpy as np

from zerogap.checker.budget import Refused
from zerogap.checker.kinds.cones import cone_level, shortest
from zerogap.convex.ascent import Ascent
from zerogap.convex.oracles import Atoms
from zerogap.model import clock
from zerogap.model.errors import MethodError
from zerogap.model.matrices import Array
from zerogap.theory.arrangements import row_space

# Points of the subdivision from which is climbed, the highest, if ascent has missed them.
_STARTS = 600
# Relative differences of values that are rounding.
_SAME = 1e-10
# Cosines from which on points climb the same summit, and summits are one.
_NEAR, _NEXT = 1 - 1e-4, 1 - 1e-7
# Kinks near a point that are tried at once, and steps.
_KINKS, _STEPS = 8, 10


class Summits:
    """V₂ = {φ(Xu) : ‖u‖ ≤ 1}: local maxima by ascent; the largest may have been missed."""

    exact = False

    def __init__(self, X: Array) -> None:
        self.basis = row_space(X)
        self.ascent = Ascent(X @ self.basis)

    def start(self, Y: Array) -> Atoms:
        return self._lifted(self.ascent.start(Y))

    def price(self, multipliers: Array, floor: float) -> tuple[Array, Atoms]:
        """Local maxima above `floor`, the largest in any case."""
        values, atoms = self._summits(multipliers, *self.ascent.price(multipliers, floor))
        return values, self._lifted(atoms)

    def _summits(self, multipliers: Array, values: Array, atoms: Atoms) -> tuple[Array, Atoms]:
        """The distinct local maxima near some points, largest first; ascent stops before kinks.

        At a maximum u, F = Λᵀφ(Xu) points along some q, and u along the shortest of the gradients
        of q·F that the slopes θ_i of kinks x_i·u = 0 with λ_i·q < 0 give (kinds/cones.py). The
        nearest such samples are taken for kinks; θ_i is 0 or 1 for one that is not.
        """
        X = self.ascent.X
        kept = _apart(values, atoms.U, _NEAR)
        values, U = values[kept], atoms.U[:, kept].T
        lengths = np.maximum(np.linalg.norm(X, axis=1), 1e-300)
        each = np.arange(len(U))[:, None]
        for _ in range(_STEPS):
            heights = U @ X.T
            weights = _unit(np.maximum(heights, 0) @ multipliers) @ multipliers.T
            distance = np.where(weights < 0, np.abs(heights) / lengths, np.inf)
            near = np.argsort(distance, axis=1, kind="stable")[:, :_KINKS]
            chosen = np.zeros(weights.shape, dtype=bool)
            chosen[each, near] = np.isfinite(distance[each, near])
            columns = X[near] * np.where(chosen, weights, 0)[each, near][:, :, None]
            g = np.where((heights > 0) & ~chosen, weights, 0) @ X
            theta = shortest(g, columns, (heights[each, near] > 0).astype(float))
            moved = _unit(g + np.einsum("bk,bkd->bd", theta, columns))
            found = np.linalg.norm(np.maximum(moved @ X.T, 0) @ multipliers, axis=1)
            better = found > values
            if not better.any():
                break
            values, U = np.where(better, found, values), np.where(better[:, None], moved, U)
        kept = _apart(values, U.T, _NEXT)
        return values[kept], self.ascent.atoms(U[kept].T)

    def _lifted(self, atoms: Atoms) -> Atoms:
        """Atoms of the row space's coordinates with their first-layer weights in R^d."""
        return Atoms(atoms.V, self.basis @ atoms.U)


class Proved(Summits):
    """V₂ = {φ(Xu) : ‖u‖ ≤ 1}: local maxima by ascent, and the largest proved to be so."""

    exact = True

    def price(self, multipliers: Array, floor: float) -> tuple[Array, Atoms]:
        """Local maxima above `floor`, the largest in any case; values[0] is proved to be c(Λ)."""
        X = self.ascent.X
        values, atoms = self._summits(multipliers, *self.ascent.price(multipliers, floor))
        missed = _Higher(float(values[0]) * (1 + _SAME))
        try:
            level = cone_level(X, multipliers, missed.visit)
        except Refused as refused:
            raise MethodError(f"the level is not proved: {refused}") from None
        if missed.points:
            more = self.ascent.climb(multipliers, missed.highest(_STARTS))
            higher, found = self._summits(multipliers, *more)
            values, atoms = np.concatenate([higher, values]), found + atoms
            kept = _apart(values, atoms.U, _NEXT)
            values, atoms = values[kept], atoms[kept]
        values[0] = float(level)
        return values, self._lifted(atoms)


class _Higher:
    """Points of a subdivision that are higher than what is known."""

    def __init__(self, known: float) -> None:
        self.known = known
        self.points: list[Array] = []
        self.values: list[Array] = []

    def visit(self, points: Array, values: Array) -> None:
        clock.check()
        high = values > self.known
        if high.any():
            self.points.append(points[high])
            self.values.append(values[high])

    def highest(self, count: int) -> Array:
        """The highest of them, as columns."""
        order = np.argsort(-np.concatenate(self.values), kind="stable")[:count]
        return np.vstack(self.points)[order].T


def _unit(vectors: Array) -> Array:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)


def _apart(values: Array, U: Array, cosine: float) -> Array:
    """Indices of unit columns, the highest first, without those near to a higher one."""
    order = np.argsort(-values, kind="stable")
    kept = []
    while len(order):
        kept.append(order[0])
        order = order[U[:, order[0]] @ U[:, order] < cosine]
    return np.array(kept)

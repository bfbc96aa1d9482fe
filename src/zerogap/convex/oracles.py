"""Oracles: the dual constraint level c(Λ) = max ‖Λᵀv‖ over branch outputs v, and its maximisers.

The exact ones look at all candidates among which the maximiser must be, so the level is exact up
to rounding and owes nothing to the solver that proposed Λ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Protocol

import numpy as np

from zerogap.convex.pricing import Sweep
from zerogap.model.errors import MethodError
from zerogap.model.matrices import Array

# Supports of the orthant that are enumerated for whitened data: 2^12 symmetric eigenproblems.
MAX_ORTHANT = 12
# Directions with which column generation begins where biases are free, and their opposites.
_DIRECTIONS = 4


@dataclass(frozen=True, eq=False)
class Atoms:
    """Branch outputs V (n, m) and what is behind them, one column each.

    U: the unit first-layer weights (d, m) of V = φ(X U), or a row (1, m) of deeper branches.
    """

    V: Array
    U: Array

    def __add__(self, other: Atoms) -> Atoms:
        return Atoms(np.hstack([self.V, other.V]), np.hstack([self.U, other.U]))

    def __getitem__(self, chosen: Array) -> Atoms:
        return Atoms(self.V[:, chosen], self.U[:, chosen])

    def branches(self) -> tuple[tuple[Array, ...], ...]:
        """The inner layers, of unit norm, of every atom's branch."""
        if self.U.dtype == object:
            return tuple(branch.layers() for branch in self.U[0])
        return tuple((self.U[:, [j]],) for j in range(self.U.shape[1]))


class Oracle(Protocol):
    """What column generation needs to know about V; `exact` if `price` finds the global maximum."""

    exact: bool

    def start(self, Y: Array) -> Atoms:
        """Atoms whose span contains the targets Y (n, k)."""

    def price(self, multipliers: Array, floor: float) -> tuple[Array, Atoms]:
        """Local maxima of ‖Λᵀv‖ above `floor`, the largest in any case, largest first."""


class Features:
    """V₂ = {φ(Xu) : ‖u‖ ≤ 1}, priced over all faces of its arrangement (theory §3)."""

    exact = True

    def __init__(self, X: Array) -> None:
        self.X = X
        self.sweep = Sweep(X)

    def atoms(self, U: Array) -> Atoms:
        """The atoms of unit columns U (d, m)."""
        return Atoms(np.maximum(self.X @ U, 0), U)

    def start(self, Y: Array) -> Atoms:
        count = 4 * Y.size
        while True:
            atoms = self.atoms(self.sweep.points(count))
            residual = Y - atoms.V @ np.linalg.lstsq(atoms.V, Y, rcond=1e-12)[0]
            if np.linalg.norm(residual) <= 1e-9 * np.linalg.norm(Y) or count > len(atoms.U.T):
                return atoms
            count *= 4

    def price(self, multipliers: Array, floor: float) -> tuple[Array, Atoms]:
        values, U = self.sweep.price(multipliers, floor)
        return values, self.atoms(U)

    def levels(self, vectors: Array) -> tuple[Array, Array]:
        """max |νᵀv| over V₂ for every column ν of a (n, m) matrix, and maximising u (d, m)."""
        return self.sweep.levels(vectors)


class Shifted:
    """{φ(Xw + b1) : ‖w‖ ≤ 1} of free biases b, for Λᵀ1 = 0: maxima have b = −x_i·w (theory §10).

    So they are those of V₂ of the data X − 1x_iᵀ, which `part` prices. Columns of U are (w, b).
    """

    def __init__(self, X: Array, part: Callable[[Array], Oracle]) -> None:
        self.X, self.rows = X, np.unique(X, axis=0)
        self.parts = [part(X - row) for row in self.rows]
        self.exact = all(part.exact for part in self.parts)

    def start(self, Y: Array) -> Atoms:
        # Sorted along any w that tells the rows apart, these are triangular: with constants they
        # span all targets.
        W = np.random.default_rng(0).normal(size=(self.X.shape[1], _DIRECTIONS))
        W = np.hstack([W, -W]) / np.tile(np.linalg.norm(W, axis=0), 2)
        heights = [self.X - row for row in self.rows]
        return reduce(add, self._lifted(Atoms(np.maximum(Z @ W, 0), W) for Z in heights))

    def price(self, multipliers: Array, floor: float) -> tuple[Array, Atoms]:
        found = [part.price(multipliers, floor) for part in self.parts]
        values = np.concatenate([each for each, _ in found])
        atoms = reduce(add, self._lifted(each for _, each in found))
        order = np.argsort(-values, kind="stable")
        order = order[values[order] >= min(floor, values.max())]
        return values[order], atoms[order]

    def _lifted(self, atoms: Iterable[Atoms]) -> Iterator[Atoms]:
        for row, each in zip(self.rows, atoms, strict=True):
            yield Atoms(each.V, np.vstack([each.U, -row @ each.U]))


class Orthant:
    """V = {v ≥ 0 : ‖v‖ ≤ 1} of whitened data, X Xᵀ = I, at every depth (theory §7).

    The faces are the supports S, and v_S is the top eigenvector of (ΛΛᵀ)_SS. For columns that
    have mixed signs, the positive part is still a candidate, which only adds lower bounds.
    """

    exact = True

    def __init__(self, X: Array) -> None:
        self.X = X
        n = len(X)
        if n > MAX_ORTHANT:
            raise MethodError(
                f"whitened data with {n} samples has {2**n - 1} supports to price; accepted are "
                f"at most {MAX_ORTHANT} samples (one-hot and scalar targets have closed forms)"
            )
        self.supports = ((np.arange(1, 2**n)[:, None] >> np.arange(n)) & 1).astype(bool)

    def atoms(self, V: Array) -> Atoms:
        # X Xᵀ = I: the first-layer weights Xᵀv are of unit length and give φ(X Xᵀ v) = v.
        return Atoms(V, self.X.T @ V)

    def start(self, Y: Array) -> Atoms:
        return self.atoms(np.eye(len(self.X)))

    def price(self, multipliers: Array, floor: float) -> tuple[Array, Atoms]:
        v = _top_direction(np.swapaxes(multipliers[None] * self.supports[:, :, None], 1, 2))
        V = np.maximum(np.vstack([v, -v]), 0).T
        norms = np.linalg.norm(V, axis=0)
        atoms = self.atoms(V[:, norms > 0] / norms[norms > 0])
        values = np.linalg.norm(multipliers.T @ atoms.V, axis=0)
        order = np.argsort(-values, kind="stable")
        order = order[values[order] >= min(floor, values.max())]
        return values[order], atoms[order]


def _top_direction(M: Array) -> Array:
    """Unit right singular vectors (f, r) of the largest singular values of M (f, k, r)."""
    if M.shape[1] == 1:
        rows = M[:, 0]
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
    return np.linalg.eigh(np.swapaxes(M, 1, 2) @ M)[1][:, :, -1]

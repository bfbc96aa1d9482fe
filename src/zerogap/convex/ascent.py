"""Pricing where the faces are too many to visit: local maxima of ‖Λᵀφ(Xu)‖ from many starts."""

import numpy as np

from zerogap.convex.oracles import Atoms
from zerogap.model import clock
from zerogap.model.matrices import Array

_STARTS, _STEPS = 600, 100
# Steps grow while they help; a step that does not is taken back and the next is shorter.
_LONGER, _SHORTER = 2.0, 0.5
# Maxima whose coordinates agree to so many digits are one.
_DIGITS = 6


class Ascent:
    """V₂ = {φ(Xu) : ‖u‖ ≤ 1} by gradient ascent on the sphere: good atoms, no bound on c(Λ).

    Starts are random, but seeded, and the maximisers of the last call, which move little while Λ
    converges.
    """

    exact = False

    def __init__(self, X: Array) -> None:
        self.X = X
        self.generator = np.random.default_rng(0)
        self.last = np.zeros((X.shape[1], 0))

    def atoms(self, U: Array) -> Atoms:
        """The atoms of unit columns U (d, m)."""
        return Atoms(np.maximum(self.X @ U, 0), U)

    def start(self, Y: Array) -> Atoms:
        return self.atoms(self.random(4 * Y.size))

    def price(self, multipliers: Array, floor: float) -> tuple[Array, Atoms]:
        """Local maxima found, those above `floor` and the largest, largest first."""
        values, atoms = self.climb(multipliers, np.hstack([self.random(_STARTS), self.last]))
        kept = np.flatnonzero(values >= min(floor, values[0]))
        self.last = atoms.U[:, kept[: 4 * multipliers.size]]
        return values[kept], atoms[kept]

    def climb(self, multipliers: Array, U: Array) -> tuple[Array, Atoms]:
        """The distinct local maxima that are reached from the columns of U, largest first."""
        values, U = self._climb(multipliers, U)
        _, first = np.unique(np.round(U, _DIGITS), axis=1, return_index=True)
        order = first[np.argsort(-values[first], kind="stable")]
        return values[order], self.atoms(U[:, order])

    def random(self, count: int) -> Array:
        """Unit directions, as columns."""
        U = self.generator.normal(size=(self.X.shape[1], count))
        return U / np.linalg.norm(U, axis=0)

    def _climb(self, multipliers: Array, U: Array) -> tuple[Array, Array]:
        values, slopes = self._slopes(multipliers, U)
        lengths = np.ones(U.shape[1])
        for _ in range(_STEPS):
            moved = U + lengths * slopes
            moved /= np.linalg.norm(moved, axis=0)
            found, steeper = self._slopes(multipliers, moved)
            better = found > values
            values = np.where(better, found, values)
            U, slopes = np.where(better, moved, U), np.where(better, steeper, slopes)
            lengths *= np.where(better, _LONGER, _SHORTER)
            if clock.late():
                break
        return values, U

    def _slopes(self, multipliers: Array, U: Array) -> tuple[Array, Array]:
        """‖Λᵀφ(Xu)‖ and the directions of its gradients, for every column of U."""
        heights = self.X @ U
        images = multipliers.T @ np.maximum(heights, 0)
        slopes = self.X.T @ ((heights > 0) * (multipliers @ images))
        lengths = np.linalg.norm(slopes, axis=0)
        return np.linalg.norm(images, axis=0), slopes / np.where(lengths > 0, lengths, 1)

"""Huber's loss: ½r² for |r| ≤ δ and δ|r| − ½δ² beyond, r = y − f: squares with |Λ| ≤ δ."""

import numpy as np

from zerogap.model.losses.base import Loss
from zerogap.model.losses.conjugate import Conjugate
from zerogap.model.matrices import Array


class Huber(Loss, name="huber"):
    """Squares near zero, absolute values beyond δ, the parameter; entry by entry, any targets."""

    default, between = 1.0, (0.0, np.inf)

    @property
    def _delta(self) -> float:
        return self.parameter or 1.0

    def terms(self, F: Array, Y: Array) -> Array:
        far = np.abs(F - Y)
        near = np.minimum(far, self._delta)
        return near * (far - 0.5 * near)

    def gradient(self, F: Array, Y: Array) -> Array:
        return np.clip(F - Y, -self._delta, self._delta)

    def conjugate(self, Y: Array) -> Conjugate:
        delta = np.full_like(Y, self._delta)
        return Conjugate(Y, 1.0, -delta, delta)

    def units(self, Y: Array) -> tuple[Loss, float, float, float]:
        size = float(np.linalg.norm(Y)) or 1.0
        return Huber(self._delta / size), size, size, size**2

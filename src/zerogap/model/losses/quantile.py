"""The quantile (pinball) loss: max(q r, (q − 1) r), r = y − f, with q − 1 ≤ Λ ≤ q, value Λ·y."""

import numpy as np

from zerogap.model.losses.base import Loss
from zerogap.model.losses.conjugate import Conjugate
from zerogap.model.matrices import Array


class Quantile(Loss, name="quantile"):
    """Its minimiser over constants is the q-quantile, q the parameter; entry by entry."""

    default, between, smooth = 0.5, (0.0, 1.0), False

    @property
    def _level(self) -> float:
        return self.parameter or 0.5

    def terms(self, F: Array, Y: Array) -> Array:
        residual = Y - F
        return np.maximum(self._level * residual, (self._level - 1) * residual)

    def gradient(self, F: Array, Y: Array) -> Array:
        return np.where(Y > F, -self._level, np.where(Y < F, 1 - self._level, 0.0))

    def conjugate(self, Y: Array) -> Conjugate:
        high = np.full_like(Y, self._level)
        return Conjugate(Y, 0.0, high - 1, high)

    def units(self, Y: Array) -> tuple[Loss, float, float, float]:
        size = float(np.linalg.norm(Y)) or 1.0
        return self, size, 1.0, size

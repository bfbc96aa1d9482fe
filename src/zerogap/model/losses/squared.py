"""Squares: ½‖f − y‖², with Λ = y − f and −ℓ*(−Λ) = Λ·y − ½‖Λ‖²."""

import numpy as np

from zerogap.model.losses.base import Loss
from zerogap.model.losses.conjugate import Conjugate
from zerogap.model.matrices import Array


class Squared(Loss, name="squared"):
    """½‖f − y‖², of any targets."""

    def terms(self, F: Array, Y: Array) -> Array:
        return 0.5 * (F - Y) ** 2

    def gradient(self, F: Array, Y: Array) -> Array:
        return F - Y

    def value(self, F: Array, Y: Array) -> float:
        return 0.5 * float(np.linalg.norm(F - Y) ** 2)

    def descent(self, F: Array, Y: Array) -> tuple[float, Array]:
        residual = F - Y
        return 0.5 * float(np.vdot(residual, residual)), residual

    def conjugate(self, Y: Array) -> Conjugate:
        free = np.full_like(Y, np.inf)
        return Conjugate(Y, 1.0, -free, free)

    def units(self, Y: Array) -> tuple[Loss, float, float, float]:
        size = float(np.linalg.norm(Y)) or 1.0
        return self, size, size, size**2

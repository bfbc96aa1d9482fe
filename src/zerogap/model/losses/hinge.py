"""The hinge loss: max(0, 1 − yf), y = ±1, with Λ = yα, 0 ≤ α ≤ 1, value Σα."""

import numpy as np

from zerogap.model.losses.base import Loss, require_labels
from zerogap.model.losses.conjugate import Conjugate
from zerogap.model.matrices import Array


class Hinge(Loss, name="hinge"):
    """That of support vector machines, for labels −1 and 1; entry by entry."""

    smooth = False

    def refuse(self, Y: Array) -> str | None:
        return require_labels(Y)

    def terms(self, F: Array, Y: Array) -> Array:
        return np.maximum(0, 1 - Y * F)

    def gradient(self, F: Array, Y: Array) -> Array:
        return np.where(Y * F < 1, -Y, 0.0)

    def conjugate(self, Y: Array) -> Conjugate:
        return Conjugate(Y, 0.0, np.minimum(Y, 0), np.maximum(Y, 0))

"""The logistic loss: log(1 + exp(−yf)), y = ±1, with Λ = yα, 0 ≤ α ≤ 1, value Σ H(α).

H(α) = −α log α − (1 − α) log(1 − α).
"""

import numpy as np

from zerogap.model.losses.base import Loss, require_labels
from zerogap.model.losses.conjugate import Conjugate
from zerogap.model.matrices import Array


class Logistic(Loss, name="logistic"):
    """The cross-entropy of two classes with labels −1 and 1; entry by entry."""

    def refuse(self, Y: Array) -> str | None:
        return require_labels(Y)

    def endless(self, Y: Array) -> str | None:
        alike = np.flatnonzero((Y[0] == Y).all(axis=0))
        return f"all labels of column {alike[0]} are {Y[0, alike[0]]:g}" if len(alike) else None

    def terms(self, F: Array, Y: Array) -> Array:
        return np.logaddexp(0, -Y * F)

    def gradient(self, F: Array, Y: Array) -> Array:
        # 1/(1 + e^m) without overflow.
        return -Y * np.exp(-np.logaddexp(0, Y * F))

    def conjugate(self, Y: Array) -> Conjugate:
        shares = ((Y, np.zeros_like(Y)), (-Y, np.ones_like(Y)))
        return Conjugate(np.zeros_like(Y), 0.0, np.minimum(Y, 0), np.maximum(Y, 0), shares)

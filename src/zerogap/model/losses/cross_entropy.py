"""Softmax cross-entropy: Σ_k −y_k log softmax(f)_k, with Λ = y − π, π ≥ 0, Σπ = Σy = s.

Its value is Σ π_k log(s/π_k), the entropy of π for s = 1.
"""

import numpy as np

from zerogap.model.losses.base import Loss
from zerogap.model.losses.conjugate import Conjugate
from zerogap.model.matrices import Array


class CrossEntropy(Loss, name="cross-entropy"):
    """For rows y ≥ 0 that are not zero: one-hot, probabilities, or weights of classes."""

    def refuse(self, Y: Array) -> str | None:
        if Y.shape[1] < 2:
            return "Y has one column; accepted is one for each of two or more classes"
        wrong = np.flatnonzero((Y < 0).any(axis=1) | ~Y.any(axis=1))
        if not len(wrong):
            return None
        return (
            f"row {wrong[0]} of Y is {Y[wrong[0]].tolist()}; accepted are rows of non-negative "
            "numbers, one of them positive, such as one-hot ones"
        )

    def endless(self, Y: Array) -> str | None:
        empty = np.flatnonzero(~Y.any(axis=0))
        return f"no sample is of class {empty[0]}" if len(empty) else None

    def terms(self, F: Array, Y: Array) -> Array:
        total = np.logaddexp.reduce(F, axis=-1, keepdims=True)
        return np.sum(Y * (total - F), axis=-1)

    def gradient(self, F: Array, Y: Array) -> Array:
        shares = np.exp(F - np.logaddexp.reduce(F, axis=-1, keepdims=True))
        return Y.sum(axis=-1, keepdims=True) * shares - Y

    def conjugate(self, Y: Array) -> Conjugate:
        sums = Y.sum(axis=1, keepdims=True)
        return Conjugate(
            np.zeros_like(Y),
            0.0,
            Y - sums,
            Y.copy(),
            ((-np.ones_like(Y), Y),),
            float(np.sum(sums * np.log(sums))),
            balanced=True,
        )

"""The positive part of a symmetric matrix that changes little from one call to the next."""

import numpy as np

from zerogap.model.matrices import Array

# Vectors that are followed beside those of positive eigenvalues: a few, and a share of these; the
# share of all beyond which the whole decomposition is as cheap, and the calls between two of them.
_FEW, _SHARE, _WIDE, _OFTEN = 4, 0.25, 0.15, 40


class Positive:
    """A ↦ A₊, from the last call's eigenvectors by one step of block Krylov iteration.

    Moments of few neurons have low rank. What becomes positive is among the vectors that are
    followed as a rule; a whole decomposition now and then finds it otherwise.
    """

    def __init__(self) -> None:
        self.near: Array | None = None
        self.calls = 0

    def __call__(self, A: Array) -> Array:
        self.calls += 1
        if self.near is not None and self.calls % _OFTEN:
            Q = np.linalg.qr(np.hstack([self.near, A @ self.near]))[0]
            values, vectors = np.linalg.eigh(Q.T @ (A @ Q))
            if values[-self.near.shape[1]] < 0:
                return self._part(values, Q @ vectors)
        return self._part(*np.linalg.eigh(A))

    def _part(self, values: Array, vectors: Array) -> Array:
        """A₊, of eigenvectors in increasing order; keeps those that are to be followed."""
        count = int((values > 0).sum())
        followed = count + _FEW + int(_SHARE * count)
        self.near = vectors[:, -followed:] if followed <= _WIDE * len(vectors) else None
        V = vectors[:, len(values) - count :] * np.sqrt(values[len(values) - count :])
        # Symmetric to the last bit, as numpy knows a product with its own transpose.
        return V @ V.T

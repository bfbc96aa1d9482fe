"""The lift of a neuron's moments (r, u, p) to (r, u, p, q) and its cones (see moments.py)."""

import numpy as np

from zerogap.convex.blocks import Block
from zerogap.model.matrices import Array


class Lift:
    """T: (r, u, p) ↦ (r, u, p, q = p − Xu) on moment matrices, and what ADMM solves with it.

    With X = AΣBᵀ, TᵀT is twice the identity on all p orthogonal to A. The rest happens in the few
    dimensions of u and A, so that a solve costs n² times their number.
    """

    def __init__(self, X: Array, outputs: int, dtype: type[np.floating]) -> None:
        self.X, self.outputs, self.dtype = X.astype(dtype), outputs, dtype
        self.n, self.d = _, d = X.shape
        self.u = slice(outputs, outputs + d)
        self.p = slice(self.u.stop, self.u.stop + self.n)
        self.q = slice(self.p.stop, self.p.stop + self.n)
        self.pairs = slice(self.p.start, self.q.stop)
        A, sigma, Bt = np.linalg.svd(X, full_matrices=False)
        cross = -Bt.T * sigma
        small = np.block([[np.eye(d) + X.T @ X, cross], [cross.T, 2 * np.eye(len(sigma))]])

        def basis(matrix: Array) -> tuple[Array, Array]:
            values, vectors = np.linalg.eigh(matrix)
            return values, np.vstack([vectors[:d], A @ vectors[d:]]).astype(dtype)

        g, self.Q = basis(small)
        beside = 1 / (1 + 2 * g)
        self.beside = (beside - 1 / 5).astype(dtype)[:, None]
        core = 1 / (1 + np.multiply.outer(g, g)) + 1 / 5 - np.add.outer(beside, beside)
        self.core = (core / 2).astype(dtype)
        # The rows r of M meet the copy of the fit as well.
        rows = np.eye(len(small)) + small
        rows[d:, d:] += np.eye(len(sigma))
        h, self.rows = basis(rows)
        self.row = (1 / h - 1 / 4).astype(dtype)[:, None]

    def up(self, M: Array) -> Array:
        """T M Tᵀ."""
        return self._up(self._up(M).T)

    def down(self, Z: Array) -> Array:
        """Tᵀ Z T, for symmetric Z."""
        return self._down(self._down(Z).T)

    def _up(self, A: Array) -> Array:
        return np.vstack([A, A[self.p] - self.X @ A[self.u]])

    def _down(self, A: Array) -> Array:
        B = A[: self.p.stop].copy()
        B[self.u] -= self.X.T @ A[self.q]
        B[self.p] += A[self.q]
        return B

    def solve(self, R: Array, fit: Array, cost: float) -> Array:
        """M of least cost·tr M_rr + ½‖M‖² + ½‖T M Tᵀ‖² + ‖M_pr‖² − ⟨R, M⟩ − 2⟨fit, M_pr⟩."""
        r, rest = slice(0, self.outputs), slice(self.outputs, self.p.stop)
        # Antisymmetric rounding errors of R would grow from step to step.
        R = (R + R.T) / 2
        M = R / 5
        M[r, r] = (R[r, r] - self.dtype(cost) * np.eye(self.outputs, dtype=self.dtype)) / 2
        side = R[rest, r].copy()
        side[self.d :] += fit
        side = side / 4 + self.rows @ (self.row * (self.rows.T @ side))
        M[rest, r], M[r, rest] = side, side.T
        Q, seen = self.Q, self.Q.T @ R[rest, rest]
        change = Q @ (self.beside * seen + (self.core * (seen @ Q)) @ Q.T)
        M[rest, rest] += change + change.T
        return M

    def neurons(self, U: Array, weights: Array) -> Array:
        """Σ z zᵀ, z = (r, u, p, q), of neurons with unit u (columns of U) and r along `weights`.

        weights (m, k); their lengths are the neurons' costs.
        """
        lengths = np.linalg.norm(weights, axis=1)
        r = np.ones((1, len(lengths))) if self.outputs == 1 else (weights / lengths[:, None]).T
        heights = self.X @ U
        z = np.sqrt(lengths) * np.vstack([r, U, np.maximum(heights, 0), np.maximum(-heights, 0)])
        return (z @ z.T).astype(self.dtype)

    def project(self, Z: Array, sides: Array) -> Array:
        """The nearest matrix in the cones, and with tr Z_uu = tr Z_rr."""
        Z = Z.copy()
        k, d, n = self.outputs, self.d, self.n
        i = np.arange(n)
        pairs = Z[self.pairs, self.pairs]
        np.maximum(pairs, 0, out=pairs)
        pairs[i, n + i] = pairs[n + i, i] = 0
        step = (np.trace(Z[self.u, self.u]) - np.trace(Z[:k, :k])) / (k + d)
        Z[range(k), range(k)] += step
        Z[range(k, k + d), range(k, k + d)] -= step
        if k == 1:
            side = Z[: k + d, self.pairs]
            lengths = np.linalg.norm(side[1:], axis=0)
            height = side[0]
            middle = np.where(lengths <= -height, 0, (height + lengths) / 2)
            inside = lengths <= height
            share = np.where(inside, 1, middle / np.where(lengths > 0, lengths, 1))
            side[1:] *= share
            side[0] = np.where(inside, height, middle)
            Z[self.pairs, : k + d] = side.T
        if sides.any():
            zero = self.p.start + vanishing(sides)
            Z[zero] = 0
            Z[:, zero] = 0
        return Z

    def block(self, sign: int, sides: Array, S: Array) -> Block:
        """Multipliers S of the cones made valid: the nearest in the dual cones."""
        k, d, n = self.outputs, self.d, self.n
        i = np.arange(n)
        free = np.zeros((2 * n, 2 * n), dtype=bool)
        free[i, n + i] = free[n + i, i] = True
        zero = vanishing(sides)
        free[zero] = free[:, zero] = True
        pairs = S[self.pairs, self.pairs].astype(float)
        pairs = np.where(free, pairs, np.maximum(pairs, 0))
        cones = S[: k + d, self.pairs].astype(float)
        if k == 1:
            least = np.linalg.norm(cones[1:], axis=0) * (1 + 1e-15)
            least[zero] = -np.inf
            cones[0] = np.maximum(cones[0], least)
        else:
            cones[:, np.setdiff1d(np.arange(2 * n), zero)] = 0
        trace = -np.trace(S[self.u, self.u]) / d
        return Block(sign, sides, (pairs + pairs.T) / 2, cones, float(trace))


def vanishing(sides: Array) -> Array:
    """Indices among (p, q) of what is zero on the given sides."""
    return np.concatenate([np.flatnonzero(sides < 0), len(sides) + np.flatnonzero(sides > 0)])

"""The lift of a neuron's moments (r, u, p) to (r, u, p, q) and its cones (see moments.py)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh

from zerogap.model.matrices import Array


@dataclass(frozen=True, eq=False)
class Block:
    """What proves the level of one part of the neurons.

    sign: of the output (0 for vector targets). sides (n,): +1 where x_i·u ≥ 0, −1 where ≤ 0, 0
    where either. pairs (2n, 2n): multipliers of M on (p, q); cones (k + d, 2n): of (M_r·, M_u·);
    trace: of tr M_uu = tr M_rr.
    """

    sign: int
    sides: Array
    pairs: Array
    cones: Array
    trace: float

    def __mul__(self, factor: float) -> Block:
        return Block(
            self.sign, self.sides, factor * self.pairs, factor * self.cones, factor * self.trace
        )


class Lift:
    """T: (r, u, p) ↦ (r, u, p, q = p − Xu) on moment matrices, and what ADMM solves with it."""

    def __init__(self, X: Array, outputs: int) -> None:
        self.X, self.outputs = X, outputs
        self.n, self.d = X.shape
        self.u = slice(outputs, outputs + self.d)
        self.p = slice(self.u.stop, self.u.stop + self.n)
        self.q = slice(self.p.stop, self.p.stop + self.n)
        self.pairs = slice(self.p.start, self.q.stop)
        gram = self._down(self._up(np.eye(self.p.stop)))[self.u.start :, self.u.start :]
        self.values, self.vectors = np.linalg.eigh(gram)
        # The rows r of M meet the copy of the fit as well.
        rows = np.eye(len(gram)) + gram
        rows[self.d :, self.d :] += np.eye(self.n)
        self.rows = cho_factor(rows)

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
        M = np.empty_like(R)
        M[r, r] = (R[r, r] - cost * np.eye(self.outputs)) / 2
        side = R[rest, r].copy()
        side[self.d :] += fit
        M[rest, r] = cho_solve(self.rows, side)
        M[r, rest] = M[rest, r].T
        Q, g = self.vectors, self.values
        M[rest, rest] = Q @ ((Q.T @ R[rest, rest] @ Q) / (1 + np.multiply.outer(g, g))) @ Q.T
        return M

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
        pairs = S[self.pairs, self.pairs]
        pairs = np.where(free, pairs, np.maximum(pairs, 0))
        cones = S[: k + d, self.pairs].copy()
        if k == 1:
            least = np.linalg.norm(cones[1:], axis=0) * (1 + 1e-15)
            least[zero] = -np.inf
            cones[0] = np.maximum(cones[0], least)
        else:
            cones[:, np.setdiff1d(np.arange(2 * n), zero)] = 0
        trace = -np.trace(S[self.u, self.u]) / d
        return Block(sign, sides, (pairs + pairs.T) / 2, cones, float(trace))

    def slack(self, multipliers: Array, block: Block) -> float:
        """δ ≥ 0 with H ⪰ −δ for one block; multipliers (n, k) in units of level 1."""
        k, d = self.outputs, self.d
        S = np.zeros((self.q.stop, self.q.stop))
        S[self.pairs, self.pairs] = block.pairs
        S[: k + d, self.pairs] = block.cones
        S[self.pairs, : k + d] = block.cones.T
        H = -self.down(S)
        half = (block.sign or 1) * multipliers / 2
        H[self.p, :k] -= half
        H[:k, self.p] -= half.T
        H[range(k), range(k)] += 1 - block.trace
        H[range(k, k + d), range(k, k + d)] += block.trace
        return max(0.0, -float(eigh(H, eigvals_only=True, subset_by_index=[0, 0])[0]))


def vanishing(sides: Array) -> Array:
    """Indices among (p, q) of what is zero on the given sides."""
    return np.concatenate([np.flatnonzero(sides < 0), len(sides) + np.flatnonzero(sides > 0)])

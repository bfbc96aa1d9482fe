"""The lift of a neuron's moments (r, u, p) to (r, u, p, q) and its cones (see moments.py)."""

from dataclasses import dataclass

import numpy as np

from zerogap.convex.blocks import Block
from zerogap.model.matrices import Array

# What the rows of X are brought to.
_LENGTH = 0.7


@dataclass(frozen=True, eq=False)
class Lifted:
    """Views of moments on (r, u, p, q), which are kept as one vector.

    head (k + d, k + d): on (r, u). side (k + d, 2n): of (r, u) and (p, q). A, C, D (n, n): on
    (p, p), (p, q) and (q, q).
    """

    head: Array
    side: Array
    A: Array
    C: Array
    D: Array

    def vanishing(self, sides: Array) -> list[tuple[Array, Array]]:
        """Views, and which of their rows are zero: of p_i where sides are −1, of q_i where 1."""
        n, p, q = len(sides), sides < 0, sides > 0
        at_p, at_q = self.side[:, :n].T, self.side[:, n:].T
        return [
            *((view, p) for view in (self.A, self.A.T, self.C, at_p)),
            *((view, q) for view in (self.D, self.D.T, self.C.T, at_q)),
        ]


class Lift:
    """T: (r, u, p) ↦ (r, u, p, q = p − Xu) on moment matrices, and what ADMM solves with it.

    Rows of X are brought to one length: φ(x_i·u) grows with x_i, and the iteration is faster if all
    entries of p and q are about equally large. `lengths` is what the rows were divided by.
    With X = AΣBᵀ, TᵀT is twice the identity on all p orthogonal to A. The rest happens in the few
    dimensions of u and A, so that a solve costs n² times their number.
    """

    def __init__(self, X: Array, outputs: int, dtype: type[np.floating]) -> None:
        self.outputs, self.dtype = outputs, dtype
        self.n, self.d = n, d = X.shape
        lengths = np.linalg.norm(X, axis=1) / _LENGTH
        self.lengths = np.where(lengths > 0, lengths, 1.0)
        X = X / self.lengths[:, None]
        self.X = X.astype(dtype)
        self.u = slice(outputs, outputs + d)
        self.p = slice(self.u.stop, self.u.stop + n)
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
        small[d:, d:] += np.eye(len(sigma))
        h, self.rows = basis(np.eye(len(small)) + small)
        self.row = (1 / h - 1 / 4).astype(dtype)[:, None]

    @property
    def size(self) -> int:
        """How many numbers moments on (r, u, p, q) are."""
        return self.u.stop * (self.u.stop + 2 * self.n) + 3 * self.n**2

    def views(self, Z: Array) -> Lifted:
        h, n = self.u.stop, self.n
        pairs = Z[h * (h + 2 * n) :].reshape(3, n, n)
        side = Z[h * h : h * (h + 2 * n)].reshape(h, 2 * n)
        return Lifted(Z[: h * h].reshape(h, h), side, pairs[0], pairs[1], pairs[2])

    def up(self, M: Array) -> Array:
        """T M Tᵀ."""
        Z = np.zeros(self.size, self.dtype)
        self.add(Z, M)
        return Z

    def add(self, Z: Array, M: Array) -> None:
        """Z += T M Tᵀ."""
        z, X, h = self.views(Z), self.X, slice(self.u.stop)
        head, side, pairs = M[h, h], M[h, self.p], M[self.p, self.p]
        beside = side - head[:, self.u] @ X.T
        z.head[:] += head
        z.side[:, : self.n] += side
        z.side[:, self.n :] += beside
        z.A[:] += pairs
        pairs = pairs - side[self.u].T @ X.T
        z.C[:] += pairs
        pairs -= X @ beside[self.u]
        z.D[:] += pairs

    def down(self, Z: Array) -> Array:
        """Tᵀ Z T, symmetric to the last bit."""
        z, X, h, n = self.views(Z), self.X, slice(self.u.stop), self.n
        at_q, DX = z.side[:, n:], z.D @ X
        head, side = z.head / 2, z.side[:, :n] + at_q
        head[:, self.u] -= at_q @ X
        head[self.u, self.u] += X.T @ DX / 2
        side[self.u] -= (z.C @ X + DX).T
        half = z.A + z.D
        half /= 2
        half += z.C
        M = np.empty((self.p.stop,) * 2, self.dtype)
        M[h, h] = head + head.T
        M[h, self.p], M[self.p, h] = side, side.T
        np.add(half, half.T, out=M[self.p, self.p])
        return M

    def solve(self, R: Array, fit: Array, cost: float) -> Array:
        """M of least cost·tr M_rr + ½‖M‖² + ½‖T M Tᵀ‖² + ‖M_pr‖² − ⟨R, M⟩ − 2⟨fit, M_pr⟩.

        R and M are symmetric to the last bit: antisymmetric errors would grow from step to step.
        """
        r, rest = slice(0, self.outputs), slice(self.outputs, self.p.stop)
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
        """Σ z zᵀ, z = (r, u, p), of neurons with unit u (columns of U) and r along `weights`.

        weights (m, k); their lengths are the neurons' costs.
        """
        costs = np.linalg.norm(weights, axis=1)
        r = np.ones((1, len(costs))) if self.outputs == 1 else (weights / costs[:, None]).T
        z = np.sqrt(costs) * np.vstack([r, U, np.maximum(self.X @ U, 0)])
        return (z @ z.T).astype(self.dtype)

    def reflect(self, Z: Array, sides: Array) -> Array:
        """2Z′ − Z for the nearest Z′ in the cones and with tr Z_uu = tr Z_rr."""
        R = np.abs(Z)
        z, image, k, d = self.views(Z), self.views(R), self.outputs, self.d
        np.fill_diagonal(image.C, -z.C.diagonal())
        image.head[:], image.side[:] = z.head, z.side
        step = 2 * (np.trace(z.head[k:, k:]) - np.trace(z.head[:k, :k])) / (k + d)
        image.head[range(k), range(k)] += step
        image.head[range(k, k + d), range(k, k + d)] -= step
        if k == 1:
            height, lengths = z.side[0], np.linalg.norm(z.side[1:], axis=0)
            middle = np.where(lengths <= -height, 0, (height + lengths) / 2)
            inside = lengths <= height
            image.side[0] = np.where(inside, height, 2 * middle - height)
            image.side[1:] *= np.where(inside, 1, 2 * middle / np.maximum(lengths, 1e-30) - 1)
        if sides.any():
            for (own, zero), (view, _) in zip(
                z.vanishing(sides), image.vanishing(sides), strict=True
            ):
                view[zero] = -own[zero]
        return R

    def project(self, Z: Array, sides: Array) -> Array:
        """The nearest in the cones and with tr Z_uu = tr Z_rr."""
        return (Z + self.reflect(Z, sides)) / 2

    def block(self, sign: int, sides: Array, S: Array, vertex: Array | None = None) -> Block:
        """Multipliers S of the cones made valid, the nearest in the dual cones, for X as given."""
        s, k, n = self.views(S), self.outputs, self.n
        i = np.arange(n)
        free = np.zeros((2 * n, 2 * n), dtype=bool)
        free[i, n + i] = free[n + i, i] = True
        zero = np.concatenate([sides < 0, sides > 0])
        free[zero] = free[:, zero] = True
        lengths = np.tile(self.lengths, 2)
        pairs = np.block([[s.A, s.C], [s.C.T, s.D]]) / np.outer(lengths, lengths)
        pairs = np.where(free, pairs, np.maximum(pairs, 0))
        cones = s.side / lengths
        if k == 1:
            least = np.linalg.norm(cones[1:], axis=0) * (1 + 1e-15)
            least[zero] = -np.inf
            cones[0] = np.maximum(cones[0], least)
        else:
            cones[:, ~zero] = 0
        trace = -np.trace(s.head[self.u, self.u]) / self.d
        return Block(sign, sides, (pairs + pairs.T) / 2, cones, float(trace), vertex)

"""What multipliers of a neuron's moments prove of a level, in float64 (see moments.py)."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import eigh

from zerogap.model.matrices import Array

# Shifts ε among which the best is chosen, in units of the level.
_SHIFTS = np.geomspace(1e-13, 1, 66)


@dataclass(frozen=True, eq=False)
class Block:
    """What proves the level of one part of the neurons.

    sign: of the output (0 for vector targets). sides (n,): +1 where x_i·u ≥ 0, −1 where ≤ 0, 0
    where either. pairs (2n, 2n): multipliers of M on (p, q); cones (k + d, 2n): of (M_r·, M_u·);
    trace: of tr M_uu = tr M_rr. vertex (2, 1): of a polygon around all directions of two outputs;
    then r ≥ 0 is along it, as for one output of multipliers Λv and of sign 1.
    """

    sign: int
    sides: Array
    pairs: Array
    cones: Array
    trace: float
    vertex: Array | None = None

    def __mul__(self, factor: float) -> "Block":
        pairs, cones, trace = factor * self.pairs, factor * self.cones, factor * self.trace
        return replace(self, pairs=pairs, cones=cones, trace=trace)

    def compact(self, least: float) -> "Block":
        """Pairs in float32, without those below `least`: any multipliers prove something, and a
        file holds these in a tenth of the room."""
        kept = np.where(np.abs(self.pairs) >= least, self.pairs, 0).astype(np.float32)
        return replace(self, pairs=kept.astype(float))

    def form(self, X: Array, multipliers: Array) -> Array:
        """H at c₀ = 0, in the order r, u, p; X and Λ (n, k) in the scale of p."""
        if self.vertex is not None:
            multipliers = multipliers @ self.vertex
        (n, d), k = X.shape, multipliers.shape[1]
        A, C, D = self.pairs[:n, :n], self.pairs[:n, n:], self.pairs[n:, n:]
        beside_p, beside_q = self.cones[:, :n], self.cones[:, n:]
        u, p = slice(k, k + d), slice(k + d, None)
        H = np.zeros((k + d + n, k + d + n))
        H[p, p] = -(A + C + C.T + D)
        heads = -(beside_p + beside_q)
        heads[:k] -= (self.sign or 1) / 2 * multipliers.T
        heads[k:] += X.T @ (C.T + D)
        H[: u.stop, p], H[p, : u.stop] = heads, heads.T
        seen = beside_q @ X
        H[:k, u], H[u, :k] = seen[:k], seen[:k].T
        H[u, u] = seen[k:] + seen[k:].T - X.T @ (D @ X) + self.trace * np.eye(d)
        H[:k, :k] = -self.trace * np.eye(k)
        return H


def level(X: Array, multipliers: Array, blocks: list[Block]) -> tuple[float, float]:
    """(c, c₀) with c(Λ) ≤ c = c₀ + (2 + ‖X‖²) δ, where H + c₀ on r is at least −δ in every block.

    For one block, c₀ − t is the largest eigenvalue of H_r·(H + ε)⁻¹H_·r − H_rr − ε, a Schur
    complement, and the best ε is searched. The worst block decides.
    """
    k, longest = len(blocks[0].cones) - X.shape[1], 2 + float(np.linalg.norm(X, 2)) ** 2
    forms = [block.form(X, multipliers) for block in blocks]
    best = [_best(H, k, longest) for H in forms]
    c, start = max(best)
    for H, (_, own) in zip(forms, best, strict=True):
        if own != start:
            H[range(k), range(k)] += start
            least = float(eigh(H, eigvals_only=True, subset_by_index=[0, 0])[0])
            c = max(c, start + longest * max(0.0, -least))
    return c, start


def _best(H: Array, k: int, longest: float) -> tuple[float, float]:
    """The least c of one block, and its c₀."""
    values, vectors = np.linalg.eigh(H[k:, k:])
    seen = vectors.T @ H[k:, :k]
    found = []
    for shift in max(0.0, -float(values[0])) + _SHIFTS:
        schur = (seen.T / (values + shift)) @ seen - H[:k, :k]
        start = float(np.linalg.eigvalsh(schur)[-1]) - shift
        found.append((start + longest * shift, start))
    return min(found)

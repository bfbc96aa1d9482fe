"""A lower bound on regularised linear networks by search over their kernels' spectra.

A linear network meets its targets only through the first layer and the kernel N = BᵀB of all other
layers B = W₂…W_L, whose eigenvectors make its objective a sum over an orthonormal frame. A tree
splits the eigenvalues into boxes, and every leaf brings a matrix that bounds the sum on its box.
Proof and format: docs/certificates.md.
"""

import math
from collections.abc import Iterator

import numpy as np
from flint import arb, arb_mat

from zerogap.checker.balls import (
    Array,
    Refused,
    balls,
    diagonal,
    floats,
    frobenius,
    times,
    total,
    up,
)
from zerogap.checker.budget import STEP, hold, spend
from zerogap.checker.eigen import positive_definite
from zerogap.checker.limits import MAX_SEARCHED

Box = list[tuple[float, float]]

# Steps towards the best plane, each as good as float64; a share of no importance.
_STEPS, _NOTHING = 6, 1e-15
# Bytes of an interval of a box; operations that an interval of the curve takes in Python, a plane
# for each entry of M.
_END, _INTERVAL, _ENTRY = 150, 150 * STEP, 2 * STEP


def kernel_primal(X: Array, Y: Array, depth: int, beta: arb, splits: Array, leaves: Array) -> arb:
    """A lower bound on ½‖f(X) − Y‖² + (β/2)Σ‖W_l‖², linear networks of depth ≥ 3.

    The k eigenvalues of N are s_a^{L−1}, in increasing order. splits: one row (a, t) per box, depth
    first: the part with s_a ≤ t, a from 0, then that with s_a ≥ t; (−1, 0) is a leaf. leaves: one
    row per leaf, the lower triangle of Z by rows, then μ (k). A leaf proves tr Z + Σμ_a for the
    kernels of its box if Z + μ_a I is below the curve T(s) for s in the box's a-th interval.
    """
    k = Y.shape[1]
    low = [(i, j) for i in range(k) for j in range(i + 1)]
    if len(splits) > MAX_SEARCHED:
        raise Refused(f"gap.kernel: accepted are {MAX_SEARCHED} boxes")
    if splits.shape[1] != 2 or leaves.shape[1] != len(low) + k:
        raise Refused("gap.kernel: splits or leaves do not have the shape of the problem")
    curve = _Curve(X, Y, depth, beta)
    rows = iter(leaves.tolist())
    bounds: list[arb] = []
    for box in _leaves(splits, k):
        row = next(rows, None)
        if row is None:
            raise Refused("gap.kernel.leaves has fewer rows than the tree has leaves")
        spend(STEP * len(row), "the leaves of the search")
        Z = arb_mat(k, k)
        for (i, j), entry in zip(low, row, strict=False):
            Z[i, j] = Z[j, i] = arb(entry)
        shifts = row[len(low) :]
        for (a, b), mu in set(zip(box, shifts, strict=True)):
            if not curve.above(Z + diagonal([arb(mu)] * k), a, b):
                raise Refused(
                    f"gap.kernel.leaves[{len(bounds)}]: Z + {mu!r} is not proved to be below the "
                    f"curve from {a!r} to {b!r}"
                )
        bounds.append(total(Z[i, i] + arb(mu) for i, mu in enumerate(shifts)))
    if next(rows, None) is not None:
        raise Refused("gap.kernel.leaves has more rows than the tree has leaves")
    # Every kernel lies in some leaf's box, so the worst of the leaves bounds them all.
    return min(bounds, key=lambda bound: bound.lower()).lower()


def _leaves(splits: Array, k: int) -> Iterator[Box]:
    """The intervals of s_1 ≤ … ≤ s_k in every leaf of the tree, depth first."""
    waiting = iter(splits.tolist())
    stack: list[Box] = [[(0.0, math.inf)] * k]
    while stack:
        spend(STEP * k, "the boxes of the search")
        hold(_END * k * len(stack), "the boxes of the search")
        box = stack.pop()
        a, t = next(waiting, (None, 0.0))
        if a is None:
            raise Refused("gap.kernel.splits: a box is neither split nor a leaf")
        if a == -1:
            yield box
            continue
        if a not in range(k) or not box[int(a)][0] < t < box[int(a)][1]:
            raise Refused(f"gap.kernel.splits has the row {[a, t]}; accepted are points in the box")
        # With s_a those before it are at most t, or those after it at least t.
        below = [(low, min(high, t) if b <= a else high) for b, (low, high) in enumerate(box)]
        beyond = [(max(low, t) if b >= a else low, high) for b, (low, high) in enumerate(box)]
        stack += [beyond, below]
    if next(waiting, None) is not None:
        raise Refused("gap.kernel.splits has more rows than the tree")


class _Curve:
    """T(s) = ½Yᵀ(I + rXXᵀ)⁻¹Y + β(L−1)/2·s I, r = s^{L−1}/β, from below.

    For unit v and λ = (Y − XM)v, ½‖Xw − Yv‖² + ‖w‖²/2r ≥ λᵀYv − ½‖λ‖² − ½r‖Xᵀλ‖² for all w, so

        ½Yᵀ(I + rXXᵀ)⁻¹Y ⪰ ½YᵀY − ½MᵀHM − ½r RᵀR,  H = XᵀX, R = XᵀY − HM,

    for every M and all r at once: a plane, which touches where M = (H + I/r)⁻¹XᵀY.
    """

    def __init__(self, X: Array, Y: Array, depth: int, beta: arb) -> None:
        data, targets = balls(X), balls(Y)
        self._beta, self._power = beta, depth - 1
        self._gram = times(data.transpose(), data)
        self._cross = times(data.transpose(), targets)
        self._half = times(targets.transpose(), targets) * arb(0.5)
        # Guesses, for M alone.
        values, self._vectors = np.linalg.eigh(floats(self._gram))
        self._values = np.maximum(values, 0)[:, None]
        self._scale = float(np.sum(Y**2))

    def above(self, Z: arb_mat, low: float, high: float) -> bool:
        """Whether T(s) ⪰ Z is proved for low ≤ s ≤ high.

        T is above a plane and, on an interval, the chord of s, which is concave in r: linear in r
        together, they are above Z if they are at both ends. Beyond ‖Z‖ s alone suffices.
        """
        end = min(high, up(frobenius(Z) / self._cost(1.0)))
        waiting = [(low, end)] if low < end else []
        while waiting:
            a, b = waiting.pop()
            spend(_INTERVAL, "an interval of the curve")
            touching = math.sqrt(a) * math.sqrt(b)
            plane = self._plane(touching)
            if self._exceeds(plane, Z, a) and self._exceeds(plane, Z, b):
                continue
            middle = touching if a > 0 else b / 4
            if not self._exceeds(plane, Z, touching) or not a < middle < b:
                return False
            waiting += [(middle, b), (a, middle)]
        return True

    def _exceeds(self, plane: tuple[arb_mat, arb_mat], Z: arb_mat, s: float) -> bool:
        """Whether the plane with β(L−1)/2·s is proved to be above Z at s."""
        height, slope = plane
        chord = diagonal([self._cost(s)] * Z.nrows())
        return positive_definite(height - slope * self._size(s) + chord - Z)

    def _plane(self, s: float) -> tuple[arb_mat, arb_mat]:
        """(½YᵀY − ½MᵀHM, ½RᵀR) for an M (d, k) that is nearly best at s; any M will do."""
        M = image = self._cross * arb(0)
        inverse = 1 / self._size(s) if s > 0 else arb(0)
        weights = self._values + float(inverse)
        solved = weights > _NOTHING * weights.max()
        for _ in range(_STEPS if s > 0 else 0):
            spend(_ENTRY * M.nrows() * M.ncols(), "a plane")
            missing = floats(self._cross - image - M * inverse)
            # The plane is off by at most ½r‖missing‖².
            if float(np.sum(missing**2)) <= _NOTHING**2 * self._scale * float(inverse):
                break
            step = np.where(solved, self._vectors.T @ missing / np.where(solved, weights, 1), 0)
            M += balls(self._vectors @ step)
            image = times(self._gram, M)
        rest = self._cross - image
        height = self._half - times(M.transpose(), image) * arb(0.5)
        return height, times(rest.transpose(), rest) * arb(0.5)

    def _size(self, s: float) -> arb:
        """r = s^{L−1}/β."""
        return arb(s) ** self._power / self._beta

    def _cost(self, s: float) -> arb:
        """β(L−1)/2·s."""
        return self._beta * self._power / 2 * arb(s)

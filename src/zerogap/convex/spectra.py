"""Branch and bound over the spectra of linear networks' kernels: the best map, and a proof.

Any Z below the curve T gives Σ_a v_aᵀT(s_a)v_a ≥ tr Z (theory §2). The best Z is a semidefinite
program with a cut for each s; usually its bound is the optimum. Where it is not, the cuts'
multipliers split some eigenvalue between two s, and the box of spectra is halved between them. The
result is evidence of kind `kernel` (docs/certificates.md); nothing here has to be trusted.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import NamedTuple

import clarabel
import numpy as np
from flint import arb, ctx
from scipy import sparse

from zerogap.checker.balls import PRECISION, Refused, down
from zerogap.checker.budget import budget
from zerogap.checker.kernel import kernel_primal
from zerogap.checker.limits import MAX_OPERATIONS
from zerogap.convex.conic import minimise
from zerogap.convex.kernel import Kernels
from zerogap.model import clock
from zerogap.model.bounds import PrimalBound, relative
from zerogap.model.errors import MethodError
from zerogap.model.matrices import Array
from zerogap.model.problem import Problem
from zerogap.theory.linear import thin_svd

# The relative gap that is sought, and the one at which P counts as known; boxes at most.
_CLOSED, _KNOWN, _LEAVES = 1e-7, 1e-6, 100
# Outputs up to which the semidefinite program is solved, and up to which there is a proof at all.
_OUTPUTS, _MOST = 10, 50
# Z is lowered by this share of the objective, or by the next, until the checker is convinced.
_MARGINS = (1e-9, 1e-7, 1e-5)
# Of the operations of a certificate this share is for the proof; seconds of one.
_SHARE, _OPERATION = 0.5, 25e-9
# Rounds of new cuts, and the violation that asks for one, as a share.
_ROUNDS, _VIOLATED = 30, 1e-9
# Multipliers of a smaller trace are none; an eigenvalue that is split less is whole, and so is one
# between s^{L−1} that differ by no more than this share.
_NEGLIGIBLE, _WHOLE, _APART = 1e-6, 1e-3, 1e-3
# Ranks of the least-squares map that descents start from; points where a box may be halved.
_STARTS, _BETWEEN = 16, 50


class Optimum(NamedTuple):
    """The best map A (d, k) found, its objective, and what is proved of P, None if nothing."""

    A: Array
    value: float
    bound: PrimalBound | None


def best_map(problem: Problem) -> Optimum:
    """min ½‖XA − Y‖² + β(L/2)Σσ_i(A)^{2/L} over A (d, k), L ≥ 3, from both sides (theory §2)."""
    if not problem.Y.any():
        return Optimum(np.zeros((problem.d, problem.k)), 0.0, None)
    search = _Search(problem)
    if problem.k > _MOST:
        return search.found(None)
    splits: dict[str, tuple[int, float]] = {}
    heap = [search.whole()]
    while search.open(heap[0]) and len(heap) < _LEAVES and not clock.late():
        split = search.split(heap[0])
        if split is None:
            break
        worst = heapq.heappop(heap)
        splits[worst.name] = split
        for half in search.halves(worst, *split):
            heapq.heappush(heap, half)
    # Names in order are the tree, depth first.
    named = {leaf.name: leaf for leaf in heap}
    order = sorted([*splits, *named])
    tree = np.array([splits.get(name, (-1, 0.0)) for name in order])
    return search.found(search.proved(tree, [named[name] for name in order if name in named]))


Box = tuple[tuple[float, float], ...]


@dataclass(frozen=True, order=True)
class _Leaf:
    """A bound, the halves that lead to its box, the intervals of s_1 ≤ … ≤ s_k; Z (k, k), μ (k).

    s, weights: the cuts' multipliers, (m, k, k) in order of s (m,): a resolution of the identity,
    which is v_av_aᵀ at the s_a where the bound is tight.
    """

    value: float
    name: str
    box: Box = field(compare=False)
    Z: Array = field(compare=False)
    mu: Array = field(compare=False)
    s: Array = field(compare=False)
    weights: Array = field(compare=False)


class _Search:
    """The best map so far, and boxes of spectra, bounded one by one; in the units of `Kernels`."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.kernels = problem, Kernels(problem)
        self.A, self.root = np.zeros((problem.d, problem.k)), np.zeros((1, problem.k))
        self.value = 0.5
        _, s, Vt = thin_svd(np.linalg.pinv(problem.X, rcond=1e-12) @ problem.Y)
        roots = s ** (1 / problem.depth) / np.sqrt(self.kernels.length)
        for rank in np.unique(np.linspace(1, len(s), _STARTS).astype(int)):
            if clock.late():
                break
            self._descend(roots[:rank, None] * Vt[:rank])

    def found(self, bound: PrimalBound | None) -> Optimum:
        """The best map, in units of the problem."""
        return Optimum(self.A, self.value * self.kernels.value, bound)

    def open(self, leaf: _Leaf) -> bool:
        """Whether the leaf's bound is not yet the objective of the best map."""
        return relative(self.value - leaf.value, self.value) > _CLOSED

    def whole(self) -> _Leaf:
        """All spectra."""
        box = ((0.0, self.kernels.end),) * self.problem.k
        s, V = self.kernels.spectrum(self.root)
        s = np.where(s > self.kernels.start, s, 0.0)  # no other s below can be tight
        weights = np.einsum("ia,ja->aij", V, V)
        # (T(s_a) − Z)v_a = 0 where the bound is tight and the best kernel optimal.
        Z = np.einsum("aij,ajk->ik", self.kernels.curve(s), weights)
        leaf = self._leaf("", box, (Z + Z.T) / 2, np.zeros(1), s, weights)
        small = self.problem.k <= _OUTPUTS
        return max(leaf, self._relaxed(leaf) or leaf) if small and self.open(leaf) else leaf

    def split(self, leaf: _Leaf) -> tuple[int, float] | None:
        """An eigenvalue a that the multipliers split, and an s between its parts; None without.

        It is split evenly, and there is much room between Z and the curve at s.
        """
        best, chosen = 0.0, None
        traces = np.cumsum(np.einsum("mii->m", leaf.weights))
        for total, x, y in zip(traces, leaf.s, leaf.s[1:], strict=False):
            share = abs(total - round(total))
            if share > _WHOLE and y > x * (1 + _APART / self.kernels.power):
                a, s = int(total), np.linspace(x, y, _BETWEEN)[1:-1]
                room = self.kernels.room(s, leaf.Z + leaf.mu[a] * np.eye(self.problem.k))
                if share * room.max() > best:
                    best, chosen = share * room.max(), (a, float(s[room.argmax()]))
        return chosen

    def halves(self, leaf: _Leaf, a: int, t: float) -> list[_Leaf]:
        """The box with s_a ≤ t and that with s_a ≥ t; those before s_a follow, or those after."""
        ends = list(enumerate(leaf.box))
        below = tuple((low, min(high, t) if b <= a else high) for b, (low, high) in ends)
        beyond = tuple((max(low, t) if b >= a else low, high) for b, (low, high) in ends)
        halves = []
        for digit, box in enumerate((below, beyond)):
            # What is proved of a box holds of its parts.
            part = replace(leaf, name=f"{leaf.name}{digit}", box=box)
            half = self._relaxed(part) or replace(part, s=leaf.s[:0], weights=leaf.weights[:0])
            better = half.value >= leaf.value
            halves.append(half if better else replace(half, value=leaf.value, Z=leaf.Z, mu=leaf.mu))
        return halves

    def proved(self, splits: Array, leaves: list[_Leaf]) -> PrimalBound | None:
        """What the checker proves of the leaves, each lowered by a margin; None if nothing."""
        p, low, unit = self.problem, np.tril_indices(self.problem.k), self.kernels.value
        tree = splits * [1.0, self.kernels.length]
        for margin in _MARGINS:
            shift = margin * self.value
            rows = np.array([np.concatenate([leaf.Z[low], leaf.mu - shift]) for leaf in leaves])
            spent = max((1 - _SHARE) * MAX_OPERATIONS, MAX_OPERATIONS - clock.left() / _OPERATION)
            try:
                with ctx.workprec(PRECISION), budget([spent]):
                    proof = kernel_primal(p.X, p.Y, p.depth, arb(p.beta), tree, rows * unit)
                    value = down(proof)
            except Refused:
                continue
            exact = relative(self.value - value / unit, self.value) <= _KNOWN
            return PrimalBound(value, "kernel", {"splits": tree, "leaves": rows * unit}, exact)
        return None

    def _descend(self, root: Array) -> None:
        """Keep the map that descent finds from a kernel's root if it is the best."""
        p, root = self.problem, self.kernels.descend(root)
        U, s, Vt = thin_svd(self.kernels.map(root))
        A = (U * s) @ Vt
        assert p.beta is not None
        cost = p.beta * p.depth / 2 * float(np.sum(s ** (2 / p.depth)))
        value = (0.5 * float(np.sum((p.X @ A - p.Y) ** 2)) + cost) / self.kernels.value
        if value < self.value:
            self.A, self.root, self.value = A, root, value

    def _leaf(self, name: str, box: Box, Z: Array, mu: Array, s: Array, weights: Array) -> _Leaf:
        """A leaf, each of its μ, one for each interval, lowered to where Z + μI is below T."""
        lowered = []
        for (interval, same), shift in zip(groupby(box), mu, strict=True):
            _, room = self.kernels.lows(*interval, Z + shift * np.eye(len(Z)))
            lowered += [shift + min(0.0, float(room.min()))] * len(list(same))
        value = float(np.trace(Z)) + sum(lowered)
        return _Leaf(value, name, box, Z, np.array(lowered), s, weights)

    def _relaxed(self, leaf: _Leaf) -> _Leaf | None:
        """The leaf with the best Z and μ, by cuts where they exceed the curve; None on failure."""
        k = self.problem.k
        groups = [(*interval, len(list(same))) for interval, same in groupby(leaf.box)]
        cuts = {
            (g, float(s))
            for g, (low, high, _) in enumerate(groups)
            for s in [*self.kernels.some(low, high), *leaf.s[(leaf.s > low) & (leaf.s < high)]]
        }
        for _ in range(_ROUNDS):
            order = sorted(cuts)
            try:
                Z, mu, weights = self._program(order, [count for *_, count in groups])
            except MethodError:  # the time is up, among others
                return None
            for g, (low, high, _) in enumerate(groups):
                s, room = self.kernels.lows(low, high, Z + mu[g] * np.eye(k))
                cuts |= {(g, float(x)) for x in s[room < -_VIOLATED * self.value]}
            if len(cuts) == len(order):
                break
        used = np.einsum("mii->m", weights) > _NEGLIGIBLE
        s, weights = np.array([s for _, s in order])[used], weights[used]
        self._descend(self.kernels.root(s, weights))
        return self._leaf(leaf.name, leaf.box, Z, mu, s, weights)

    def _program(
        self, cuts: list[tuple[int, float]], counts: list[int]
    ) -> tuple[Array, Array, Array]:
        """max tr Z + Σ counts_g μ_g s.t. Z + μ_g I ⪯ T(s) at the cuts (g, s), with its multipliers.

        μ of the first group is zero, as Z takes what all have in common.
        """
        k, (rows, columns) = self.problem.k, np.tril_indices(self.problem.k)
        # A symmetric matrix as its triangle, inner products kept.
        weight = np.where(rows == columns, 1.0, np.sqrt(2))
        eye = np.where(rows == columns, 1.0, 0.0)
        group, s = (np.array(column) for column in zip(*cuts, strict=True))
        chosen = (group[:, None] == np.arange(1, len(counts))).astype(float)
        A = np.hstack([np.tile(np.eye(len(eye)), (len(s), 1)), np.kron(chosen, eye[:, None])])
        b = (self.kernels.curve(s)[:, rows, columns] * weight).ravel() / self.value
        q = -np.concatenate([eye, counts[1:]])
        cones = [clarabel.PSDTriangleConeT(k)] * len(s)
        x, z = minimise(sparse.csc_matrix((len(q), len(q))), q, A, b, cones)
        found = np.zeros((1 + len(s), k, k))
        triangles = np.vstack([x[: len(eye)], z.reshape(len(s), -1)]) / weight
        found[:, rows, columns] = found[:, columns, rows] = triangles
        return found[0] * self.value, np.append(0.0, x[len(eye) :]) * self.value, found[1:]

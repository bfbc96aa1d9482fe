"""Regions of the first layers that all neurons of a second one share, in the plane (theory §5).

A first layer A = φ(XW₁) acts through G = AAᵀ in 𝒢 = conv{0, φ(Xu)φ(Xu)ᵀ : ‖u‖ = 1}: a neuron of
the second layer has zzᵀ ⪯ G, so aᵀz ≤ (aᵀGa)^½ at every leaf a of the path program's tree, which
asks for the largest over 𝒢 at each leaf. Sharing is that one G serves all leaves. So 𝒢 is cut by
half-spaces ⟨H, G⟩ ≤ h, and every region has μ's of its own: below a child of the root, with η ≥ 0,

    aᵀGa ≤ Σ η_j h_j + max(0, max_u φ(Xu)ᵀ(aaᵀ − Σ η_j H_j)φ(Xu)).

On a cone of neurons u = Rb, b ≥ 0, without a sign change, φ(Xu) = Pb, and two by two copositive
matrices are sums of a positive semidefinite and a non-negative one, so the best μ's and η's of a
region are a semidefinite program. It is exact on small regions, and its multipliers give the G's at
which the leaves disagree: H = aaᵀ − bbᵀ, a and b leaves, cuts between them.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations, count

import clarabel
import numpy as np
from scipy import sparse

from zerogap.convex.climbs import NEGLIGIBLE, VIOLATED, Layered, climb
from zerogap.convex.conic import minimise
from zerogap.convex.path import Trail, Tree, subsets, tree_over, unroll
from zerogap.model import clock
from zerogap.model.errors import MethodError
from zerogap.model.matrices import Array

# Layers at which the program is exact.
DEPTH = 4
# The relative gap of a region's program, far below what regions are cut for.
_ACCURACY = 1e-8
# A leaf above the program's value by such a share is violated; active ones are as near to it.
_SLACK, _ACTIVE = 1e-5, 0.97
# Where a region is cut: this far from the mean of its G's to the middle between the extremes.
_MIDDLE = 0.5
_ROOT = np.sqrt(2.0)
# Entries (0,0), (0,1), (1,1), (0,2), (1,2), (2,2) of a symmetric matrix, as Clarabel takes them.
_TRIANGLE = ((0, 0, 1.0), (0, 1, _ROOT), (1, 1, 1.0))


@dataclass(frozen=True, eq=False)
class Arcs:
    """The m cones of the plane without a sign change of X u: rays R (m, 2, 2), in columns, and
    their features P = φ(XR) (m, n, 2)."""

    R: Array
    P: Array

    @classmethod
    def of(cls, X: Array) -> Arcs:
        """Those of data (n, 2) of rank two."""
        rows = X[np.linalg.norm(X, axis=1) > 0]
        across = np.column_stack([-rows[:, 1], rows[:, 0]])
        across /= np.linalg.norm(across, axis=1)[:, None]
        # Without −0, which arctan2 takes to the other end.
        rays = np.vstack([across, -across]) + 0.0
        angles = np.arctan2(rays[:, 1], rays[:, 0])
        order = np.argsort(angles)
        angles, rays = angles[order], rays[order]
        rays = rays[np.diff(angles, append=angles[0] + 2 * np.pi) > 1e-12]
        R = np.stack([rays, np.roll(rays, -1, axis=0)], axis=2)
        return cls(R, np.maximum(X @ R, 0))

    @cached_property
    def grams(self) -> Array:
        """RᵀR (m, 2, 2)."""
        return np.swapaxes(self.R, 1, 2) @ self.R

    def levels(self, a: Array, eta: Array, halves: list[Half]) -> Array:
        """The bound above on aᵀGa in a region, for leaves a (k, n) with η (k, q), on every arc."""
        image = np.einsum("mni,kn->kmi", self.P, a)
        forms = image[..., None] * image[..., None, :]
        offset = np.zeros(len(a))
        for j, half in enumerate(halves):
            forms = forms - eta[:, j, None, None, None] * half.on(self.P)
            offset = offset + eta[:, j] * half.h
        ends = forms[..., [0, 1], [0, 1]].max(axis=-1)
        # On unit rays: the ends are the largest where the form minus their value has no other sign.
        crossing = ends * self.grams[:, 0, 1] - forms[..., 0, 1] >= 0
        inverse = np.linalg.inv(self.R)
        plane = np.swapaxes(inverse, 1, 2) @ forms @ inverse
        inside = np.linalg.eigvalsh(plane)[..., -1]
        return offset[:, None] + np.maximum(np.where(crossing, ends, inside), 0)


@dataclass(frozen=True, eq=False)
class Half:
    """The half-space ⟨aaᵀ − bbᵀ, G⟩ ≤ h of matrices G."""

    a: Array
    b: Array
    h: float

    @property
    def other(self) -> Half:
        """The other side."""
        return Half(self.b, self.a, -self.h)

    def on(self, P: Array) -> Array:
        """Pᵀ(aaᵀ − bbᵀ)P (m, 2, 2)."""
        a, b = np.einsum("mni,n->mi", P, self.a), np.einsum("mni,n->mi", P, self.b)
        return a[:, :, None] * a[:, None] - b[:, :, None] * b[:, None]


@dataclass(eq=False)
class Region:
    """A part of 𝒢 for one child of the root, with the best μ's and η's found for it.

    x: the unknowns of the child's tree; eta (k, q); pairs (k, m): the leaves and arcs that are
    active. bound: on every leaf's (aᵀGa)^½.
    a (k, n), share (k,), G (k, n, n): leaves, their weights and G's at the saddle; first (2, m):
    the first layer that mixes these. cut: what parts it, and its two parts.
    """

    child: Child
    halves: list[Half]
    x: Array
    eta: Array
    pairs: Array
    bound: float = np.inf
    a: Array = field(default_factory=lambda: np.zeros((0, 0)))
    share: Array = field(default_factory=lambda: np.zeros(0))
    G: Array = field(default_factory=lambda: np.zeros((0, 0, 0)))
    first: Array = field(default_factory=lambda: np.zeros((2, 0)))
    parts: tuple[Region, Region] | None = None

    def cut(self) -> Half | None:
        """Between the leaves that disagree most: where one's level is high the other's is low."""
        weights = self.share / max(float(self.share.sum()), 1e-300)
        used = np.flatnonzero(weights > NEGLIGIBLE)
        best, most = None, 0.0
        levels = np.einsum("in,kno,io->ik", self.a, self.G, self.a)[:, used]
        for i, j in combinations(used, 2):
            heights = levels[i] - levels[j]
            mean = float(weights[used] @ heights)
            spread = float(weights[used] @ np.abs(heights - mean))
            if spread > most:
                most = spread
                h = (1 - _MIDDLE) * mean + _MIDDLE * (heights.max() + heights.min()) / 2
                best = Half(self.a[i], self.a[j], float(h))
        return best

    def branch(self, X: Array) -> Layered | None:
        """The branch with its leaves as second layer, all of them on the mixed first one."""
        A = np.maximum(X @ self.first, 0)
        second = A.T @ self.a.T
        lengths = np.linalg.norm(second, axis=0)
        kept = (self.share > NEGLIGIBLE * self.share.sum()) & (lengths > 0)
        if not kept.any():
            return None
        root = np.sqrt(self.share[kept])
        layers = (self.first, second[:, kept] / lengths[kept] * root)
        return Layered((*layers, (self.child.signs[kept] * root)[:, None])).pruned()


class Child:
    """A child (±, S) of the root of λ's tree: ν on S, and below it the tree of ν_S − μ."""

    def __init__(self, arcs: Arcs, nu: Array, S: Array, depth: int) -> None:
        self.arcs, self.nu, self.S, self.depth = arcs, nu, S, depth
        self.minus = np.flatnonzero(nu < 0)
        below = np.zeros(len(nu), dtype=int)
        below[S], below[self.minus] = 1, -1
        # Its first unknowns are the child's own vector: ν on S, −μ elsewhere.
        self.tree: Tree = tree_over(below, depth - 1)
        self.signs = np.array([trail[-1][0] for trail in self.tree.trails])
        # Leaves as linear maps (k, n, unknowns).
        self.maps = np.array([M.toarray() for M in self.tree.maps])

    def whole(self) -> Region:
        """All of 𝒢."""
        k, m = len(self.maps), len(self.arcs.R)
        x, all_pairs = np.zeros(self.tree.unknowns), np.ones((k, m), dtype=bool)
        return self.solved(Region(self, [], x, np.zeros((k, 0)), all_pairs))

    def parted(self, region: Region) -> bool:
        """Cut a region in two; False where nothing tells its leaves apart."""
        half = region.cut()
        if half is None:
            return False
        wider = np.hstack([region.eta, np.zeros((len(region.eta), 1))])
        region.parts = (
            self.solved(replace(region, halves=[*region.halves, half], eta=wider)),
            self.solved(replace(region, halves=[*region.halves, half.other], eta=wider)),
        )
        return True

    def solved(self, region: Region) -> Region:
        """The region with its best μ's and η's; with those it has where the solver finds none.

        min τ over the tree's unknowns x, η ≥ 0 and n ≥ 0 such that, for every leaf a and arc,
        [[(τ − Σ η_j h_j)RᵀR + Σ η_j PᵀH_jP − n(e₁e₂ᵀ + e₂e₁ᵀ), Pᵀa], [aᵀP, 1]] ⪰ 0.
        Those that are active in the region that this one is a part of come first, the others where
        they are violated.
        """
        pairs = region.pairs
        while True:
            try:
                tau, region = self._program(replace(region, pairs=pairs))
            except MethodError:
                break
            a = np.einsum("knt,t->kn", self.maps, region.x)
            levels = self.arcs.levels(a, region.eta, region.halves)
            violated = (levels > tau * (1 + _SLACK)) & ~pairs
            region = replace(region, a=a, pairs=levels > _ACTIVE * tau)
            if not violated.any():
                break
            pairs = pairs | violated
        return self._bounded(region)

    def _program(self, region: Region) -> tuple[float, Region]:
        """τ, and the region with what solves the program over its pairs of leaves and arcs."""
        arcs, halves, tree = self.arcs, region.halves, self.tree
        leaf, arc = np.nonzero(region.pairs)
        k, p, q, t = len(self.maps), len(leaf), len(halves), tree.unknowns
        # Unknowns: x, τ, η (k, q), n (p).
        eta, slack = t + 1 + np.arange(k * q).reshape(k, q), t + 1 + k * q
        size, each = slack + p, np.arange(p)
        P, grams = arcs.P[arc], arcs.grams[arc]
        rows = np.zeros((k, size))  # τ ≥ Σ η_j h_j
        rows[:, t] = -1
        blocks = np.zeros((p, 6, size))
        for j, half in enumerate(halves):
            rows[np.arange(k), eta[:, j]] = half.h
            gained = half.on(P) - half.h * grams
            for row, (i, o, factor) in enumerate(_TRIANGLE):
                blocks[each, row, eta[leaf, j]] = -factor * gained[:, i, o]
        for row, (i, o, factor) in enumerate(_TRIANGLE):
            blocks[:, row, t] = -factor * grams[:, i, o]
        blocks[each, 1, slack + each] = _ROOT
        blocks[:, 3:5, :t] = -_ROOT * np.einsum("pni,pnt->pit", P, self.maps[leaf])
        own = np.zeros((len(self.S) + len(self.minus) + tree.bounds.shape[0], size))
        own[np.arange(len(self.S)), self.S] = 1
        own[len(self.S) + np.arange(len(self.minus)), self.minus] = -1
        own[len(self.S) + len(self.minus) :, :t] = tree.bounds.toarray()
        positive = np.zeros((k * q + p, size))
        positive[:, t + 1 :] = -np.eye(k * q + p)
        right = np.concatenate(
            [self.nu[self.S], -self.nu[self.minus], np.zeros(tree.bounds.shape[0] + k + k * q + p)]
        )
        A = np.vstack([own, rows, positive, blocks.reshape(-1, size)])
        b = np.concatenate([right, np.tile([0.0] * 5 + [1.0], p)])
        cones = [clarabel.ZeroConeT(len(self.S))]
        cones += [clarabel.NonnegativeConeT(len(right) - len(self.S))]
        cones += [clarabel.PSDTriangleConeT(3)] * p
        objective = np.zeros(size)
        objective[t] = 1
        found, z = minimise(sparse.csc_matrix((size, size)), objective, A, b, cones, _ACCURACY)
        z = z[-6 * p :].reshape(p, 6)
        weights = np.zeros((k, len(arcs.R), 2, 2))
        off = z[:, 1] / _ROOT
        weights[leaf, arc] = np.stack([z[:, 0], off, off, z[:, 2]], axis=1).reshape(p, 2, 2)
        share = np.maximum(np.einsum("kmij,mij->k", weights, arcs.grams), 0)
        G = np.einsum("mni,kmij,moj->kno", arcs.P, weights, arcs.P)
        return float(found[t]), replace(
            region,
            x=found[:t],
            eta=np.maximum(found[eta], 0),
            share=share,
            G=G / np.maximum(share, 1e-300)[:, None, None],
            first=_columns(arcs, weights.sum(axis=0) / max(float(share.sum()), 1e-300)),
        )

    def _bounded(self, region: Region) -> Region:
        """With the bound that its μ's and η's prove."""
        bound, _, _ = self.proved(region)
        return replace(region, bound=bound)

    def proved(self, region: Region) -> tuple[float, Array, Array]:
        """(bound, rows of μ, rows of η) of a region: its μ's in their boxes, and all leaves."""
        mu = np.clip(-region.x[: len(self.nu)], 0, np.maximum(-self.nu, 0))
        vector = -mu
        vector[self.S] = self.nu[self.S]
        known = dict(zip(self.tree.trails, region.eta, strict=True))
        etas: list[Array] = []

        def mu_of(trail: Trail) -> Array:
            if len(trail) == self.depth - 3:  # a leaf; without an S it is zero
                etas.append(known.get(trail, np.zeros(len(region.halves))))
            return self.tree.mu(region.x, trail)

        rows, leaves = unroll(vector, self.depth - 1, mu_of)
        eta = np.array(etas)
        squares = self.arcs.levels(leaves, eta, region.halves)
        return float(np.sqrt(max(squares.max(), 0.0))), np.vstack([mu, rows]), eta


def _columns(arcs: Arcs, weights: Array) -> Array:
    """First-layer weights (2, p) with Σ φ(Xu)φ(Xu)ᵀ = Σ P W Pᵀ, for W ⪰ 0 non-negative (m, 2, 2).

    On an arc W = bbᵀ + ccᵀ with b, c ≥ 0, by a Cholesky factor from the larger end.
    """
    columns = []
    for R, W in zip(arcs.R, np.maximum(weights, 0), strict=True):
        first, last = (0, 1) if W[0, 0] >= W[1, 1] else (1, 0)
        if W[first, first] <= NEGLIGIBLE**1.5:
            continue
        root = np.sqrt(W[first, first])
        off = W[0, 1] / root
        columns.append(R[:, first] * root + R[:, last] * off)
        columns.append(R[:, last] * np.sqrt(max(W[last, last] - off**2, 0)))
    return np.array(columns).reshape(-1, 2).T


class Cover:
    """The regions of 𝒢 for every child of the root of λ's tree, cut until they prove a level."""

    def __init__(self, X: Array, lam: Array, depth: int = DEPTH) -> None:
        self.X, self.lam, self.depth = X, lam, depth
        arcs = Arcs.of(X)
        self.roots = [
            Child(arcs, sign * lam, S, depth).whole() if len(S) else None
            for sign in (1, -1)
            for S in subsets(np.flatnonzero(sign * lam > 0))
        ]

    def kept(self) -> Iterator[Region]:
        """The regions that are not cut."""
        stack = [root for root in self.roots if root is not None]
        while stack:
            region = stack.pop()
            if region.parts is None:
                yield region
            else:
                stack += region.parts

    @property
    def level(self) -> float:
        """What is proved of c_L(λ)."""
        return max((region.bound for region in self.kept()), default=0.0)

    def refine(self, target: float, most: int) -> list[Layered]:
        """Cut the regions of the largest bounds until all are at most the target.

        Ends early after so many regions, where a region cannot be cut, and when it is late. Returns
        the branches above the target that were met.
        """
        number = count()
        heap = [(-region.bound, next(number), region) for region in self.kept()]
        heapq.heapify(heap)
        found: list[Layered] = []
        for _ in range(most):
            if not heap or -heap[0][0] <= target or clock.late():
                break
            *_, region = heapq.heappop(heap)
            branch = self.climbed(region)
            if branch is not None:
                height = float(branch.outputs(self.X) @ region.child.nu)
                found += [branch] if height > 1 + VIOLATED else []
                if height > target:
                    break
            if not region.child.parted(region):
                break
            assert region.parts is not None
            for part in region.parts:
                heapq.heappush(heap, (-part.bound, next(number), part))
        return found

    def climbed(self, region: Region) -> Layered | None:
        """The branch that a climb reaches from a region's own."""
        branch, nu = region.branch(self.X), region.child.nu
        if branch is None or not branch.outputs(self.X) @ nu > 0:
            return None
        return climb(self.X, nu, branch)

    def evidence(self) -> tuple[Array, Array, Array]:
        """Rows of μ, splits and η in the order of certificates (`certificates.md`, Shared)."""
        n = len(self.lam)
        mu, splits, eta = list[Array](), list[Array](), list[Array]()

        def write(region: Region) -> None:
            if region.parts is not None:
                half = region.parts[0].halves[-1]
                splits.append(np.concatenate([half.a, half.b, [half.h]]))
                for part in region.parts:
                    write(part)
                return
            splits.append(np.zeros(2 * n + 1))
            _, rows, more = region.child.proved(region)
            mu.extend(rows)
            eta.extend(more)

        for root in self.roots:
            if root is None:  # without an S all is zero
                splits.append(np.zeros(2 * n + 1))
                rows, leaves = unroll(np.zeros(n), self.depth - 1, lambda _: np.zeros(n))
                mu.extend([np.zeros(n), *rows])
                eta.extend(np.zeros((len(leaves), 0)))
            else:
                write(root)
        width = max(1, *(len(row) for row in eta))
        return (
            np.array(mu),
            np.array(splits),
            np.array([np.pad(row, (0, width - len(row))) for row in eta]),
        )

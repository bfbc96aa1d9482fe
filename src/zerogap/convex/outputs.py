"""Three layers with vector targets: c₃(Λ) = max_{‖q‖=1} c₃(Λq), from scalar levels (theory §4).

h(q) = c₃(Λq) is convex, even and homogeneous: the support function of conv(±ΛᵀV₃). On the cone
of q₁ … q_k every q = Σ a_i q_i, a ≥ 0, has h(q) ≤ Σ a_i h(q_i) = qᵀw for the w with q_iᵀw = h(q_i),
so c₃ ≤ ‖w‖ there. Cones that are too high are bisected; the orthants up to sign are the start.

A scalar level is a maximum over the signs ± and the sets S of active samples of
min_{0 ≤ μ ≤ ν⁻} c₂(ν_S − μ), ν = ±λ: convex, by cutting planes, and its multipliers mix features
into the second-layer neuron that attains it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import clarabel
import numpy as np
from scipy import sparse

from zerogap.convex.conic import minimise
from zerogap.convex.oracles import Atoms, Features
from zerogap.convex.path import Branch, subsets
from zerogap.model import clock
from zerogap.model.errors import MethodError
from zerogap.model.matrices import Array

# Samples whose sets are all priced.
MAX_SAMPLES = 8
# Relative accuracy of a scalar level, and of the level over the directions of so many outputs:
# cones that are to be so flat are many for three.
_LEVEL, ACCURACY = 1e-9, {2: 1e-7, 3: 2e-5}
# The level over directions is found to this share of what the floor is exceeded by.
_SHARE = 0.1
_MAX_ROUNDS = 60
_MAX_CONES = 4000


@dataclass(frozen=True, eq=False)
class Scalar:
    """c₃(λ) ≤ level, the rows μ that prove it (order of `path.unroll`), and a neuron near it."""

    level: float
    mu: Array
    branch: Branch


@dataclass(frozen=True, eq=False)
class Cover:
    """A level over all directions and what proves it.

    splits: every cone, depth first, as i, j, p, r where p q_i + r q_j bisects it, or −1, −1, 0, 0.
    directions (k, m): in order of first use; scalars: their levels.
    """

    level: float
    splits: Array
    directions: Array
    scalars: list[Scalar]


class ThreeLayers:
    """V₃ for vector targets, priced over a cover of the output directions."""

    exact = True

    def __init__(self, features: Features, outputs: int) -> None:
        n = len(features.X)
        if n > MAX_SAMPLES or outputs not in ACCURACY:
            raise MethodError(
                f"{n} samples and {outputs} outputs are too many sets and directions to price; "
                f"accepted are up to {MAX_SAMPLES} samples, and 2 or 3 outputs"
            )
        self.features = features
        self.accuracy = ACCURACY[outputs]

    def start(self, Y: Array) -> Atoms:
        """Second-layer neurons that pass one first-layer feature on."""
        return self._atoms([Branch(u[:, None], np.ones(1)) for u in self.features.start(Y).U.T])

    def price(self, multipliers: Array, floor: float) -> tuple[Array, Atoms]:
        found = self.cover(multipliers, floor)
        atoms = self._atoms([scalar.branch for scalar in found.scalars])
        values = np.linalg.norm(multipliers.T @ atoms.V, axis=0)
        order = np.argsort(-values, kind="stable")
        order = order[values[order] >= min(floor, values.max())]
        # The level is what is proved, a little above the largest value found.
        return np.concatenate([[found.level], values[order[1:]]]), atoms[order]

    def cover(self, multipliers: Array, floor: float) -> Cover:
        """c₃(Λ) from above, the more accurately the nearer it is to `floor`."""
        k = multipliers.shape[1]
        scalars: dict[bytes, Scalar] = {}
        roots = [_Cone(np.diag((1.0, *signs))) for signs in product((1.0, -1.0), repeat=k - 1)]
        cones = list(roots)
        best, level, count = 0.0, np.inf, len(roots)
        while True:
            new = {key(q): upright(q) for cone in cones for q in cone.edges}
            fresh = [q for name, q in new.items() if name not in scalars]
            if fresh:
                priced = scalar_levels(self.features, multipliers @ np.array(fresh).T)
                scalars |= dict(zip(map(key, fresh), priced, strict=True))
                V = self._atoms([scalar.branch for scalar in priced]).V
                best = max(best, float(np.linalg.norm(multipliers.T @ V, axis=0).max()))
            for cone in cones:
                heights = np.array([scalars[key(q)].level for q in cone.edges])
                cone.level = float(np.linalg.norm(np.linalg.solve(cone.edges, heights)))
            leaves = [leaf for root in roots for leaf in root.leaves()]
            level = max(leaf.level for leaf in leaves)
            excess = abs(best / floor - 1) if 0 < floor < np.inf else 0.0
            high = [c for c in leaves if c.level > best * (1 + max(self.accuracy, _SHARE * excess))]
            # The highest first, should there be too many.
            high = sorted(high, key=lambda cone: -cone.level)[: _MAX_CONES - count]
            if not high:
                break
            count += len(high)
            cones = [part for cone in high for part in cone.bisect()]
        splits, directions = walk(roots)
        return Cover(level, splits, directions, [scalars[key(q)] for q in directions.T])

    def _atoms(self, branches: list[Branch]) -> Atoms:
        V = np.column_stack([branch.outputs(self.features.X) for branch in branches])
        made = np.empty((1, len(branches)), dtype=object)
        made[0] = branches
        return Atoms(V, made)


class _Cone:
    """A simplicial cone of directions with integer edges (k, k), one a row, and its halves."""

    def __init__(self, edges: Array) -> None:
        self.edges = edges
        self.level = np.inf
        self.split = (-1, -1, 0, 0)
        self.halves: list[_Cone] = []

    def leaves(self) -> list[_Cone]:
        """The cones that are not split."""
        if not self.halves:
            return [self]
        return [leaf for half in self.halves for leaf in half.leaves()]

    def bisect(self) -> list[_Cone]:
        """Split at the middle of the longest side of the cone's section with Σ|q_i| = 1.

        There all cones are triangles of a few shapes, none of them thin, and their corners are
        whole numbers over powers of two.
        """
        sums = np.abs(self.edges).sum(axis=1)
        corners = self.edges / sums[:, None]
        sides = np.linalg.norm(corners[:, None] - corners, axis=2)
        i, j = sorted(map(int, np.unravel_index(sides.argmax(), sides.shape)))
        least = min(sums[i], sums[j])
        p, r = int(sums[j] / least), int(sums[i] / least)
        self.split = (i, j, p, r)
        middle = p * self.edges[i] + r * self.edges[j]
        for edge in (i, j):
            edges = self.edges.copy()
            edges[edge] = middle
            self.halves.append(_Cone(edges))
        return self.halves


def upright(q: Array) -> Array:
    """q or −q, the one whose first nonzero entry is positive; c₃(Λq) is the same."""
    return q * np.sign(q[np.flatnonzero(q)[0]]) + 0.0


def key(q: Array) -> bytes:
    """A name of a direction up to sign."""
    return upright(q).tobytes()


def walk(roots: list[_Cone]) -> tuple[Array, Array]:
    """The splits of all cones, depth first, and the directions in order of first use."""
    splits: list[tuple[int, ...]] = []
    found: dict[bytes, Array] = {}

    def visit(cone: _Cone) -> None:
        splits.append(cone.split)
        for q in cone.edges:
            found.setdefault(key(q), upright(q))
        for half in cone.halves:
            visit(half)

    for root in roots:
        visit(root)
    return np.array(splits), np.array(list(found.values())).T


def scalar_levels(features: Features, vectors: Array) -> list[Scalar]:
    """c₃(λ) for every column λ of a (n, m) matrix."""
    n, m = vectors.shape
    norms = np.linalg.norm(vectors, axis=0)
    norms[norms == 0] = 1
    vectors = vectors / norms
    leaves = [
        (column, sign, S)
        for column in range(m)
        for sign in (1, -1)
        for S in subsets(np.flatnonzero(sign * vectors[:, column] > 0))
    ]
    owner = np.array([column for column, _, _ in leaves])
    target, room = np.zeros((2, len(leaves), n))
    for row, (column, sign, S) in enumerate(leaves):
        if len(S):  # otherwise ν = 0 − μ is best at μ = 0
            target[row, S] = sign * vectors[S, column]
            room[row] = np.maximum(-sign * vectors[:, column], 0)
    mu = np.zeros_like(room)
    upper, found = features.levels(target.T)
    lower, best = np.zeros(m), [Branch(found[:, :1], np.zeros(1))] * m
    start = features.start(vectors[:, :1]).U
    pools = [np.hstack([start, found[:, [leaf]]]) for leaf in range(len(leaves))]
    for _ in range(_MAX_ROUNDS):
        clock.check()
        open_ = np.flatnonzero(upper > lower[owner] * (1 + _LEVEL) + 1e-300)
        if not len(open_):
            break
        moves, mixtures = _programs(
            features.X, target[open_], room[open_], [pools[i] for i in open_]
        )
        for leaf, mixture in zip(open_, mixtures, strict=True):
            used = np.abs(mixture) > 1e-9 * np.abs(mixture).max()
            branch = Branch(pools[leaf][:, used], mixture[used] / np.abs(mixture[used]).sum())
            value = float(abs(vectors[:, owner[leaf]] @ branch.outputs(features.X)))
            if value > lower[owner[leaf]]:
                lower[owner[leaf]], best[owner[leaf]] = value, branch
        levels, found = features.levels((target[open_] - moves).T)
        for leaf, level, move, u in zip(open_, levels, moves, found.T, strict=True):
            if level < upper[leaf]:
                upper[leaf], mu[leaf] = level, move
            pools[leaf] = np.hstack([pools[leaf], u[:, None]])
    return [
        Scalar(float(norms[c] * upper[owner == c].max()), norms[c] * mu[owner == c], best[c])
        for c in range(m)
    ]


def _programs(
    X: Array, target: Array, room: Array, pools: list[Array]
) -> tuple[Array, list[Array]]:
    """min_μ max_{j, ±} ±(target − μ)ᵀv_j s.t. 0 ≤ μ ≤ room, for each leaf with its own features.

    Returns μ (leaves, n) and the mixtures m_j of features that attain the values, Σ|m_j| = 1.
    """
    n = len(X)
    blocks, sides = [], []
    for own, w in zip(pools, target, strict=True):
        V = np.maximum(X @ own, 0).T
        ones = np.ones((len(V), 1))
        blocks += [np.vstack([np.hstack([-ones, -V]), np.hstack([-ones, V])])]
        sides += [-V @ w, V @ w]
    cuts = sparse.block_diag(blocks, format="csc")
    unknowns = cuts.shape[1]
    moved = np.setdiff1d(np.arange(unknowns), np.arange(0, unknowns, n + 1))
    pick = sparse.csc_matrix(
        (np.ones(len(moved)), (np.arange(len(moved)), moved)), shape=(len(moved), unknowns)
    )
    b = np.concatenate([*sides, np.zeros(len(moved)), room.ravel()])
    q = np.zeros(unknowns)
    q[:: n + 1] = 1
    A = sparse.vstack([cuts, -pick, pick]).tocsc()
    x, z = minimise(
        sparse.csc_matrix((unknowns,) * 2), q, A, b, [clarabel.NonnegativeConeT(len(b))]
    )
    moves = np.clip(x.reshape(-1, n + 1)[:, 1:], 0, room)
    mixtures, at = [], 0
    for own in pools:
        m = own.shape[1]
        mixtures.append(z[at : at + m] - z[at + m : at + 2 * m])
        at += 2 * m
    return moves, mixtures

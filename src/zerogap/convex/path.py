"""The path program: D₁^path(L) for scalar targets: D₁(L) at L = 3, a lower bound beyond (§4, §5).

One identity carries it. For z in conv(±V_{L-1}) and ν with P = {ν > 0},

    νᵀφ(z) = max_{S ⊆ P} [Σ_S ν_i z_i] − Σ_{ν<0} |ν_i| φ(z_i),

and −|ν_i| φ(z_i) = min_{0 ≤ μ_i ≤ |ν_i|} −μ_i z_i, so by minimax (both sets convex, compact)

    c_L(ν) = max_{S ⊆ P} min_{0 ≤ μ ≤ ν⁻} c±_{L-1}(ν_S − μ),     c±(ν) = max(c(ν), c(−ν)).

Unrolled down to c±₂, which pricing knows exactly, this is a tree whose leaves are linear in λ and
the μ's once the signs of λ are fixed: a linear program over that orthant with cuts νᵀv ≤ 1,
v ∈ V₂. Its multipliers, gathered from the leaves up, are the branches of a path network. Any
feasible μ's prove c_L(λ) ≤ max over the leaves, whatever found them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby
from math import comb

import clarabel
import numpy as np
from scipy import sparse

from zerogap.convex.columns import (
    Gauge,
    dual_value,
    feasible,
    master,
    primal_value,
    sparse_fit,
    vertex,
)
from zerogap.convex.conic import Conic
from zerogap.convex.oracles import Atoms, Features
from zerogap.model import clock
from zerogap.model.bounds import relative
from zerogap.model.errors import MethodError
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array

# Leaves of a tree; each is one pricing and at least one row of the linear program per round.
MAX_LEAVES = 20_000
_MAX_ROUNDS = 60
_MAX_ORTHANTS = 12
# Rounds without progress that end an orthant; the share of τ by which a leaf is too high.
_PATIENCE, _VIOLATED = 12, 1e-10
# Cuts stay in the program while they are at least this near to holding with equality.
_NEAR = 0.5

# How a node is reached from the root: (sign, subset) pairs.
Trail = tuple[tuple[int, tuple[int, ...]], ...]


@dataclass(frozen=True, eq=False)
class Branch:
    """One unit neuron φ(Σ_j m_j a_j) of a path network, Σ|m_j| ≤ 1.

    Its inputs a_j are the features φ(X u_j) of unit columns U (d, m), or branches one layer lower
    that it shares with no other neuron. The first kind is an element of V₃, in general of V_L^path.
    """

    inputs: Array | tuple[Branch, ...]
    mixture: Array

    def outputs(self, X: Array) -> Array:
        """The neuron's outputs (n,)."""
        if isinstance(self.inputs, tuple):
            hidden = np.column_stack([branch.outputs(X) for branch in self.inputs])
        else:
            hidden = np.maximum(X @ self.inputs, 0)
        return np.maximum(hidden @ self.mixture, 0)

    def layers(self) -> tuple[Array, Array]:
        """(W₁, w₂) of unit norm with the same output, splitting each mixture weight evenly.

        For branches on first-layer features only: deeper ones share no neurons, which costs a
        network with layers of bounded norm more than Σ|m_j|.
        """
        if isinstance(self.inputs, tuple):
            raise MethodError("only a three-layer branch is a network of two unit layers")
        root = np.sqrt(np.abs(self.mixture))
        return self.inputs * root, (np.sign(self.mixture) * root)[:, None]


@dataclass(frozen=True, eq=False)
class PathGauge(Gauge):
    """A bracket of the path program's optimum; its atoms are branches, one a column.

    At L = 3 the path network Σ_j w_j branch_j is a parallel network (`Branch.layers`), beyond it
    bounds the path program alone; `upper` is inf if none was recovered. mu: rows of the tree's μ's,
    depth first (the order of `unroll`), scaled with λ; they prove the level of λ.
    """

    mu: Array = field(kw_only=True)

    @classmethod
    def nothing(cls, n: int, lower: float, upper: float, bias: Array | None) -> PathGauge:
        """Zero multipliers, and a network without branches."""
        atoms, mu = Atoms(np.zeros((n, 0)), np.zeros((1, 0), dtype=object)), np.zeros((0, n))
        return cls(lower, upper, np.zeros((n, 1)), atoms, np.zeros((0, 1)), bias, mu=mu)


@cache
def leaves_of(positive: int, negative: int, depth: int) -> int:
    """Number of leaves below a node whose vector has so many positive and negative entries."""
    if depth == 2:
        return 1

    def below(p: int, q: int) -> int:
        return sum(comb(p, s) * leaves_of(s, q, depth - 1) for s in range(p + 1))

    return below(positive, negative) + below(negative, positive)


def subsets(indices: Array) -> Iterator[Array]:
    """All subsets of the indices, in binary order, the empty one first."""
    for mask in range(2 ** len(indices)):
        yield indices[[bool(mask >> i & 1) for i in range(len(indices))]]


def path_gauge(
    features: Features,
    fit: Fit,
    depth: int,
    tau: float | None = None,
    signs: Array | None = None,
    tolerance: float = 1e-9,
    enough: float = np.inf,
) -> PathGauge:
    """Solve the path program of depth L ≥ 3 for a fit of scalar outputs (n, 1).

    With τ None: the gauge D₁^path(L); else the dual of the fit s.t. c_L(λ) ≤ τ. Starts in the
    orthant of λ given by `signs` and goes on to neighbours while the optimum lies on a wall (the
    dual is concave, so an optimum off the walls is global). Ends early once `lower` is `enough`.
    Raises MethodError if the tree is larger than MAX_LEAVES.
    """
    if not fit.Y.any() and (tau is None or fit.loss.value(fit.Y, fit.Y) == 0):
        return PathGauge.nothing(len(fit.Y), 0.0, 0.0, fit.no_bias)
    asked = fit
    fit, scale, slope, energy = fit.in_units(tau is None)
    tau = None if tau is None else tau / slope
    signs = np.where((fit.Y[:, 0] if signs is None else signs) >= 0, 1, -1)
    below = above = None
    known: list[Branch] = []
    waiting, seen = [signs], {signs.tobytes()}
    for _ in range(_MAX_ORTHANTS):
        if not waiting:
            break
        signs = waiting.pop(0)
        with clock.units(lambda value: value * energy):
            solved = _solve_orthant(
                features, fit, depth, tau, signs, tolerance, known, enough / energy
            )
        if below is None or solved.lower > below.lower:
            below = solved
            # On a wall the optimum is that of the orthants around it, and their branches mix.
            sizes = np.abs(solved.multipliers[:, 0])
            walls = np.flatnonzero(sizes <= 1e-6 * sizes.max())
            for flipped in (walls, *walls[:, None]):
                neighbour = signs.copy()
                neighbour[flipped] *= -1
                if neighbour.tobytes() not in seen:
                    seen.add(neighbour.tobytes())
                    waiting.append(neighbour)
        above = solved if above is None or solved.upper < above.upper else above
        if relative(above.upper - below.lower, above.upper) <= 10 * tolerance or clock.late():
            break
        if below.lower * energy >= enough:
            break
    assert below is not None and above is not None
    return PathGauge(
        below.lower * energy,
        above.upper * energy,
        asked.inside(below.multipliers * slope, np.sign(below.multipliers)),
        above.atoms,
        above.weights * scale,
        None if above.bias is None else above.bias * scale,
        mu=below.mu * slope,
    )


def path_level(features: Features, nu: Array, mu: Array, depth: int) -> float:
    """The upper bound on c±_L(ν) that the rows of `mu` prove, re-evaluated leaf by leaf."""
    rows = iter(mu)
    _, leaves = unroll(nu, depth, lambda _: next(rows))
    return float(features.levels(leaves.T)[0].max())


def unroll(nu: Array, depth: int, mu_of: Callable[[Trail], Array]) -> tuple[Array, Array]:
    """The tree below ν: its μ's, clipped into 0 ≤ μ ≤ ν⁻, and its leaves, both depth first.

    Signs go (+, −), subsets in binary order; `mu_of` gives the μ of the node that a trail of
    (sign, subset) pairs reaches.
    """
    rows: list[Array] = []
    leaves: list[Array] = []

    def descend(nu: Array, depth: int, trail: Trail) -> None:
        if depth == 2:
            leaves.append(nu)
            return
        for sign in (1, -1):
            w = sign * nu
            for S in subsets(np.flatnonzero(w > 0)):
                step = (*trail, (sign, tuple(S.tolist())))
                mu = np.clip(mu_of(step), 0, np.maximum(-w, 0))
                rows.append(mu)
                child = -mu
                child[S] = w[S]
                descend(child, depth - 1, step)

    descend(nu, depth, ())
    return np.array(rows), np.array(leaves)


@dataclass(frozen=True, eq=False)
class Tree:
    """The tree over an orthant: every node's vector as a sparse linear map of the unknowns.

    maps: leaf → (n, unknowns), trails: how it is reached. bounds: rows B with B x ≤ 0 for
    0 ≤ μ ≤ |ν|. places: trail → (slice start, indices) of that node's μ among the unknowns; the
    first n unknowns are λ.
    """

    maps: list[sparse.csr_matrix]
    trails: list[Trail]
    bounds: sparse.csr_matrix
    places: dict[Trail, tuple[int, Array]]
    unknowns: int

    def mu(self, x: Array, trail: Trail) -> Array:
        """A node's μ (n,) among the unknowns; zero where it has none."""
        out = np.zeros(self.maps[0].shape[0])
        if trail in self.places:
            start, indices = self.places[trail]
            out[indices] = x[start : start + len(indices)]
        return out


def tree_over(signs: Array, depth: int) -> Tree:
    """The tree of that depth below a vector of given signs (n,); where they are 0 it is too.

    Raises MethodError if it is larger than MAX_LEAVES.
    """
    n = len(signs)
    count = leaves_of(int(np.sum(signs > 0)), int(np.sum(signs < 0)), depth)
    if count > MAX_LEAVES:
        raise MethodError(
            f"the path program for n = {n}, depth {depth} has {count} leaves; accepted are at "
            f"most {MAX_LEAVES}"
        )
    # Entries are dicts {unknown: coefficient}; at each node ν has fixed signs.
    places: dict[Trail, tuple[int, Array]] = {}
    bounds: list[dict[int, float]] = []
    leaves: list[list[dict[int, float]]] = []
    trails: list[Trail] = []
    unknowns = n

    def descend(nu: list[dict[int, float]], sign_of: Array, depth: int, trail: Trail) -> None:
        nonlocal unknowns
        if depth == 2:
            leaves.append(nu)
            trails.append(trail)
            return
        for sign in (1, -1):
            minus = np.flatnonzero(sign * sign_of < 0)
            clock.check()
            for S in subsets(np.flatnonzero(sign * sign_of > 0)):
                if not len(S):
                    continue  # ν = 0 − μ is best at μ = 0
                step = (*trail, (sign, tuple(S.tolist())))
                places[step] = (unknowns, minus)
                child: list[dict[int, float]] = [{} for _ in range(n)]
                for i in S:
                    child[i] = {key: sign * c for key, c in nu[i].items()}
                for j, i in enumerate(minus):
                    child[i] = {unknowns + j: -1.0}
                    bounds.append({unknowns + j: -1.0})
                    bounds.append(
                        {unknowns + j: 1.0, **{key: sign * c for key, c in nu[i].items()}}
                    )
                unknowns += len(minus)
                signs_below = np.zeros(n, dtype=int)
                signs_below[S], signs_below[minus] = 1, -1
                descend(child, signs_below, depth - 1, step)

    descend([{i: 1.0} for i in range(n)], signs, depth, ())
    bounds += [{i: -float(signs[i])} for i in range(n)]
    return Tree(
        maps=[_rows(nu, unknowns) for nu in leaves],
        trails=trails,
        bounds=_rows(bounds, unknowns),
        places=places,
        unknowns=unknowns,
    )


def _rows(entries: list[dict[int, float]], width: int) -> sparse.csr_matrix:
    indptr = np.cumsum([0] + [len(e) for e in entries])
    indices = np.array([key for e in entries for key in e], dtype=int)
    data = np.array([c for e in entries for c in e.values()])
    return sparse.csr_matrix((data, indices, indptr), shape=(len(entries), width))


def _solve_orthant(
    features: Features,
    fit: Fit,
    depth: int,
    tau: float | None,
    signs: Array,
    tolerance: float,
    known: list[Branch],
    enough: float,
) -> PathGauge:
    """The optimum over one orthant of λ. Fits with `known` branches too, and adds the last.

    Cutting planes: a round solves the program over the cuts so far, whose value is at least the
    optimum, prices the leaves of its λ and μ's (which proves `lower`), and cuts off its solution
    wherever a leaf is above the allowed level. Where no bracket could be wider than asked, or at
    the end, the branches that the cuts' multipliers spell out are fitted, which is `upper`.
    """
    orthant = _Orthant(features, fit, depth, tau, signs)
    # All leaves start with the ends of every dimension of V₂ they may touch.
    cuts = _Cuts.everywhere(features.start(fit.Y).U, len(orthant.tree.maps))
    best = PathGauge.nothing(len(fit.Y), -np.inf, np.inf, fit.no_bias)
    branches, last = list(known), list[Branch]()
    stalled = 0
    for _ in range(_MAX_ROUNDS):
        try:
            x, z = orthant.solve(cuts)
            lower, multipliers, mu = orthant.proved(x)
            stalled += 1
            if lower > best.lower:
                best, stalled = replace(best, lower=lower, multipliers=multipliers, mu=mu), 0
                clock.tell(best.lower, best.upper)
            highest, more = orthant.separate(x, cuts)
        except MethodError:
            break
        last = _branches(orthant.tree.trails, cuts, z)
        branches += last
        high = highest > orthant.allowed * (1 + max(tolerance / 10, _VIOLATED))
        done = not high or stalled == _PATIENCE or clock.late() or best.lower >= enough
        above = dual_value(x[: len(signs), None], fit, tau)
        if done or relative(above - best.lower, above) <= tolerance:
            upper, atoms, weights, bias = _fit(features, branches, fit, tau)
            if upper < best.upper:
                best = replace(best, upper=upper, atoms=atoms, weights=weights, bias=bias)
                branches, stalled = [*known, *atoms.U[0]], 0
            clock.tell(best.lower, best.upper)
            if done or relative(best.upper - best.lower, best.upper) <= tolerance:
                break
        cuts = more
    known += last
    return best


@dataclass(frozen=True, eq=False)
class _Cuts:
    """Cuts side·νᵀφ(Xu) ≤ τ on the vectors ν of leaves, u a column of U (d, m).

    leaf, feature, side: one entry a cut, two indices and ±1.
    """

    U: Array
    leaf: Array
    feature: Array
    side: Array

    @classmethod
    def everywhere(cls, U: Array, leaves: int) -> _Cuts:
        """Both sides of every feature at every leaf."""
        m = U.shape[1]
        feature = np.tile(np.repeat(np.arange(m), 2), leaves)
        leaf, side = np.repeat(np.arange(leaves), 2 * m), np.tile([1.0, -1.0], leaves * m)
        return cls(U, leaf, feature, side)

    def joined(self, leaf: Array, U: Array, side: Array) -> _Cuts:
        """These and one more cut for each of some leaves, with a feature of its own."""
        feature = self.U.shape[1] + np.arange(len(leaf))
        return _Cuts(
            np.hstack([self.U, U]),
            np.concatenate([self.leaf, leaf]),
            np.concatenate([self.feature, feature]),
            np.concatenate([self.side, side]),
        )

    def rows(self, X: Array, maps: sparse.csr_matrix, start: int) -> sparse.csr_matrix:
        """side·φ(Xu)ᵀ(leaf's map) for the cuts from `start` on: one sparse product over leaves."""
        leaf, feature, side = self.leaf[start:], self.feature[start:], self.side[start:]
        n, m = len(X), len(leaf)
        v = (np.maximum(X @ self.U, 0)[:, feature] * side).T
        columns = (leaf[:, None] * n + np.arange(n)).ravel()
        picker = sparse.csr_matrix(
            (v.ravel(), columns, np.arange(0, m * n + 1, n)), shape=(m, maps.shape[0])
        )
        return (picker @ maps).tocsr()


class _Orthant:
    """The program over one orthant: the fit's dual over λ and the μ's of its tree."""

    def __init__(
        self, features: Features, fit: Fit, depth: int, tau: float | None, signs: Array
    ) -> None:
        self.features, self.fit, self.depth, self.tau, self.signs = features, fit, depth, tau, signs
        self.allowed = 1.0 if tau is None else tau
        self.tree = tree_over(signs, depth)
        self.maps = sparse.vstack(self.tree.maps).tocsr()  # (leaves·n, unknowns)
        self.dual = Conic.of(fit, tau is None)
        self.rows = sparse.csr_matrix((0, self.tree.unknowns))
        self.near = np.zeros(0, dtype=int)

    def solve(self, cuts: _Cuts) -> tuple[Array, Array]:
        """The optimal unknowns under the cuts, and the cuts' multipliers.

        Most cuts are slack. The program has those that are near, and others once it violates them;
        none is forgotten, or the μ's would cycle.
        """
        bounds, known = self.tree.bounds, self.rows.shape[0]
        new = cuts.rows(self.features.X, self.maps, known)
        self.rows = sparse.vstack([self.rows, new]).tocsr()
        self.near = np.concatenate([self.near, np.arange(known, self.rows.shape[0])])
        while True:
            A = sparse.vstack([self.rows[self.near], bounds]).tocsc()
            b = np.concatenate([np.full(len(self.near), self.allowed), np.zeros(bounds.shape[0])])
            x, z, _ = self.dual.solve(A, b, [clarabel.NonnegativeConeT(len(b))])
            levels = self.rows @ x
            violated = levels > self.allowed * (1 + _VIOLATED)
            violated[self.near] = False
            if not violated.any():
                break
            self.near = np.concatenate([self.near, np.flatnonzero(violated)])
        multipliers = np.zeros(len(levels))
        multipliers[self.near] = z[: len(self.near)]
        self.near = self.near[levels[self.near] > _NEAR * self.allowed]
        return x, multipliers

    def proved(self, x: Array) -> tuple[float, Array, Array]:
        """(value, λ, μ's) of the best feasible multiple of a solution's λ and μ's.

        Both are clipped into their boxes from the root down; any μ's there prove
        c_L(λ) ≤ max over the leaves of c±₂, which pricing evaluates exactly.
        """
        lam = np.where(self.signs * x[: len(self.signs)] > 0, x[: len(self.signs)], 0.0)
        lam = self.fit.inside(lam[:, None], self.signs[:, None])[:, 0]
        mu, leaves = unroll(lam, self.depth, lambda trail: self.tree.mu(x, trail))
        c = float(self.features.levels(leaves.T)[0].max())
        multipliers = feasible(lam[:, None], self.fit, c, self.tau)
        ratio = float(np.linalg.norm(multipliers)) / max(float(np.linalg.norm(lam)), 1e-300)
        return dual_value(multipliers, self.fit, self.tau), multipliers, mu * ratio

    def separate(self, x: Array, cuts: _Cuts) -> tuple[float, _Cuts]:
        """The highest c±₂ of a solution's own leaves, and a cut at each that is too high."""
        leaves = np.asarray(self.maps @ x).reshape(-1, len(self.signs))
        values, arguments = self.features.levels(leaves.T)
        high = np.flatnonzero(values > self.allowed * (1 + _VIOLATED))
        U = arguments[:, high]
        V = np.maximum(self.features.X @ U, 0)
        sides = np.sign(np.einsum("nm,nm->m", V, leaves.T[:, high]))
        return float(values.max()), cuts.joined(high, U, sides)


def _branches(trails: list[Trail], cuts: _Cuts, z: Array) -> list[Branch]:
    """The branches that the cut multipliers z spell out, one per first step of the trails.

    The cuts of a leaf mix into one neuron in proportion to z; the neurons below a node mix into
    its neuron in proportion to their total z, with the signs of the last steps to them.
    """
    largest = z.max()
    nodes: dict[Trail, tuple[Branch, float]] = {}
    for leaf in np.unique(cuts.leaf[z > 1e-7 * largest]):
        active = (cuts.leaf == leaf) & (z > 1e-9 * largest)
        mass = z[active].sum()
        branch = Branch(cuts.U[:, cuts.feature[active]], cuts.side[active] * z[active] / mass)
        nodes[trails[leaf]] = branch, mass
    for length in range(len(trails[0]) - 1, 0, -1):
        below, nodes = nodes, {}
        for trail, same in groupby(below, key=lambda trail: trail[:length]):
            children = list(same)
            signed = np.array([step[-1][0] * below[step][1] for step in children])
            mass = np.abs(signed).sum()
            nodes[trail] = Branch(tuple(below[c][0] for c in children), signed / mass), mass
    return [branch for branch, _ in nodes.values()]


def _fit(
    features: Features, branches: list[Branch], fit: Fit, tau: float | None
) -> tuple[float, Atoms, Array, Array | None]:
    """The best output weights of given branches: (value or inf, branches in use, weights, bias)."""
    V = np.column_stack([branch.outputs(features.X) for branch in branches])
    atoms = Atoms(V, np.array(branches, dtype=object)[None])
    try:
        _, weights, bias = master(V, fit, tau)
    except MethodError:
        return np.inf, atoms, np.zeros((0, 1)), fit.no_bias
    kept, weights = sparse_fit(V, weights, fit, tau, bias)
    fewer, weights = vertex(V[:, kept], weights)
    kept = kept[fewer]
    return primal_value(V[:, kept], weights, fit, tau, bias), atoms[kept], weights, bias

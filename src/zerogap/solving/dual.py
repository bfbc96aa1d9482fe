"""The dual value of any problem, bracketed: multipliers below, a parallel network above (§1).

The bidual of every network of depth L is the parallel network of depth L, so one routine serves
all architectures: it brackets the gauge D₁ (or, for beta > 0, the regularised optimum at a level)
and says what proves each end. Evidence is a plain dict of arrays, as certificates store it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import comb
from typing import Any

import numpy as np

from zerogap.checker.pricing import MAX_FACES, MAX_RAYS, MAX_SIDE
from zerogap.convex.ascent import Ascent
from zerogap.convex.columns import Gauge, dual_value, feasible, gauge
from zerogap.convex.moments import moment_bound
from zerogap.convex.nuclear import nuclear_map
from zerogap.convex.oracles import MAX_ORTHANT, Features, Orthant
from zerogap.convex.outputs import ACCURACY, MAX_SAMPLES, ThreeLayers
from zerogap.convex.path import leaves_of, path_gauge
from zerogap.convex.pricing import MAX_VISITS, visited
from zerogap.model.bounds import relative
from zerogap.model.errors import MethodError, what_failed
from zerogap.model.matrices import Array, is_whitened
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.theory import closed_form as cf
from zerogap.theory.arrangements import max_faces, row_space

# Worst case of the path program's tree that is tried.
MAX_LEAVES = 4_000
# The search over t (theory §1) stops here if not before; each step solves one dual.
_MAX_LEVELS = {"linear": 120, "relu": 40}
_GRID = 4000
# ‖X‖₂ between this and its inverse is of order one: solvers with absolute tolerances are at home.
_ORDER_ONE = 100.0


@dataclass(frozen=True, eq=False)
class Bidual:
    """A bracket of the dual value of a problem, in total values.

    lower: proved by `evidence`. upper: the value of `network`, a parallel network of the
    problem's depth; inf where none was found. methods name what produced them. failures: what
    went wrong with more exact methods, if anything.
    """

    lower: float
    upper: float
    evidence: dict[str, Any]
    network: Network | None
    method: str
    failures: tuple[str, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether both ends agree to 1e-6 relative, so that the dual value is known."""
        return relative(self.upper - self.lower, self.upper) <= 1e-6


@dataclass(frozen=True, eq=False)
class Piece:
    """The gauge of one problem at one level: scaled bracket, evidence, branches of unit cost.

    branches[j]: inner layers of unit norm; weights (m, k): their output rows.
    """

    lower: float
    upper: float
    evidence: dict[str, Any]
    branches: tuple[tuple[Array, ...], ...]
    weights: Array
    method: str


@dataclass(frozen=True)
class Effort:
    """When to stop where no exact method fits: at a relative gap, or after seconds per level.

    seconds: None for a fixed number of iterations, which gives the same answer on every machine.
    """

    gap: float = 1e-3
    seconds: float | None = None


def bidual(problem: Problem, effort: Effort | None = None) -> Bidual:
    """Bracket the dual value of a problem (theory §1 to §7).

    Raises MethodError only if not even a weak bound can be computed.
    """
    effort = effort or Effort()
    norm = float(np.linalg.norm(problem.X, 2))
    if not 1 / _ORDER_ONE <= norm <= _ORDER_ONE:
        return _rescaled(problem, effort, 2.0 ** round(np.log2(norm)))
    solver = Gauges(problem, effort)
    if problem.beta is None:
        piece = solver.at(None)
        network = solver.network(piece)
        return Bidual(
            problem.total(piece.lower), problem.total(piece.upper), piece.evidence, network,
            piece.method, tuple(solver.failures),
        )  # fmt: skip
    if problem.regularizer == "power" or problem.depth == 2:
        piece = solver.at(problem.beta * problem.depth / 2)
        return Bidual(
            piece.lower, piece.upper, piece.evidence, solver.network(piece), piece.method,
            tuple(solver.failures),
        )  # fmt: skip
    return _over_levels(problem, solver)


def _rescaled(problem: Problem, effort: Effort, size: float) -> Bidual:
    """The bracket of a problem by way of X / size, since solvers want data of order one.

    f(X) is homogeneous, so the gauge of X / size is `size` times that of X. With β > 0 the values
    stay, where β takes up the factor; without it Λ is divided by `size`, a power of two.
    """
    degree = 1.0 if problem.regularizer == "power" else 2 / problem.depth
    beta = None if problem.beta is None else problem.beta * size**-degree
    found = bidual(replace(problem, X=problem.X / size, beta=beta), effort)
    factor = size**-degree if beta is None else 1.0
    # c(Λ) stays without β and takes up the factor with it, and so do the forms that prove it.
    shrunk, grown = ("multipliers", "mu"), ("level", "pairs", "cones", "trace")
    factors = dict.fromkeys(shrunk, 1 / size) if beta is None else dict.fromkeys(grown, size)
    factors |= {"a": size, "scale": 1 / size}

    def back(evidence: Any) -> Any:
        if isinstance(evidence, list):
            return [back(entry) for entry in evidence]
        if not isinstance(evidence, dict):
            return evidence
        scaled = {k: v * factors[k] if k in factors else back(v) for k, v in evidence.items()}
        if "X" in scaled:  # two factors
            scaled["X"] = [scaled["X"][0] * size, scaled["X"][1]]
        return scaled

    network = found.network
    if network is not None:
        share = size ** (-1 / problem.depth)
        branches = tuple(tuple(W * share for W in branch) for branch in network.branches)
        network = Network(branches, problem.activation)
    return Bidual(
        found.lower * factor, found.upper * factor, back(found.evidence), network, found.method,
        found.failures,
    )  # fmt: skip


class Gauges:
    """The gauge of one data set and depth, at any level (None: interpolation)."""

    def __init__(self, problem: Problem, effort: Effort) -> None:
        self.problem = problem
        self.effort = effort
        self.failures: list[str] = []

    @cached_property
    def features(self) -> Features:
        """V₂ by its faces; built once for all levels."""
        return Features(self.problem.X)

    @cached_property
    def orthant(self) -> Orthant:
        return Orthant(self.problem.X)

    def at(self, level: float | None) -> Piece:
        """The bracket from the most exact method that applies; from the next where that fails."""
        reach = self._stretch * float(np.linalg.norm(self.problem.Y, 2))
        if reach == 0 or (level is not None and level >= reach):
            return self._zero(reach, level)
        try:
            piece = self._exact(level)
            if not np.isfinite(piece.lower):
                raise MethodError(f"the {piece.method} found no bound")
            return piece
        except Exception as error:  # solvers fail in their own ways; the next needs none
            failure = what_failed("dual", error)
            if failure not in self.failures:
                self.failures.append(failure)
            return self._spectral(level)

    def _exact(self, level: float | None) -> Piece:
        """From most to least exact: closed forms, then programs, as far as their size allows."""
        problem = self.problem
        if problem.activation == "linear":
            return self._linear(level)
        rank_one = cf.RankOne.of(problem)
        if rank_one is not None:
            return self._rank_one(rank_one, level)
        if is_whitened(problem.X):
            sizes = cf.one_hot_sizes(problem)
            if level is None and (sizes is not None or problem.k == 1):
                return self._whitened_closed()
            if problem.n <= MAX_ORTHANT:
                return self._orthant(level)
        if visited(problem.n, problem.rank) > MAX_VISITS:
            return self._relaxed(level) if problem.depth == 2 else self._spectral(level)
        if problem.depth == 2:
            return self._columns(level)
        if problem.k == 1:
            return self._path(problem.Y[:, 0], level)
        if problem.depth == 3 and problem.k in ACCURACY and problem.n <= MAX_SAMPLES:
            return self._cover(level)
        return self._outputs(level)

    def network(self, piece: Piece) -> Network | None:
        """The piece's parallel network at the problem's depth, layers balanced."""
        if not np.isfinite(piece.upper):
            return None
        problem = self.problem
        branches = []
        for inner, w in zip(piece.branches, piece.weights, strict=True):
            # A non-negative output passes unchanged through further unit neurons.
            pad = [np.ones((1, 1))] * (problem.depth - 1 - len(inner))
            branches.append((*inner, *pad, w[None, :]))
        if not branches:
            shapes = [(problem.d, 1), *[(1, 1)] * (problem.depth - 2), (1, problem.k)]
            branches = [tuple(np.zeros(shape) for shape in shapes)]
        return Network(tuple(branches), problem.activation).balanced()

    # --- one method each ------------------------------------------------------------------

    def _zero(self, reach: float, level: float | None) -> Piece:
        """No weights are worth their cost: Λ = Y is feasible, as c(Y) ≤ ‖X‖₂‖Y‖₂ = reach."""
        Y = self.problem.Y
        kind = "linear" if self.problem.activation == "linear" else "whitened"
        return self._piece(
            Y, reach, level, 0.5 * float(np.sum(Y**2)), {"kind": kind}, (),
            np.zeros((0, self.problem.k)), "zero network",
        )  # fmt: skip

    def _linear(self, level: float | None) -> Piece:
        X, Y = self.problem.X, self.problem.Y
        if level is None:
            U, s, Vt = cf.linear_map(self.problem)
            multipliers = np.linalg.pinv(X, rcond=1e-12).T @ U @ Vt
            method = "closed form"
        else:
            A, multipliers = nuclear_map(X, Y, level)
            U, s, Vt = cf.thin_svd(A)
            method = "proximal gradient"
        c = float(np.linalg.norm(X.T @ multipliers, 2)) if s.size or level else 1.0
        upper = float(s.sum())
        if level is not None:
            upper = 0.5 * float(np.linalg.norm((X @ U * s) @ Vt - Y) ** 2) + level * upper
        branches = tuple((U[:, [i]],) for i in range(len(s)))
        weights = s[:, None] * Vt
        return self._piece(
            multipliers, c, level, upper, {"kind": "linear"}, branches, weights, method
        )

    def _rank_one(self, data: cf.RankOne, level: float | None) -> Piece:
        a = data.a[:, None]
        evidence = {"kind": "rank-one", "c": data.c[:, None], "a": a}
        if level is not None:
            found = gauge(self.features, self.problem.Y, level)
            return self._from_gauge(found, level, evidence, "column generation")
        sides = [(1.0, data.plus), (-1.0, data.minus)]
        sides = [(sign, y) for sign, y in sides if np.linalg.norm(y) > 0]
        multipliers = data.multipliers()
        c = max(float(np.linalg.norm(multipliers.T @ np.maximum(s * data.c, 0))) for s in (1, -1))
        weights = np.array([y for _, y in sides]).reshape(-1, self.problem.k)
        branches = tuple((sign * a,) for sign, _ in sides)
        return self._piece(
            multipliers, c, level, data.dual(), evidence, branches, weights, "closed form"
        )

    def _whitened_closed(self) -> Piece:
        """One-hot or scalar targets: each class, each sign, is one branch (theory §7)."""
        Y = self.problem.Y
        if self.problem.k == 1:
            V, weights = cf.whitened_scalar(Y[:, 0])
        else:
            lengths = np.linalg.norm(Y, axis=0)
            V, weights = Y / lengths, np.diag(lengths)
        lengths = np.linalg.norm(weights, axis=1, keepdims=True)
        multipliers = V @ (weights / lengths)
        c = float(np.linalg.norm(multipliers, 2)) if self.problem.k > 1 else 1.0
        branches = tuple((self.problem.X.T @ V[:, [j]],) for j in range(V.shape[1]))
        return self._piece(
            multipliers, c * self._stretch, None, float(lengths.sum()), {"kind": "whitened"},
            branches, weights, "closed form",
        )  # fmt: skip

    def _orthant(self, level: float | None) -> Piece:
        found = gauge(self.orthant, self.problem.Y, level)
        return self._from_gauge(found, level, {"kind": "whitened"}, "column generation")

    def _columns(self, level: float | None) -> Piece:
        found = gauge(self.features, self.problem.Y, level)
        return self._from_gauge(found, level, self._subdivision(), "column generation")

    def _subdivision(self) -> dict[str, Any]:
        """What proves levels of two layers: all faces, or cones where these are too many."""
        n, d, rank = self.problem.n, self.problem.d, self.problem.rank
        enumerable = max_faces(n, rank) <= MAX_FACES and comb(n, rank - 1) <= MAX_RAYS
        if self.problem.k > 1 or (enumerable and max(n, d) <= MAX_SIDE):
            return {"kind": "faces"}
        if rank == d:
            return {"kind": "cones"}
        Q = row_space(self.problem.X)
        return {"kind": "cones", "X": [self.problem.X @ Q, Q.T]}

    def _relaxed(self, level: float | None) -> Piece:
        """Two layers with too many faces to visit: a good network, and the moments' bound."""
        Y, effort = self.problem.Y, self.effort
        if not Y.any():
            return self._spectral(level)
        above = gauge(Ascent(self.problem.X), Y, level, tolerance=1e-4)
        below = moment_bound(
            self.problem.X, Y, level, above.upper, gap=effort.gap, seconds=effort.seconds
        )
        evidence = {
            "kind": "moments",
            "scale": below.scale,
            "level": below.level,
            "blocks": [vars(block) for block in below.blocks],
        }
        found = Gauge(below.lower, above.upper, below.multipliers, above.atoms, above.weights)
        return self._from_gauge(found, level, evidence, "moment relaxation")

    def _path(self, y: Array, level: float | None) -> Piece:
        """Three layers exactly; deeper, the path program below, the three-layer network above."""
        depth = self.problem.depth
        half = self.problem.n // 2
        if leaves_of(self.problem.n - half, half, depth) > MAX_LEAVES:
            return self._spectral(level)
        two = gauge(self.features, y[:, None], level, tolerance=1e-6)
        three = path_gauge(self.features, y, 3, level, signs=two.multipliers[:, 0])
        below = three
        if depth > 3:
            below = path_gauge(self.features, y, depth, level, signs=three.multipliers)
        evidence = {"kind": "tree", "multipliers": below.multipliers[:, None], "mu": below.mu}
        if np.isfinite(three.upper) and three.upper <= two.upper:
            branches: tuple[tuple[Array, ...], ...] = tuple(b.layers() for b in three.branches)
            weights, upper = three.weights[:, None], three.upper
        else:
            branches = tuple((two.atoms.U[:, [j]],) for j in range(len(two.weights)))
            weights, upper = two.weights, two.upper
        return Piece(below.lower, upper, evidence, branches, weights, "path program")

    def _cover(self, level: float | None) -> Piece:
        """Two or three outputs at three layers, by column generation over branches (theory §4)."""
        Y = self.problem.Y
        oracle = ThreeLayers(self.features, self.problem.k)
        found = gauge(oracle, Y, level, tolerance=5 * oracle.accuracy)
        # Shorter by more than the accuracy of levels, so that it is feasible when priced again:
        # what proves a level is found for these very numbers.
        scaled = (1 - 2 * oracle.accuracy) * found.multipliers
        proof = oracle.cover(scaled, 0.0)
        evidence = {
            "kind": "cover",
            "multipliers": scaled,
            "splits": proof.splits,
            "mu": np.vstack([scalar.mu for scalar in proof.scalars]),
        }
        branches = tuple(branch.layers() for branch in found.atoms.U[0])
        return Piece(
            max(0.0, dual_value(scaled, Y, level)), found.upper, evidence, branches,
            found.weights, "column generation",
        )  # fmt: skip

    def _outputs(self, level: float | None) -> Piece:
        """Vector targets at depth ≥ 3: the best single direction Yq below, two layers above."""
        Y = self.problem.Y
        above = gauge(self.features, Y, level)
        directions = np.vstack([np.eye(self.problem.k), np.linalg.svd(Y)[2]])
        best: Piece | None = None
        for q in directions:
            # Λ = λqᵀ has c(Λ) = c(λ), ‖Λ‖ = ‖λ‖ and tr(ΛᵀY) = λᵀYq: the scalar dual's value.
            piece = self._path(Y @ q, level)
            if best is None or piece.lower > best.lower:
                evidence = {"kind": "outputs", "direction": q[:, None], "inner": piece.evidence}
                best = Piece(piece.lower, above.upper, evidence, (), above.weights, piece.method)
        assert best is not None
        branches = tuple((above.atoms.U[:, [j]],) for j in range(len(above.weights)))
        return Piece(
            best.lower, above.upper, best.evidence, branches, above.weights,
            "path program, one output",
        )  # fmt: skip

    def _spectral(self, level: float | None) -> Piece:
        """Too large to enumerate: V_L ⊂ {v : ‖v‖ ≤ ‖X‖₂} still bounds c, for any X."""
        Y = self.problem.Y
        kind = "linear" if self.problem.activation == "linear" else "whitened"
        if self.problem.k == 1:
            V, weights = cf.whitened_scalar(Y[:, 0])
            multipliers = V @ np.sign(weights)
        else:
            U, _, Vt = np.linalg.svd(Y, full_matrices=False)
            multipliers = U @ Vt
        c = self._stretch
        return self._piece(
            multipliers, c, level, np.inf, {"kind": kind}, (), np.zeros((0, self.problem.k)),
            "spectral bound",
        )  # fmt: skip

    @cached_property
    def _stretch(self) -> float:
        """‖X‖₂, the longest a branch output of unit weights can be."""
        return float(np.linalg.norm(self.problem.X, 2))

    # --- assembling -----------------------------------------------------------------------

    def _from_gauge(
        self, found: Gauge, level: float | None, evidence: dict[str, Any], method: str
    ) -> Piece:
        branches = tuple((found.atoms.U[:, [j]],) for j in range(len(found.weights)))
        evidence = {**evidence, "multipliers": found.multipliers}
        return Piece(found.lower, found.upper, evidence, branches, found.weights, method)

    def _piece(
        self,
        multipliers: Array,
        c: float,
        level: float | None,
        upper: float,
        evidence: dict[str, Any],
        branches: tuple[tuple[Array, ...], ...],
        weights: Array,
        method: str,
    ) -> Piece:
        Y = self.problem.Y
        scaled = feasible(multipliers, Y, c, level)
        evidence = {**evidence, "multipliers": scaled}
        return Piece(
            max(0.0, dual_value(scaled, Y, level)), upper, evidence, branches, weights, method
        )


def _over_levels(problem: Problem, solver: Gauges) -> Bidual:
    """Weight decay at L ≥ 3: the dual value min_t β(L−2)/2·t² + D_β(t) (theory §1).

    Every Λ, scaled to what t allows, bounds D_β(t) from below for all t at once. The minimiser of
    the best of these bounds is the next t to solve for, until the bound is tight there.
    """
    beta, depth = problem.beta, problem.depth
    assert beta is not None
    half, power = beta * (depth - 2) / 2, depth - 2
    most = 0.5 * float(np.sum(problem.Y**2))  # the zero network's value: beyond `end` none is less
    end = float(np.sqrt(most / half)) if most > 0 else 1.0
    solved: list[tuple[float, Piece]] = []

    def model(t: Array) -> Array:
        """The lower bound on β(L−2)/2·t² + D_β(t) that the Λ's found so far prove."""
        best = np.zeros_like(t)
        for at, piece in solved:
            product, square = _moments(piece.evidence, problem.Y)
            if square > 0:
                # Λ was scaled to c(Λ) ≤ β/at^{L−2}; at t it may be longer or must be shorter.
                theta = np.minimum(product / square, (at / t) ** power)
                best = np.maximum(best, theta * product - 0.5 * theta**2 * square)
        return half * t**2 + best

    def least(grid: Array) -> tuple[float, float]:
        """The global minimum of the model: the lowest cells of the grid, refined four times.

        The model is a maximum of smooth pieces with kinks, so cells hold several minima.
        """
        for _ in range(4):
            values = model(grid)
            low = np.argsort(values, kind="stable")[:300]
            left, right = grid[np.maximum(low - 1, 0)], grid[np.minimum(low + 1, len(grid) - 1)]
            grid = np.unique(np.linspace(left, right, 20))
        values = model(grid)
        return float(values.min()), float(grid[values.argmin()])

    best: Piece | None = None
    upper = most
    grid = end * np.geomspace(1e-6, 1, _GRID)
    t, lower = end, 0.0
    for _ in range(_MAX_LEVELS[problem.activation]):
        piece = solver.at(beta / t**power)
        solved.append((t, piece))
        if best is None or half * t**2 + piece.upper < upper:
            best, upper = piece, min(upper, half * t**2 + piece.upper)
        value, t = least(grid)
        lower = min(value, most)
        if relative(upper - lower, upper) <= 1e-9 or any(
            abs(t / at - 1) < 1e-10 for at, _ in solved
        ):
            break
    assert best is not None
    evidence = {"kind": "levels", "evidence": [piece.evidence for _, piece in solved]}
    return Bidual(
        lower, upper, evidence, solver.network(best), f"{best.method}, over levels",
        tuple(solver.failures),
    )  # fmt: skip


def _moments(evidence: dict[str, Any], Y: Array) -> tuple[float, float]:
    """tr(ΛᵀY) and ‖Λ‖² of a piece's multipliers."""
    if evidence["kind"] == "outputs":
        multipliers = evidence["inner"]["multipliers"] @ evidence["direction"].T
    else:
        multipliers = evidence["multipliers"]
    return float(np.sum(multipliers * Y)), float(np.sum(multipliers**2))

"""What every method is given and what it returns; a method is a module of this package.

NAME, `accepts(given, tau)`: None, or in one line why not, and `solve(given, tau)`: the piece. tau
is the allowed level τ of c(Λ), None for interpolation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Protocol

import numpy as np

from zerogap.convex.columns import Gauge, constant, dual_value, feasible
from zerogap.convex.oracles import Atoms, Features
from zerogap.convex.pricing import MAX_VISITS, visited
from zerogap.model.bounds import relative
from zerogap.model.errors import ProblemError
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array
from zerogap.model.network import Network
from zerogap.model.problem import Problem
from zerogap.solving.evidence import Linear, Proof, Shifts, Whitened
from zerogap.theory.rank_one import RankOne


@dataclass(frozen=True)
class Effort:
    """The relative gap at which methods stop: exact ones, and relaxations, which may not close."""

    exact: float = 1e-9
    relaxed: float = 1e-3

    @classmethod
    def of(cls, tolerance: float, gap: float | None) -> Effort:
        """What serves a verdict at a tolerance; `gap`: what is narrow enough for either kind.

        Raises ProblemError on a gap out of range.
        """
        if gap is None:
            return cls(exact=max(cls.exact, tolerance / 10))
        if not isinstance(gap, float | int) or not 0 <= gap < 1:
            raise ProblemError(f"gap is {gap!r}; accepted is a number in [0, 1)")
        return cls(exact=max(cls.exact, gap), relaxed=gap)


@dataclass(frozen=True, eq=False)
class Piece:
    """A bracket of D₁, or of the regularised dual at one τ, with what proves each end (scaled).

    branches[j]: inner layers of unit norm; weights[j] (k,): its output row; bias (k,): that of the
    outputs. Without a network `upper` is infinite.
    """

    lower: float
    upper: float
    evidence: Proof
    branches: tuple[tuple[Array, ...], ...]
    weights: Iterable[Array]
    method: str
    bias: Array | None = None

    @property
    def relative_gap(self) -> float:
        """(upper − lower) / upper."""
        return relative(self.upper - self.lower, self.upper) if self.upper < np.inf else 1.0

    def joined(self, other: Piece) -> Piece:
        """The narrower of both at either end."""
        below = max(self, other, key=lambda piece: piece.lower)
        above = min(self, other, key=lambda piece: piece.upper)
        network = {name: getattr(above, name) for name in ("upper", "branches", "weights", "bias")}
        return replace(below, **network)

    @classmethod
    def of(cls, found: Gauge, evidence: Callable[[Array], Proof], method: str) -> Piece:
        """The piece of a gauge, given the kind of evidence that takes its Λ."""
        branches, proof = found.atoms.branches(), evidence(found.multipliers)
        return cls(found.lower, found.upper, proof, branches, found.weights, method, found.bias)


def proof_seconds(problem: Problem) -> float:
    """About what it takes to make and to check a certificate with forms of order n + d + k."""
    return 6.0 * ((problem.n + problem.d + problem.k) / 1000) ** 3


class Given:
    """A problem, its fit, the effort to spend on it, and what its methods share over all τ.

    start: a network that may be near an optimum. fit: another than the problem's own.
    """

    def __init__(
        self,
        problem: Problem,
        effort: Effort,
        start: Network | None = None,
        fit: Fit | None = None,
    ) -> None:
        self.problem, self.effort, self.start = problem, effort, start
        self.fit = fit or problem.fit

    @property
    def free(self) -> bool:
        """Whether biases of the first layer cost nothing."""
        return self.problem.first_bias == "free"

    @cached_property
    def features(self) -> Features:
        """V₂ by its faces."""
        return Features(self.problem.X)

    @cached_property
    def near(self) -> Atoms | None:
        """The atoms of the network to start from, if it has two layers."""
        if self.start is None or self.start.depth != 2:
            return None
        U = np.hstack([inner for inner, _ in self.start.branches])
        lengths = np.linalg.norm(U[:-1] if self.free else U, axis=0)
        U = U[:, lengths > 0] / lengths[lengths > 0]
        return Atoms(np.maximum(self.problem.inputs @ U, 0), U)

    @cached_property
    def rank_one(self) -> RankOne | None:
        """The factors of X = c aᵀ, None where X is not of rank one."""
        return RankOne.of(self.problem)

    @cached_property
    def stretch(self) -> float:
        """‖X‖₂, the longest a branch output of unit weights can be.

        Where biases of the first layer are free, the most of X − 1x_iᵀ over all i.
        """
        X = self.problem.X
        shifts = [X - row for row in X] if self.free else [X]
        return max(float(np.linalg.norm(Z, 2)) for Z in shifts)

    @cached_property
    def constant(self) -> tuple[Array, Array | None]:
        """Λ = −∇ℓ at the best constant outputs, and these: the output bias, None for zeros."""
        return constant(self.fit)

    @cached_property
    def reach(self) -> float:
        """The level of that Λ which `ball` proves, ‖X‖₂‖Λ‖₂."""
        return self.stretch * float(np.linalg.norm(self.constant[0], 2))

    @property
    def ball(self) -> Callable[[Array], Proof]:
        """Evidence for levels on {v : ‖v‖ ≤ ‖X‖₂}, which holds every V_L."""
        if self.free:
            return partial(Shifts, Whitened.kind)
        return Linear if self.problem.activation == "linear" else Whitened

    @cached_property
    def faceless(self) -> str | None:
        """Why V₂ is not known by its faces, None where it is."""
        n, rank = self.problem.n, self.problem.rank
        if self.problem.activation != "relu":
            return "only ReLU networks have faces to visit"
        if visited(n, rank) * (n if self.free else 1) > MAX_VISITS:
            return f"{n} samples of rank {rank} have more than {MAX_VISITS:.2g} faces to visit"
        return None

    def best_multiple(self, multipliers: Array, c: float, tau: float | None) -> tuple[float, Array]:
        """The lower bound of the best multiple of Λ, and that multiple, given c ≥ c(Λ)."""
        scaled = feasible(multipliers, self.fit, c, tau)
        return max(0.0, dual_value(scaled, self.fit, tau)), scaled


class Method(Protocol):
    """A module of this package."""

    NAME: str

    def accepts(self, given: Given, tau: float | None) -> str | None:
        """None where the method fits the problem, else why not, in one line."""

    def solve(self, given: Given, tau: float | None) -> Piece:
        """The bracket; may raise whatever its solver raises."""

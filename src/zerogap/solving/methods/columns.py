"""Two layers: column generation over all faces of the arrangement, or cones of them (theory §3)."""

from collections.abc import Callable
from functools import partial
from math import comb

from zerogap.checker.limits import MAX_FACES, MAX_FACES_SIDE, MAX_RAYS
from zerogap.convex.columns import gauge
from zerogap.convex.oracles import Features, Oracle, Shifted
from zerogap.convex.pricing import visited
from zerogap.convex.proved import Proved, Summits
from zerogap.model import clock
from zerogap.model.matrices import Array
from zerogap.model.problem import Problem
from zerogap.solving.evidence import Cones, Faces, Proof, Shifts
from zerogap.solving.methods.base import Given, Piece
from zerogap.theory.arrangements import max_faces, row_space

NAME = "two layers over all faces"

# Dimensions in which cones are few whatever the data, and faces above which they are faster.
FEW, _SWEPT = 4, 500_000
# Share of the time for ascent alone.
_ASCENT = 0.3
# Samples times faces that are proved in seconds where there are several outputs.
_PROVED = 200_000


def accepts(given: Given, tau: float | None) -> str | None:
    if given.problem.depth > 2:
        return "the network has more than two layers"
    return None if _by_cones(given.problem) else given.faceless


def solve(given: Given, tau: float | None) -> Piece:
    problem, fit, near = given.problem, given.fit, given.near
    oracle: Oracle
    if given.free:
        oracle = Shifted(problem.X, Proved if _by_cones(problem) else Features)
    else:
        oracle = Proved(problem.X) if _by_cones(problem) else given.features
    if isinstance(oracle, Proved) and tau is not None:
        # Proofs of levels take longer than all else: ascent finds most neurons before.
        with clock.within(_ASCENT * clock.left()):
            near = gauge(Summits(problem.X), fit, tau, given.effort.exact, near).atoms
    found = gauge(oracle, fit, tau, given.effort.exact, near)
    return Piece.of(found, _evidence(problem), "column generation")


def _by_cones(problem: Problem) -> bool:
    """Whether to price by cones, and not by sweeps over all faces."""
    rank = problem.rank
    return problem.activation == "relu" and rank <= FEW and visited(problem.n, rank) > _SWEPT


def _evidence(problem: Problem) -> Callable[[Array], Proof]:
    """What proves levels of two layers: all faces, or cones where these are too many."""
    n, d, rank = problem.n, problem.d, problem.rank
    if problem.first_bias == "free":
        return partial(Shifts, Cones.kind if d <= FEW else Faces.kind)
    count = max_faces(n, rank)
    enumerable = count <= MAX_FACES and comb(n, rank - 1) <= MAX_RAYS
    slow = problem.k > 1 and rank <= FEW and n * count > _PROVED
    if enumerable and max(n, d) <= MAX_FACES_SIDE and not slow:
        return Faces
    return by_cones(problem)


def by_cones(problem: Problem) -> Callable[[Array], Proof]:
    """What proves levels by cones, in the row space of X where this is smaller."""
    if problem.rank == problem.d:
        return partial(Cones, None)
    Q = row_space(problem.X)
    return partial(Cones, (problem.X @ Q, Q.T))

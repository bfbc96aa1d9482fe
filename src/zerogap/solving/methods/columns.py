"""Two layers: column generation over all faces of the arrangement (theory §3)."""

from collections.abc import Callable
from functools import partial
from math import comb

from zerogap.checker.limits import MAX_FACES, MAX_FACES_SIDE, MAX_RAYS
from zerogap.convex.columns import gauge
from zerogap.model.matrices import Array
from zerogap.model.problem import Problem
from zerogap.solving.evidence import Cones, Faces, Proof
from zerogap.solving.methods.base import Given, Piece
from zerogap.theory.arrangements import max_faces, row_space

NAME = "two layers over all faces"


def accepts(given: Given, tau: float | None) -> str | None:
    return "the network has more than two layers" if given.problem.depth > 2 else given.faceless


def solve(given: Given, tau: float | None) -> Piece:
    problem = given.problem
    found = gauge(given.features, problem.Y, tau)
    return Piece.of(found, _evidence(problem), "column generation")


def _evidence(problem: Problem) -> Callable[[Array], Proof]:
    """What proves levels of two layers: all faces, or cones where these are too many."""
    n, d, rank = problem.n, problem.d, problem.rank
    enumerable = max_faces(n, rank) <= MAX_FACES and comb(n, rank - 1) <= MAX_RAYS
    if problem.k > 1 or (enumerable and max(n, d) <= MAX_FACES_SIDE):
        return Faces
    if rank == d:
        return partial(Cones, None)
    Q = row_space(problem.X)
    return partial(Cones, (problem.X @ Q, Q.T))

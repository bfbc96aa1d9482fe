"""Whitened data, any targets: column generation over V = {v ≥ 0 : ‖v‖ ≤ 1} (theory §7)."""

from zerogap.convex.columns import gauge
from zerogap.convex.oracles import MAX_ORTHANT, Orthant
from zerogap.model.matrices import is_whitened
from zerogap.solving.evidence import Whitened
from zerogap.solving.methods.base import Given, Piece

NAME = "orthant"


def accepts(given: Given, tau: float | None) -> str | None:
    problem = given.problem
    if problem.activation != "relu" or not is_whitened(problem.X):
        return "it is for ReLU networks on data with X Xᵀ = I"
    if problem.n > MAX_ORTHANT:
        return f"{problem.n} samples are more than {MAX_ORTHANT}"
    return None


def solve(given: Given, tau: float | None) -> Piece:
    found = gauge(Orthant(given.problem.X), given.fit, tau, given.effort.exact)
    return Piece.of(found, Whitened, "column generation")

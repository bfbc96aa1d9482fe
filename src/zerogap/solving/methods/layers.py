"""Three or more layers, too many for the exact programs: layered moments' bound (theory §9)."""

import numpy as np

from zerogap.checker.limits import MAX_ORDER
from zerogap.convex.ascent import Ascent
from zerogap.convex.columns import Gauge, gauge
from zerogap.convex.descent import descent
from zerogap.convex.layers import layered_bound
from zerogap.convex.nodes import coordinates
from zerogap.model import clock
from zerogap.model.errors import MethodError
from zerogap.solving.evidence import Layers
from zerogap.solving.methods.base import Given, Piece

NAME = "layered moments"
# Shares of the time for the network, and of what is left then for the bound before it is compacted.
_ABOVE, _BELOW = 0.3, 0.9


def accepts(given: Given, tau: float | None) -> str | None:
    problem = given.problem
    if problem.activation != "relu" or problem.depth == 2:
        return "it is for ReLU networks of three or more layers"
    if not given.fit.squares or (tau is None and not given.fit.plain):
        return "it is for squares"
    order = coordinates(problem.n, problem.d, problem.k, problem.depth)
    if order > MAX_ORDER:
        return f"a branch has {order} coordinates; accepted are up to {MAX_ORDER}"
    return None


def solve(given: Given, tau: float | None) -> Piece:
    X, depth = given.problem.X, given.problem.depth
    with clock.within(_ABOVE * clock.left()), clock.units(proved=False):
        above = _two_layers(given, tau)
    with clock.within(_BELOW * clock.left()):
        below = layered_bound(X, given.fit, tau, depth, above, gap=given.effort.relaxed)
    proof = Layers(below.scale, below.level, below.blocks, below.multipliers)
    if above is None:
        return Piece(below.lower, np.inf, proof, (), (), NAME)
    branches, weights = above.atoms.branches(), above.weights
    return Piece(below.lower, above.upper, proof, branches, weights, NAME, above.bias)


def _two_layers(given: Given, tau: float | None) -> Gauge | None:
    """The best network of two layers that is found, None where none interpolates."""
    X, fit = given.problem.X, given.fit
    try:
        if given.faceless is None:
            return gauge(given.features, fit, tau, tolerance=1e-4)
        return gauge(Ascent(X), fit, tolerance=1e-4) if tau is None else descent(X, fit, tau)
    except MethodError:
        return None

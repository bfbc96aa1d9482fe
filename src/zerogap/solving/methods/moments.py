"""Two layers with too many faces to visit: a good network, and the moments' bound (theory §3)."""

from dataclasses import replace
from functools import partial

from zerogap.convex.ascent import Ascent
from zerogap.convex.columns import gauge
from zerogap.convex.descent import descent
from zerogap.convex.moments import moment_bound
from zerogap.model import clock
from zerogap.solving.evidence import Moments
from zerogap.solving.methods.base import Given, Piece, proof_seconds

NAME = "two layers by moments"
# Share of the time for the network.
_ABOVE = 0.3


def accepts(given: Given, tau: float | None) -> str | None:
    if given.problem.activation != "relu" or given.problem.depth > 2:
        return "it is for ReLU networks of two layers"
    if (needed := proof_seconds(given.problem)) > clock.left():
        return f"its certificate takes about {needed:.0f} s"
    return None


def solve(given: Given, tau: float | None) -> Piece:
    X, fit, gap = given.problem.X, given.fit, given.effort.relaxed
    with clock.within(_ABOVE * clock.left()):
        if tau is None:
            above = gauge(Ascent(X), fit, tolerance=1e-4, near=given.near)
        else:
            above = descent(X, fit, tau, near=given.near)
    below = moment_bound(X, fit, tau, above, gap=gap)
    found = replace(above, lower=below.lower, multipliers=below.multipliers)
    evidence = partial(Moments, below.scale, below.level, below.blocks)
    return Piece.of(found, evidence, "moment relaxation")

"""Two layers in five dimensions, any loss but squares: descent first, then levels by cones (§3).

Where a level takes many cones, it is proved of the multipliers of a good network alone, and again
where neurons were missed.
"""

from contextlib import suppress
from dataclasses import replace

import numpy as np

from zerogap.convex.columns import dual_value, feasible, gauge, master
from zerogap.convex.descent import descent
from zerogap.convex.proved import Proved, Summits
from zerogap.model import clock
from zerogap.model.bounds import relative
from zerogap.model.errors import MethodError
from zerogap.solving.methods.base import Given, Piece
from zerogap.solving.methods.columns import FEW, by_cones

NAME = "two layers by cones"
# Dimensions, more than where column generation proves all its levels, and samples.
_DIMENSIONS, _SAMPLES = FEW + 1, 300
# Levels that are proved at most, and the share of the time for the first network and for a level:
# the checker takes as long for the last one again.
_LEVELS, _ABOVE, _LEVEL = 10, 0.2, 0.7
_ACCURATE = 1e-9


def accepts(given: Given, tau: float | None) -> str | None:
    problem = given.problem
    if problem.activation != "relu" or problem.depth > 2 or given.fit.plain or tau is None:
        return "it is for ReLU networks of two layers with other fits than squares"
    if problem.rank != _DIMENSIONS or problem.n > _SAMPLES:
        return f"it is for up to {_SAMPLES} samples of rank {_DIMENSIONS}"
    return None if given.faceless else "the faces are few"


def solve(given: Given, tau: float | None) -> Piece:
    assert tau is not None
    X, fit = given.problem.X, given.fit
    oracle, ascent = Proved(X), Summits(X)
    with clock.within(_ABOVE * clock.left()):
        above = descent(X, fit, tau, near=given.near)
        Lambda = above.multipliers
        if not fit.loss.smooth:
            with suppress(MethodError):  # where the time is up
                Lambda, _, _ = master(above.atoms.V, fit, tau, _ACCURATE)
    lower, best = -np.inf, np.zeros_like(fit.Y)
    enough = max(given.effort.exact, given.effort.relaxed / 10)
    for _ in range(_LEVELS):
        began, Lambda = clock.now(), fit.inside(Lambda)
        try:
            with clock.within(_LEVEL * clock.left()):
                values, missed = oracle.price(Lambda, tau)
        except MethodError:
            if lower == -np.inf:
                raise
            break
        scaled = feasible(Lambda, fit, float(values[0]), tau)
        if (value := dual_value(scaled, fit, tau)) > lower:
            lower, best = value, fit.inside(scaled)
        clock.tell(lower, above.upper)
        took = clock.now() - began
        closed = relative(above.upper - lower, above.upper) <= given.effort.relaxed
        if closed or clock.left() < 3 * took:
            break
        with clock.within(clock.left() - 2 * took):
            again = gauge(ascent, fit, tau, enough, above.atoms + missed)
        Lambda = again.multipliers
        if again.upper < above.upper:
            above = again
    found = replace(above, lower=lower, multipliers=best)
    return Piece.of(found, by_cones(given.problem), "column generation")

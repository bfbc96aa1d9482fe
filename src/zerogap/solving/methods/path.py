"""One output: three layers exactly; deeper, the path program below, three layers above (§4, §5).

Where these differ at four layers, and data are in the plane, regions of first layers close in.
"""

from __future__ import annotations

import numpy as np

from zerogap.convex.climbs import Layered
from zerogap.convex.columns import gauge
from zerogap.convex.path import leaves_of, path_gauge
from zerogap.convex.regions import DEPTH
from zerogap.convex.shared import shared_gauge
from zerogap.model import clock
from zerogap.model.errors import MethodError
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array
from zerogap.solving.evidence import Shared, Tree
from zerogap.solving.methods.base import Given, Piece

NAME = "path program"
# Worst case of the tree that is tried; convex/path.py refuses larger ones than it can hold.
MAX_LEAVES = 4_000
# Up to so many samples regions are tried, and down to such a gap.
MAX_SAMPLES, _FINEST = 8, 1e-5


def accepts(given: Given, tau: float | None) -> str | None:
    return "the targets have more than one output" if given.problem.k > 1 else treeless(given)


def treeless(given: Given) -> str | None:
    """Why the path program of one output is out of reach, None where it is not."""
    n, depth = given.problem.n, given.problem.depth
    if depth == 2:
        return "the network has two layers"
    if given.faceless is None and leaves_of(n - n // 2, n // 2, depth) > MAX_LEAVES:
        return f"the path program of {n} samples has more than {MAX_LEAVES} leaves"
    return given.faceless


def solve(given: Given, tau: float | None) -> Piece:
    p, apart = given.problem, one_output(given, given.fit, tau)
    in_reach = p.depth == DEPTH and p.d == p.rank == 2 and p.n <= MAX_SAMPLES
    if not in_reach or apart.relative_gap <= given.effort.relaxed:
        return apart
    # Unit neurons up to the last hidden layer change nothing.
    near = [
        Layered((*branch, *[np.ones((1, 1))] * (DEPTH - 1 - len(branch))))
        for branch in apart.branches
    ]
    tolerance = max(given.effort.relaxed, _FINEST)
    inner = apart.evidence.Lambda
    try:
        found = shared_gauge(given.features, given.fit, tau, inner, near, tolerance)
    except MethodError:  # the time was up
        return apart

    def evidence(multipliers: Array) -> Shared:
        return Shared(multipliers, found.splits, found.mu, found.eta)

    return apart.joined(Piece.of(found, evidence, f"{NAME}, one first layer"))


def one_output(given: Given, fit: Fit, tau: float | None) -> Piece:
    """The piece of a fit of one output."""
    depth, features, exact = given.problem.depth, given.features, given.effort.exact
    with clock.units(proved=False):
        two = gauge(features, fit, tau, tolerance=1e-6)
    with clock.units(proved=depth == 3):
        three = below = path_gauge(features, fit, 3, tau, two.multipliers[:, 0], exact)
    if depth > 3:
        with clock.units(attained=False):
            below = path_gauge(features, fit, depth, tau, three.multipliers[:, 0], exact)
    above = three if three.upper <= two.upper else two
    proof, branches = Tree(below.multipliers, below.mu), above.atoms.branches()
    return Piece(below.lower, above.upper, proof, branches, above.weights, NAME, above.bias)

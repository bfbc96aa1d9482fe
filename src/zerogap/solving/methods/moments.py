"""Two layers with too many faces to visit: a good network, and the moments' bound (theory §3)."""

import time
from dataclasses import replace
from functools import partial

from zerogap.convex.ascent import Ascent
from zerogap.convex.columns import gauge
from zerogap.convex.descent import descent
from zerogap.convex.moments import moment_bound
from zerogap.solving.evidence import Moments
from zerogap.solving.methods.base import Given, Piece

NAME = "two layers by moments"


def accepts(given: Given, tau: float | None) -> str | None:
    if given.problem.activation != "relu" or given.problem.depth > 2:
        return "it is for ReLU networks of two layers"
    return None


def solve(given: Given, tau: float | None) -> Piece:
    X, Y, gap, left = given.problem.X, given.problem.Y, given.effort.gap, given.effort.seconds
    began = time.monotonic()
    above = gauge(Ascent(X), Y, tolerance=1e-4) if tau is None else descent(X, Y, tau, seconds=left)
    if left is not None:
        left = max(0.0, left - (time.monotonic() - began))
    below = moment_bound(X, Y, tau, above, gap=gap, seconds=left)
    found = replace(above, lower=below.lower, multipliers=below.multipliers)
    evidence = partial(Moments, below.scale, below.level, below.blocks)
    return Piece.of(found, evidence, "moment relaxation")

"""Two or three outputs at three layers, by column generation over branches (theory §4)."""

from dataclasses import replace
from functools import partial

import numpy as np

from zerogap.convex.columns import dual_value, gauge
from zerogap.convex.outputs import ACCURACY, MAX_SAMPLES, ThreeLayers
from zerogap.solving.evidence import Cover
from zerogap.solving.methods.base import Given, Piece

NAME = "cover of output directions"


def accepts(given: Given, tau: float | None) -> str | None:
    problem = given.problem
    if problem.depth != 3 or problem.k not in ACCURACY or problem.n > MAX_SAMPLES:
        return f"it is for three layers, 2 or 3 outputs and up to {MAX_SAMPLES} samples"
    return given.faceless


def solve(given: Given, tau: float | None) -> Piece:
    fit, oracle = given.fit, ThreeLayers(given.features, given.problem.k)
    found = gauge(oracle, fit, tau, tolerance=5 * oracle.accuracy)
    # Shorter by more than the accuracy of levels, so that it is feasible when priced again:
    # what proves a level is found for these very numbers.
    scaled = fit.inside((1 - 2 * oracle.accuracy) * found.multipliers)
    cover = oracle.cover(scaled, 0.0)
    mu = np.vstack([scalar.mu for scalar in cover.scalars])
    found = replace(found, lower=max(0.0, dual_value(scaled, fit, tau)), multipliers=scaled)
    return Piece.of(found, partial(Cover, splits=cover.splits, mu=mu), "column generation")

"""Vector targets at depth ≥ 3: the best single direction Yq below, two layers above (theory §4)."""

import numpy as np

from zerogap.convex.columns import gauge
from zerogap.model import clock
from zerogap.model.fit import Fit
from zerogap.solving.evidence import Outputs
from zerogap.solving.methods.base import Given, Piece
from zerogap.solving.methods.path import one_output, treeless

NAME = "path program, one output"


def accepts(given: Given, tau: float | None) -> str | None:
    if given.problem.k == 1:
        return "the targets have one output"
    return treeless(given) if given.fit.plain else "directions of other losses are not separate"


def solve(given: Given, tau: float | None) -> Piece:
    Y = given.problem.Y
    with clock.units(proved=False):
        above = gauge(given.features, given.fit, tau, given.effort.exact)
    directions = np.vstack([np.eye(given.problem.k), np.linalg.svd(Y)[2]])
    # Λ = λqᵀ has c(Λ) = c(λ), ‖Λ‖ = ‖λ‖ and tr(ΛᵀY) = λᵀYq: the scalar dual's value.
    with clock.units(attained=False):
        pieces = [one_output(given, Fit((Y @ q)[:, None]), tau) for q in directions]
    q, best = max(zip(directions, pieces, strict=True), key=lambda pair: pair[1].lower)
    proof = Outputs(q[:, None], best.evidence)
    return Piece(best.lower, above.upper, proof, above.atoms.branches(), above.weights, NAME)

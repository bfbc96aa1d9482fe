"""No weights are worth their cost: Λ = Y is feasible, as c(Y) ≤ ‖X‖₂‖Y‖₂ (theory §1)."""

import numpy as np

from zerogap.solving.methods.base import Given, Piece

NAME = "zero network"


def accepts(given: Given, tau: float | None) -> str | None:
    reach = _reach(given)
    if reach == 0 or (tau is not None and tau >= reach):
        return None
    return "the targets are not zero" if tau is None else "c(Y) is not proved to be allowed"


def solve(given: Given, tau: float | None) -> Piece:
    Y = given.problem.Y
    half = 0.5 * float(np.sum(Y**2))
    lower, multipliers = given.best_multiple(Y, _reach(given), tau)
    return Piece(lower, half, given.ball(multipliers), (), (), NAME)


def _reach(given: Given) -> float:
    return given.stretch * float(np.linalg.norm(given.problem.Y, 2))

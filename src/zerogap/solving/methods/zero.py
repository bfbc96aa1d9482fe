"""No weights are worth their cost: Λ = −∇ℓ at the best constant is feasible (theory §1, §10)."""

import numpy as np

from zerogap.convex.columns import constant
from zerogap.model.matrices import Array
from zerogap.solving.methods.base import Given, Piece

NAME = "zero network"


def accepts(given: Given, tau: float | None) -> str | None:
    reach = _reach(given, constant(given.fit)[0])
    if reach == 0 or (tau is not None and tau >= reach):
        return None
    return "the targets are not zero" if tau is None else "c(Y) is not proved to be allowed"


def solve(given: Given, tau: float | None) -> Piece:
    fit = given.fit
    multipliers, bias = constant(fit)
    value = fit.dual(multipliers) if bias is None else fit.value(np.zeros_like(fit.Y), bias)
    lower, multipliers = given.best_multiple(multipliers, _reach(given, multipliers), tau)
    return Piece(lower, value, given.ball(fit.inside(multipliers)), (), (), NAME, bias)


def _reach(given: Given, multipliers: Array) -> float:
    """c(Λ) ≤ ‖X‖₂‖Λ‖₂."""
    return given.stretch * float(np.linalg.norm(multipliers, 2))

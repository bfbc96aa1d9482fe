"""No weights are worth their cost: Λ = −∇ℓ at the best constant is feasible (theory §1, §10)."""

import numpy as np

from zerogap.solving.methods.base import Given, Piece

NAME = "zero network"


def accepts(given: Given, tau: float | None) -> str | None:
    if given.reach == 0 or (tau is not None and tau >= given.reach):
        return None
    return "the targets are not zero" if tau is None else "c(Y) is not proved to be allowed"


def solve(given: Given, tau: float | None) -> Piece:
    fit = given.fit
    multipliers, bias = given.constant
    value = fit.dual(multipliers) if bias is None else fit.value(np.zeros_like(fit.Y), bias)
    lower, multipliers = given.best_multiple(multipliers, given.reach, tau)
    return Piece(lower, value, given.ball(fit.inside(multipliers)), (), (), NAME, bias)

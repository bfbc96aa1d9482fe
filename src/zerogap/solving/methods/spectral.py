"""Any problem of any size: V_L ⊂ {v : ‖v‖ ≤ ‖X‖₂} bounds c(Λ) (theory §7)."""

import numpy as np

from zerogap.solving.methods.base import Given, Piece
from zerogap.theory.whitened import whitened_scalar

NAME = "spectral bound"


def accepts(given: Given, tau: float | None) -> str | None:
    return None


def solve(given: Given, tau: float | None) -> Piece:
    Y, norm = given.problem.Y, 1.0
    if not given.fit.plain:
        multipliers, _ = given.constant
        norm = float(np.linalg.norm(multipliers, 2))
    elif given.problem.k == 1:
        V, weights = whitened_scalar(Y[:, 0])
        multipliers = V @ np.sign(weights)
    else:
        U, _, Vt = np.linalg.svd(Y, full_matrices=False)
        multipliers = U @ Vt
    lower, multipliers = given.best_multiple(multipliers, norm * given.stretch, tau)
    return Piece(lower, np.inf, given.ball(given.fit.inside(multipliers)), (), (), NAME)

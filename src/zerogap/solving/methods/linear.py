"""Linear networks: the nuclear norm of A = X†Y, or proximal gradient for τ > 0 (theory §2)."""

import numpy as np

from zerogap.convex.nuclear import nuclear_map
from zerogap.solving.evidence import Linear
from zerogap.solving.methods.base import Given, Piece
from zerogap.theory.linear import linear_map, thin_svd

NAME = "linear map"


def accepts(given: Given, tau: float | None) -> str | None:
    if given.problem.activation != "linear":
        return "the network is not linear"
    return None if given.fit.plain else "it is for squares"


def solve(given: Given, tau: float | None) -> Piece:
    X, Y = given.problem.X, given.problem.Y
    if tau is None:
        U, s, Vt = linear_map(given.problem)
        multipliers = np.linalg.pinv(X, rcond=1e-12).T @ U @ Vt
        upper, method = float(s.sum()), "closed form"
    else:
        A, multipliers = nuclear_map(X, Y, tau)
        U, s, Vt = thin_svd(A)
        upper = 0.5 * float(np.linalg.norm((X @ U * s) @ Vt - Y) ** 2) + tau * float(s.sum())
        method = "proximal gradient"
    c = float(np.linalg.norm(X.T @ multipliers, 2))
    lower, multipliers = given.best_multiple(multipliers, c, tau)
    branches = tuple((U[:, [i]],) for i in range(len(s)))
    return Piece(lower, upper, Linear(multipliers), branches, s[:, None] * Vt, method)

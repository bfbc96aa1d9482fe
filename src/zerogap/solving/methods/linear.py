"""Linear networks: the nuclear norm of A = X†Y, or proximal gradient for τ > 0 (theory §2).

Other fits than squares: a program with a semidefinite cone.
"""

import numpy as np

from zerogap.convex.conic import linear_master
from zerogap.convex.nuclear import nuclear_map
from zerogap.solving.evidence import Linear
from zerogap.solving.methods.base import Given, Piece
from zerogap.theory.arrangements import row_space
from zerogap.theory.linear import linear_map, thin_svd

NAME = "linear map"
# Rank and outputs together, up to which programs with cones take seconds.
_ORDER = 60


def accepts(given: Given, tau: float | None) -> str | None:
    if given.problem.activation != "linear":
        return "the network is not linear"
    order = given.problem.rank + given.problem.k
    if not given.fit.plain and (tau is None or order > _ORDER):
        return f"other fits than squares are for rank and outputs up to {_ORDER}, with beta"
    return None


def solve(given: Given, tau: float | None) -> Piece:
    X, Y = given.problem.X, given.problem.Y
    if tau is not None and not given.fit.plain:
        return _by_cones(given, tau)
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


def _by_cones(given: Given, tau: float) -> Piece:
    X, Q = given.problem.X, row_space(given.problem.X)
    fit, size, slope, _ = given.fit.in_units(False)
    multipliers, A, bias = linear_master(X @ Q, fit, tau / slope)
    U, s, Vt = thin_svd(Q @ A * size)
    bias = None if bias is None else bias * size
    upper = given.fit.value((X @ U * s) @ Vt, bias) + tau * float(s.sum())
    multipliers = given.fit.inside(multipliers * slope)
    c = float(np.linalg.norm(X.T @ multipliers, 2))
    lower, multipliers = given.best_multiple(multipliers, c, tau)
    branches, proof = tuple((U[:, [i]],) for i in range(len(s))), given.fit.inside(multipliers)
    return Piece(lower, upper, Linear(proof), branches, s[:, None] * Vt, "cone program", bias)

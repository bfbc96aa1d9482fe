"""Linear networks: the nuclear norm of A = X†Y, or proximal gradient for τ > 0 (theory §2).

Squares with a bias of the outputs are squares of centred data (theory §10); other fits are a
program with a semidefinite cone.
"""

import numpy as np

from zerogap.convex.conic import linear_master
from zerogap.convex.nuclear import nuclear_map
from zerogap.model.matrices import Array
from zerogap.solving.evidence import Linear
from zerogap.solving.methods.base import Given, Piece
from zerogap.theory.arrangements import row_space
from zerogap.theory.linear import linear_map, thin_svd

NAME = "linear map"
# Rank and outputs together, up to which programs with cones take some seconds: 74 take 15.
_ORDER = 80


def accepts(given: Given, tau: float | None) -> str | None:
    if given.problem.activation != "linear":
        return "the network is not linear"
    if given.fit.plain or (tau is not None and given.fit.squares):
        return None
    if tau is None or given.problem.rank + given.problem.k > _ORDER:
        return f"other fits than squares are for rank and outputs up to {_ORDER}, with beta"
    return None


def solve(given: Given, tau: float | None) -> Piece:
    X, fit = given.problem.X, given.fit
    if tau is not None and not fit.squares:
        return _by_cones(given, tau)
    if tau is None:
        U, s, Vt = linear_map(given.problem)
        multipliers, bias = np.linalg.pinv(X, rcond=1e-12).T @ U @ Vt, None
        method = "closed form"
    else:
        A, multipliers = nuclear_map(fit.centred(X), fit.centred(fit.Y), tau)
        U, s, Vt = thin_svd(A)
        multipliers, bias = fit.centred(multipliers), fit.best_bias(X @ A)
        method = "proximal gradient"
    return _piece(given, tau, multipliers, (U, s, Vt), method, bias)


def _by_cones(given: Given, tau: float) -> Piece:
    X, Q = given.problem.X, row_space(given.problem.X)
    fit, size, slope, _ = given.fit.in_units(False)
    multipliers, A, bias = linear_master(X @ Q, fit, tau / slope)
    bias = None if bias is None else bias * size
    svd = thin_svd(Q @ A * size)
    return _piece(given, tau, multipliers * slope, svd, "cone program", bias)


def _piece(
    given: Given, tau: float | None, multipliers: Array,
    svd: tuple[Array, Array, Array], method: str, bias: Array | None,
) -> Piece:  # fmt: skip
    """The bracket of a map with an SVD and of the best multiple of Λ."""
    (U, s, Vt), X, fit = svd, given.problem.X, given.fit
    upper = float(s.sum())
    if tau is not None:
        upper = fit.value((X @ U * s) @ Vt, bias) + tau * upper
    multipliers = fit.inside(multipliers)
    c = float(np.linalg.norm(X.T @ multipliers, 2))
    lower, multipliers = given.best_multiple(multipliers, c, tau)
    branches = tuple((U[:, [i]],) for i in range(len(s)))
    proof = Linear(fit.inside(multipliers))
    return Piece(lower, upper, proof, branches, s[:, None] * Vt, method, bias)

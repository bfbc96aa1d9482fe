"""The published relaxation of two-layer ReLU networks, whole, in cvxpy.

Prakhya, Birdal and Yurtsever (Convex Formulations for Training Two-Layer ReLU Neural Networks, ICLR
2025) collect the neurons z = (p, q, u, r), p = φ(Xu), q = φ(−Xu), r the output weights, in
Λ = Σ zzᵀ and keep Λ ⪰ 0, Λ ≥ 0 on (p, q), Λ_{p_i q_i} = 0 and p − q = Xu in every column. For
several outputs it is what the root of `zerogap.convex.moments` solves. Here q is solved for: the
same value, from a program with interior points, ten times sooner.
"""

import warnings
from typing import Any

import cvxpy as cp
import numpy as np

from zerogap.model.matrices import Array


def relaxation(X: Array, Y: Array, beta: float, solver: str, **options: Any) -> tuple[float, str]:
    """A value at most min ½‖f(X) − Y‖² + β/2 Σ‖W‖², as exact as the solver is, and its status.

    X: (n, d). Y: (n, k). solver, options: cvxpy's. Raises whatever these raise.
    """
    (n, d), k = X.shape, Y.shape[1]
    order = n + d + k
    M = cp.Variable((order, order), PSD=True)
    p, u, r = slice(n), slice(n, n + d), slice(n + d, order)
    # (p, q) from (p, u), and the products of its entries once each.
    T = np.block([[np.eye(n), np.zeros((n, d))], [np.eye(n), -X]])
    products = T @ M[: n + d, : n + d] @ T.T
    cones = [products[np.triu_indices(2 * n)] >= 0, cp.diag(products[:n, n:]) == 0]
    fit = 0.5 * cp.sum_squares(M[p, r] - Y)
    problem = cp.Problem(
        cp.Minimize(fit + beta / 2 * (cp.trace(M[u, u]) + cp.trace(M[r, r]))), cones
    )
    with warnings.catch_warnings():
        # Of accuracy, which the status states.
        warnings.simplefilter("ignore", UserWarning)
        value = problem.solve(solver=solver, **options)
    return float(value), problem.status

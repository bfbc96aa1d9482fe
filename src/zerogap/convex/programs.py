"""The exact convex programs, whole, as the theory writes them (§3, §4, §7).

Column generation and the path program solve the same problems faster; these are the independent
second computation that checks them, and the baseline to measure them against.
"""

import warnings
from collections.abc import Callable
from itertools import product
from typing import Any

import cvxpy as cp
import numpy as np

from zerogap.model.errors import MethodError
from zerogap.model.matrices import Array
from zerogap.theory.arrangements import cells, row_space

_OPTIONS = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}


def two_layer_socp(
    X: Array,
    y: Array,
    tau: float | None = None,
    *,
    loss: Callable[[cp.Expression], cp.Expression] | None = None,
    rho: float | None = None,
    free: bool = False,
    solver: str = cp.CLARABEL,
    options: dict[str, Any] = _OPTIONS,
) -> float:
    """D₁ of two-layer ReLU networks with scalar targets y (n,), by the SOCP over all cells (§3).

    With a τ, min ℓ(f) + τ Σ(‖u_i‖ + ‖v_i‖) instead; loss: ℓ, by default ½‖f − y‖² (§10). rho: what
    ½b² of an output bias costs, None without one. free: biases of the first layer cost nothing.
    solver, options: cvxpy's.
    """
    data = np.hstack([X, np.ones((len(X), 1))]) if free else X
    patterns, _ = cells(data)
    fit, cost, constraints = _gauge(data, patterns, free)
    bias = cp.Variable()
    if rho is not None:
        fit = fit + bias
    if tau is None:
        return _solve(cp.Minimize(cost), [*constraints, fit == y], solver, options)
    value = 0.5 * cp.sum_squares(fit - y) if loss is None else loss(fit)
    if rho:
        value = value + rho / 2 * cp.square(bias)
    return _solve(cp.Minimize(value + tau * cost), constraints, solver, options)


def _gauge(
    X: Array, patterns: Array, free: bool = False
) -> tuple[cp.Expression, cp.Expression, list[cp.Constraint]]:
    """z = Σ D_iX(u_i − v_i), its cost Σ‖u_i‖ + ‖v_i‖, and the cones that keep signs.

    free: the last entry of every u_i and v_i costs nothing.
    """
    m, d = len(patterns), X.shape[1]
    U, V = cp.Variable((m, d)), cp.Variable((m, d))
    active = patterns.astype(float)
    signs = 2 * active - 1
    z = cp.sum(cp.multiply(active, (U - V) @ X.T), axis=0)
    paid = d - 1 if free else d
    cost = cp.sum(cp.norm(U[:, :paid], 2, axis=1)) + cp.sum(cp.norm(V[:, :paid], 2, axis=1))
    cones = [cp.multiply(signs, W @ X.T) >= 0 for W in (U, V)]
    return z, cost, cones


def two_layer_sdp(
    X: Array,
    Y: Array,
    tau: float = 1.0,
    dual: Callable[[cp.Variable], tuple[cp.Expression, list[cp.Constraint]]] | None = None,
) -> float:
    """D₁ of two-layer ReLU networks with vector targets, by the SDP over simplicial cones (§3).

    ‖ΛᵀDXu‖ ≤ τ‖u‖ on the cone of rays R iff τ²RᵀR − S − (RᵀXᵀDΛ)(ΛᵀDXR) ⪰ 0 for some S ≥ 0, since
    a copositive matrix of order at most four is PSD plus non-negative. dual: what is maximised in
    the place of ⟨Λ, Y⟩, and where (§10). Raises MethodError for rank X > 3.
    """
    Q = row_space(X)
    Z = X @ Q
    if Z.shape[1] > 3:
        raise MethodError(f"X has rank {Z.shape[1]}; the enumerated SDP accepts rank at most 3")
    n, k = Y.shape
    Lambda = cp.Variable((n, k))
    constraints = []
    for pattern, R in _simplicial_cones(Z):
        r = R.shape[1]
        S = cp.Variable((r, r), symmetric=True)
        image = R.T @ Z.T @ np.diag(pattern.astype(float)) @ Lambda
        block = cp.bmat([[tau**2 * R.T @ R - S, image], [image.T, np.eye(k)]])
        constraints += [block >> 0, S >= 0]
    value, domain = (cp.trace(Lambda.T @ Y), []) if dual is None else dual(Lambda)
    return _solve(cp.Maximize(value), constraints + domain)


def _simplicial_cones(Z: Array) -> list[tuple[Array, Array]]:
    """(pattern, ray matrix (r, r)) of simplicial cones that split every cell of Z (n, r ≤ 3)."""
    n, r = Z.shape
    rays: list[Array] = []
    if r == 1:
        rays = [np.ones(1), -np.ones(1)]
    elif r == 2:
        rays = [
            s * np.array([-z[1], z[0]]) / np.linalg.norm(z) for z in Z if z.any() for s in (1, -1)
        ]
    else:
        for i in range(n):
            for j in range(i):
                w = np.cross(Z[i], Z[j])
                if np.linalg.norm(w) > 1e-12:
                    rays += [w / np.linalg.norm(w), -w / np.linalg.norm(w)]
    unique = np.unique(np.round(np.array(rays), 12), axis=0)
    patterns, points = cells(Z)
    cones = []
    for pattern, point in zip(patterns, points, strict=True):
        signs = np.where(Z @ point > 0, 1, -1)
        own = unique[(signs[:, None] * (Z @ unique.T) >= -1e-9).all(axis=0)]
        if r < 3:
            cones.append((pattern, own.T))
            continue
        # Fan around the first ray, the others ordered by angle about the interior point.
        basis = np.linalg.svd(point[None])[2][1:]
        flat = (own / (own @ point)[:, None]) @ basis.T
        order = np.argsort(np.arctan2(flat[:, 1], flat[:, 0]))
        ring = own[order]
        cones += [
            (pattern, np.column_stack([ring[0], ring[i], ring[i + 1]]))
            for i in range(1, len(ring) - 1)
        ]
    return cones


def three_layer_socp(X: Array, y: Array) -> float:
    """D₁ of three-layer parallel ReLU networks with scalar targets, by the SOCP of §4.

    All 2^n second-layer patterns and both signs are written out: n ≤ 6 or MethodError.
    """
    n = len(X)
    if n > 6:
        raise MethodError(f"the whole three-layer program has 2^{n + 1} blocks; accepted is n ≤ 6")
    patterns, _ = cells(X)
    fit: cp.Expression = cp.Constant(np.zeros(n))
    total: cp.Expression = cp.Constant(0.0)
    constraints: list[cp.Constraint] = []
    for D in product((0.0, 1.0), repeat=n):
        mask = np.array(D)
        for sign in (1.0, -1.0):
            z, cost, cones = _gauge(X, patterns)
            constraints += [*cones, cp.multiply(2 * mask - 1, z) >= 0]
            fit, total = fit + sign * cp.multiply(mask, z), total + cost
    return _solve(cp.Minimize(total), [*constraints, fit == y])


def copositive_sdp(Y: Array) -> float:
    """D₁ on whitened data: max tr(ΛᵀY) with I − ΛΛᵀ copositive, exact for n ≤ 4 (§7)."""
    n, k = Y.shape
    if n > 4:
        raise MethodError(f"n is {n}; copositive is PSD plus non-negative only for n ≤ 4")
    Lambda, S = cp.Variable((n, k)), cp.Variable((n, n), symmetric=True)
    block = cp.bmat([[np.eye(n) - S, Lambda], [Lambda.T, np.eye(k)]])
    return _solve(cp.Maximize(cp.trace(Lambda.T @ Y)), [block >> 0, S >= 0])


def _solve(
    objective: cp.Minimize | cp.Maximize,
    constraints: list[cp.Constraint],
    solver: str = cp.CLARABEL,
    options: dict[str, Any] = _OPTIONS,
) -> float:
    problem = cp.Problem(objective, constraints)
    with warnings.catch_warnings():
        # "Inaccurate" at these tight tolerances is still far better than the tests compare to.
        warnings.simplefilter("ignore")
        problem.solve(solver=solver, **options)
    if problem.status not in ("optimal", "optimal_inaccurate"):
        raise MethodError(f"the whole program ended with status {problem.status}")
    return float(problem.value)

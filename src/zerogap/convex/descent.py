"""A good two-layer network where the faces are too many to visit: descent and new neurons.

With τ > 0 the problem min ½‖VW − Y‖² + τ Σ‖w_j‖ over atoms V = φ(XU) is solved in turns: weights of
all layers descend together (½τ(‖u_j‖² + ‖w_j‖²) is τ‖w_j‖ at unit u_j once balanced); ascent finds
the directions in which the multipliers Λ = Y − VW exceed τ; and a group lasso over all atoms, which
is convex, lets those in that are worth their cost. Descent alone stays at kinks.
"""

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from zerogap.convex.ascent import Ascent
from zerogap.convex.columns import Gauge, primal_value
from zerogap.convex.oracles import Atoms
from zerogap.model import clock
from zerogap.model.matrices import Array

_WIDTH, _ROUNDS, _STEPS = 100, 40, 300
# New atoms a round; sweeps of the group lasso, all atoms in every tenth and the nonzero ones else.
_NEW, _SWEEPS, _ALL = 50, 200, 10
# Neurons that cost less than this share of the largest have vanished.
_NEGLIGIBLE = 1e-6


def descent(
    X: Array, Y: Array, tau: float, tolerance: float = 1e-5, near: Atoms | None = None
) -> Gauge:
    """A network for the regularised problem at τ, as atoms and weights; no lower bound.

    X: (n, d). Y: (n, k). near: atoms of a nearly optimal network, if one is known. Ends when a
    round gains less than `tolerance` of the value, or when the time is up. multipliers: Λ = Y − VW,
    not scaled to be feasible.
    """
    ascent = Ascent(X)
    if near is None:
        _, atoms = ascent.price(Y, tau)
        U = np.hstack([atoms.U[:, : _WIDTH // 2], ascent.random(_WIDTH)])[:, :_WIDTH]
        # Small weights of the sign that lowers the objective at once.
        W = np.maximum(X @ U, 0).T @ Y
        W *= 0.01 * np.linalg.norm(Y) / (np.linalg.norm(X, 2) * np.linalg.norm(W) or 1.0)
    else:
        U, W = near.U, _group_lasso(near.V, Y, np.zeros((near.V.shape[1], Y.shape[1])), tau)
        U, W = U[:, W.any(axis=1)], W[W.any(axis=1)]
    value = np.inf
    for _ in range(_ROUNDS):
        U, W = _descend(X, Y, tau, U, W)
        V = np.maximum(X @ U, 0)
        found, atoms = ascent.price(Y - V @ W, tau)
        new = atoms.U[:, :_NEW][:, found[:_NEW] > tau]
        U, W = np.hstack([U, new]), np.vstack([W, np.zeros((new.shape[1], Y.shape[1]))])
        V = np.maximum(X @ U, 0)
        W = _group_lasso(V, Y, W, tau)
        kept = W.any(axis=1)
        U, W = U[:, kept], W[kept]
        before, value = value, primal_value(V[:, kept], W, Y, tau)
        clock.tell(0.0, value)
        if clock.late() or value >= before * (1 - tolerance):
            break
    fit = ascent.atoms(U)
    return Gauge(-np.inf, value, Y - fit.V @ W, fit, W)


def _descend(X: Array, Y: Array, tau: float, U: Array, W: Array) -> tuple[Array, Array]:
    """L-BFGS on the weights of both layers; returns unit columns U and W."""
    (d, m), k = U.shape, W.shape[1]
    if not m:
        return U, W

    def objective(weights: Array) -> tuple[float, Array]:
        U, W = weights[: d * m].reshape(d, m), weights[d * m :].reshape(m, k)
        heights = X @ U
        V = np.maximum(heights, 0)
        residual = V @ W - Y
        slope = residual @ W.T
        slope[heights <= 0] = 0
        gradient = np.concatenate(
            [(X.T @ slope + tau * U).ravel(), (V.T @ residual + tau * W).ravel()]
        )
        value = 0.5 * float(np.vdot(residual, residual)) + tau / 2 * float(weights @ weights)
        return value, gradient

    def stop(intermediate_result: OptimizeResult) -> None:
        if clock.late():
            raise StopIteration

    balance = np.sqrt(np.linalg.norm(W, axis=1))
    weights = np.concatenate(
        [(U * balance).ravel(), (W / np.where(balance > 0, balance, 1)[:, None]).ravel()]
    )
    options = {"maxiter": _STEPS, "maxfun": 2 * _STEPS, "maxcor": 20, "ftol": 1e-12, "gtol": 1e-9}
    found = minimize(
        objective, weights, jac=True, method="L-BFGS-B", options=options, callback=stop
    )
    weights = found.x
    U, W = weights[: d * m].reshape(d, m), weights[d * m :].reshape(m, k)
    lengths = np.linalg.norm(U, axis=0)
    costs = lengths * np.linalg.norm(W, axis=1)
    kept = costs > _NEGLIGIBLE * costs.max()
    return U[:, kept] / lengths[kept], W[kept] * lengths[kept, None]


def _group_lasso(V: Array, Y: Array, W: Array, tau: float) -> Array:
    """W of least ½‖VW − Y‖² + τ Σ‖w_j‖ by descent in one row at a time, from W.

    For one row, with g = v·(Y − the others' outputs), it is w = g max(0, 1 − τ/‖g‖)/‖v‖² (Yuan and
    Lin, Model selection and estimation in regression with grouped variables, 2006).
    """
    rows, squares = np.ascontiguousarray(V.T), np.einsum("ij,ij->j", V, V)
    W, residual = W.copy(), Y - V @ W
    for sweep in range(_SWEEPS):
        everywhere = sweep % _ALL == 0
        change = 0.0
        for j in np.flatnonzero(squares > 0 if everywhere else W.any(axis=1)):
            pull = rows[j] @ residual + squares[j] * W[j]
            length = float(np.sqrt(pull @ pull))
            step = pull * (max(0.0, 1 - tau / length) / squares[j]) - W[j] if length > 0 else -W[j]
            if step.any():
                residual -= np.outer(rows[j], step)
                W[j] += step
                change += float(step @ step) * squares[j]
        if clock.late():
            break
        if everywhere and change <= 1e-9 * tau * float(np.linalg.norm(W, axis=1).sum()):
            break
    return W

"""A good two-layer network where the faces are too many to visit: descent and new neurons.

With τ > 0 the problem min ℓ(VW) + τ Σ‖w_j‖ over atoms V = φ(XU) is solved in turns: weights of all
layers descend together (½τ(‖u_j‖² + ‖w_j‖²) is τ‖w_j‖ at unit u_j once balanced); ascent finds
the directions in which the multipliers Λ = −∇ℓ exceed τ; and a program over all atoms, which is
convex, lets those in that are worth their cost: a group lasso for squares. Descent alone stays at
kinks.
"""

from contextlib import suppress

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from zerogap.convex.ascent import Ascent
from zerogap.convex.columns import Gauge, constant, master, primal_value, sparse_fit
from zerogap.convex.oracles import Atoms
from zerogap.model import clock
from zerogap.model.errors import MethodError
from zerogap.model.fit import Fit
from zerogap.model.matrices import Array

_WIDTH, _ROUNDS, _STEPS = 100, 40, 300
# New atoms a round; sweeps of the group lasso, all atoms in every tenth and the nonzero ones else.
_NEW, _SWEEPS, _ALL = 50, 200, 10
# Neurons that cost less than this share of the largest have vanished.
_NEGLIGIBLE = 1e-6
# The step of the envelope of a loss that is not smooth, as a share of the targets: at first, what
# it shrinks by every round, and at last; the accuracy of the convex program of other losses.
_SMOOTHED, _SHARPER, _SHARP = 0.1, 0.3, 1e-4
_ACCURATE = 1e-7
# Targets, n times k, up to which the convex program of squares is solved by an interior point.
_FEW = 600


def descent(
    X: Array, fit: Fit, tau: float, tolerance: float = 1e-5, near: Atoms | None = None
) -> Gauge:
    """A network for the regularised problem at τ, as atoms and weights; no lower bound.

    X: (n, d). near: atoms of a nearly optimal network, if one is known. Ends when a round gains
    less than `tolerance` of the value, or when the time is up. multipliers: Λ = −∇ℓ(VW + b), not
    scaled to be feasible.
    """
    Y, k = fit.Y, fit.Y.shape[1]
    ascent = Ascent(X)
    Lambda, bias = constant(fit)
    if near is None:
        _, atoms = ascent.price(Lambda, tau)
        U = np.hstack([atoms.U[:, : _WIDTH // 2], ascent.random(_WIDTH)])[:, :_WIDTH]
        # Small weights of the sign that lowers the objective at once.
        W = np.maximum(X @ U, 0).T @ Lambda
        W *= 0.01 * np.linalg.norm(Y) / (np.linalg.norm(X, 2) * np.linalg.norm(W) or 1.0)
    else:
        kept, W, bias = _weighed(near.V, fit, np.zeros((near.V.shape[1], k)), tau, bias)
        U = near.U[:, kept]
    value, step = np.inf, _SMOOTHED * float(np.abs(Y).max())
    for _ in range(_ROUNDS):
        U, W, bias = _descend(X, fit, tau, U, W, bias, step)
        V = np.maximum(X @ U, 0)
        Lambda = _multipliers(fit, V @ W, bias, step)
        if not fit.loss.smooth and not clock.late():  # gradients say little at kinks of the loss
            with suppress(MethodError):
                Lambda, _, _ = master(V, fit, tau, _ACCURATE)
        found, atoms = ascent.price(Lambda, tau)
        new = atoms.U[:, :_NEW][:, found[:_NEW] > tau]
        U, W = np.hstack([U, new]), np.vstack([W, np.zeros((new.shape[1], k))])
        V = np.maximum(X @ U, 0)
        kept, W, bias = _weighed(V, fit, W, tau, bias)
        U = U[:, kept]
        before, value = value, primal_value(V[:, kept], W, fit, tau, bias)
        clock.tell(0.0, value)
        sharp = fit.loss.smooth or step <= _SHARP * float(np.abs(Y).max())
        if clock.late() or (sharp and value >= before * (1 - tolerance)):
            break
        step *= _SHARPER
    atoms = ascent.atoms(U)
    return Gauge(-np.inf, value, _multipliers(fit, atoms.V @ W, bias, step), atoms, W, bias)


def _weighed(
    V: Array, fit: Fit, W: Array, tau: float, bias: Array | None
) -> tuple[Array, Array, Array | None]:
    """The best output weights of all atoms: which are in use, those of these, and the bias."""
    if fit.squares:
        if V.shape[1] and fit.Y.size <= _FEW:
            with suppress(MethodError):  # where the time is up
                _, W, _ = master(V, fit, tau, _ACCURATE)
        # An interior point leaves residue where rows are zero.
        W = _group_lasso(fit.centred(V), fit.centred(fit.Y), W, tau)
        kept = np.flatnonzero(W.any(axis=1))
        return kept, W[kept], fit.best_bias(V @ W)
    with suppress(MethodError):  # where the time is up
        _, W, bias = master(V, fit, tau, _ACCURATE)
    kept, W = sparse_fit(V, W, fit, tau)
    return kept, W, bias


def _multipliers(fit: Fit, F: Array, bias: Array | None, step: float) -> Array:
    """Λ = −∇ℓ(F + b), or that of the envelope."""
    return -fit.descent(F if bias is None else F + bias, step)[1]


def _descend(
    X: Array, fit: Fit, tau: float, U: Array, W: Array, bias: Array | None, step: float
) -> tuple[Array, Array, Array | None]:
    """L-BFGS on the weights of both layers; returns unit columns U and W."""
    (d, m), k = U.shape, W.shape[1]
    if not m:
        return U, W, bias

    def objective(weights: Array) -> tuple[float, Array]:
        U, W = weights[: d * m].reshape(d, m), weights[d * m : (d + k) * m].reshape(m, k)
        bias = weights[(d + k) * m :]
        heights = X @ U
        V = np.maximum(heights, 0)
        loss, residual = fit.descent(V @ W + bias if len(bias) else V @ W, step)
        slope = residual @ W.T
        slope[heights <= 0] = 0
        gradient = [(X.T @ slope + tau * U).ravel(), (V.T @ residual + tau * W).ravel()]
        value = loss + tau / 2 * float(weights @ weights)
        if len(bias):
            rho = fit.rho or 0.0
            gradient.append(residual.sum(axis=0) + rho * bias)
            value += (rho - tau) / 2 * float(bias @ bias)
        return value, np.concatenate(gradient)

    def stop(intermediate_result: OptimizeResult) -> None:
        if clock.late():
            raise StopIteration

    balance = np.sqrt(np.linalg.norm(W, axis=1))
    first, last = U * balance, W / np.where(balance > 0, balance, 1)[:, None]
    beside = np.zeros(0) if bias is None else bias
    weights = np.concatenate([first.ravel(), last.ravel(), beside])
    options = {"maxiter": _STEPS, "maxfun": 2 * _STEPS, "maxcor": 20, "ftol": 1e-12, "gtol": 1e-9}
    found = minimize(
        objective, weights, jac=True, method="L-BFGS-B", options=options, callback=stop
    )
    weights = found.x
    U, W = weights[: d * m].reshape(d, m), weights[d * m : (d + k) * m].reshape(m, k)
    bias = None if bias is None else weights[(d + k) * m :]
    lengths = np.linalg.norm(U, axis=0)
    costs = lengths * np.linalg.norm(W, axis=1)
    kept = costs > _NEGLIGIBLE * costs.max()
    return U[:, kept] / lengths[kept], W[kept] * lengths[kept, None], bias


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

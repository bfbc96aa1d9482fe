"""Regularised linear networks: proximal gradient over singular values, with a dual bound (§2)."""

from collections.abc import Callable

import numpy as np

from zerogap.model.matrices import Array

_MAX_STEPS = 20_000


def shrunk_map(
    X: Array, Y: Array, shrinker: Callable[[float], float], start: Array, tolerance: float = 1e-13
) -> Array:
    """A fixed point A (d, k) of the proximal gradient step of ½‖XA − Y‖² + Σ penalty(σ_i(A)).

    `shrinker(σ)` is the prox of the penalty at step size 1/‖X‖². With XᵀX a multiple of the
    identity one step from anywhere is exact; a convex penalty (soft threshold) gives the global
    optimum, a non-convex one a stationary point that depends on `start`.
    """
    lipschitz = float(np.linalg.norm(X, 2) ** 2)
    A = start
    momentum, A_prev, t = A, A, 1.0
    for _ in range(_MAX_STEPS):
        U, s, Vt = np.linalg.svd(
            momentum - X.T @ (X @ momentum - Y) / lipschitz, full_matrices=False
        )
        A = (U * [shrinker(float(v)) for v in s]) @ Vt
        moved = np.linalg.norm(A - A_prev)
        if moved <= tolerance * max(float(np.linalg.norm(A)), 1e-300):
            break
        # Restarted momentum: drop it when it points uphill.
        if np.sum((momentum - A) * (A - A_prev)) > 0:
            t = 1.0
        t_next = (1 + np.sqrt(1 + 4 * t * t)) / 2
        momentum = A + (t - 1) / t_next * (A - A_prev)
        A_prev, t = A, t_next
    return A


def nuclear_map(X: Array, Y: Array, tau: float) -> tuple[Array, Array]:
    """argmin_A ½‖XA − Y‖² + τ ‖A‖_* and its multipliers Λ = Y − XA, with ‖XᵀΛ‖₂ ≤ τ.

    Λ is scaled down where rounding left it outside, so that it is feasible.
    """
    lipschitz = float(np.linalg.norm(X, 2) ** 2)
    start = np.zeros((X.shape[1], Y.shape[1]))
    A = shrunk_map(X, Y, lambda s: max(s - tau / lipschitz, 0.0), start)
    multipliers = Y - X @ A
    excess = float(np.linalg.norm(X.T @ multipliers, 2)) / tau
    return A, multipliers / max(1.0, excess)

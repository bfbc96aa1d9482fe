"""Linear networks in closed form (theory §2): P₁ and D₁ are norms of A = X†Y."""

import numpy as np
from scipy.optimize import brentq

from zerogap.model.matrices import Array
from zerogap.model.network import Network
from zerogap.model.problem import Problem


def schatten(singular_values: Array, depth: int) -> float:
    """P₁ of a linear network, the Schatten quasi-norm (Σσ_i^{2/L})^{L/2}; D₁ is that at L = 2."""
    return float(np.sum(singular_values ** (2 / depth)) ** (depth / 2))


def linear_map(problem: Problem) -> tuple[Array, Array, Array]:
    """Thin SVD (U (d, r), σ (r,), Vᵀ (r, k)) of A = X†Y, the least map with X A = Y."""
    A = np.linalg.pinv(problem.X, rcond=1e-12) @ problem.Y
    return thin_svd(A)


def thin_svd(A: Array) -> tuple[Array, Array, Array]:
    """The SVD without the singular values that are zero to rounding, but for at least one."""
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    r = max(1, int(np.sum(s > 1e-12 * max(s[0], 1e-300))))
    return U[:, :r], s[:r], Vt[:r]


def shrink(sigma: float, beta: float, depth: int) -> float:
    """argmin_s ½(s − σ)² + β(L/2)s^{2/L} over s ≥ 0: soft threshold at L = 2, else a jump to 0.

    For L ≥ 3 the derivative s − σ + βs^{2/L−1} is convex; only its larger root can be a minimum,
    and it competes with s = 0.
    """
    if depth == 2:
        return max(sigma - beta, 0.0)
    p = 2 / depth
    lowest = (beta * (1 - p)) ** (1 / (2 - p))  # where the derivative is least

    def slope(s: float) -> float:
        return s - sigma + beta * s ** (p - 1)

    if sigma <= lowest or slope(lowest) >= 0:
        return 0.0
    s = float(brentq(slope, lowest, sigma, xtol=1e-300, rtol=1e-15))
    return s if 0.5 * (s - sigma) ** 2 + beta / p * s**p < 0.5 * sigma**2 else 0.0


def linear_network(U: Array, s: Array, Vt: Array, depth: int, architecture: str) -> Network:
    """X ↦ X U diag(s) Vᵀ with all layers carrying s^{1/L}: one branch, or one per direction."""
    r = len(s)
    root = np.diag(s ** (1 / depth))
    whole = (U @ root, *[root] * (depth - 2), root @ Vt)
    if architecture == "standard":
        return Network((whole,), "linear")
    branches = tuple(
        tuple(
            W[:, [i]] if layer == 0 else W[[i]] if layer == depth - 1 else W[[i]][:, [i]]
            for layer, W in enumerate(whole)
        )
        for i in range(r)
    )
    return Network(branches or (whole,), "linear")

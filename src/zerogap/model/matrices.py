"""What is asked of a matrix: its rank, rank-one factors, whiteness, unit rows."""

import numpy as np

Array = np.ndarray

# Singular values below this share of the largest count as zero, and rows whose directions differ
# by less count as one ray: float64 data that was rotated, whitened or multiplied out (X = c aᵀ)
# is degenerate only up to rounding.
RANK_TOLERANCE = 1e-10


def numerical_rank(X: Array) -> int:
    """Number of singular values above RANK_TOLERANCE times the largest."""
    s = np.linalg.svd(X, compute_uv=False)
    return int(np.sum(s > RANK_TOLERANCE * s[0])) if s.size and s[0] > 0 else 0


def rank_one_factors(X: Array) -> tuple[Array, Array] | None:
    """(c, a) with X = c aᵀ and ‖a‖ = 1 when X has numerical rank one, else None."""
    if numerical_rank(X) != 1:
        return None
    _, _, vt = np.linalg.svd(X, full_matrices=False)
    return X @ vt[0], vt[0]


def is_whitened(X: Array) -> bool:
    """Whether X Xᵀ = I."""
    return X.shape[0] <= X.shape[1] and bool(
        np.allclose(X @ X.T, np.eye(X.shape[0]), rtol=0, atol=RANK_TOLERANCE)
    )


def unit_rows(X: Array) -> Array:
    """Rows scaled to unit length; zero rows stay zero."""
    norms = np.linalg.norm(X, axis=1, keepdims=True)
    return np.divide(X, norms, out=np.zeros_like(X), where=norms > 0)

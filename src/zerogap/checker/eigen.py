"""Eigenvalues proved: numpy guesses them, a Cholesky factor or a residual proves them.

In balls, but for large matrices of float64 entries, where a float64 factor does.
"""

from __future__ import annotations

import math

import numpy as np
from flint import arb, arb_mat

from zerogap.checker.balls import Array, balls, diagonal, floats, frobenius, root, times, total
from zerogap.checker.budget import spend

# A relative difference of eigenvalues that may as well be zero; verdicts are read at 1e-6.
_NEGLIGIBLE = 1e-11
# Rows that are eliminated at a time, in FLINT rather than one by one in Python.
_BLOCK = 32
_HEAD, _TAIL = slice(_BLOCK), slice(_BLOCK, None)


def positive_definite(M: arb_mat) -> bool:
    """Whether every symmetric matrix inside the ball matrix is proved positive definite.

    [[P, Sᵀ], [S, R]] is, if and only if P and its complement R − S P⁻¹ Sᵀ are.
    """
    n = M.nrows()
    spend(min(7 * n**3, 250 * n**2 + n**3), "a Cholesky factor")
    A = M.tolist()
    while len(A) > _BLOCK:
        head, rest = A[:_BLOCK], A[_BLOCK:]
        P, S, R = (
            arb_mat([row[part] for row in rows])
            for rows, part in ((head, _HEAD), (rest, _HEAD), (rest, _TAIL))
        )
        try:
            A = (R - S * P.solve(S.transpose())).tolist()
        except ZeroDivisionError:
            return False
        if not _small_definite([row[_HEAD] for row in head]):
            return False
    return _small_definite(A)


def _small_definite(A: list[list[arb]]) -> bool:
    """The same by LDLᵀ, from the lower triangle, which is overwritten."""
    for j, row in enumerate(A):
        pivot = row[j]
        if not pivot > 0:
            return False
        for i in range(j + 1, len(A)):
            factor = A[i][j] / pivot
            for k in range(j + 1, i + 1):
                A[i][k] -= factor * A[k][j]
    return True


def top_eigenvalue(M: arb_mat) -> arb:
    """An upper bound on λ_max of a symmetric M, tight to 1e-14 ‖M‖ where float64 allows."""
    size = frobenius(M).upper()
    if not size > 0 or not size.is_finite():
        return size
    n = M.nrows()
    guess = arb(float(np.linalg.eigvalsh(floats(M * (1 / size)))[-1]))
    for slack in (1e-14, 1e-13, 1e-12, 1e-10, 1e-8):
        bound = (guess + slack) * size
        if positive_definite(diagonal([bound] * n) - M):
            return bound
    return size


def float_top_eigenvalue(M: Array, error: float) -> float:
    """An upper bound on λ_max of a symmetric matrix that M is off by at most `error`, in ‖·‖₂.

    If a float64 Cholesky factorisation of K = θ − M ends, then K + ΔK is positive semidefinite for
    some |ΔK_ij| ≤ d_i d_j, d_j² = γ_{j+1}/(1 − γ_{j+1}) K_jj, so λ_min(K) ≥ −Σ d_j² (Rump,
    Verification of positive definiteness, BIT 2006, in any order of summation; n + 2 in the place
    of j + 1 also pays for reciprocals in the place of quotients). Rows of M are brought to absolute
    sums below one by a power of two, which leaves underflow at 2⁻¹⁰⁰⁰ and less.
    """
    n, size = len(M), float(np.abs(M).sum(axis=1).max())
    if not 1e-200 <= size <= 1e200:
        return error if size == 0 else math.inf  # `error` holds what underflowed, if anything
    unit = 2.0 ** math.frexp(size)[1]
    M = M / unit
    guess, j = float(np.linalg.eigvalsh(M)[-1]), np.arange(n)
    gamma = (n + 2) * 2.0**-53
    for slack in (1e-15, 1e-14, 1e-13, 1e-12, 1e-10, 1e-8, 1e-6):
        theta = guess + slack * n
        K = -M
        K[j, j] = theta - M[j, j]
        try:
            np.linalg.cholesky(K)
        except np.linalg.LinAlgError:
            continue
        trace = float(np.abs(K[j, j]).sum())
        rounded = 2.0**-52 * (abs(theta) + float(np.abs(M[j, j]).max()))
        charged = theta + (gamma / (1 - 2 * gamma) * trace + rounded + 2.0**-900)
        # To a coarse grid, the same on every machine: that is far more than the roundings here.
        return (math.ceil(charged * 2**38) + 1) / 2**38 * unit + error * (1 + 2.0**-50)
    return (size + error) * (1 + 2.0**-30)


def spectral_norm(M: arb_mat) -> arb:
    """An upper bound on ‖M‖₂."""
    gram = times(M.transpose(), M) if M.ncols() <= M.nrows() else times(M, M.transpose())
    return root(top_eigenvalue(gram))


def eigenvalue_gap(T: arb_mat, top: arb) -> arb | None:
    """λ₁ − λ₂ of T, as an upper bound, if it is proved negligible; else None."""
    if T.nrows() == 1:
        return None
    values, vectors = np.linalg.eigh(floats(T))
    if values[-1] - values[-2] > _NEGLIGIBLE * values[-1]:
        return None
    V = balls(vectors[:, -2:])
    floor = arb(float(values[-2])) * (1 - arb(1e-13))
    # Courant–Fischer: λ₂ ≥ the least Rayleigh quotient on any two-dimensional space.
    if positive_definite(V.transpose() * (T - diagonal([floor] * T.nrows())) * V):
        return (top - floor).upper()
    return None


def outside(T: arb_mat, image: arb_mat, signs: Array) -> bool:
    """Whether neither ± the top eigenvector of T, mapped by `image`, is proved to have the signs.

    With an approximate pair (ρ, q), residual δ = ‖Tq − ρq‖ and λ₂ ≤ μ < ρ: q is v₁ up to a factor
    and a remainder orthogonal to it of length at most δ/(ρ − μ); `image` is a contraction after
    T^½, so it moves no entry by more than λ₁^½ times that.
    """
    k = T.nrows()
    if k == 1:
        q, shift = balls(np.ones((1, 1))), arb(0)
    else:
        values, vectors = np.linalg.eigh(floats(T))
        q, rho = balls(vectors[:, -1:]), arb(float(values[-1]))
        mu = (rho + arb(float(values[-2]))) / 2
        deflated = diagonal([mu] * k) - T + q * q.transpose() * rho
        if not rho > mu or not positive_definite(deflated):
            return False
        residual = T * q - q * rho
        trace = total(T[i, i] for i in range(k))
        shift = (frobenius(residual) / (rho - mu) * root(trace)).upper()
    h = image * q
    signed = [int(s) * h[i, 0] for i, s in enumerate(signs) if s]
    return any(x < -shift for x in signed) and any(x > shift for x in signed)

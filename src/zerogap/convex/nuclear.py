"""Linear networks regularised by the nuclear norm: proximal points by Newton steps (theory §2).

Gradient steps alone take as many as X has condition number, and more where the optimum is
degenerate. Proximal points of the nuclear-norm problem are found by their duals instead, which are
smooth: a few Newton steps each, and a few proximal points with growing σ (Jiang, Sun, Toh).
"""

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from zerogap.model import clock
from zerogap.model.matrices import Array

# Singular values of X below this share of the largest are rounding.
_NOTHING = 1e-13
# Proximal points, with σ growing by so much; Newton steps to each.
_MAX_POINTS, _GROWTH = 16, 10.0
_MAX_NEWTON, _MAX_HALVINGS = 40, 20
# The relative gap that is sought.
_GAP = 1e-14
# Unknowns up to which Newton steps are solved for as dense systems, at once or where conjugate
# gradients, of so many steps, fail.
_SMALL, _DENSE, _CONJUGATE = 100, 1000, 200


def nuclear_map(X: Array, Y: Array, tau: float) -> tuple[Array, Array]:
    """argmin_A ½‖XA − Y‖² + τ ‖A‖_* and its multipliers Λ ~ Y − XA, with ‖XᵀΛ‖₂ ≤ τ."""
    U, S, Wt = np.linalg.svd(X, full_matrices=False)
    rank = int(np.sum(S / S[0] > _NOTHING)) if S[0] > 0 else 0
    C = U[:, :rank].T @ Y
    size = float(np.linalg.norm(C))
    if size == 0 or float(np.linalg.norm(S[:rank, None] * C, 2)) <= tau:
        return np.zeros((X.shape[1], Y.shape[1])), _feasible(X, Y, Y, tau)
    # In units of ‖X‖₂ and ‖C‖, and in X's own directions, everything is of order one at most.
    unit = _Proximal(S[:rank] / S[0], C / size, tau / (S[0] * size))
    B, Lambda = unit.solve()
    U = U[:, :rank]
    beside = Y - U @ C
    beside -= U @ (U.T @ beside)  # of rounding alone, and large beside a tiny τ
    multipliers = U @ Lambda * size + beside
    return Wt[:rank].T @ B * (size / S[0]), _feasible(X, Y, multipliers, tau)


def _feasible(X: Array, Y: Array, multipliers: Array, tau: float) -> Array:
    """The best multiple of Λ in tr(ΛᵀY) − ½‖Λ‖² with ‖XᵀΛ‖₂ ≤ τ."""
    square = float(np.sum(multipliers**2))
    ideal = float(np.sum(multipliers * Y)) / square if square > 0 else 0.0
    reach = float(np.linalg.norm(X.T @ multipliers, 2))
    return multipliers * max(0.0, min(ideal, tau / reach if reach > 0 else np.inf))


class _Proximal:
    """min_B ½‖SB − C‖² + τ‖B‖_* for S = diag(s) ≻ 0, s₁ = 1, by proximal points.

    B⁺ = argmin of that plus ‖B' − B‖²/2σ is prox(B + σSΛ), prox the soft threshold of singular
    values at στ and Λ the minimiser of ½‖Λ‖² − ⟨Λ, C⟩ + ‖prox(B + σSΛ)‖²/2σ: smooth, with gradient
    Λ − C + S B⁺, and strongly convex.
    """

    def __init__(self, s: Array, C: Array, tau: float) -> None:
        self.s, self.C, self.tau = s[:, None], C, tau

    def solve(self) -> tuple[Array, Array]:
        """The best B and the best multipliers of all points, which prove each other."""
        B, Lambda, sigma = np.zeros_like(self.C), self.C, 1.0
        best, upper = B, np.inf
        proof, lower = Lambda, -np.inf
        for _ in range(_MAX_POINTS):
            B, Lambda = self._point(B, Lambda, sigma)
            # C − SB cancels where τ is small, and Λ where σ is.
            for trial in (Lambda, self.C - self.s * B):
                reached = _feasible(np.diag(self.s[:, 0]), self.C, trial, self.tau)
                value = float(np.sum(reached * self.C)) - 0.5 * float(np.sum(reached**2))
                proof, lower = (reached, value) if value > lower else (proof, lower)
            value = 0.5 * float(np.sum((self.C - self.s * B) ** 2))
            value += self.tau * float(np.linalg.svd(B, compute_uv=False).sum())
            best, upper = (B, value) if value < upper else (best, upper)
            if upper - lower <= _GAP * upper or clock.late():
                break
            sigma *= _GROWTH
        return best, proof

    def _point(self, B: Array, start: Array, sigma: float) -> tuple[Array, Array]:
        """The proximal point of B, and its Λ."""
        Lambda = start
        value, gradient, curved = self._dual(B, Lambda, sigma)
        for _ in range(_MAX_NEWTON):
            size = float(np.linalg.norm(gradient))
            if size <= np.finfo(float).eps * (1 + curved[1][0]) or clock.late():
                break
            step = -self._newton(curved, gradient, sigma)
            slope, length = float(np.sum(step * gradient)), 1.0
            for _ in range(_MAX_HALVINGS):
                there = self._dual(B, Lambda + length * step, sigma)
                # Near the end values are noise, and the gradient tells.
                least = float(np.linalg.norm(there[1]))
                if there[0] < value + 0.1 * length * slope or least <= 0.5 * size:
                    break
                length /= 2
            else:
                break
            Lambda = Lambda + length * step
            value, gradient, curved = there
        P, m, Qt = curved
        kept = len(m)
        return (P[:, :kept] * np.maximum(m - sigma * self.tau, 0)) @ Qt[:kept], Lambda

    def _dual(
        self, B: Array, Lambda: Array, sigma: float
    ) -> tuple[float, Array, tuple[Array, Array, Array]]:
        """Value, gradient, and the SVD at which prox is taken."""
        P, m, Qt = np.linalg.svd(B + sigma * self.s * Lambda)
        f, kept = np.maximum(m - sigma * self.tau, 0), len(m)
        value = 0.5 * np.sum(Lambda**2) - np.sum(Lambda * self.C) + np.sum(f**2) / (2 * sigma)
        return float(value), Lambda - self.C + self.s * ((P[:, :kept] * f) @ Qt[:kept]), (P, m, Qt)

    def _newton(self, curved: tuple[Array, Array, Array], gradient: Array, sigma: float) -> Array:
        """H⁻¹ gradient for H = I + σ S Dprox S.

        Dprox acts between singular vectors i, j, on the symmetric part of a direction by the
        difference quotient of the threshold f, on the other by (f_i + f_j)/(m_i + m_j).
        """
        P, m, Qt = curved
        (r, k), n = gradient.shape, max(gradient.shape)
        m = np.concatenate([m, np.zeros(n - len(m))])
        f = np.maximum(m - sigma * self.tau, 0)
        apart, plus = m[:, None] - m, m[:, None] + m
        near = np.abs(apart) <= 1e-12 * m[0]
        level = ((f[:, None] > 0) & (f > 0)).astype(float)
        same = np.where(near, level, (f[:, None] - f) / np.where(near, 1, apart))
        turned = np.divide(f[:, None] + f, plus, out=np.zeros_like(plus), where=plus > 0)

        def apply(directions: Array) -> Array:
            H = np.zeros((*directions.shape[:-2], n, n))
            H[..., :r, :k] = P.T @ (self.s * directions) @ Qt.T
            flipped = np.swapaxes(H, -1, -2)
            H = same * (H + flipped) / 2 + turned * (H - flipped) / 2
            return directions + sigma * self.s * (P @ H[..., :r, :k] @ Qt)

        size, flat = gradient.size, gradient.ravel()
        if size > _SMALL:
            product = LinearOperator(
                (size, size), matvec=lambda v: apply(v.reshape(r, k)).ravel(), dtype=float
            )
            step, failed = cg(product, flat, rtol=1e-10, maxiter=_CONJUGATE)
            if not failed or size > _DENSE:
                return np.asarray(step).reshape(r, k)
        rows = apply(np.eye(size).reshape(-1, r, k)).reshape(size, -1)
        return np.linalg.solve(rows, flat).reshape(r, k)

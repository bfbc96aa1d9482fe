"""The master program by an interior-point method: dense, few iterations, stopped as early as told.

A master has few unknowns Λ (n, k) and many cones ‖Λᵀv_j‖ ≤ τ, so one step is one weighted Gram
matrix and one Cholesky factorisation of order nk. Stopped early, its Λ is well inside the cones,
near the middle of the optimal face, and the next round of column generation is worth more.

Nesterov–Todd scaling with Mehrotra's predictor and corrector (Vandenberghe, The CVXOPT linear and
quadratic cone program solvers, 2010, §4 to §7). Cones are rows: x = (x₀, x₁ … x_k), |x_{1:}| ≤ x₀.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, lstsq

from zerogap.model import clock
from zerogap.model.errors import MethodError
from zerogap.model.matrices import Array

_MAX_ITERATIONS = 100
# Entries of Λ, of which a step factorises a dense square: ten seconds.
_MAX_UNKNOWNS = 5_000
# Multiplications of such a step in a second, on a core that is not fast.
_SPEED = 5e9
# Share of the way to the boundary that a step may go.
_STEP = 0.99


def master(V: Array, Y: Array, tau: float | None, tolerance: float = 1e-11) -> tuple[Array, Array]:
    """Multipliers and weights of the gauge's master program over finitely many atoms (theory §1).

    V: (n, m) atoms. Y: (n, k). With τ None solves max tr(ΛᵀY) s.t. ‖Λᵀv_j‖ ≤ 1, else
    max tr(ΛᵀY) − ½‖Λ‖² s.t. ‖Λᵀv_j‖ ≤ τ, to a relative gap of `tolerance` or as far as
    rounding allows. Returns Λ (n, k), strictly feasible, and W (m, k) with V W ≈ Y (τ None)
    or ≈ Y − Λ. Raises MethodError if V W = Y has no solution, and Late.
    """
    n, m = V.shape
    k = Y.shape[1]
    if n * k > _MAX_UNKNOWNS:
        raise MethodError(
            f"{n} samples times {k} outputs are {n * k} multipliers at once; accepted are up to "
            f"{_MAX_UNKNOWNS}"
        )
    radius = 1.0 if tau is None else tau
    ridge = 0.0 if tau is None else 1.0
    W = _weights(V, Y, tau is None)
    multipliers = np.zeros((n, k))
    s, z = np.zeros((m, k + 1)), np.zeros((m, k + 1))
    s[:, 0] = radius
    z[:, 1:] = -W
    z[:, 0] = np.linalg.norm(W, axis=1)
    z[:, 0] += z[:, 0].mean()
    # A weighted Gram matrix of all cones and its factor.
    step_seconds = (n * k) ** 2 * (m + n * k / 3) / _SPEED
    for _ in range(_MAX_ITERATIONS):
        clock.check(step_seconds)
        gap = float(np.sum(s * z))
        missing = Y - ridge * multipliers + V @ z[:, 1:]
        primal = radius * float(z[:, 0].sum()) + 0.5 * ridge * float(np.sum(multipliers**2))
        if gap <= tolerance * primal and np.linalg.norm(missing) <= 1e-9 * np.linalg.norm(Y):
            break
        scaling = _Scaling(s, z)
        try:
            factor = cho_factor(_normal(V, scaling.hessians(), ridge), check_finite=False)
        except LinAlgError:
            break
        step = partial(_step, V, scaling, factor, missing)
        _, ds, dz = step(-scaling.point)
        length = min(1.0, _room(s, ds), _room(z, dz))
        aim = -_product(scaling.back(ds), scaling.forth(dz))
        aim[:, 0] += (1 - length) ** 3 * gap / m
        delta, ds, dz = step(_quotient(scaling.point, aim) - scaling.point)
        length = min(1.0, _STEP * min(_room(s, ds), _room(z, dz)))
        moved, s_next, z_next = multipliers + length * delta, s + length * ds, z + length * dz
        s_next[:, 1:] = V.T @ moved
        if not (length > 1e-8 and _inside(s_next) and _inside(z_next)):
            break  # rounding has the last word
        multipliers, s, z = moved, s_next, z_next
    return multipliers, -z[:, 1:]


def _weights(V: Array, Y: Array, exact: bool) -> Array:
    """Weights to start from: V W = Y if exact, else near it, which is much cheaper."""
    if not exact:
        gram = V @ V.T
        gram.ravel()[:: len(V) + 1] += 1e-6 * np.trace(gram)
        return V.T @ cho_solve(cho_factor(gram, check_finite=False), Y, check_finite=False)
    W = lstsq(V, Y, lapack_driver="gelsy")[0]
    if np.linalg.norm(V @ W - Y) > 1e-8 * np.linalg.norm(Y):
        raise MethodError("the atoms found so far do not span the targets")
    return W


def _step(
    V: Array, scaling: _Scaling, factor: tuple[Array, bool], missing: Array, right: Array
) -> tuple[Array, Array, Array]:
    """ΔΛ, Δs, Δz with W⁻¹Δs + WΔz = right, Δs = (0, ΔΛᵀv_j), and weights that fit what is left."""
    n, k = missing.shape
    pulled = scaling.back(right)
    total = missing + V @ pulled[:, 1:]
    delta = cho_solve(factor, total.T.ravel(), check_finite=False).reshape(k, n).T
    ds = np.zeros_like(right)
    ds[:, 1:] = V.T @ delta
    return delta, ds, pulled - scaling.back(scaling.back(ds))


def _normal(V: Array, hessians: Array, ridge: float) -> Array:
    """Σ H_j ⊗ v_j v_jᵀ + ridge, of order kn, outputs first; hessians: (m, k, k)."""
    n = len(V)
    k = hessians.shape[1]
    out = np.empty((k * n, k * n))
    for a in range(k):
        for b in range(a + 1):
            if a == b:  # a symmetric product costs half
                half = V * np.sqrt(hessians[:, a, a])
                block = half @ half.T
            else:
                block = (V * hessians[:, a, b]) @ V.T
            out[a * n : (a + 1) * n, b * n : (b + 1) * n] = block
            out[b * n : (b + 1) * n, a * n : (a + 1) * n] = block
    diagonal = out.ravel()[:: k * n + 1]
    diagonal += ridge + 1e-15 * diagonal
    diagonal[diagonal == 0] = 1.0  # of a sample that no atom sees, whose Λ stays as it is
    return out


class _Scaling:
    """The Nesterov–Todd scaling W = β(2vvᵀ − J) of pairs s, z of cone points, W z = W⁻¹ s."""

    def __init__(self, s: Array, z: Array) -> None:
        a, b = np.sqrt(_determinant(s)), np.sqrt(_determinant(z))
        self.beta = np.sqrt(a / b)[:, None]
        unit_s, unit_z = s / a[:, None], z / b[:, None]
        # The inner product of points of unit determinant is at least one, but for rounding.
        gamma = np.sqrt((1 + np.maximum(np.sum(unit_s * unit_z, axis=1), 1)) / 2)[:, None]
        w = (unit_s + _reflect(unit_z)) / (2 * gamma)
        self.w = w
        v = w.copy()
        v[:, 0] += 1
        self.v = v / np.sqrt(2 * v[:, :1])
        self.point = self.forth(z)

    def forth(self, x: Array) -> Array:
        """W x."""
        return self.beta * (2 * self.v * np.sum(self.v * x, axis=1)[:, None] - _reflect(x))

    def back(self, x: Array) -> Array:
        """W⁻¹ x."""
        v = _reflect(self.v)
        return (2 * v * np.sum(v * x, axis=1)[:, None] - _reflect(x)) / self.beta

    def hessians(self) -> Array:
        """The (k, k) blocks of W⁻² that meet Λᵀv_j."""
        tail = self.w[:, 1:]
        blocks = 2 * tail[:, :, None] * tail[:, None, :] + np.eye(tail.shape[1])
        return blocks / self.beta[:, :, None] ** 2


def _reflect(x: Array) -> Array:
    return np.concatenate([x[:, :1], -x[:, 1:]], axis=1)


def _determinant(x: Array) -> Array:
    length = np.linalg.norm(x[:, 1:], axis=1)
    return (x[:, 0] - length) * (x[:, 0] + length)


def _inside(x: Array) -> bool:
    return bool((x[:, 0] > np.linalg.norm(x[:, 1:], axis=1) * (1 + 1e-15)).all())


def _product(x: Array, y: Array) -> Array:
    return np.concatenate(
        [np.sum(x * y, axis=1)[:, None], x[:, :1] * y[:, 1:] + y[:, :1] * x[:, 1:]], axis=1
    )


def _quotient(x: Array, y: Array) -> Array:
    """u with x∘u = y."""
    inner = np.sum(x[:, 1:] * y[:, 1:], axis=1)
    first = (x[:, 0] * y[:, 0] - inner) / _determinant(x)
    rest = (y[:, 1:] - first[:, None] * x[:, 1:]) / x[:, :1]
    return np.concatenate([first[:, None], rest], axis=1)


def _room(x: Array, dx: Array) -> float:
    """The largest α with x + α dx in every cone."""
    # The roots of (x₀ + α dx₀)² = |x₁ + α dx₁|², a α² + 2 b α + c = 0, with c > 0.
    a = dx[:, 0] ** 2 - np.sum(dx[:, 1:] ** 2, axis=1)
    b = x[:, 0] * dx[:, 0] - np.sum(x[:, 1:] * dx[:, 1:], axis=1)
    c = _determinant(x)
    disc = b * b - a * c
    root = np.sqrt(np.maximum(disc, 0))
    # The smallest positive root, in the form that does not cancel.
    q = -(b + np.where(b >= 0, root, -root))
    with np.errstate(divide="ignore", invalid="ignore"):
        roots = np.stack([q / a, c / q])
    valid = (disc >= 0) & np.isfinite(roots) & (roots > 0)
    return float(np.where(valid, roots, np.inf).min(initial=np.inf))

"""Optima known in closed form (theory §2, §6, §7): scaled values P₁ and D₁, and their networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from zerogap.model.matrices import Array, is_whitened, rank_one_factors
from zerogap.model.network import Network
from zerogap.model.problem import Problem

# --- linear networks (§2) ---------------------------------------------------------------------


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


# --- rank-one data, ReLU (§6) -----------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class RankOne:
    """Rank-one data X = c aᵀ, ‖a‖ = 1, with Y = c₊y₊ᵀ + c₋y₋ᵀ (theory §6)."""

    c: Array
    a: Array
    plus: Array
    minus: Array

    @classmethod
    def of(cls, problem: Problem) -> RankOne | None:
        """The factors, or None when X is not of rank one."""
        factors = rank_one_factors(problem.X)
        if factors is None:
            return None
        c, a = factors
        sides = (np.maximum(c, 0), np.maximum(-c, 0))
        plus, minus = (
            side @ problem.Y / np.sum(side**2) if side.any() else np.zeros(problem.k)
            for side in sides
        )
        return cls(c, a, plus, minus)

    @property
    def norms(self) -> tuple[float, float]:
        """(‖y₊‖, ‖y₋‖)."""
        return float(np.linalg.norm(self.plus)), float(np.linalg.norm(self.minus))

    @property
    def angle(self) -> float:
        """The angle ω between y₊ and y₋ in radians; 0 when one of them is zero."""
        p, m = self.norms
        if min(p, m) <= 1e-12 * max(p, m):
            return 0.0
        # atan2 of the chord and the sum is accurate at 0 and π, where arccos is not.
        u, v = self.plus / p, self.minus / m
        angle = 2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))
        return 0.0 if angle < 1e-9 else float(angle)

    def dual(self) -> float:
        """D₁ = ‖y₊‖ + ‖y₋‖, at every depth."""
        return sum(self.norms)

    def multipliers(self) -> Array:
        """Λ (n, k) with tr(ΛᵀY) = D₁ and c_L(Λ) = 1: each side's direction over ‖c_±‖²."""
        total = np.zeros((len(self.c), len(self.plus)))
        for side, y in ((np.maximum(self.c, 0), self.plus), (np.maximum(-self.c, 0), self.minus)):
            norm = np.linalg.norm(y)
            if norm > 0 and side.any():
                total += np.outer(side / np.sum(side**2), y / norm)
        return total

    def tilt(self) -> float:
        """The optimal τ = tan θ at L = 3: minimises the square of `primal` over the split.

        The inner maximum of §6, over {μ, ν : ‖cosψ μ + sinψ ν‖ ≤ 1}, is attained at μ ⊥ ν for
        ω ≤ 90° and at the directions of y± beyond, which gives
        a²(1 + τ²) + b²(1 + τ⁻²) + 2ab sin(min(ω, 90°))(τ + τ⁻¹), convex in log τ.
        """
        found = minimize_scalar(
            lambda log: self._squared(float(np.exp(log))),
            bounds=(-25, 25),
            method="bounded",
            options={"xatol": 1e-12},
        )
        return float(np.exp(found.x))

    def _squared(self, tau: float) -> float:
        p, m = self.norms
        mixing = np.sin(min(self.angle, np.pi / 2))
        return float(
            p**2 * (1 + tau**2) + m**2 * (1 + tau**-2) + 2 * p * m * mixing * (tau + 1 / tau)
        )

    def one_sided(self) -> bool:
        """Whether y₊ or y₋ is zero, or both point the same way: the condition for a zero gap."""
        return self.angle == 0

    def primal(self, depth: int) -> float | None:
        """P₁ of the standard network where it is known in closed form, else None.

        Any depth when `one_sided`, or for scalar targets of opposed signs; depth 3 always.
        """
        p, m = self.norms
        if depth == 2 or self.one_sided():
            return p + m
        if depth == 3:
            if self.angle >= np.pi / 2:
                return float((p ** (2 / 3) + m ** (2 / 3)) ** 1.5)
            return float(np.sqrt(self._squared(self.tilt())))
        if len(self.plus) == 1:
            return float((p ** (2 / depth) + m ** (2 / depth)) ** (depth / 2))
        return None

    def primal_lower(self, depth: int) -> float:
        """A proved lower bound on P₁: exact at L ≤ 3 and where `one_sided`, else for every L ≥ 4

        min_τ √(p²(1+τ)² + m²(1+τ⁻¹)² + 2κpm(1+τ)(1+τ⁻¹)), κ = cos max(0, 120° − ω), which is
        (√p + √m)² for opposed signs: the two sign paths share no weight in the first two and the
        last two layers (proof: docs/certificates.md).
        """
        p, m = self.norms
        if depth <= 3 or self.one_sided():
            exact = self.primal(depth)
            assert exact is not None
            return exact
        kappa = np.cos(max(0.0, 2 * np.pi / 3 - self.angle))

        def squared(log: float) -> float:
            x, y = p * (1 + np.exp(log)), m * (1 + np.exp(-log))
            return float(x * x + y * y + 2 * kappa * x * y)

        # Exact at the balance for opposed signs, where it is stationary; searched otherwise.
        found = minimize_scalar(
            squared, bounds=(-25, 25), method="bounded", options={"xatol": 1e-12}
        )
        return float(np.sqrt(found.fun))

    def parallel_network(self, depth: int) -> Network:
        """The bidual's optimum: one chain per side of the data."""
        chain = [np.ones((1, 1))] * (depth - 2)
        a = self.a[:, None]
        branches = [
            (sign * a, *chain, y[None, :])
            for sign, y in ((1.0, self.plus), (-1.0, self.minus))
            if np.linalg.norm(y) > 0
        ]
        return Network(tuple(branches) or ((a * 0, *chain, self.plus[None, :]),), "relu").balanced()

    def standard_network(self, depth: int) -> Network | None:
        """The network that attains `primal`, or None where that is not known."""
        if self.primal(depth) is None:
            return None
        p, m = self.norms
        chain = [np.ones((1, 1))] * (depth - 3)
        a = self.a[:, None]
        if depth == 2 or min(p, m) == 0:
            return self.parallel_network(depth).as_standard()
        if self.one_sided():
            # One second-layer neuron αc₊ + βc₋ serves both sides.
            first = np.hstack([a, -a]) * np.sqrt([p, m])
            second = np.sqrt([[p], [m]])
            direction = self.plus / p
            return Network(((first, second, *chain, direction[None, :]),), "relu").balanced()
        if self.angle >= np.pi / 2 or depth > 3:
            return self.parallel_network(depth).as_standard()
        # M = [y₊/cosθ, y₋/sinθ] = B H with B orthonormal and H = (MᵀM)^{1/2} ≥ 0 entrywise, so
        # H = Σ ψψᵀ with ψ ≥ 0 (its Cholesky columns), one second-layer neuron each.
        tau = self.tilt()
        cos, sin = 1 / np.hypot(1, tau), tau / np.hypot(1, tau)
        U, s, Vt = np.linalg.svd(
            np.column_stack([self.plus / cos, self.minus / sin]), full_matrices=False
        )
        H = (Vt.T * s) @ Vt
        psi = np.maximum(np.linalg.cholesky(H), 0)
        lengths = np.linalg.norm(psi, axis=0)
        first = np.hstack([a, -a]) * [cos, sin]
        last = (psi * lengths).T @ (U @ Vt).T
        return Network(((first, psi / lengths, last),), "relu").balanced_units()


# --- whitened data, ReLU (§7) -----------------------------------------------------------------


def one_hot_sizes(problem: Problem) -> Array | None:
    """Class sizes n_k when X Xᵀ = I and Y is exactly one-hot with no empty class, else None."""
    Y = problem.Y
    if not (is_whitened(problem.X) and np.isin(Y, (0.0, 1.0)).all() and (Y.sum(axis=1) == 1).all()):
        return None
    sizes = Y.sum(axis=0)
    return sizes if sizes.min() > 0 else None


def one_hot_orthogonal(sizes: Array, depth: int) -> float:
    """P₁ of one orthogonal direction per class, (Σ n_k^{1/L})^{L/2}: exact at K = 2, L = 3."""
    return float(np.sum(sizes ** (1 / depth)) ** (depth / 2))


def one_hot_lower(sizes: Array) -> float:
    """A proved lower bound on P₁ at every L ≥ 3: max over |T| ≥ 2 of √(2/|T|)(Σ_T n_k^{1/3})^{3/2}.

    For two classes the inverse Gram matrix of two non-negative hidden vectors is an M-matrix,
    which gives 1/r_k + 1/r_l; averaging over the pairs of T, with
    Σ_{k<l} √(w_k² + w_l²) ≤ (|T| − 1)√(|T|/2) ‖w‖, gives √(2/|T|) Σ_T 1/r_k, least under
    Σ n_k r_k² ≤ 1. The best T of each size holds the largest classes.
    """
    cubes = np.cumsum(np.sort(sizes)[::-1] ** (1 / 3))
    counts = np.arange(2, len(sizes) + 1)
    return float(np.max(np.sqrt(2 / counts) * cubes[1:] ** 1.5)) if len(counts) else 0.0


def one_hot_network(problem: Problem, depth: int, architecture: str) -> Network:
    """One chain per class: parallel branches of unit cost √n_k, or the orthogonal standard net."""
    chain = [np.ones((1, 1))] * (depth - 2)
    branches = []
    for k in range(problem.k):
        side = problem.Y[:, [k]]
        size = np.sqrt(side.sum())
        branches.append((problem.X.T @ side / size, *chain, size * np.eye(problem.k)[[k]]))
    network = Network(tuple(branches), "relu").balanced()
    return network if architecture == "parallel" else network.as_standard()


def bottleneck_network(problem: Problem, depth: int, corner: float = 17 / 20) -> Network:
    """Three one-hot classes through a two-dimensional bottleneck (theory §7), for L ≥ 4.

    The classes sit at (1, 0), (c, c), (0, 1) in two hidden units through layers 1 … L−2; the
    smallest class is put in the corner, which costs the most.
    """
    order = np.argsort(-problem.Y.sum(axis=0), kind="stable")
    spot = np.zeros((3, 2))
    c = corner
    spot[order[[0, 2, 1]]] = np.array([[1, 0], [c, c], [0, 1]])
    out = np.zeros((3, 3))
    half = 1 / (2 * c)
    out[:, order[[0, 2, 1]]] = np.array([[1, -half, 0], [0, -half, 1], [0, half, 0]])
    layers = (
        problem.X.T @ (problem.Y @ spot),
        *[np.eye(2)] * (depth - 3),
        np.array([[1.0, -1.0, 1.0], [-1.0, 1.0, 1.0]]),
        out,
    )
    return Network((layers,), "relu").balanced_units()


def whitened_scalar(y: Array) -> tuple[Array, Array]:
    """Atoms V (n, m) and weights (m, 1) of D₁ = ‖φ(y)‖ + ‖φ(−y)‖ for scalar targets y (n,)."""
    sides = [(s, np.maximum(s * y, 0)) for s in (1.0, -1.0)]
    sides = [(s, v) for s, v in sides if v.any()]
    V = (
        np.column_stack([v / np.linalg.norm(v) for _, v in sides])
        if sides
        else np.zeros((len(y), 0))
    )
    return V, np.array([[s * np.linalg.norm(v)] for s, v in sides]).reshape(-1, 1)

"""ReLU networks on rank-one data X = c aᵀ in closed form (theory §6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from zerogap.model.matrices import Array, rank_one_factors
from zerogap.model.network import Network
from zerogap.model.problem import Problem


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

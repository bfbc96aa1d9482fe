"""ReLU networks on rank-one data X = c aᵀ in closed form (theory §6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from zerogap.model.matrices import Array, rank_one_factors
from zerogap.model.network import Network
from zerogap.model.problem import Problem

# Angles below which two directions are one, and shares of the other side that are nothing.
_SAME, _NOTHING = 1e-9, 1e-12


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
        if min(p, m) <= _NOTHING * max(p, m):
            return 0.0
        # atan2 of the chord and the sum is accurate at 0 and π, where arccos is not.
        u, v = self.plus / p, self.minus / m
        return float(2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v)))

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

    def tilt(self, depth: int) -> float:
        """The optimal τ = tan θ, (cos θ, sin θ) the sides' norms in the first hidden layer."""
        found = minimize_scalar(
            lambda log: self._at(float(np.exp(log)), depth),
            bounds=(-25, 25),
            method="bounded",
            options={"xatol": 1e-12},
        )
        return float(np.exp(found.x))

    def _at(self, tau: float, depth: int) -> float:
        """P₁ at a split: (Σ σ_i^{2/m})^{m/2}, m = L − 1, the further layers being linear.

        σ of the rows y₊/cos θ, y₋/sin θ, which count as orthogonal at obtuse angles. Its power 2/L
        is convex in log τ.
        """
        a, b = (
            (norm * np.hypot(1, t)) ** 2 for norm, t in zip(self.norms, (tau, 1 / tau), strict=True)
        )
        # Roots of x² − (a + b)x + ab sin²: the smaller one from their product, without cancelling.
        turn = min(self.angle, np.pi / 2)
        larger = (a + b + np.hypot(a - b, 2 * np.sqrt(a * b) * np.cos(turn))) / 2
        squares = np.array([larger, a * b * np.sin(turn) ** 2 / larger])
        return float(np.sum(squares ** (1 / (depth - 1))) ** ((depth - 1) / 2))

    def one_sided(self) -> bool:
        """Whether y₊ or y₋ is zero, or both point the same way: the condition for a zero gap.

        As far as rounding lets see, which is what `primal` goes by; `certain` if that is exact.
        """
        return self.angle < _SAME

    def certain(self, depth: int) -> bool:
        """Whether rounding of what is nearly one-sided moves `primal` by next to nothing."""
        p, m = self.norms
        ratio = min(p, m) / max(p, m) if max(p, m) > 0 else 0.0
        rest = max(self.angle, ratio if ratio <= _NOTHING else 0.0)
        return not self.one_sided() or rest ** (2 / (depth - 1)) <= _SAME

    def primal(self, depth: int) -> float:
        """P₁ of the standard network, at every depth."""
        p, m = self.norms
        if depth == 2 or self.one_sided():
            return p + m
        if self.angle >= np.pi / 2:
            return float((p ** (2 / depth) + m ** (2 / depth)) ** (depth / 2))
        return self._at(self.tilt(depth), depth)

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

    def standard_network(self, depth: int) -> Network:
        """The network that attains `primal`."""
        p, m = self.norms
        if depth == 2 or min(p, m) == 0:
            return self.parallel_network(depth).as_standard()
        a = self.a[:, None]
        if self.one_sided():
            # One second-layer neuron αc₊ + βc₋ serves both sides.
            first = np.hstack([a, -a]) * np.sqrt([p, m])
            chain = [np.ones((1, 1))] * (depth - 3)
            second, direction = np.sqrt([[p], [m]]), self.plus / p
            return Network(((first, second, *chain, direction[None, :]),), "relu").balanced()
        if self.angle >= np.pi / 2:
            return self.parallel_network(depth).as_standard()
        # Linear layers from (cos θ, 0), (0, sin θ) to the targets, each with its share of the
        # singular values, and turned so that both sides stay non-negative.
        tau = self.tilt(depth)
        sides = np.diag([1.0, tau]) / np.hypot(1, tau)
        U, s, Vt = np.linalg.svd(
            np.linalg.solve(sides, np.stack([self.plus, self.minus])), full_matrices=False
        )
        share, inner, turn = np.diag(s ** (1 / (depth - 1))), [], U
        for _ in range(depth - 2):
            sides = sides @ turn @ share
            # The sides are at an acute angle, and their bisector goes to (1, 1).
            middle = (sides / np.linalg.norm(sides, axis=1)[:, None]).sum(axis=0)
            x, y = middle / np.linalg.norm(middle)
            back = np.array([[x + y, x - y], [y - x, x + y]]) / np.sqrt(2)
            if np.linalg.det(sides) < 0:
                back = back[:, ::-1]
            inner.append(turn @ share @ back)
            sides, turn = sides @ back, back.T
        layers = (np.hstack([a, -a]) * np.hypot(1, [tau, 1 / tau]) ** -1, *inner, turn @ share @ Vt)
        return Network((layers,), "relu").balanced_units()

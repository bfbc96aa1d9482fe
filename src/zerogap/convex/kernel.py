"""Kernels of regularised linear networks of three or more layers (theory §2).

Of W₁B, B = W₂…W_L, the objective keeps N = BᵀB (k, k). With eigenvalues s_a^{L−1} and eigenvectors
v_a of N, the best W₁ and balanced layers it is F(S) = Σ_a v_aᵀT(s_a)v_a, S = N^{1/(L−1)}, where
T(s) = ½Yᵀ(I + rXXᵀ)⁻¹Y + β(L−1)/2·s I, r = s^{L−1}/β.
"""

import numpy as np
from scipy.optimize import minimize

from zerogap.model import clock
from zerogap.model.matrices import Array
from zerogap.model.problem import Problem

# Singular values of X below this share of the largest are rounding.
_NOTHING = 1e-13
# The curve: points for each e-fold of r, at most; minima are refined so often, into so many points.
_DENSITY, _MOST, _REFINED, _POINTS, _FEW = 20, 4000, 4, 21, 5
_STEPS = {"maxiter": 2000, "maxfun": 4000, "maxcor": 30, "ftol": 1e-16, "gtol": 1e-12}
# r is as good as infinite from here on, and still a float64.
_LARGEST = 1e300


class Kernels:
    """The curve T of a problem, and the maps that kernels stand for, Y and beta not zero.

    In units of their own, in which ‖X‖₂ = ‖Y‖ = 1 and T(s) = ½Yᵀ(I + (κs)^{L−1} XXᵀ)⁻¹Y + s I:
    value and length are what the units of T and of s are.
    """

    def __init__(self, problem: Problem) -> None:
        assert problem.beta is not None
        U, sigma, Vt = np.linalg.svd(problem.X, full_matrices=False)
        rank, top = int(np.sum(sigma > _NOTHING * sigma[0])), float(sigma[0])
        norm = float(np.linalg.norm(problem.Y))
        self.sigma, self.basis = sigma[:rank, None] / top, Vt[:rank].T
        targets = problem.Y / norm
        self.images = U[:, :rank].T @ targets
        self.rest = (targets.T @ targets - self.images.T @ self.images) / 2
        self.power, self.k, self.scale = problem.depth - 1, problem.k, norm / top
        self.value, self.length = norm**2, 2 * norm**2 / (problem.beta * self.power)
        self.kappa = self.length * (top**2 / problem.beta) ** (1 / self.power)
        # Beyond `end` the second term of T alone is twice what the zero network costs.
        self.end = 1.0
        # Up to `start` T increases: its first term falls by at most ½‖XᵀY‖² per r.
        fall = float(np.linalg.norm(self.sigma * self.images, 2)) ** 2 * self.power / 2
        start = (1 / (fall * self.kappa)) ** (1 / (self.power - 1)) / self.kappa if fall else np.inf
        self.start = min(start, self.end / 2)
        count = int(min(_DENSITY * self.power * np.log(self.end / self.start), _MOST))
        self.grid = np.append(0.0, np.geomspace(self.start, self.end, count + 2))

    def curve(self, s: Array) -> Array:
        """T(s), (m, k, k), at every s (m,)."""
        shares = 1 / (1 + self.sigma.T**2 * self._sizes(s)[:, None])
        first = np.einsum("jk,mj,jl->mkl", self.images, shares, self.images, optimize=True) / 2
        return np.asarray(first + self.rest + s[:, None, None] * np.eye(self.k))

    def room(self, s: Array, Z: Array) -> Array:
        """λ_min(T(s) − Z) at every s (m,)."""
        return np.linalg.eigvalsh(self.curve(s) - Z)[:, 0]

    def some(self, low: float, high: float) -> list[float]:
        """A few points from low to high, for a start."""
        inside = self.grid[(self.grid > low) & (self.grid < high)]
        return [low, *inside[:: len(inside) // _FEW + 1].tolist(), high]

    def lows(self, low: float, high: float, Z: Array) -> tuple[Array, Array]:
        """The local minima of `room` between low and high, and the room there."""
        s = np.concatenate([[low], self.grid[(self.grid > low) & (self.grid < high)], [high]])
        room = np.pad(self.room(s, Z), 1, constant_values=np.inf)
        at = np.flatnonzero((room[1:-1] <= room[:-2]) & (room[1:-1] <= room[2:]))
        left, right = s[np.maximum(at - 1, 0)], s[np.minimum(at + 1, len(s) - 1)]
        row = np.arange(len(at))
        for _ in range(_REFINED):
            finer = np.linspace(left, right, _POINTS, axis=1)
            rooms = self.room(finer.ravel(), Z).reshape(finer.shape)
            best = rooms.argmin(axis=1)
            left = finer[row, np.maximum(best - 1, 0)]
            right = finer[row, np.minimum(best + 1, _POINTS - 1)]
        return finer[row, best], rooms[row, best]

    def root(self, s: Array, weights: Array) -> Array:
        """R with RᵀR = S for the N that is Σ s_m^{L−1} weights_m."""
        n, V = np.linalg.eigh(np.einsum("m,mij->ij", s**self.power, weights))
        return np.asarray(np.maximum(n, 0)[:, None] ** (0.5 / self.power) * V.T)

    def spectrum(self, root: Array) -> tuple[Array, Array]:
        """The eigenvalues of S = RᵀR, in increasing order, and eigenvectors."""
        s, V = np.linalg.eigh(root.T @ root)
        return np.maximum(s, 0), V

    def descend(self, root: Array) -> Array:
        """A root of a local minimum of F, of no larger rank, by L-BFGS from a root (m, k).

        Where the time is up, of where it stands.
        """

        def objective(entries: Array) -> tuple[float, Array]:
            R = entries.reshape(root.shape)
            s, V = self.spectrum(R)
            images = self.images @ V
            shrunk = images / (1 + self.sigma**2 * self._sizes(s))
            value = float(np.vdot(images, shrunk)) / 2 + float(s.sum())
            # d(κS)^{L−1} in S: divided differences.
            powers = self._reached(s)[:, None] ** np.arange(self.power)
            pull = self.kappa / 2 * (shrunk * self.sigma**2).T @ shrunk
            slope = np.eye(self.k) - V @ (powers @ powers[:, ::-1].T * pull) @ V.T
            return value, (2 * R @ slope).ravel()

        def stop(entries: Array) -> None:
            if clock.late():
                raise StopIteration

        start = root.ravel()
        found = minimize(
            objective, start, jac=True, method="L-BFGS-B", callback=stop, options=_STEPS
        )
        return np.asarray(found.x).reshape(root.shape)

    def map(self, root: Array) -> Array:
        """The map A (d, k) of a kernel, by the best first layer: Av = (XᵀX + I/r)⁻¹XᵀYv."""
        s, V = self.spectrum(root)
        r = self._sizes(s)
        A = self.basis @ (self.sigma * r / (1 + self.sigma**2 * r) * (self.images @ V)) @ V.T
        return np.asarray(self.scale * A)

    def _reached(self, s: Array) -> Array:
        """κs, as far as powers of it are numbers."""
        return np.minimum(self.kappa * s, _LARGEST ** (1 / self.power))

    def _sizes(self, s: Array) -> Array:
        """r‖X‖₂² = (κs)^{L−1}."""
        return np.asarray(self._reached(s) ** self.power)

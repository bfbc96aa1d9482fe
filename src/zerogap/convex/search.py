"""Branch and bound over the weights of tiny three-layer standard ReLU networks, for any data.

Whatever its width, the first layer acts through the Gram matrix G = AAᵀ of A = φ(XW₁) alone. The
matrices G ≥ 0 are split into cones, and on every cone multipliers Λ bound P₁ from below; the cone
of the least bound is bisected next. The result is evidence of kind `search`, proved in
docs/certificates.md; nothing here has to be trusted.
"""

from __future__ import annotations

import heapq
import warnings
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any

import cvxpy as cp
import numpy as np

from zerogap.certificates.search import MAX_BISECTIONS, MAX_CONES, MAX_SAMPLES
from zerogap.errors import MethodError
from zerogap.problem import Array, Problem

# XXᵀ is widened and multipliers are shrunk by this share: more than rounding, less than what cones
# of affordable size lose.
_MARGIN = 1e-6
# Bound on the entries of M and on λ_max(H⁻¹), for samples of unit norm.
_LARGEST = 1e4
# Edges of a cone that are tried: so many of the longest, none shorter than this share of it.
_TRIED, _SHORTEST = 3, 0.25


@dataclass(frozen=True, eq=False)
class Search:
    """A lower bound P ≥ value (total) with its evidence: data, splits and leaves."""

    value: float
    evidence: dict[str, Array]
    exact: bool = False

    @property
    def gap(self) -> dict[str, Any]:
        """What a certificate says of it."""
        return {"search": self.evidence}


def search(problem: Problem, target: float, leaves: int = 2000) -> Search:
    """Bound P from below, until the bound is `target` (total) or the tree has so many leaves.

    Raises MethodError for anything but interpolation by standard ReLU networks of depth 3 on a few
    samples, none of them zero.
    """
    n, units = problem.n, np.linalg.norm(problem.X, axis=1)
    kind = (problem.activation, problem.architecture, problem.depth, problem.beta)
    if kind != ("relu", "standard", 3, None) or n > MAX_SAMPLES or not units.all():
        raise MethodError(
            "the search is for interpolation by standard ReLU networks of depth 3, on at most "
            f"{MAX_SAMPLES} samples, none of them zero"
        )
    if not 1 <= leaves <= MAX_CONES // 2:
        raise MethodError(f"leaves is {leaves}; accepted is 1 to {MAX_CONES // 2}")
    cones = _Cones(problem.X / units[:, None], problem.Y / units[:, None])
    goal = (2 * target / 3) ** 1.5
    heap = [cones.whole()]
    splits: dict[str, tuple[int, int]] = {}
    while heap[0].value < goal and len(heap) < leaves and len(heap[0].name) < MAX_BISECTIONS:
        worst = heapq.heappop(heap)
        splits[worst.name], halves = cones.bisect(worst, goal)
        for half in halves:
            heapq.heappush(heap, half)
    # Names in order are the tree, depth first.
    found = {leaf.name: leaf for leaf in heap}
    order = sorted([*splits, *found])
    low, scale = np.tril_indices(n), np.outer(units, units)
    rows = [
        np.concatenate(
            [(c.M / scale)[low], (c.H * scale)[low], (c.Lambda / units[:, None]).ravel()]
        )
        for c in (found[name] for name in order if name in found)
    ]
    evidence = {
        "data": cones.data * scale,
        "splits": np.array([splits.get(name, (-1, -1)) for name in order], dtype=float),
        "leaves": np.array(rows),
    }
    return Search(problem.total(heap[0].value), evidence)


@dataclass(frozen=True, order=True)
class _Cone:
    """A bound on P₁, the halves that lead to the cone, its rays (one a row), its evidence."""

    value: float
    name: str
    rays: Array = field(compare=False)
    M: Array = field(compare=False)
    H: Array = field(compare=False)
    Lambda: Array = field(compare=False)


class _Cones:
    """Cones of Gram matrices for unit rows X, bounded one by one."""

    def __init__(self, X: Array, Y: Array) -> None:
        self.data = X @ X.T + _MARGIN * np.eye(len(X))
        self._neurons, self._layer = _Neurons(self.data), _Layer(Y)

    def whole(self) -> _Cone:
        """All matrices with non-negative entries."""
        n = len(self.data)
        return self._bounded("", np.eye(n * (n + 1) // 2))

    def bisect(self, cone: _Cone, goal: float) -> tuple[tuple[int, int], list[_Cone]]:
        """The edge, among the longest, at which halving gains most towards the goal; its halves."""
        rays = cone.rays
        edges = list(combinations(range(len(rays)), 2))
        lengths = {(i, j): float(np.linalg.norm(rays[i] - rays[j])) for i, j in edges}
        longest = sorted(edges, key=lambda edge: -lengths[edge])[:_TRIED]
        shortest = _SHORTEST * lengths[longest[0]]
        tried = {e: self._halves(cone, *e) for e in longest if lengths[e] >= shortest}
        best = max(tried, key=lambda e: sum(min(half.value, goal) for half in tried[e]))
        return best, tried[best]

    def _halves(self, cone: _Cone, i: int, j: int) -> list[_Cone]:
        halves = []
        for digit, end in enumerate((j, i)):
            rays = cone.rays.copy()
            rays[end] = (cone.rays[i] + cone.rays[j]) / 2
            halves.append(self._bounded(f"{cone.name}{digit}", rays))
        return halves

    def _bounded(self, name: str, rays: Array) -> _Cone:
        grams = np.array([_symmetric(ray) for ray in rays])
        M = self._neurons.bound(grams)
        grams /= np.tensordot(grams, M)[:, None, None]
        value, H, Lambda = self._layer.bound(grams)
        return _Cone(value, name, rays, M, H, Lambda)


class _Neurons:
    """M with φ(z)ᵀMφ(z) ≤ zᵀH₀⁻¹z for all z: ⟨M, G⟩ ≤ 1 for the G of any first layer."""

    def __init__(self, data: Array) -> None:
        n = len(data)
        self._inverse = np.linalg.inv(data)
        ones = np.ones((n, n))
        self._everywhere = ones * _share(ones, self._inverse)
        self._rays = [cp.Parameter((n, n), symmetric=True) for _ in range(n * (n + 1) // 2)]
        self._M = cp.Variable((n, n), symmetric=True)
        B = np.linalg.cholesky(data)
        constraints = [cp.abs(self._M) <= _LARGEST]
        for signs in _signs(n):
            D, S = np.diag(signs > 0).astype(float), cp.Variable((n, n), symmetric=True)
            form = np.eye(n) - B.T @ (D @ self._M @ D + S) @ B
            constraints += [_semidefinite(form), *_slack(S, signs)]
        products = cp.hstack([cp.trace(ray @ self._M) for ray in self._rays])
        objective = cp.Maximize(cp.min(products) + cp.sum(products) / len(self._rays))
        self._program = cp.Problem(objective, constraints)

    def bound(self, rays: Array) -> Array:
        """An M that is large on the rays on average and in the worst case, and positive on all."""
        for parameter, ray in zip(self._rays, rays, strict=True):
            parameter.value = ray
        if found := _solve(self._program, self._M):
            M = found[0] * _share(found[0], self._inverse)
            if (np.tensordot(rays, M) > _MARGIN).all():
                return M
        return self._everywhere


class _Layer:
    """Λ with ‖Λᵀφ(z)‖² ≤ zᵀH⁻¹z for all z, for an H that exceeds given Gram matrices."""

    def __init__(self, Y: Array) -> None:
        n, k = Y.shape
        self._Y = Y
        self._factors = [cp.Parameter((n * n, n * n)) for _ in range(n * (n + 1) // 2)]
        self._Q = cp.Variable((n, n), symmetric=True)
        self._Lambda = cp.Variable((n, k))
        constraints = [_semidefinite(_LARGEST * np.eye(n) - self._Q)]
        for factor in self._factors:
            # BᵀQB ≤ I where G = BBᵀ.
            image = cp.reshape(factor @ cp.vec(self._Q, order="F"), (n, n), order="F")
            constraints.append(_semidefinite(np.eye(n) - image))
        for signs in _signs(n):
            D, S = np.diag(signs > 0).astype(float), cp.Variable((n, n), symmetric=True)
            side = D @ self._Lambda
            form = cp.bmat([[self._Q - S, side], [side.T, np.eye(k)]])
            constraints += [_semidefinite(form), *_slack(S, signs)]
        self._program = cp.Problem(cp.Maximize(cp.sum(cp.multiply(Y, self._Lambda))), constraints)

    def bound(self, grams: Array) -> tuple[float, Array, Array]:
        """(tr(ΛᵀY), H, Λ) with the largest trace; H exceeds all `grams`."""
        values, vectors = np.linalg.eigh(grams)
        roots = vectors * np.sqrt(np.maximum(values, 0))[:, None, :]
        for factor, B in zip(self._factors, roots, strict=True):
            factor.value = np.kron(B.T, B.T)
        least = np.eye(len(self._Y)) / _LARGEST
        found = _solve(self._program, self._Q, self._Lambda)
        Q, Lambda = (found[0] + least, found[1]) if found else (least, self._Y)
        C = np.linalg.cholesky(Q)
        Q = Q / (1 + _MARGIN) / np.linalg.eigvalsh(C.T @ grams @ C).max()
        Lambda = Lambda * np.sqrt(_share(Lambda @ Lambda.T, Q))
        return float(np.sum(Lambda * self._Y)), np.linalg.inv(Q), Lambda


def _signs(n: int) -> Array:
    """All signs of n numbers, one choice a row."""
    return np.array(list(product((1, -1), repeat=n)))


def _symmetric(triangle: Array) -> Array:
    """The symmetric matrix of a lower triangle, given by rows."""
    n = int(np.sqrt(2 * len(triangle)))
    A = np.zeros((n, n))
    A[np.tril_indices(n)] = triangle
    return A + np.tril(A, -1).T


def _share(M: Array, Q: Array) -> float:
    """The largest t, but for a margin, such that φ(z)ᵀtMφ(z) ≤ zᵀQz is proved for all z."""
    signs = _signs(len(Q))
    on = signs > 0
    mixed, active = (v[:, :, None] * v[:, None, :] for v in (signs, on))

    def holds(t: float) -> bool:
        C = mixed * Q - active * (t * M)
        below = np.where(np.eye(len(Q)), C, np.minimum(C, 0))
        least = np.maximum(*(np.linalg.eigvalsh(form)[:, 0] for form in (C, below)))
        return bool((least > 0).all())

    # Multipliers that a solver found are nearly valid; those that are far from it are worth little.
    low, high = 0.0, 2.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low * (1 - _MARGIN)


def _slack(S: cp.Variable, signs: Array) -> list[cp.Constraint]:
    """Constraints for zᵀSz ≥ 0 wherever z has these signs."""
    return [cp.multiply(np.outer(signs, signs), S) >= 0, cp.diag(S) == 0]


def _semidefinite(form: cp.Expression) -> cp.Constraint:
    return (form + form.T) / 2 >> 0


def _solve(program: cp.Problem, *variables: cp.Variable) -> list[Array] | None:
    """The variables where a program is solved, however roughly: they are made valid afterwards."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program.solve(solver=cp.CLARABEL)
    except cp.SolverError:
        return None
    solved = program.status in ("optimal", "optimal_inaccurate")
    return [np.asarray(variable.value) for variable in variables] if solved else None

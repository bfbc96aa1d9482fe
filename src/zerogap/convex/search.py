"""Branch and bound over the weights of tiny three-layer standard ReLU networks, for any data.

Whatever its width, the first layer acts through the Gram matrix G = AAᵀ of A = φ(XW₁) alone. The
matrices G ≥ 0 are split into cones, and on every cone multipliers Λ bound P₁ from below; the cone
of the least bound is bisected next. The result is evidence of kind `search`, proved in
docs/certificates.md; nothing here has to be trusted.
"""

from __future__ import annotations

import heapq
import warnings
from dataclasses import dataclass
from itertools import product

import cvxpy as cp
import numpy as np

from zerogap.errors import MethodError
from zerogap.problem import Array, Problem

# XXᵀ is widened and multipliers are shrunk by this share: more than rounding, less than what cones
# of affordable size lose.
_MARGIN = 1e-6
# Bound on the entries of M and on λ_max(H⁻¹), for samples of unit norm.
_LARGEST = 1e4
_MAX_SAMPLES = 3


@dataclass(frozen=True, eq=False)
class Search:
    """A lower bound P ≥ value (total) with its evidence: data, splits and leaves."""

    value: float
    evidence: dict[str, Array]


def search(problem: Problem, target: float, leaves: int = 5000) -> Search:
    """Bound P from below, until the bound is `target` or the tree has so many leaves.

    Raises MethodError for anything but interpolation by standard ReLU networks of depth 3 on one
    to three samples, none of them zero.
    """
    X, Y = problem.X, problem.Y
    n = len(X)
    units = np.linalg.norm(X, axis=1)
    kind = (problem.activation, problem.architecture, problem.depth, problem.beta)
    if kind != ("relu", "standard", 3, None) or n > _MAX_SAMPLES or not units.all():
        raise MethodError(
            "the search is for interpolation by standard ReLU networks of depth 3, on at most "
            f"{_MAX_SAMPLES} samples, none of them zero"
        )
    unit_rows = X / units[:, None]
    data = unit_rows @ unit_rows.T + _MARGIN * np.eye(n)
    neurons, layer = _Neurons(data), _Layer(Y / units[:, None], n * (n + 1) // 2)

    def bounded(rays: Array) -> tuple[float, Array]:
        matrices = np.array([_symmetric(ray) for ray in rays])
        M = neurons.bound(matrices)
        value, H, Lambda = layer.bound(matrices / np.tensordot(matrices, M)[:, None, None])
        low = np.tril_indices(n)
        scale = np.outer(units, units)
        row = [(M / scale)[low], (H * scale)[low], (Lambda / units[:, None]).ravel()]
        return value, np.concatenate(row)

    goal = (2 * target / 3) ** 1.5
    root = np.eye(n * (n + 1) // 2)
    value, row = bounded(root)
    # A cone's name says which halves lead to it; names in order are the tree, depth first.
    heap = [(value, "", root, row)]
    splits: dict[str, tuple[int, int]] = {}
    while heap[0][0] < goal and len(heap) < leaves:
        _, name, rays, _ = heapq.heappop(heap)
        lengths = np.linalg.norm(rays[:, None] - rays, axis=2)
        i, j = sorted(map(int, np.unravel_index(lengths.argmax(), lengths.shape)))
        splits[name] = (i, j)
        for half, end in enumerate((j, i)):
            child = rays.copy()
            child[end] = (rays[i] + rays[j]) / 2
            value, row = bounded(child)
            heapq.heappush(heap, (value, f"{name}{half}", child, row))
    found = {name: row for _, name, _, row in heap}
    order = sorted([*splits, *found])
    evidence = {
        "data": data * np.outer(units, units),
        "splits": np.array([splits.get(name, (-1, -1)) for name in order], dtype=float),
        "leaves": np.array([found[name] for name in order if name in found]),
    }
    return Search(problem.total(heap[0][0]), evidence)


class _Neurons:
    """M with φ(z)ᵀMφ(z) ≤ zᵀH₀⁻¹z for all z: ⟨M, G⟩ ≤ 1 for the G of any first layer."""

    def __init__(self, data: Array) -> None:
        n = len(data)
        self._inverse = np.linalg.inv(data)
        ones = np.ones((n, n))
        self._everywhere = ones * _share(ones, self._inverse)
        self._direction = cp.Parameter((n, n), symmetric=True)
        self._M = cp.Variable((n, n), symmetric=True)
        B = np.linalg.cholesky(data)
        constraints = [cp.abs(self._M) <= _LARGEST]
        for signs in _signs(n):
            D, S = np.diag(signs > 0).astype(float), cp.Variable((n, n), symmetric=True)
            form = np.eye(n) - B.T @ (D @ self._M @ D + S) @ B
            constraints += [_semidefinite(form), *_slack(S, signs)]
        objective = cp.Maximize(cp.trace(self._direction @ self._M))
        self._program = cp.Problem(objective, constraints)

    def bound(self, rays: Array) -> Array:
        """The M that is largest in the middle of the rays, if it is positive on all of them."""
        self._direction.value = rays.mean(axis=0)
        if found := _solve(self._program, self._M):
            M = found[0] * _share(found[0], self._inverse)
            if (np.tensordot(rays, M) > _MARGIN).all():
                return M
        return self._everywhere


class _Layer:
    """Λ with ‖Λᵀφ(z)‖² ≤ zᵀH⁻¹z for all z, for an H that exceeds given Gram matrices."""

    def __init__(self, Y: Array, count: int) -> None:
        n, k = Y.shape
        self._Y = Y
        self._factors = [cp.Parameter((n * n, n * n)) for _ in range(count)]
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

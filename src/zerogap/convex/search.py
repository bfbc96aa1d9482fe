"""Branch and bound over the weights of tiny three-layer standard ReLU networks, for any data.

Whatever its width, the first layer acts through the Gram matrix G = AAᵀ of A = φ(XW₁) alone. The
matrices G ≥ 0 are split into cones, and on every cone multipliers Λ bound P₁ from below; the cone
of the least bound is bisected next. The result is evidence of kind `search`, proved in
docs/certificates.md; nothing here has to be trusted.
"""

import heapq
from dataclasses import dataclass, field
from itertools import combinations, product

import clarabel
import numpy as np
from scipy import sparse

from zerogap.checker.limits import MAX_BISECTIONS, MAX_SAMPLES, MAX_SEARCHED
from zerogap.convex.conic import minimise
from zerogap.model.bounds import PrimalBound
from zerogap.model.errors import MethodError
from zerogap.model.matrices import Array
from zerogap.model.problem import Problem

# XXᵀ is widened and multipliers are shrunk by this share: more than rounding, less than what cones
# of affordable size lose.
_MARGIN = 1e-6
# Bound on the entries of M and on λ_max(H⁻¹), for samples of unit norm.
_LARGEST = 1e4
# Edges of a cone that are tried: so many of the longest, none shorter than this share of it.
_TRIED, _SHORTEST = 3, 0.25


def search(problem: Problem, target: float = np.inf, leaves: int = 2000) -> PrimalBound:
    """Bound P from below, until the bound is `target` (total) or the tree has so many leaves.

    The evidence is data, splits and leaves (**Search** in docs/certificates.md).
    Raises MethodError for anything but interpolation by standard ReLU networks of depth 3 on two or
    three samples, none of them zero.
    """
    n, units = problem.n, np.linalg.norm(problem.X, axis=1)
    kind = (problem.activation, problem.architecture, problem.depth, problem.beta)
    if kind != ("relu", "standard", 3, None) or not 2 <= n <= MAX_SAMPLES or not units.all():
        raise MethodError(
            "the search is for interpolation by standard ReLU networks of depth 3, on 2 to "
            f"{MAX_SAMPLES} samples, none of them zero"
        )
    if not 1 <= leaves <= MAX_SEARCHED // 2:
        raise MethodError(f"leaves is {leaves}; accepted is 1 to {MAX_SEARCHED // 2}")
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
    named = {leaf.name: leaf for leaf in heap}
    order = sorted([*splits, *named])
    low, scale = np.tril_indices(n), np.outer(units, units)
    rows = [
        np.concatenate(
            [(c.M / scale)[low], (c.H * scale)[low], (c.Lambda / units[:, None]).ravel()]
        )
        for c in (named[name] for name in order if name in named)
    ]
    evidence = {
        "data": cones.data * scale,
        "splits": np.array([splits.get(name, (-1, -1)) for name in order], dtype=float),
        "leaves": np.array(rows),
    }
    return PrimalBound(problem.total(heap[0].value), "search", evidence)


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
        everywhere = np.ones((n, n)) / np.trace(data)
        self._everywhere = everywhere * _share(everywhere, self._inverse)
        # Variables: M, the least of its products with the rays, slacks.
        B, self._basis, slacks = np.linalg.cholesky(data), _basis(n), _slacks(n)
        size = len(self._basis)
        self._slack_count = slacks.shape[1]
        self._blocks = []
        for signs, slack in zip(_signs(n), slacks, strict=True):
            on = np.outer(signs > 0, signs > 0)
            forms = np.concatenate([on * self._basis, np.zeros((1, n, n)), slack])
            self._blocks.append((np.eye(n), -B.T @ forms @ B))
        rows = np.eye(size, size + 1 + self._slack_count)
        largest = np.full(2 * size, _LARGEST)
        self._bounds = [(np.vstack([rows, -rows]), largest), _non_negative(slacks, size + 1)]

    def bound(self, rays: Array) -> Array:
        """An M that is large on the rays on average and in the worst case, and positive on all."""
        products = np.einsum("rij,aij->ra", rays, self._basis)
        rest = np.zeros((len(rays), self._slack_count))
        least = np.hstack([-products, np.ones((len(rays), 1)), rest])
        goal = np.concatenate([products.mean(axis=0), [1], rest[0]])
        x = _maximiser(goal, [*self._bounds, (least, np.zeros(len(rays)))], self._blocks)
        if x is not None:
            M = np.tensordot(x[: len(self._basis)], self._basis, axes=1)
            M *= _share(M, self._inverse)
            if (np.tensordot(rays, M) > _MARGIN).all():
                return M
        return self._everywhere


class _Layer:
    """Λ with ‖Λᵀφ(z)‖² ≤ zᵀQz for all z, Q = H⁻¹, for an H that exceeds given Gram matrices.

    For z of given signs φ(z) = Dz, and zᵀSz ≥ 0 for the slack S. So Q − S − DΛΛᵀD ⪰ 0 for every
    choice of signs is enough, by Schur [[Q − S, DΛ], [ΛᵀD, I]] ⪰ 0, linear in all unknowns.
    """

    def __init__(self, Y: Array) -> None:
        n, k = Y.shape
        self._Y = Y
        self._basis, slacks = _basis(n), _slacks(n)
        # The unknowns: entries of Q, of Λ by rows, and of the slacks.
        in_Q, in_slacks = len(self._basis), slacks.shape[1]
        before = in_Q + n * k
        self._Q = np.concatenate([self._basis, np.zeros((n * k + in_slacks, n, n))])
        self._goal = np.concatenate([np.zeros(in_Q), Y.ravel(), np.zeros(in_slacks)])
        self._bounds = [_non_negative(slacks, before)]
        self._blocks = [(_LARGEST * np.eye(n), -self._Q)]
        identity = np.diag([0.0] * n + [1.0] * k)
        for signs, slack in zip(_signs(n), slacks, strict=True):
            forms = np.zeros((len(self._Q), n + k, n + k))
            forms[:, :n, :n] = self._Q
            forms[before:, :n, :n] = -slack
            for entry, (i, j) in enumerate(product(range(n), range(n, n + k)), in_Q):
                forms[entry, i, j] = forms[entry, j, i] = signs[i] > 0
            self._blocks.append((identity, forms))

    def bound(self, grams: Array) -> tuple[float, Array, Array]:
        """(tr(ΛᵀY), H, Λ) with the largest trace; H exceeds all `grams`.

        G = BBᵀ ⪯ H = Q⁻¹ iff BᵀQB ⪯ I. What the solver finds is made valid by scaling Q, then Λ.
        """
        n, k = self._Y.shape
        values, vectors = np.linalg.eigh(grams)
        roots = vectors * np.sqrt(np.maximum(values, 0))[:, None, :]
        below = [(np.eye(n), -B.T @ self._Q @ B) for B in roots]
        x = _maximiser(self._goal, self._bounds, [*self._blocks, *below])
        Q, Lambda = np.eye(n), self._Y
        if x is not None:
            parts = np.split(x, [len(self._basis), len(self._basis) + n * k])
            values, vectors = np.linalg.eigh(np.tensordot(parts[0], self._basis, axes=1))
            Q = vectors * np.maximum(values, 1 / _LARGEST) @ vectors.T
            Lambda = parts[1].reshape(n, k)
        C = np.linalg.cholesky(Q)
        Q = Q / (1 + _MARGIN) / np.linalg.eigvalsh(C.T @ grams @ C).max()
        Lambda = Lambda * np.sqrt(_share(Lambda @ Lambda.T, Q))
        return float(np.sum(Lambda * self._Y)), np.linalg.inv(Q), Lambda


def _maximiser(
    goal: Array, bounds: list[tuple[Array, Array]], blocks: list[tuple[Array, Array]]
) -> Array | None:
    """The x that maximises goalᵀx, roughly (it is made valid afterwards), None where none is found.

    bounds: (A, b), Ax ≤ b. blocks: (F, forms), F + Σ x_a forms_a positive semidefinite.
    """
    A = [a for a, _ in bounds] + [-_vectors(forms).T for _, forms in blocks]
    b = [end for _, end in bounds] + [_vectors(F) for F, _ in blocks]
    cones = [clarabel.NonnegativeConeT(len(end)) for _, end in bounds]
    cones += [clarabel.PSDTriangleConeT(len(F)) for F, _ in blocks]
    nothing = sparse.csc_matrix((len(goal), len(goal)))
    try:
        return minimise(nothing, -goal, np.vstack(A), np.concatenate(b), cones)[0]
    except MethodError:
        return None


def _vectors(forms: Array) -> Array:
    """Symmetric matrices (…, n, n) as Clarabel writes them: triangles, the rest times √2."""
    i, j = np.tril_indices(forms.shape[-1])
    return forms[..., i, j] * np.where(i == j, 1, np.sqrt(2))


def _basis(n: int) -> Array:
    """The symmetric matrices with a one in one place of the lower triangle, by rows."""
    return np.array([_symmetric(row) for row in np.eye(n * (n + 1) // 2)])


def _slacks(n: int) -> Array:
    """For each choice of signs, matrices with zᵀSz ≥ 0 for all z of these signs.

    Shape (choices, variables, n, n); a choice has variables of its own, zero in all others.
    """
    signs, basis = _signs(n), _basis(n)
    mixed = basis[np.trace(basis, axis1=1, axis2=2) == 0]
    slacks = np.zeros((len(signs), len(signs), len(mixed), n, n))
    for choice, sign in enumerate(signs):
        slacks[choice, choice] = np.outer(sign, sign) * mixed
    return slacks.reshape(len(signs), -1, n, n)


def _non_negative(slacks: Array, start: int) -> tuple[Array, Array]:
    """The bounds x ≥ 0 on the variables of slacks, which come after `start` others."""
    count = slacks.shape[1]
    return -np.eye(start + count)[start:], np.zeros(count)


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
    """A t < 1, not much too small, such that φ(z)ᵀtMφ(z) ≤ zᵀQz for all z, Q ≻ 0."""
    signs = _signs(len(Q))
    on = signs > 0
    mixed, active = (v[:, :, None] * v[:, None, :] for v in (signs, on))

    def holds(t: float) -> bool:
        C = mixed * Q - active * (t * M)
        below = np.where(np.eye(len(Q)), C, np.minimum(C, 0))
        least = np.maximum(*(np.linalg.eigvalsh(form)[:, 0] for form in (C, below)))
        return bool((least > 0).all())

    # What a solver found is nearly valid as it is.
    loss = _MARGIN
    while not holds(1 / (1 + loss)):
        loss *= 4
    return 1 / (1 + loss)

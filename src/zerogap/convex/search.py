"""Branch and bound over the weights of three-layer standard ReLU networks on few samples, any data.

Whatever its width, the first layer acts through the Gram matrix G = AAᵀ of A = φ(XW₁) alone. The
matrices G ≥ 0 are split into cones, and on every cone multipliers Λ that vary with G bound P₁ from
below; the cone of the least bound is bisected next. The result is evidence of kind `search`, proved
in docs/certificates.md; nothing here has to be trusted.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, combinations_with_replacement, product

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
# Bound on the entries of M and on bounds of P₁, for samples of unit norm and targets of norm one.
_LARGEST = 1e4
# More than this multiple of a ray's norm is not asked of ⟨M, R⟩: outside of all G it is unbounded.
# Beside the rays that limit the bound of a cone, all of them weigh this much.
_ENOUGH, _OTHERS = 3.0, 0.3
# A goal is exceeded by this share, so that what proves it has room; rounds of added choices of
# signs; tolerance of the programs, whose solutions are made valid afterwards.
_ROOM, _ROUNDS, _TOLERANCE = 1e-3, 6, 1e-6
# The share of the diagonal of Q that rounding may take.
_ROUNDING = 1e-13
# Eigenvalues of a mean Gram matrix below this share of the largest do not lengthen edges further;
# an edge counts for this much where neither of its rays limits the bound.
_FLAT, _IDLE = 1e-2, 0.03


def search(
    problem: Problem,
    target: float = np.inf,
    leaves: int = 2000,
    samples: Sequence[int] | None = None,
) -> PrimalBound:
    """Bound P from below, until the bound is `target` (total) or the tree has so many leaves.

    samples: those to keep; a bound for some of them holds for all. The evidence is data, splits and
    leaves (**Search** in docs/certificates.md). A target saves work on cones that cannot reach
    it, and loses some of the bound where the leaves do not suffice for it.
    Raises MethodError for anything but interpolation by standard ReLU networks of depth 3, and for
    more than four samples, less than two, and zero ones.
    """
    every = range(problem.n)
    kept = sorted(set(every if samples is None else samples))
    if not set(kept) <= set(every):
        raise MethodError(f"samples is {samples!r}; accepted are some of 0 to {problem.n - 1}")
    X, Y, n = problem.X[kept], problem.Y[kept], len(kept)
    units = np.linalg.norm(X, axis=1)
    kind = (problem.activation, problem.architecture, problem.depth, problem.beta)
    if kind != ("relu", "standard", 3, None) or not 2 <= n <= MAX_SAMPLES or not units.all():
        raise MethodError(
            "the search is for interpolation by standard ReLU networks of depth 3, on 2 to "
            f"{MAX_SAMPLES} samples (samples=… keeps some), none of them zero"
        )
    if not 1 <= leaves <= MAX_SEARCHED // 2:
        raise MethodError(f"leaves is {leaves}; accepted is 1 to {MAX_SEARCHED // 2}")
    Y = Y / units[:, None]
    size = float(np.linalg.norm(Y)) or 1.0
    cones = _Cones(X / units[:, None], Y / size)
    goal = (2 * target / 3) ** 1.5 / size
    heap = [cones.whole(goal)]
    splits: dict[str, tuple[int, int]] = {}
    while heap[0].value < goal and len(heap) < leaves and len(heap[0].name) < MAX_BISECTIONS:
        worst = heapq.heappop(heap)
        splits[worst.name], halves = cones.bisect(worst, goal)
        for half in halves:
            heapq.heappush(heap, half)
    # Names in order are the tree, depth first.
    named = {leaf.name: cones.proved(leaf) for leaf in heap}
    order = sorted([*splits, *named])
    low, scale = np.tril_indices(n), np.outer(units, units)
    proofs = (named[name].proof for name in order if name in named)
    rows = [
        np.concatenate([(M / scale)[low], (K / scale)[low], (Lambda / units[:, None]).ravel()])
        for M, K, Lambda in (proof for proof in proofs if proof)
    ]
    evidence = {
        "data": cones.data * scale,
        "splits": np.array([splits.get(name, (-1, -1)) for name in order], dtype=float),
        "leaves": np.array(rows),
    }
    if n < problem.n:
        evidence["samples"] = np.array([kept], dtype=float)
    value = size * min(leaf.value for leaf in named.values())
    return PrimalBound(problem.total(value), "search", evidence)


@dataclass(frozen=True, order=True)
class _Cone:
    """A cone of Gram matrices: its rays, a row each, the halves that lead to it, and its bound.

    M, K and Λ, one Λ for each ray, prove `value` if they are there; else nothing proves more than
    `value`. limits: how far each ray limits it. choices: pairs of a ray and of signs that matter.
    """

    value: float
    name: str
    rays: Array = field(compare=False)
    limits: Array = field(compare=False)
    choices: frozenset[tuple[int, int]] = field(compare=False)
    proof: tuple[Array, Array, Array] | None = field(compare=False)


class _Cones:
    """Cones of Gram matrices for unit rows X, bounded one by one."""

    def __init__(self, X: Array, Y: Array) -> None:
        self.data = X @ X.T + _MARGIN * np.eye(len(X))
        self._neurons, self._layer = _Neurons(self.data), _Layer(Y)

    def whole(self, goal: float) -> _Cone:
        """All matrices with non-negative entries."""
        n = len(self.data)
        rays = np.eye(n * (n + 1) // 2)
        return self._bounded("", rays, np.full(len(rays), 1 / len(rays)), frozenset(), goal)

    def proved(self, cone: _Cone) -> _Cone:
        """The cone with a proof."""
        if cone.proof:
            return cone
        return self._bounded(cone.name, cone.rays, cone.limits, cone.choices, np.inf)

    def bisect(self, cone: _Cone, goal: float) -> tuple[tuple[int, int], list[_Cone]]:
        """The edge to halve, long in units of the cone's Gram matrices, at rays that limit it."""
        grams = np.array([_symmetric(ray) for ray in cone.rays])
        values, vectors = np.linalg.eigh(grams.mean(axis=0))
        whiten = vectors / np.sqrt(np.maximum(values, _FLAT * values[-1]))
        grams = whiten.T @ grams @ whiten

        def gain(edge: tuple[int, int]) -> float:
            i, j = edge
            limiting = np.sqrt(cone.limits[i] + cone.limits[j])
            return float(np.linalg.norm(grams[i] - grams[j]) * (_IDLE + limiting))

        i, j = max(combinations(range(len(grams)), 2), key=gain)
        halves = []
        for digit, end in enumerate((j, i)):
            rays = cone.rays.copy()
            rays[end] = (cone.rays[i] + cone.rays[j]) / 2
            limits = cone.limits.copy()
            limits[end] = (limits[i] + limits[j]) / 2
            choices = {choice for choice in cone.choices if choice[0] != end}
            choices |= {(end, signs) for ray, signs in cone.choices if ray in (i, j)}
            half = self._bounded(f"{cone.name}{digit}", rays, limits, frozenset(choices), goal)
            halves.append(half)
        return (i, j), halves

    def _bounded(
        self,
        name: str,
        rays: Array,
        limits: Array,
        choices: frozenset[tuple[int, int]],
        goal: float,
    ) -> _Cone:
        grams = np.array([_symmetric(ray) for ray in rays])
        M = self._neurons.bound(grams, limits)
        grams /= np.tensordot(grams, M)[:, None, None]
        found = self._layer.bound(grams, choices, goal)
        proof = (M, *found.proof) if found.proof else None
        return _Cone(found.value, name, rays, found.limits, found.choices, proof)


class _Neurons:
    """M with φ(z)ᵀMφ(z) ≤ zᵀH₀⁻¹z for all z: ⟨M, G⟩ ≤ 1 for the G of any first layer."""

    def __init__(self, data: Array) -> None:
        n = len(data)
        self._inverse = np.linalg.inv(data)
        everywhere = np.ones((n, n)) / np.trace(data)
        self._everywhere = everywhere * _share(everywhere[None], self._inverse[None])[0]
        # Variables: M, slacks, the least of the products with the rays, these products up to a cap.
        B, self._basis, signs = np.linalg.cholesky(data), _basis(n), _signs(n)
        size, mixed = len(self._basis), _mixed(n)
        self._count = size + len(signs) * len(mixed)
        rays = size
        self._blocks = []
        for choice, sign in enumerate(signs):
            forms = np.zeros((self._count + 1 + rays, n, n))
            forms[:size] = np.outer(sign > 0, sign > 0) * self._basis
            start = size + choice * len(mixed)
            forms[start : start + len(mixed)] = np.outer(sign, sign) * mixed
            self._blocks.append((np.eye(n), -B.T @ forms @ B))
        unit = np.eye(len(forms))
        self._bounds = [
            (np.vstack([unit[:size], -unit[:size]]), np.full(2 * size, _LARGEST)),
            (-unit[size : self._count], np.zeros(self._count - size)),
            (unit[self._count + 1 :], np.full(rays, _ENOUGH)),
        ]

    def bound(self, rays: Array, limits: Array) -> Array:
        """An M that is large on rays, most of all on those that limit a bound, positive on all."""
        units = rays / np.linalg.norm(rays, axis=(1, 2))[:, None, None]
        size, count = len(self._basis), self._count
        worst = np.eye(1, count + 1 + len(rays), count)
        products = np.zeros((len(rays), worst.size))
        products[:, :size] = -np.einsum("rij,aij->ra", units, self._basis)
        least, each = products.copy(), products
        least[:, count] = 1
        each[:, count + 1 :] = np.eye(len(rays))
        safe = np.tensordot(units, self._everywhere).min(keepdims=True) / 2
        zero = np.zeros(len(rays))
        bounds = [*self._bounds, (least, zero), (each, zero), (-worst, -safe)]
        goal = np.concatenate([np.zeros(count), [1], _OTHERS / len(rays) + limits])
        found = _maximiser(goal, bounds, self._blocks)
        if found is not None:
            M = np.tensordot(found[0][:size], self._basis, axes=1)
            M *= _share(M[None], self._inverse[None])[0]
            if (np.tensordot(units, M) > _MARGIN).all():
                return M
        return self._everywhere


@dataclass(frozen=True)
class _Bound:
    """What `_Layer.bound` finds; proof: K and the Λ."""

    value: float
    limits: Array
    choices: frozenset[tuple[int, int]]
    proof: tuple[Array, Array] | None


class _Layer:
    """Λ that vary with G: one for each ray R, ‖Λᵀφ(z)‖² ≤ zᵀQz for all z, Q = 2K − KRK.

    As KRK is convex in K, Q − S − DΛΛᵀD ⪰ 0 is linear in all unknowns for every choice of signs, on
    which φ(z) = Dz and the slack has zᵀSz ≥ 0: with R = BBᵀ, by Schur, the matrix
    [[2K − S, DΛ, KB], [ΛᵀD, I, 0], [BᵀK, 0, I]] ⪰ 0. Choices are added where they are violated.
    """

    def __init__(self, Y: Array) -> None:
        n, k = Y.shape
        self._Y, self._basis, self._mixed = Y, _basis(n), _mixed(n)
        order = 2 * n + k
        self._identity = np.diag([0.0] * n + [1.0] * (n + k))
        self._twice = np.zeros((len(self._basis), order, order))
        self._twice[:, :n, :n] = 2 * self._basis
        # For every choice of signs the forms of the entries of Λ, by rows, and of the slacks.
        signs = _signs(n)
        self._multipliers = np.zeros((len(signs), n * k, order, order))
        self._slacks = np.zeros((len(signs), len(self._mixed), order, order))
        for choice, sign in enumerate(signs):
            for entry, (i, j) in enumerate(product(range(n), range(n, n + k))):
                self._multipliers[choice, entry, [i, j], [j, i]] = sign[i] > 0
            self._slacks[choice, :, :n, :n] = -np.outer(sign, sign) * self._mixed

    def bound(self, grams: Array, choices: frozenset[tuple[int, int]], goal: float) -> _Bound:
        """The largest v ≤ tr(ΛᵀY) for the Λ of all `grams`, no more than a little above the goal.

        Without a proof if v is below the goal, unless that is infinite.
        """
        rays = len(grams)
        active = choices | {(ray, 0) for ray in range(rays)}
        limits = np.full(rays, 1 / rays)
        for _ in range(_ROUNDS):
            found = self._solve(grams, sorted(active), min((1 + _ROOM) * goal, _LARGEST))
            if found is None:
                break
            v, limits, K, Lambda = found
            if v < goal < np.inf:
                return _Bound(v, limits, active, None)
            Q = 2 * K - K @ grams @ K
            holds = _holds((1 - _MARGIN) * Lambda @ Lambda.transpose(0, 2, 1), Q)
            missing = {(int(r), int(s)) for r, s in zip(*np.nonzero(~holds), strict=True)} - active
            if not missing:
                return self._valid(grams, K, Lambda, limits, active)
            active |= missing
        if goal < np.inf:
            return _Bound(0.0, limits, active, None)
        K = np.eye(len(self._Y)) / np.linalg.eigvalsh(grams).max()
        return self._valid(grams, K, np.tile(self._Y, (rays, 1, 1)), limits, active)

    def _valid(
        self,
        grams: Array,
        K: Array,
        Lambda: Array,
        limits: Array,
        active: frozenset[tuple[int, int]],
    ) -> _Bound:
        """The bound of the Λ, made a little smaller."""
        if not _holds(np.zeros_like(grams), 2 * K - K @ grams @ K).all():
            K = np.eye(len(K)) / np.linalg.eigvalsh(grams).max()
        shares = _share(Lambda @ Lambda.transpose(0, 2, 1), 2 * K - K @ grams @ K)
        Lambda = Lambda * np.sqrt(shares)[:, None, None]
        value = float(np.tensordot(Lambda, self._Y).min())
        return _Bound(value, limits, active, (K, Lambda))

    def _solve(
        self, grams: Array, active: list[tuple[int, int]], cap: float
    ) -> tuple[float, Array, Array, Array] | None:
        """v, how far each ray limits it, K and Λ, for pairs of a ray and a choice of signs."""
        (n, k), rays, size = self._Y.shape, len(grams), len(self._basis)
        values, vectors = np.linalg.eigh(grams)
        roots = vectors * np.sqrt(np.maximum(values, 0))[:, None, :]
        in_K = self._twice + np.zeros((rays, 1, 1, 1))
        in_K[:, :, :n, n + k :] = self._basis @ roots[:, None]
        in_K[:, :, n + k :, :n] = in_K[:, :, :n, n + k :].swapaxes(2, 3)
        # The unknowns: v, the entries of K, of the Λ by rows, and of the slacks.
        before = 1 + size + rays * n * k
        count = before + len(active) * len(self._mixed)
        blocks = []
        for pair, (ray, choice) in enumerate(active):
            forms = np.zeros((count, *self._identity.shape))
            forms[1 : 1 + size] = in_K[ray]
            start, slack = 1 + size + ray * n * k, before + pair * len(self._mixed)
            forms[start : start + n * k] = self._multipliers[choice]
            forms[slack : slack + len(self._mixed)] = self._slacks[choice]
            blocks.append((self._identity, forms))
        goal, least = np.zeros(count), np.zeros((rays + 1, count))
        goal[0], least[:, 0] = 1, 1
        for ray in range(rays):
            least[ray, 1 + size + ray * n * k :][: n * k] = -self._Y.ravel()
        bounds = [
            (least, np.concatenate([np.zeros(rays), [cap]])),
            (-np.eye(count)[before:], np.zeros(count - before)),
        ]
        found = _maximiser(goal, bounds, blocks)
        if found is None:
            return None
        x, z = found
        K = np.tensordot(x[1 : 1 + size], self._basis, axes=1)
        return x[0], np.maximum(z[:rays], 0), K, x[1 + size : before].reshape(rays, n, k)


def _maximiser(
    goal: Array, bounds: list[tuple[Array, Array]], blocks: list[tuple[Array, Array]]
) -> tuple[Array, Array] | None:
    """(x, multipliers): x roughly maximises goalᵀx; None where none is found.

    bounds: (A, b), Ax ≤ b. blocks: (F, forms), F + Σ x_a forms_a positive semidefinite.
    """
    A = [a for a, _ in bounds] + [-_vectors(forms).T for _, forms in blocks]
    b = [end for _, end in bounds] + [_vectors(F) for F, _ in blocks]
    cones = [clarabel.NonnegativeConeT(len(end)) for _, end in bounds]
    cones += [clarabel.PSDTriangleConeT(len(F)) for F, _ in blocks]
    nothing = sparse.csc_matrix((len(goal), len(goal)))
    try:
        return minimise(nothing, -goal, np.vstack(A), np.concatenate(b), cones, _TOLERANCE)
    except MethodError:
        return None


def _vectors(forms: Array) -> Array:
    """Symmetric matrices (…, n, n) as Clarabel writes them: triangles, the rest times √2."""
    i, j = np.tril_indices(forms.shape[-1])
    return forms[..., i, j] * np.where(i == j, 1, np.sqrt(2))


def _basis(n: int) -> Array:
    """The symmetric matrices with a one in one place of the lower triangle, by rows."""
    return np.array([_symmetric(row) for row in np.eye(n * (n + 1) // 2)])


def _mixed(n: int) -> Array:
    """Those of them with a zero diagonal."""
    basis = _basis(n)
    return basis[np.trace(basis, axis1=1, axis2=2) == 0]


def _signs(n: int) -> Array:
    """All signs of n numbers, one choice a row, but all negative ones, where φ is zero."""
    return np.array(list(product((1, -1), repeat=n)))[:-1]


def _symmetric(triangle: Array) -> Array:
    """The symmetric matrix of a lower triangle, given by rows."""
    n = int(np.sqrt(2 * len(triangle)))
    A = np.zeros((n, n))
    A[np.tril_indices(n)] = triangle
    return A + np.tril(A, -1).T


def _holds(M: Array, Q: Array) -> Array:
    """Whether φ(z)ᵀMφ(z) < zᵀQz, with some room, for pairs (M, Q) and choices of signs of z."""
    n = Q.shape[-1]
    signs = _signs(n)
    on = signs > 0
    mixed, active = (v[:, :, None] * v[:, None, :] for v in (signs, on))
    Q = Q - _ROUNDING * np.abs(Q) * np.eye(n)
    return _copositive(mixed * Q[:, None] - active * M[:, None])


def _copositive(C: Array) -> Array:
    """Whether matrices (…, n, n) are strictly copositive (**Copositive** in certificates.md)."""
    holds = np.linalg.eigvalsh(C)[..., 0] > 0
    rest = C[~holds]
    proved = np.ones(len(rest), dtype=bool)
    n = C.shape[-1]
    for size in range(1, n + 1):
        for part in combinations(range(n), size):
            B = rest[:, part][:, :, part]
            good = np.linalg.det(B) > 0
            for i, j in combinations_with_replacement(range(size if size > 1 else 0), 2):
                minor = np.delete(np.delete(B, i, axis=1), j, axis=2)
                good |= (-1) ** (i + j) * np.linalg.det(minor) < 0
            proved &= good
    holds[~holds] = proved
    return holds


def _share(M: Array, Q: Array) -> Array:
    """For pairs, a t < 1, not much too small, such that φ(z)ᵀtMφ(z) ≤ zᵀQz for all z."""
    # What a solver found is nearly valid as it is.
    loss = np.full(len(M), _MARGIN)
    while not (holds := _holds(M / (1 + loss)[:, None, None], Q).all(axis=1)).all():
        loss[~holds] *= 4
    return 1 / (1 + loss)

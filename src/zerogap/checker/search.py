"""A lower bound on the primal by search over the weights, with no theory of the data.

A three-layer standard ReLU network meets its first layer only through the Gram matrix G = AAᵀ of
A = φ(XW₁), whatever its width. All G lie in the cone of symmetric matrices with non-negative
entries; a tree of bisections splits it into simplicial cones, and every leaf brings multipliers
that bound P₁ for all G inside. Proof and format: docs/certificates.md.
"""

from collections.abc import Iterable, Iterator
from itertools import combinations, combinations_with_replacement, product

import numpy as np
from flint import arb, arb_mat

from zerogap.checker.balls import Array, Refused, balls, frobenius, inner
from zerogap.checker.budget import STEP, spend
from zerogap.checker.eigen import positive_definite
from zerogap.checker.limits import MAX_BISECTIONS, MAX_SAMPLES, MAX_SEARCHED


def scaled_primal(
    X: Array, Y: Array, epsilon: arb, data: Array, splits: Array, leaves: Array
) -> arb:
    """A lower bound on P₁ of three-layer standard ReLU networks with ‖f(X) − Y‖_F ≤ ε.

    data: (n, n), H₀ ≻ XXᵀ. splits: one row (i, j) per cone, depth first: bisect the edge from ray
    i to ray j, i < j, the half with ray i first; (−1, −1) is a leaf. leaves: one row per leaf, the
    lower triangles of M and of K by rows, then a Λ (n, k) for each ray, by rows; or M, H, one Λ.

    A leaf proves P₁ ≥ min tr(ΛᵀY) − ε‖Λ‖_F over its Λ, for the G in its cone, if φ(z)ᵀMφ(z) ≤
    zᵀH₀⁻¹z for all z, and for each ray R ⟨M, R⟩ > 0 and ‖Λᵀφ(z)‖² ≤ zᵀ(2K − KRK/⟨M, R⟩)z for its Λ;
    or, with one Λ, ‖Λᵀφ(z)‖² ≤ zᵀH⁻¹z and R ≺ ⟨M, R⟩ H.
    """
    n, k = Y.shape
    if not 2 <= n <= MAX_SAMPLES or len(splits) > MAX_SEARCHED:
        raise Refused(
            f"gap.search: accepted are 2 to {MAX_SAMPLES} samples and {MAX_SEARCHED} cones"
        )
    pairs = [(i, j) for i in range(n) for j in range(i + 1)]
    size = len(pairs)
    each = leaves.shape[1] == 2 * size + size * n * k
    if (
        data.shape != (n, n)
        or splits.shape[1] != 2
        or not (each or leaves.shape[1] == 2 * size + n * k)
    ):
        raise Refused("gap.search: data, splits or leaves do not have the shape of the problem")
    if not np.array_equal(data, data.T):
        raise Refused("gap.search.data is not symmetric")
    ground = _symmetric([arb(float(data[pair])) for pair in pairs], pairs)
    if not positive_definite(ground - balls(X) * balls(X).transpose()):
        raise Refused("gap.search.data is not proved to exceed X Xᵀ")
    reach, targets = ground.inv(), balls(Y)
    # Rays are counted in units of the samples' norms, so that cones are well shaped.
    norms = [arb(x) for x in np.linalg.norm(X, axis=1).tolist()]
    units = [norms[i] * norms[j] for i, j in pairs]
    rows = iter(leaves.tolist())
    bounds: list[arb] = []
    for index, cone in enumerate(_leaves(splits, size)):
        spend(60 * STEP * n**2, "the leaves of the search")
        row = next(rows, None)
        if row is None:
            raise Refused("gap.search.leaves has fewer rows than the tree has leaves")
        entries = [arb(x) for x in row]
        M, K = _symmetric(entries[:size], pairs), _symmetric(entries[size : 2 * size], pairs)
        parts = range(2 * size, len(entries), n * k)
        Lambdas = [arb_mat(n, k, entries[start : start + n * k]) for start in parts]
        weights = [[arb(x) * unit for x, unit in zip(ray, units, strict=True)] for ray in cone]
        rays = [_symmetric(ray, pairs) for ray in weights]
        fault = _fault(reach, M, rays) or (_varying if each else _constant)(M, K, Lambdas, rays)
        if fault:
            raise Refused(f"gap.search.leaves[{index}]: {fault}")
        bounds += [inner(Lambda, targets) - epsilon * frobenius(Lambda) for Lambda in Lambdas]
    if next(rows, None) is not None:
        raise Refused("gap.search.leaves has more rows than the tree has leaves")
    # Every G lies in some leaf's cone, so the worst of the leaves bounds them all.
    return min(bounds, key=lambda bound: bound.lower()).lower()


def _leaves(splits: Array, size: int) -> Iterator[list[tuple[float, ...]]]:
    """The rays of every leaf of the tree of bisections, depth first; they cover all x ≥ 0.

    Half the sum of two rays lies on their edge, so a cone is the union of its two halves.
    """
    waiting = iter(splits.tolist())
    stack = [(0, [tuple(float(a == b) for b in range(size)) for a in range(size)])]
    while stack:
        depth, rays = stack.pop()
        split = next(waiting, None)
        if split is None:
            raise Refused("gap.search.splits: a cone is neither split nor a leaf")
        if split == [-1, -1]:
            yield rays
            continue
        i, j = map(int, split)
        if split != [i, j] or not 0 <= i < j < size or depth == MAX_BISECTIONS:
            raise Refused(
                f"gap.search.splits has the row {split}; accepted are two rays i < j, at most "
                f"{MAX_BISECTIONS} times"
            )
        middle = tuple((a + b) / 2 for a, b in zip(rays[i], rays[j], strict=True))
        stack += [(depth + 1, [*rays[:e], middle, *rays[e + 1 :]]) for e in (i, j)]
    if next(waiting, None) is not None:
        raise Refused("gap.search.splits has more rows than the tree")


def _fault(reach: arb_mat, M: arb_mat, rays: list[arb_mat]) -> str:
    """What a leaf fails to prove of the first layer, or nothing."""
    if not _bounded(M, reach):
        return "M is not proved to be at most 1 on the hidden neurons"
    if not all(inner(M, ray) > 0 for ray in rays):
        return "M is not proved to be positive on every Gram matrix of the cone"
    return ""


def _constant(M: arb_mat, H: arb_mat, Lambdas: list[arb_mat], rays: list[arb_mat]) -> str:
    """The same of the second layer, with one Λ for the cone."""
    if not all(positive_definite(inner(M, ray) * H - ray) for ray in rays):
        return "H is not proved to exceed every Gram matrix of the cone"
    (Lambda,) = Lambdas
    if not positive_definite(H) or not _bounded(Lambda * Lambda.transpose(), H.inv()):
        return "Λ is not proved to be at most 1 on the second layer"
    return ""


def _varying(M: arb_mat, K: arb_mat, Lambdas: list[arb_mat], rays: list[arb_mat]) -> str:
    """The same, with a Λ for each ray."""
    for Lambda, ray in zip(Lambdas, rays, strict=True):
        Q = K * 2 - K * ray * K * (1 / inner(M, ray))
        if not _bounded(Lambda * Lambda.transpose(), Q):
            return "Λ is not proved to be at most 1 on the second layer"
    return ""


def _bounded(M: arb_mat, Q: arb_mat) -> bool:
    """Whether φ(z)ᵀMφ(z) ≤ zᵀQz for all z with a positive entry.

    Where z has the signs σ, the difference is |z|ᵀC|z| with C_ij = σ_iσ_j Q_ij − M_ij, M only for
    positive z_i, z_j: C has to be copositive.
    """
    n = Q.nrows()
    spend(STEP * n**2 * 2**n, "the leaves of the search")
    for signs in list(product((1, -1), repeat=n))[:-1]:
        C = arb_mat(n, n)
        for i, j in product(range(n), repeat=2):
            both = signs[i] > 0 and signs[j] > 0
            C[i, j] = signs[i] * signs[j] * Q[i, j] - (M[i, j] if both else 0)
        if not positive_definite(C) and not _copositive(C):
            return False
    return True


def _copositive(C: arb_mat) -> bool:
    """Whether aᵀCa > 0 for all a ≥ 0 but zero, by all principal submatrices, small ones first.

    If it holds for those of one row less, it holds if the determinant is positive or an entry of
    the adjugate is negative (docs/certificates.md, **Copositive**).
    """
    n = C.nrows()
    spend(50 * n * 2**n, "a copositive matrix")
    for size in range(1, n + 1):
        for part in combinations(range(n), size):
            if not _minor(C, part, part) > 0 and not any(
                _minor(C, [a for a in part if a != i], [a for a in part if a != j])
                * (-1) ** (part.index(i) + part.index(j))
                < 0
                for i, j in combinations_with_replacement(part, 2)
                if size > 1
            ):
                return False
    return True


def _minor(C: arb_mat, rows: Iterable[int], columns: Iterable[int]) -> arb:
    """The determinant of some rows and columns."""
    return arb_mat([[C[i, j] for j in columns] for i in rows]).det()


def _symmetric(entries: list[arb], pairs: list[tuple[int, int]]) -> arb_mat:
    """The symmetric matrix of a lower triangle."""
    n = pairs[-1][0] + 1
    A = arb_mat(n, n)
    for (i, j), entry in zip(pairs, entries, strict=True):
        A[i, j] = A[j, i] = entry
    return A
